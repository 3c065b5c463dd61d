/**
 * What the documentation says of a model, before it is HTML or Markdown: rows of its tables in words.
 *
 * @module
 */
import type { CompiledModel } from '../driver.js';
import { estimateParts, type PartCost, type PartEstimates } from '../estimate.js';
import { sizeOf } from '../graph/ir.js';
import type { Likelihood, ModelInfo, TaskInfo } from '../model/info.js';
import type { Sampler } from '../process/samplers.js';
import { isIdentity, isLearned, isNormalised } from './encoders.js';
import { count, figure, roughly } from './figures.js';
import { plainNumber } from './tex.js';

/** A table: headings, and cells of plain text, row by row; `mono` columns are code. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly mono?: readonly number[];
  /** Columns of numbers. */
  readonly numbers?: readonly number[];
}

export function modalityTable(model: CompiledModel): Table {
  const { info } = model;
  return {
    head: ['Modality', 'In networks', 'As data', 'Likelihood', 'Range', 'Encoding'],
    mono: [0, 1, 2],
    rows: info.modalities.map((m) => [
      m.name,
      `f32[${m.shape.join(', ')}]`,
      m.discrete
        ? `class${m.dataShape.length > 0 ? ` [${m.dataShape.join(', ')}]` : ''}`
        : `f32[${m.dataShape.join(', ')}]`,
      likelihoodText(m.likelihood, m.labels),
      m.range ? `${plainNumber(m.range[0])} to ${plainNumber(m.range[1])}` : '',
      encodingText(model, m.name),
    ]),
  };
}

function likelihoodText(likelihood: Likelihood, labels: readonly string[] | undefined): string {
  switch (likelihood.form) {
    case 'gaussian':
      return `Gaussian, σ = ${plainNumber(likelihood.sigma)}`;
    case 'bernoulli':
      return 'Bernoulli';
    case 'categorical':
      return labels ? `categorical: ${labels.join(', ')}` : 'categorical';
    case 'cosine':
      return `cosine (von Mises-Fisher), κ = ${plainNumber(likelihood.kappa)}`;
  }
}

function encodingText(model: CompiledModel, name: string): string {
  const { info } = model;
  const { origin } = info.process;
  const start = origin.form === 'modality' && origin.name === name ? ', the origin z₀' : '';
  if (!info.encoders.has(name)) return 'none';
  if (isIdentity(info, name)) return `as it is${start}`;
  if (!isLearned(model, name)) return `fixed${start}`;
  return `learned${isNormalised(model, name) ? ', centred and scaled' : ''}${start}`;
}

export function taskTable({ tasks }: ModelInfo): Table {
  return {
    head: ['Task', 'Given', 'Produced', 'How', 'Guidance'],
    mono: [0],
    rows: tasks.map((task) => [
      task.name,
      task.given.join(', '),
      task.produced.join(', ') + knownText(task),
      readoutText(task),
      task.guidance === 1 ? 'none' : plainNumber(task.guidance),
    ]),
  };
}

/** `, image known outside hole`, or nothing. */
export function knownText({ known }: Pick<TaskInfo, 'known'>): string {
  return known.map(({ modality, where, region }) => `, ${modality} known ${where} ${region}`).join('');
}

function readoutText({ readout, steps, sampler }: TaskInfo): string {
  if (readout.form === 'terminal') return `mean of ${readout.calls} predictions at t = T`;
  return `${samplerText(sampler)}, ${steps} steps`;
}

function samplerText(sampler: Sampler): string {
  if (sampler.form === 'ddim') return sampler.eta === 0 ? 'DDIM' : `DDIM (η = ${plainNumber(sampler.eta)})`;
  return sampler.form === 'ddpm' ? 'DDPM' : 'DPM-Solver++(2M)';
}

