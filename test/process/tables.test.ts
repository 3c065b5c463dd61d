/** The coefficient tables: DDPM's as a special case, closed forms against the recursion, Bayes' rule. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retention } from '../../compiler/process/schedule.js';
import { posterior, processTables, snr, terminalBound } from '../../compiler/process/tables.js';
import { cosine, ddpmLinear, processArbitrary, relative, single } from './support.js';

/** Betas as the two papers write them. */
const betas: Record<string, (t: number, T: number) => number> = {
  // Ho, Jain & Abbeel, 2020: T = 1000, from 1e-4 to 0.02.
  linear: (t, T) => 1e-4 + ((0.02 - 1e-4) * (t - 1)) / (T - 1),
  // Nichol & Dhariwal, 2021, eq. 17, clipped at 0.999.
  cosine: (t, T) => {
    const f = (u: number) => Math.pow(Math.cos((((u / T + 0.008) / 1.008) * Math.PI) / 2), 2);
    return Math.min(1 - f(t) / f(t - 1), 0.999);
  },
};

describe.each([
  ['linear', ddpmLinear],
  ['cosine', cosine],
] as const)('DDPM with %s betas, 1000 steps', (name, schedule) => {
  const T = 1000;
  const tables = processTables(single(schedule, T));
  const beta = (t: number) => betas[name]!(t, T);
  // 1 - abar from logarithms, where nothing cancels.
  const logs = [0];
  for (let t = 1; t <= T; t++) logs.push(logs[t - 1]! + Math.log1p(-beta(t)));
  const rest = (t: number) => -Math.expm1(logs[t]!);

  it('has its alpha_bar and sigma', () => {
    for (let t = 1; t <= T; t++) {
      expect(Math.abs(tables.a[t]! - (1 - beta(t)))).toBeLessThan(1e-15);
      expect(Math.abs(tables.A[t]! - Math.exp(logs[t]!))).toBeLessThan(1e-12);
      expect(Math.abs(tables.sigma[t]! - Math.sqrt(rest(t)))).toBeLessThan(1e-12);
      expect(relative(tables.B[t]!, rest(t))).toBeLessThan(3e-11);
    }
  });

  it('has its marginal: sqrt(alpha_bar) on the data and nothing aggregated', () => {
    const [x] = tables.components;
    for (let t = 0; t <= T; t++) {
      expect(Math.abs(x!.c[t]! - Math.exp(logs[t]! / 2))).toBeLessThan(1e-12);
      expect(x!.v[t]).toBe(0);
      expect(x!.w[t]).toBe(0);
    }
  });

  it('has its posterior (eq. 7): mean coefficients and variance', () => {
    for (let t = 1; t <= T; t++) {
      const { fromZ, fromY, variance } = posterior(tables, t, t - 1);
      const data = (Math.exp(logs[t - 1]! / 2) * beta(t)) / rest(t);
      const state = (Math.sqrt(1 - beta(t)) * rest(t - 1)) / rest(t);
      expect(Math.abs(fromY[0]! - data)).toBeLessThan(1e-12);
      expect(Math.abs(fromZ - state)).toBeLessThan(1e-12);
      expect(Math.abs(variance - (beta(t) * rest(t - 1)) / rest(t))).toBeLessThan(1e-12);
      expect(tables.variance[t]).toBeCloseTo(variance, 14);
    }
    expect(tables.variance[1]).toBe(0);
  });
});

