/** Samplers: the posterior at eta = 1, and the orders of the deterministic ones. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sampler, Update } from '../../compiler/process/samplers.js';
import { timesteps, updates } from '../../compiler/process/samplers.js';
import type { ProcessSpec } from '../../compiler/process/tables.js';
import { posterior, processTables, type ProcessTables } from '../../compiler/process/tables.js';
import { cosine, nested, processArbitrary, single } from './support.js';

const ddim = (eta: number): Sampler => ({ form: 'ddim', eta });

describe('timesteps', () => {
  it('are all of them where as many calls are asked for', () => {
    expect(timesteps(5, 5)).toEqual([5, 4, 3, 2, 1]);
    expect(timesteps(5, 100)).toEqual([5, 4, 3, 2, 1]);
  });

  it('go from T to 1, evenly, and once each', () => {
    expect(timesteps(1000, 1)).toEqual([1000]);
    expect(timesteps(1000, 4)).toEqual([1000, 667, 334, 1]);
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 2000 }), fc.integer({ min: 2, max: 2000 }), (T, count) => {
        const times = timesteps(T, count);
        expect(times[0]).toBe(T);
        expect(times[times.length - 1]).toBe(1);
        expect(times.length).toBe(Math.min(T, count));
        expect(times.every((t, i) => i === 0 || t < times[i - 1]!)).toBe(true);
      }),
    );
  });
});

describe('one step', () => {
  const times = fc.integer({ min: 2, max: 20 });

  it('is the posterior at eta = 1, and DDPM is that', () => {
    fc.assert(
      fc.property(processArbitrary, times, (spec, count) => {
        const tables = processTables(spec);
        const grid = timesteps(spec.steps, count);
        const all = updates(tables, ddim(1), grid);
        expect(updates(tables, { form: 'ddpm' }, grid)).toEqual(all);
        for (const { t, s, z, y, noise } of all.filter((u) => u.s > 0)) {
          const q = posterior(tables, t, s);
          expect(Math.abs(z - q.fromZ)).toBeLessThan(1e-8);
          y.forEach((value, j) => expect(Math.abs(value - q.fromY[j]!)).toBeLessThan(1e-7));
          expect(Math.abs(noise ** 2 - q.variance)).toBeLessThan(1e-12);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the marginal for any eta, when the encodings are known', () => {
    const known = [0.6, -0.9, 1.2];
    fc.assert(
      fc.property(processArbitrary, times, fc.double({ min: 0, max: 1, noNaN: true }), (spec, count, eta) => {
        const tables = processTables(spec);
        const mean = (t: number) => tables.components.reduce((sum, c, j) => sum + c.c[t]! * known[j]!, 0);
        const whole = updates(tables, ddim(1), timesteps(spec.steps, count));
        for (const [i, update] of updates(tables, ddim(eta), timesteps(spec.steps, count)).entries()) {
          const { t, s, z, y, noise } = update;
          // eta scales the noise of the posterior.
          expect(Math.abs(noise - eta * whole[i]!.noise)).toBeLessThan(1e-12);
          const moved = z * mean(t) + y.reduce((sum, k, j) => sum + k * known[j]!, 0);
          expect(Math.abs(moved - mean(s))).toBeLessThan(1e-9);
          const variance = z ** 2 * tables.sigma[t]! ** 2 + noise ** 2;
          expect(Math.abs(variance - tables.sigma[s]! ** 2)).toBeLessThan(1e-12);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('ends in z_0, without noise, whatever the sampler', () => {
    const tables = processTables(single(cosine, 100));
    for (const sampler of [ddim(0), ddim(1), { form: 'dpmpp' } as const]) {
      const last = updates(tables, sampler, timesteps(100, 10)).at(-1)!;
      expect(last).toMatchObject({ t: 1, s: 0, noise: 0, y: [1] });
      expect(last.z).toBeCloseTo(0, 12);
      expect(Math.abs(last.previous[0]!)).toBe(0);
    }
  });
});

/** Gaussian encodings of these variances; then E[Y_j | z_t] is linear in z_t and everything is known exactly. */
const variances = [0.5, 1.5];

function variance(tables: ProcessTables, t: number): number {
  return tables.components.reduce((sum, c, j) => sum + c.c[t]! ** 2 * variances[j]!, tables.sigma[t]! ** 2);
}

