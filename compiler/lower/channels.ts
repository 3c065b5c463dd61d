/**
 * Where learned encodings meet in the space.
 *
 * @module
 */
import type { Encoder } from '../../grammar/ast.js';
import { diagnostic } from '../diagnostics/table.js';
import type { BuiltEncoder, ModelNetworks } from './networks.js';

/**
 * Warns of learned encoders that fill the same channels; call it once the encoders are built. An encoder without
 * parameters is left out: a learned code beside data as they are is told apart by what the data look like.
 */
export function reportSharedChannels(networks: ModelNetworks): void {
  const { parameters } = networks.evaluator;
  const learned = [...networks.encoders.values()].filter(({ modality }) =>
    parameters.all.some((p) => p.trainable && p.name.startsWith(`encoder.${modality.name}.`)),
  );
  for (const [i, encoder] of learned.entries())
    for (const other of learned.slice(0, i)) report(networks, encoder, other);
}

function report({ info, evaluator }: ModelNetworks, encoder: BuiltEncoder, other: BuiltEncoder): void {
  const from = Math.max(encoder.channels.from, other.channels.from);
  const to = Math.min(encoder.channels.to, other.channels.to);
  if (from >= to) return;
  const { file } = info.module;
  const range = ({ modality }: BuiltEncoder) => (info.encoders.get(modality.name) as Encoder).name.range;
  evaluator.diagnostics.add(
    diagnostic(
      'MMD0609',
      { file, range: range(encoder) },
      { name: other.modality.name, other: encoder.modality.name, from, to, space: info.space.name },
      { labels: [{ file, range: range(other), message: 'the other encoder' }] },
    ),
  );
}