export function lossTable({ loss, modalities }: ModelInfo): Table {
  const learned = loss.balance.form === 'uncertainty';
  const fixed = (value: number) => (value === 0 ? '0 (reported only)' : plainNumber(value));
  const weight = (value: number) =>
    learned && value > 0 ? `${fixed(value)}, times e^(−s), learned` : fixed(value);
  const { L1 } = loss;
  const snr =
    L1.form !== 'simplified' || L1.snr.form === 'none'
      ? ''
      : L1.snr.form === 'min'
        ? `, weighted by min(SNR, ${plainNumber(L1.snr.gamma)})`
        : L1.snr.form === 'p2'
          ? `, weighted by P2, SNR / (${plainNumber(L1.snr.k)} + SNR)^${plainNumber(L1.snr.gamma)}`
          : `, weighted by SNR clamped to [${plainNumber(L1.snr.low)}, ${plainNumber(L1.snr.high)}]`;
  return {
    head: ['Term', 'Weight', 'What it measures'],
    rows: [
      ['L0', fixed(loss.L0), 'the state at t = T against pure noise'],
      [
        'L1',
        weight(L1.weight),
        L1.form === 'bound'
          ? 'the reverse steps, t ≥ 2, as in the bound'
          : `squared error of every component (simplified)${snr}`,
      ],
      ...[...loss.L2].map(([name, entry]) => {
        const m = modalities.find((one) => one.name === name);
        const per = entry.mean && m ? `, per element (of ${count(sizeOf(m.dataShape))})` : ', nats per row';
        return [`L2 of ${name}`, weight(entry.weight), `recovering ${name}${per}`];
      }),
      ['L3', weight(loss.L3.weight), 'z₀ from z₁, where the origin is data itself'],
    ],
  };
}

export function defaultTable({ defaults }: ModelInfo): Table {
  return {
    head: ['Setting', 'Value', 'Why'],
    mono: [0, 1],
    rows: defaults.map((d) => [d.path, d.value, d.reason]),
  };
}

const estimates = new WeakMap<CompiledModel, PartEstimates>();

/** A model's costs are on several pages, and take longer than all else that is said of it. */
function partsOf(model: CompiledModel): PartEstimates {
  let parts = estimates.get(model);
  if (!parts) estimates.set(model, (parts = estimateParts(model)));
  return parts;
}

/** Parameters, memory and arithmetic of every declaration, and of the networks used in it, two levels deep. */
export function parameterTable(model: CompiledModel): Table {
  const { declarations, networks } = partsOf(model);
  const rows = declarations.flatMap((declaration) => {
    const inside = networks.filter(({ path, parameters }) => {
      const below = path.slice(declaration.path.length + 1).split('.');
      return path.startsWith(`${declaration.path}.`) && below.length <= 2 && parameters > 0;
    });
    return [declaration, ...inside];
  });
  return {
    head: ['Network', 'Parameters', 'Weights', 'With training state', 'Arithmetic, a row', 'Values, a row'],
    mono: [0],
    numbers: [1, 2, 3, 4, 5],
    rows: rows.map((part) => [
      part.path,
      part.parameters === part.trainable
        ? count(part.parameters)
        : `${count(part.parameters)} (${count(part.parameters - part.trainable)} frozen)`,
      bytes(4 * part.parameters),
      bytes(part.stateBytes),
      flop(part.flops),
      bytes(part.activationBytes),
    ]),
  };
}

/** Figures of the whole model: parameters, and what training takes. */
export function costs(
  model: CompiledModel,
): readonly (readonly [name: string, value: string, about: string])[] {
  const { declarations, batch } = partsOf(model);
  const { layout } = model;
  const sum = (of: (part: PartCost) => number) => declarations.reduce((total, part) => total + of(part), 0);
  const parameters = sum((part) => part.parameters);
  const tensors = layout.trainable.length + layout.frozen.length;
  return [
    ['Parameters', roughly(parameters), `${count(parameters)} in ${count(tensors)} tensors`],
    [
      'Weights',
      bytes(4 * parameters),
      `${bytes(sum((part) => part.stateBytes))} with Adam’s moments and the average`,
    ],
    [
      'A training step',
      flop(batch * sum((part) => part.trainingFlops)),
      `of ${count(batch)} rows: products and convolutions, forward and backward`,
    ],
    [
      'Values',
      bytes(batch * sum((part) => part.activationBytes)),
      `computed on the way forward, ${count(batch)} rows`,
    ],
  ];
}

/** 12 MFLOP */
function flop(value: number): string {
  return value < 1000 ? `${roughly(value)} FLOP` : `${roughly(value)}FLOP`;
}

/** 1.2 MiB */
export function bytes(value: number): string {
  for (const [unit, name] of [
    [2 ** 30, 'GiB'],
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
  ] as const) {
    if (value >= unit) return `${Number((value / unit).toPrecision(3))} ${name}`;
  }
  return `${Math.round(value)} bytes`;
}

export function trainText({ train, process }: ModelInfo): string {
  const { rate } = train;
  const shape =
    rate.form === 'cosine'
      ? `a rate that rises to ${figure(rate.peak)} over ${count(rate.warmup)} steps and falls as a cosine`
      : `a rate of ${figure(rate.peak)}`;
  return `AdamW for ${count(train.steps)} steps of ${count(train.batch)} rows with ${shape}; moving average ${plainNumber(train.ema)}; ${count(process.steps)} diffusion steps.`;
}
