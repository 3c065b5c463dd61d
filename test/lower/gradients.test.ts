/** The training step: gradients against central differences, AdamW, clipping and averaging against plain loops. */
import { describe, expect, it } from 'vitest';
import type { CompiledModel } from '../../compiler/driver.js';
import { scheduleAt } from '../../runtime/train/schedule.js';
import { Random } from '../graph/random.js';
import {
  batchFeeds,
  compile,
  losses,
  normError,
  pack,
  randomBatch,
  randomParameters,
  run,
  stepOf,
  vector,
  type Batch,
  type Values,
} from './support.js';

const spec = `import { MLP } from "std/backbones"

model Mixed {
  modality image: image[2, 2, 1]
  modality label: category[3]
  modality pose: vector[3] { likelihood: cosine }
  space z: f32[2, 2, 1]
  encoder image = image
  encoder label = label |> project(shape(z))
  encoder pose = pose |> project(shape(z))
  process { steps: 20, retention: 0.9, origin: image }
  backbone h = concat(z, given) |> MLP(t, width: 6, depth: 1)
  decoder z = h |> project(shape(z))
  decoder label = h |> linear(3)
  decoder pose = h |> linear(3)
  task generate: image, label, pose
}
`;

const rows = [
  { t: 1, roles: ['produced', 'produced', 'produced'] },
  { t: 7, roles: ['produced', 'given', 'produced'] },
  { t: 20, roles: ['given', 'produced', 'absent'] },
  { t: 12, roles: ['absent', 'produced', 'given'] },
  { t: 3, roles: ['produced', 'produced', 'produced'] },
] as const;

interface State {
  readonly parameters: Float64Array;
  readonly moment1: Float64Array;
  readonly moment2: Float64Array;
  readonly ema: Float64Array;
  readonly statistics: Float64Array;
}

/** One training step; `schedule` is rate, corrections of Adam, decay of the average. */
function step(model: CompiledModel, batch: Batch, state: State, schedule: ArrayLike<number>) {
  const { graph } = stepOf(model, batch.rows.length);
  const feeds = { ...batchFeeds(model, batch), schedule: vector(Float64Array.from(schedule)) };
  for (const [name, data] of Object.entries(state))
    Object.assign(feeds, { [name]: vector(data as Float64Array) });
  const outputs = run(graph, feeds);
  const next = (name: string) => Float64Array.from(outputs[`${name}.next`]?.data ?? []);
  return {
    loss: outputs.loss!.data[0]!,
    norm: outputs.grad_norm!.data[0]!,
    state: {
      parameters: next('parameters'),
      moment1: next('moment1'),
      moment2: next('moment2'),
      ema: next('ema'),
      statistics: next('statistics'),
    },
  };
}

function start(model: CompiledModel, values: Values): State {
  const zeros = () => new Float64Array(model.layout.size);
  const parameters = pack(model, values);
  const statistics = new Float64Array(model.layout.statisticsSize);
  return { parameters, moment1: zeros(), moment2: zeros(), ema: parameters.slice(), statistics };
}

/** The gradient, read off the first moment of a step from nothing without clipping. */
function gradient(model: CompiledModel, batch: Batch, values: Values): Values {
  const { moment1 } = step(model, batch, start(model, values), [0, 1, 1, 1]).state;
  return new Map(
    model.layout.trainable.map((s) => [
      s.name,
      moment1.slice(s.offset, s.offset + s.size).map((g) => g / 0.1),
    ]),
  );
}

