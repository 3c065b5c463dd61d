/** Closed forms against the chain itself, drawn step by step. */
import { describe, expect, it } from 'vitest';
import type { ProcessSpec } from '../../compiler/process/tables.js';
import { posterior, processTables } from '../../compiler/process/tables.js';
import { Stream } from '../../runtime/random/stream.js';
import { cosine, nested } from './support.js';

const steps = 40;
const encodings = [0.8, -1.1];

const processes: Record<string, ProcessSpec> = {
  'image as origin, label nested': {
    steps,
    schedule: cosine,
    normaliser: 1,
    origin: { form: 'modality', name: 'x' },
    components: [{ name: 'x' }, { name: 'y', weights: nested }],
  },
  'both aggregated, alpha over N + 1': {
    steps,
    schedule: cosine,
    normaliser: 3,
    origin: { form: 'zero' },
    components: [
      { name: 'x', weights: { form: 'marginal', curve: { form: 'cosine', scale: 1 } } },
      { name: 'y', weights: { form: 'step', curve: { form: 'linear', from: 0.5, to: 0 } } },
    ],
  },
  'mean of the encodings as origin': {
    steps,
    schedule: { form: 'linear', first: 1e-4, last: 0.02 },
    normaliser: 1,
    origin: { form: 'mean' },
    components: [
      { name: 'x', weights: nested },
      { name: 'y', weights: { form: 'marginal', curve: { form: 'constant', value: 0.3 } } },
    ],
  },
};

/** Draws: with n of them a mean is off by more than 5 standard errors once in 1.7 million. */
const n = 20_000;
const errors = 5;

describe.each(Object.entries(processes))('%s', (_, spec) => {
  const tables = processTables(spec);
  const start = encodings.reduce((sum, y, j) => sum + tables.components[j]!.o * y, 0);
  const kept = new Map<number, Float64Array>();
  let z = new Float64Array(n).fill(start);
  const random = new Stream(7, 'chain');
  for (let t = 1; t <= steps; t++) {
    const noise = random.normal(n);
    const a = tables.a[t]!;
    const added = encodings.reduce((sum, y, j) => sum + tables.components[j]!.w[t]! * y, 0);
    z = z.map((value, i) => Math.sqrt(a) * (value + added) + Math.sqrt(1 - a) * noise[i]!);
    kept.set(t, z);
  }

  it.each([1, 2, 10, 25, 39, 40])('has at t = %i the mean and variance of the marginal', (t) => {
    const values = kept.get(t)!;
    const mean = values.reduce((s, v) => s + v, 0) / n;
    const variance = values.reduce((s, v) => s + (v - mean) ** 2, 0) / (n - 1);
    const wanted = encodings.reduce((sum, y, j) => sum + tables.components[j]!.c[t]! * y, 0);
    const sigma2 = tables.sigma[t]! ** 2;
    expect(Math.abs(mean - wanted)).toBeLessThan(errors * Math.sqrt(sigma2 / n));
    // A sample variance of normal draws has standard error sigma^2 sqrt(2 / n).
    expect(Math.abs(variance - sigma2)).toBeLessThan(errors * sigma2 * Math.sqrt(2 / n));
  });

  it.each([
    [2, 1],
    [20, 19],
    [30, 10],
    [40, 5],
  ])('regresses z_%2$i on z_%1$i as the posterior says', (t, s) => {
    const [later, earlier] = [kept.get(t)!, kept.get(s)!];
    const { fromZ, fromY, variance } = posterior(tables, t, s);
    const shift = encodings.reduce((sum, y, j) => sum + fromY[j]! * y, 0);
    const rest = earlier.map((value, i) => value - fromZ * later[i]! - shift);
    const mean = rest.reduce((sum, v) => sum + v, 0) / n;
    const spread = rest.reduce((sum, v) => sum + v * v, 0) / n;
    const center = encodings.reduce((sum, y, j) => sum + tables.components[j]!.c[t]! * y, 0);
    const covariance = rest.reduce((sum, v, i) => sum + v * (later[i]! - center), 0) / n;
    expect(Math.abs(mean)).toBeLessThan(errors * Math.sqrt(variance / n));
    expect(Math.abs(spread - variance)).toBeLessThan(errors * variance * Math.sqrt(2 / n));
    // What is left of z_s has nothing to do with z_t.
    expect(Math.abs(covariance)).toBeLessThan(errors * tables.sigma[t]! * Math.sqrt(variance / n));
  });
});