describe('schedules', () => {
  it('scale linear betas by 1000 / T, so that the end of the process stays the same', () => {
    const a = retention({ form: 'linear', first: 1e-4, last: 0.02 }, 250);
    expect(1 - a[1]!).toBeCloseTo(4e-4, 14);
    expect(1 - a[250]!).toBeCloseTo(0.08, 14);
    const short = processTables(single(ddpmLinear, 250)).A[250]!;
    const long = processTables(single(ddpmLinear, 1000)).A[1000]!;
    expect(Math.log(short) / Math.log(long)).toBeCloseTo(1, 1);
  });

  it('bound a cosine step by `max` and shift its start by `offset`', () => {
    const T = 100;
    const plain = retention(cosine, T);
    expect(plain[T]).toBeCloseTo(0.001, 12);
    const bounded = retention({ form: 'cosine', offset: 0.008, max: 0.5 }, T);
    expect(Math.min(...bounded)).toBeCloseTo(0.5, 12);
    expect([...bounded].slice(0, 80)).toEqual([...plain].slice(0, 80));
    const later = retention({ form: 'cosine', offset: 0.1, max: 0.999 }, T);
    expect(1 - later[1]!).toBeGreaterThan(2 * (1 - plain[1]!));
  });

  it('keep a constant at its value', () => {
    expect([...retention({ form: 'constant', value: 0.9 }, 4)]).toEqual([1, 0.9, 0.9, 0.9, 0.9]);
  });

  it('are divided by the normaliser', () => {
    const spec = { ...single(cosine, 50), normaliser: 3 };
    const [a, whole] = [processTables(spec).a, processTables(single(cosine, 50)).a];
    for (let t = 1; t <= 50; t++) expect(a[t]).toBeCloseTo(whole[t]! / 3, 15);
  });
});