/** The chain with the exact predictor on a linear state: z = factor z_start. */
function run(tables: ProcessTables, chain: readonly Update[]): number {
  let z = 1;
  let before = tables.components.map(() => 0);
  for (const update of chain) {
    const estimate = tables.components.map(
      (c, j) => (c.c[update.t]! * variances[j]! * z) / variance(tables, update.t),
    );
    z =
      update.z * z +
      estimate.reduce((sum, y, j) => sum + update.y[j]! * y + update.previous[j]! * before[j]!, 0);
    before = estimate;
  }
  return z;
}

describe.each<[string, ProcessSpec]>([
  ['one component', single(cosine, 8192)],
  [
    'two components with different curves',
    {
      steps: 8192,
      schedule: cosine,
      normaliser: 1,
      origin: { form: 'modality', name: 'x' },
      components: [
        { name: 'x' },
        { name: 'y', weights: { form: 'marginal', curve: { form: 'cosine', scale: 1 } } },
      ],
    },
  ],
  [
    'two components, nested',
    {
      steps: 8192,
      schedule: cosine,
      normaliser: 1,
      origin: { form: 'zero' },
      components: [
        { name: 'x', weights: nested },
        { name: 'y', weights: nested },
      ],
    },
  ],
])('the probability flow with an exact predictor: %s', (_, spec) => {
  const tables = processTables(spec);
  const [from, to] = [7168, 1024];
  // The flow takes N(0, V_t) to N(0, V_s) without randomness: z_s = z_t sqrt(V_s / V_t).
  const exact = Math.sqrt(variance(tables, to) / variance(tables, from));
  const error = (sampler: Sampler, count: number): number => {
    const times = Array.from({ length: count + 1 }, (_, i) => from - (i * (from - to)) / count);
    return Math.abs(run(tables, updates(tables, sampler, times).slice(0, -1)) - exact);
  };
  const order = (sampler: Sampler): number => Math.log2(error(sampler, 64) / error(sampler, 128));

  it('DDIM at eta = 0 is of first order', () => {
    expect(error(ddim(0), 128)).toBeLessThan(0.02);
    expect(order(ddim(0))).toBeGreaterThan(0.9);
    expect(order(ddim(0))).toBeLessThan(1.1);
  });

  /** Error of the variance at `to` of a chain that begins with the true one: what a stochastic sampler gets wrong. */
  const spread = (sampler: Sampler, count: number): number => {
    const times = Array.from({ length: count + 1 }, (_, i) => from - (i * (from - to)) / count);
    const end = updates(tables, sampler, times)
      .slice(0, -1)
      .reduce(
        (v, { t, z, y, noise }) => {
          const factor = tables.components.reduce(
            (sum, c, j) => sum + (y[j]! * c.c[t]! * variances[j]!) / variance(tables, t),
            z,
          );
          return factor ** 2 * v + noise ** 2;
        },
        variance(tables, from),
      );
    return Math.abs(end - variance(tables, to));
  };
  const weakOrder = (sampler: Sampler): number => Math.log2(spread(sampler, 64) / spread(sampler, 128));

  it.each<[string, Sampler]>([
    ['DDPM', { form: 'ddpm' }],
    ['DDIM at eta = 1', ddim(1)],
    ['DDIM at eta = 0.5', ddim(0.5)],
  ])('%s is of weak order one', (__, sampler) => {
    expect(spread(sampler, 128)).toBeLessThan(0.05);
    expect(spread(sampler, 128)).toBeGreaterThan(1e-6);
    expect(weakOrder(sampler)).toBeGreaterThan(0.85);
    expect(weakOrder(sampler)).toBeLessThan(1.15);
  });

  it('DPM-Solver++(2M) is of second order, and better', () => {
    expect(order({ form: 'dpmpp' })).toBeGreaterThan(1.8);
    expect(order({ form: 'dpmpp' })).toBeLessThan(2.3);
    expect(error({ form: 'dpmpp' }, 64)).toBeLessThan(error(ddim(0), 64) / 5);
  });
});

describe('where lambda is not finite', () => {
  it('DPM-Solver++ falls back to first order, with finite coefficients', () => {
    const tables = processTables({
      ...single(cosine, 50),
      origin: { form: 'zero' },
      components: [{ name: 'x', weights: { form: 'marginal', curve: { form: 'cosine', scale: 1 } } }],
    });
    // The curve's end is exactly zero: no signal at T.
    expect(tables.components[0]!.c[50]).toBe(0);
    const chain = updates(tables, { form: 'dpmpp' }, timesteps(50, 10));
    for (const { z, y, previous } of chain) {
      expect([z, ...y, ...previous].every(Number.isFinite)).toBe(true);
    }
    expect(chain[1]!.previous[0]).toBeCloseTo(0, 12);
    expect(chain[2]!.previous[0]).not.toBe(0);
  });
});
