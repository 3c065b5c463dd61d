/**
 * The parts of a model as graphs of their own, for use elsewhere: every encoder, the denoiser, every decoder.
 *
 * @module
 */
import type { Graph } from '../graph/ir.js';
import { dataNode, Forward } from './forward.js';
import type { ModelNetworks } from './networks.js';
import { sampleInputs } from './sampling.js';

/** Outputs `encoding`, [B, ...space], of the data input `x.NAME`. */
export function encoderGraph(networks: ModelNetworks, name: string, batch: number): Graph | undefined {
  const b = networks.evaluator.builder;
  const modality = networks.info.modalities.find((m) => m.name === name);
  const built = modality && networks.encoder(modality, dataNode(b, modality, batch), { from: 'kept' });
  if (!built) return undefined;
  b.output('encoding', built.encoding);
  return b.finish();
}

/** Outputs `h`, the backbone's result, of state, roles, t and the data of what is given. */
export function denoiserGraph(networks: ModelNetworks, batch: number): Graph | undefined {
  const b = networks.evaluator.builder;
  const { info } = networks;
  const count = info.modalities.length;
  const rows = {
    given: b.input(sampleInputs.given, [batch, count]),
    produced: b.input(sampleInputs.produced, [batch, count]),
    t: b.input(sampleInputs.t, [batch], 'i32'),
  };
  const z = b.input(sampleInputs.z, [batch, ...info.space.shape]);
  const data = new Map(info.modalities.map((m) => [m.name, dataNode(b, m, batch)]));
  const features = new Forward(networks, rows, batch, data, { from: 'kept' }).features(z);
  if (!features) return undefined;
  b.output('h', features.h.node);
  return b.finish();
}

/** Outputs `output`, the parameters of a likelihood, or of the space's name the prediction, of `h` and `t`. */
export function decoderGraph(
  networks: ModelNetworks,
  name: string,
  batch: number,
  shape: readonly number[],
): Graph | undefined {
  const b = networks.evaluator.builder;
  const node = b.input('h', [batch, ...shape]);
  const t = b.mul(b.cast(b.input(sampleInputs.t, [batch], 'i32'), 'f32'), 1 / networks.info.tables.steps);
  const output = networks.decoder(
    name,
    { kind: 'tensor', node, shape, batched: true, degree: 'nonlinear' },
    t,
  );
  if (!output) return undefined;
  b.output('output', output);
  return b.finish();
}