describe('any process', () => {
  it('has the marginal that its own recursion gives', () => {
    fc.assert(
      fc.property(processArbitrary, (spec) => {
        const tables = processTables(spec);
        const aggregated = spec.components.filter((c) => c.weights).length;
        let variance = 0;
        let product = 1;
        const means = tables.components.map((component, j) => {
          const { origin } = spec;
          if (origin.form === 'zero') return 0;
          if (origin.form === 'mean') return spec.components[j]!.weights ? 1 / aggregated : 0;
          return origin.name === component.name ? 1 : 0;
        });
        for (let t = 1; t <= spec.steps; t++) {
          const a = tables.a[t]!;
          variance = a * variance + (1 - a);
          product *= a;
          expect(relative(tables.A[t]!, product)).toBeLessThan(1e-12);
          expect(relative(tables.sigma[t]! ** 2, variance)).toBeLessThan(1e-12);
          expect(Math.abs(tables.sigma[t]! ** 2 - (1 - product))).toBeLessThan(1e-12);
          tables.components.forEach((component, j) => {
            means[j] = Math.sqrt(a) * (means[j]! + component.w[t]!);
            expect(Math.abs(component.c[t]! - means[j]!)).toBeLessThan(1e-11);
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('has v and w that are each other: v_t = sqrt(a_t) (v_{t-1} + w_t)', () => {
    fc.assert(
      fc.property(processArbitrary, (spec) => {
        const { a, components } = processTables(spec);
        for (const { v, w } of components) {
          expect(v[0]).toBe(0);
          for (let t = 1; t <= spec.steps; t++) {
            expect(v[t]! / Math.sqrt(a[t]!) - v[t - 1]!).toBeCloseTo(w[t]!, 10);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("has the posterior of Bayes' rule, between any two times", () => {
    const encodings = [0.7, -1.3, 0.4];
    fc.assert(
      fc.property(
        processArbitrary,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (spec, u, w) => {
          const tables = processTables(spec);
          const s = 1 + Math.floor(u * (spec.steps - 2));
          const t = s + 1 + Math.floor(w * (spec.steps - s - 1));
          // z_t given z_s, by composing single transitions z -> sqrt(a) (z + sum_j w_j Y_j) + noise.
          let [slope, shift, noise] = [1, 0, 0];
          for (let step = s + 1; step <= t; step++) {
            const a = tables.a[step]!;
            const added = tables.components.reduce((sum, c, j) => sum + c.w[step]! * encodings[j]!, 0);
            slope *= Math.sqrt(a);
            shift = Math.sqrt(a) * (shift + added);
            noise = a * noise + (1 - a);
          }
          const prior = tables.components.reduce((sum, c, j) => sum + c.c[s]! * encodings[j]!, 0);
          const z = 0.9;
          const precision = 1 / tables.sigma[s]! ** 2 + slope ** 2 / noise;
          const mean = (prior / tables.sigma[s]! ** 2 + (slope * (z - shift)) / noise) / precision;
          const q = posterior(tables, t, s);
          const found = q.fromZ * z + q.fromY.reduce((sum, k, j) => sum + k * encodings[j]!, 0);
          expect(relative(q.variance, 1 / precision)).toBeLessThan(1e-9);
          expect(Math.abs(found - mean)).toBeLessThan(1e-9);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('has k_j = d mu_t / d Y_j, and the mean in its form with eps', () => {
    const encodings = [0.7, -1.3, 0.4];
    fc.assert(
      fc.property(processArbitrary, fc.double({ min: -2, max: 2, noNaN: true }), (spec, eps) => {
        const tables = processTables(spec);
        for (let t = 1; t <= spec.steps; t++) {
          const { fromZ, fromY, variance } = posterior(tables, t, t - 1);
          fromY.forEach((k, j) => expect(Math.abs(tables.components[j]!.k[t]! - k)).toBeLessThan(1e-10));
          expect(Math.abs(tables.variance[t]! - variance)).toBeLessThan(1e-14);
          const sigma = tables.sigma[t]!;
          const sum = (of: (j: number) => number) =>
            encodings.reduce((s, y, j) => s + (tables.components[j] ? of(j) * y : 0), 0);
          const z = sum((j) => tables.components[j]!.c[t]!) + sigma * eps;
          const mean = fromZ * z + sum((j) => fromY[j]!);
          const a = tables.a[t]!;
          const short =
            (z - ((1 - a) / sigma) * eps) / Math.sqrt(a) - sum((j) => tables.components[j]!.w[t]!);
          // c and w may be large against their difference where a_t is small.
          expect(Math.abs(mean - short)).toBeLessThan(1e-9 / Math.sqrt(a));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('the form of the source: alpha over N + 1', () => {
  // Limit of v under v = r (v + 1), r = 1/sqrt(N + 1).
  it.each([
    [1, 2.414213562373095],
    [2, 1.3660254037844386],
  ])('leaves a mean in z_T under constant step weights (N = %i)', (N, mean) => {
    const names = ['x', 'y'].slice(0, N);
    const tables = processTables({
      steps: 100,
      schedule: { form: 'constant', value: 1 },
      normaliser: N + 1,
      origin: { form: 'zero' },
      components: names.map((name) => ({
        name,
        weights: { form: 'step', curve: { form: 'constant', value: 1 } },
      })),
    });
    for (const component of tables.components) expect(component.c[100]).toBeCloseTo(mean, 12);
    const weight = tables.components[0]!.v[1]! ** 2;
    expect(snr(tables, tables.components[0]!, 1)).toBeCloseTo((weight * (N + 1)) / N, 12);
  });
});

describe('figures of the process', () => {
  it('gives the SNR that published checks of min-SNR use', () => {
    // alpha_bar = 0.97209274 gives SNR 34.83297.
    const tables = processTables(single({ form: 'constant', value: 0.97209274 }, 3));
    expect(snr(tables, tables.components[0]!, 1)).toBeCloseTo(34.83297, 4);
    expect(snr(tables, tables.components[0]!, 0)).toBe(Infinity);
  });

  it('has no division by zero at zero terminal SNR', () => {
    const tables = processTables(single({ form: 'cosine', offset: 0.008, max: 1 }, 100));
    for (const table of [tables.A, tables.B, tables.sigma, tables.variance, tables.components[0]!.k]) {
      expect([...table].every(Number.isFinite)).toBe(true);
    }
    expect(snr(tables, tables.components[0]!, 100)).toBeLessThan(1e-20);
  });

  it('bounds L0, which it is for encodings of mean square 1 that all point the same way', () => {
    fc.assert(
      fc.property(
        processArbitrary,
        fc.array(fc.constantFrom(-1, 1), { minLength: 3, maxLength: 3 }),
        (spec, signs) => {
          const tables = processTables(spec);
          const T = spec.steps;
          // KL( N(m, s^2), N(0, 1) ) in nats.
          const kl = (m: number, s2: number) => 0.5 * (m * m + s2 - 1 - Math.log(s2));
          const mean = (sign: (j: number) => number) =>
            tables.components.reduce((sum, c, j) => sum + c.c[T]! * sign(j), 0);
          const bound = terminalBound(tables);
          expect(
            kl(
              mean((j) => signs[j]!),
              tables.sigma[T]! ** 2,
            ),
          ).toBeLessThan(bound + 1e-9);
          expect(
            kl(
              mean((j) => Math.sign(tables.components[j]!.c[T]!)),
              tables.sigma[T]! ** 2,
            ),
          ).toBeCloseTo(bound, 8);
        },
      ),
      { numRuns: 60 },
    );
  });
});
