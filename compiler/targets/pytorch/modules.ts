/**
 * `networks.py` and `model.py`.
 *
 * @module
 */
import { sizeOf } from '../../graph/ir.js';
import { className, valueName } from './names.js';
import type { EmittedNetworks } from './emitter.js';
import { docstring, lineLength } from './python.js';
import type { Unit } from './unit.js';

const layers =
  'GroupNorm LayerNorm Linear Network Conv Param Init ONES ZEROS Normalise avg_pool into layer_norm upsample'.split(
    ' ',
  );

/** `networks.py`: every network that the model uses. */
export function networksModule({ emitter, declarations }: EmittedNetworks, title: string): string {
  const own = new Set(declarations.values());
  const rounds = roundsOf(emitter.units, own);
  const units = emitter.units.filter((unit) => !own.has(unit) && !rounds.has(unit));
  return moduleText(
    `Networks of \`${title}\`, each used one below those that it uses. Tensors are [B, ...], channels last; names of
parameters are those of checkpoints.`,
    units.map((unit) => emitter.render(unit)),
    [],
    '',
  );
}

/** Rounds of declarations go with them. */
function roundsOf(units: readonly Unit[], declarations: ReadonlySet<Unit>): Set<Unit> {
  const result = new Set<Unit>();
  let waiting: Unit[] = [];
  for (const unit of units) {
    if (unit.kind === 'round') waiting.push(unit);
    else {
      if (declarations.has(unit)) for (const round of waiting) result.add(round);
      waiting = [];
    }
  }
  return result;
}

/** `model.py`: encoders, backbone, decoders, and the model around them. */
export function modelModule(emitted: EmittedNetworks): string {
  const { emitter, declarations } = emitted;
  const { info } = emitter.model;
  const own = new Set(declarations.values());
  const rounds = roundsOf(emitter.units, own);
  const units = emitter.units.filter((unit) => own.has(unit) || rounds.has(unit));
  const blocks = units.map((unit) => {
    const lines = emitter.render(unit);
    const modality = info.modalities.find((m) => declarations.get(`encoder.${m.name}`) === unit);
    return modality ? withStatistics(lines, statisticsOf(emitted, modality.name)) : lines;
  });
  const holder = (name: string, doc: string, attributes: readonly (readonly [string, string])[]) => [
    `class ${name}(nn.Module):`,
    ...docstring(doc, '    '),
    '',
    '    def __init__(self) -> None:',
    '        super().__init__()',
    ...attributes.map(([attribute, type]) => `        self.${attribute} = ${type}()`),
  ];
  const unitOf = (path: string) => declarations.get(path)?.name ?? 'nn.Identity';
  blocks.push(
    holder(
      'Encoders',
      'The encoders by modality.',
      [...info.encoders.keys()].map((name) => [valueName(name), unitOf(`encoder.${name}`)] as const),
    ),
    holder(
      'Decoders',
      'The decoders by modality; `origin` predicts z_0.',
      [...info.decoders.keys()].map(
        (name) => [name === info.space.name ? 'origin' : valueName(name), unitOf(`decoder.${name}`)] as const,
      ),
    ),
    [
      `class ${modelClass(info.name)}(TrainedModel):`,
      ...docstring(info.doc === '' ? `The model \`${info.name}\`.` : info.doc, '    '),
      '',
      '    def __init__(self) -> None:',
      '        super().__init__(SPEC, Encoders(), Backbone(), Decoders())',
    ],
  );
  const networks = emitter.units.filter((unit) => !units.includes(unit)).map((unit) => unit.name);
  return moduleText(
    `The model \`${info.name}\`: encoders, backbone and decoders as its spec declares them.`,
    blocks,
    [
      ['.losses', ['TrainedModel']],
      ['.networks', networks],
      ['.spec', ['SPEC']],
    ],
    'nn',
  );
}

export const modelClass = (name: string): string => className(name);

function statisticsOf({ emitter }: EmittedNetworks, name: string): number | undefined {
  const slot = emitter.model.layout.statistics.find((s) => s.name === `encoder.${name}.normalise.mean`);
  return slot && sizeOf(slot.shape);
}

/** Adds the kept statistics of a learned encoder to its class. */
function withStatistics(lines: readonly string[], channels: number | undefined): string[] {
  if (channels === undefined) return [...lines];
  const at = lines.findIndex((line) => line.includes('def forward('));
  return [
    ...lines.slice(0, at - 1),
    `        self.normalise = Normalise(${channels})`,
    ...lines.slice(at - 1),
  ];
}

function moduleText(
  doc: string,
  blocks: readonly (readonly string[])[],
  locals: readonly (readonly [string, readonly string[]])[],
  extra: string,
): string {
  const body = blocks.map((block) => block.join('\n')).join('\n\n\n');
  const code = `${body.replace(/"""[\s\S]*?"""/g, '')} ${extra}`;
  const reads = (name: string) => new RegExp(`(?<![\\w.])${name}\\b`).test(code);
  const head = [
    ...(reads('math') ? ['import math', ''] : []),
    ...(reads('torch') ? ['import torch'] : []),
    ...(reads('functional') ? ['import torch.nn.functional as functional'] : []),
    ...torchImports(reads),
  ];
  const used = [
    ['.layers', layers.filter(reads)] as const,
    ...locals.map(([from, names]) => [from, names.filter(reads)] as const),
  ];
  const imports = used
    .filter(([, names]) => names.length > 0)
    .map(([from, names]) => importLine(from, names));
  const parts = [
    docstring(doc, '').join('\n'),
    [...head, ...(head.length > 0 ? [''] : []), ...imports].join('\n'),
  ];
  return `${parts.join('\n\n')}\n${body === '' ? '' : `\n\n${body}\n`}`;
}

function torchImports(reads: (name: string) => boolean): string[] {
  const names = ['Tensor', 'nn'].filter(reads);
  return names.length === 0 ? [] : [`from torch import ${names.join(', ')}`];
}

/** Names in ruff's order: constants, classes, then the rest. */
function importLine(from: string, names: readonly string[]): string {
  const kind = (name: string) =>
    /^[A-Z0-9_]+$/.test(name) && name.length > 1 ? 0 : /^[A-Z]/.test(name) ? 1 : 2;
  const sorted = [...names].sort((a, b) => kind(a) - kind(b) || (a < b ? -1 : 1));
  const flat = `from ${from} import ${sorted.join(', ')}`;
  if (flat.length <= lineLength) return flat;
  return `from ${from} import (\n${sorted.map((name) => `    ${name},\n`).join('')})`;
}