/** Largest error against central differences over some entries of every tensor, relative to the tensor's norm. */
function worst(model: CompiledModel, batch: Batch, values: Values, names: (name: string) => boolean): number {
  const found = gradient(model, batch, values);
  const random = new Random(9);
  let error = 0;
  for (const { name, size } of model.layout.trainable) {
    if (!names(name)) continue;
    const g = found.get(name)!;
    const scale = Math.max(Math.hypot(...g) / Math.sqrt(size), 1e-3);
    for (let i = 0; i < Math.min(size, 4); i++) {
      const at = random.int(0, size - 1);
      const h = 1e-5;
      const moved = (by: number) => {
        const changed = values.get(name)!.slice();
        changed[at] = changed[at]! + by;
        return losses(model, batch, new Map([...values, [name, changed]])).loss!;
      };
      error = Math.max(error, Math.abs((moved(h) - moved(-h)) / (2 * h) - g[at]!) / scale);
    }
  }
  return error;
}

const noClip = 'train.clip=0';
const encoders = (name: string) => name.startsWith('encoder.');

describe('the gradients of a whole training step', () => {
  it('are those of the loss: everything but the encoders, whose part in L1 and L3 is stopped', () => {
    const model = compile(spec, [noClip]);
    const values = randomParameters(model, 3);
    expect(worst(model, randomBatch(model, rows), values, (name) => !encoders(name))).toBeLessThan(1e-5);
  });

  it('are those of L0 and L2 for the encoders too', () => {
    const model = compile(spec, [noClip, 'loss.L1=0', 'loss.L3=0']);
    const values = randomParameters(model, 4);
    expect(worst(model, randomBatch(model, rows), values, () => true)).toBeLessThan(1e-5);
  });

  it('are those of the simplified form with weights', () => {
    const model = compile(spec, [noClip, 'loss.L1=simplified(snr: min(5))', 'loss.L2=mean(0.1)']);
    const values = randomParameters(model, 5);
    expect(worst(model, randomBatch(model, rows), values, (name) => !encoders(name))).toBeLessThan(1e-5);
  });

  it('do not reach the encoders through the targets of L1', () => {
    // Predictions that do not depend on the state leave no other way.
    const fixed = spec
      .replace('MLP(t, width: 6, depth: 1)', 'MLP(t, width: 6, depth: 1) |> stop_gradient')
      .replace('h |> project(shape(z))', 'param([2, 2, 1])')
      .replace('decoder label = h |> linear(3)', 'decoder label = param([3])')
      .replace('decoder pose = h |> linear(3)', 'decoder pose = param([3])');
    const model = compile(fixed, [noClip, 'loss.L0=0']);
    const found = gradient(model, randomBatch(model, rows), randomParameters(model, 6));
    for (const [name, g] of found) {
      const norm = Math.hypot(...g);
      if (encoders(name)) expect(norm, name).toBe(0);
      if (name.startsWith('decoder.')) expect(norm, name).toBeGreaterThan(1e-6);
    }
  });
});

describe('the update', () => {
  /** AdamW (Loshchilov & Hutter, 2019, algorithm 2) with clipping by the global norm, one number after the other. */
  function plain(model: CompiledModel, gradients: readonly Values[], values: Values) {
    const { optimizer, clip, rate, ema } = model.info.train;
    const state = start(model, values);
    const decayed = new Set(model.layout.trainable.filter((s) => s.decay).map((s) => s.name));
    gradients.forEach((g, i) => {
      const n = i + 1;
      const norm = Math.sqrt([...g.values()].reduce((s, v) => s + v.reduce((t, x) => t + x * x, 0), 0));
      const shrink = clip > 0 && norm > clip ? clip / norm : 1;
      // Half a cosine after the warm-up.
      const eta =
        n <= rate.warmup
          ? (rate.peak * n) / rate.warmup
          : (rate.peak *
              (1 + Math.cos((Math.PI * (n - rate.warmup)) / (model.info.train.steps - rate.warmup)))) /
            2;
      const keep = Math.min(ema, (1 + n) / (10 + n));
      for (const slot of model.layout.trainable) {
        for (let j = 0; j < slot.size; j++) {
          const at = slot.offset + j;
          const x = g.get(slot.name)![j]! * shrink;
          state.moment1[at] = optimizer.beta1 * state.moment1[at]! + (1 - optimizer.beta1) * x;
          state.moment2[at] = optimizer.beta2 * state.moment2[at]! + (1 - optimizer.beta2) * x * x;
          const m = state.moment1[at]! / (1 - optimizer.beta1 ** n);
          const v = state.moment2[at]! / (1 - optimizer.beta2 ** n);
          const decay = decayed.has(slot.name) ? optimizer.decay : 0;
          const before = state.parameters[at]!;
          state.parameters[at] = before - eta * (m / (Math.sqrt(v) + optimizer.epsilon) + decay * before);
          state.ema[at] = keep * state.ema[at]! + (1 - keep) * state.parameters[at]!;
        }
      }
    });
    return state;
  }

  it.each([
    ['the defaults', []],
    ['no clipping', [noClip]],
    [
      'hard clipping, other constants, no decay',
      ['train.clip=0.01', 'train.optimizer=adamw(decay: 0, beta1: 0.5, beta2: 0.8, epsilon: 1e-3)'],
    ],
    ['strong decay and a short memory', ['train.optimizer=adamw(decay: 0.9)', 'train.ema=0.15']],
  ])('is AdamW with clipping and a moving average over three steps: %s', (_, set) => {
    const options = ['train.rate=cosine(0.05, warmup: 2)', 'train.steps=10', ...set];
    const model = compile(spec, options);
    const unclipped = compile(spec, [
      ...options.filter((o) => !o.startsWith('train.clip') && !o.includes('adamw')),
      noClip,
    ]);
    const values = randomParameters(model, 7);
    let state = start(model, values);
    const seen: Values[] = [];
    for (const n of [1, 2, 3]) {
      const batch = randomBatch(model, rows, n);
      const now = new Map(
        model.layout.trainable.map((s) => [s.name, state.parameters.slice(s.offset, s.offset + s.size)]),
      );
      seen.push(gradient(unclipped, batch, now));
      const result = step(model, batch, state, scheduleAt(model.info.train, n));
      const norm = Math.sqrt(
        [...seen[n - 1]!.values()].reduce((s, g) => s + g.reduce((t, x) => t + x * x, 0), 0),
      );
      expect(Math.abs(result.norm - norm) / norm).toBeLessThan(1e-9);
      state = result.state;
    }
    const wanted = plain(model, seen, values);
    // The schedule is fed in float32.
    for (const name of ['parameters', 'moment1', 'moment2', 'ema'] as const) {
      expect(normError(state[name], wanted[name]), name).toBeLessThan(1e-6);
    }
    expect(normError(state.parameters, pack(model, values))).toBeGreaterThan(0.01);
  });

  it('decays matrices and kernels, and nothing else', () => {
    const model = compile(spec);
    const { layout } = model;
    const sorted = layout.trainable.map((s) => s.decay);
    expect(sorted.indexOf(false)).toBe(sorted.lastIndexOf(true) + 1);
    expect(layout.decayed).toBe(layout.trainable.filter((s) => s.decay).reduce((n, s) => n + s.size, 0));
    for (const { name, decay, shape } of layout.trainable) {
      expect(decay, name).toBe(name.endsWith('.weight') && shape.length > 1);
    }
  });

  it('keeps the statistics of learned encoders', () => {
    const model = compile(spec);
    expect(model.layout.statistics.map((s) => s.name)).toEqual([
      'encoder.pose.normalise.mean',
      'encoder.pose.normalise.scale',
    ]);
    const values = randomParameters(model, 8);
    const batch = randomBatch(model, rows);
    const before = start(model, values);
    const at = (decay: number) => step(model, batch, before, [0, 1, 1, decay]).state.statistics;
    const now = at(0);
    expect(now.every((x) => x !== 0)).toBe(true);
    // Never slower than 0.99.
    for (const [decay, keep] of [
      [0.5, 0.5],
      [0.99, 0.99],
      [0.999, 0.99],
    ] as const) {
      at(decay).forEach((x, i) => expect(x).toBeCloseTo((1 - keep) * now[i]!, 10));
    }
  });
});
