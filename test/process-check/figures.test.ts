import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fewSteps, processFindings, processLimits, processSummary } from '../../compiler/process/check.js';
import type { Schedule, WeightCurve, Weights } from '../../compiler/process/schedule.js';
import { processTables, type ProcessSpec } from '../../compiler/process/tables.js';

const cosine: Schedule = { form: 'cosine', offset: 0.008, max: 0.999 };
const constant = (value: number): Schedule => ({ form: 'constant', value });
const nested: Weights = { form: 'nested', scale: 1 };
const step = (value: number): Weights => ({ form: 'step', curve: { form: 'constant', value } });
const names = ['a', 'b', 'c', 'd'];

function spec(schedule: Schedule, steps: number, weights: readonly Weights[], normaliser = 1): ProcessSpec {
  const components = weights.map((w, i) => ({ name: names[i]!, weights: w }));
  return { steps, schedule, normaliser, origin: { form: 'zero' }, components };
}

/** A single component that enters as z_0 alone. */
const origin = (schedule: Schedule, steps: number): ProcessSpec => ({
  steps,
  schedule,
  normaliser: 1,
  origin: { form: 'modality', name: 'x' },
  components: [{ name: 'x' }],
});

const summary = (s: ProcessSpec) => processSummary(processTables(s));
const kinds = (s: ProcessSpec) =>
  processFindings(summary(s)).map((f) => `${f.kind} ${f.components.join('+')}`);

describe('figures', () => {
  it('of the literal form: constant step weights leave a mean of w r / (1 - r) in z_T, r = 1/sqrt(N + 1)', () => {
    for (const [N, mean] of [
      [1, 2.41],
      [2, 1.37],
    ] as const) {
      const s = summary(spec(constant(1), 200, Array<Weights>(N).fill(step(1)), N + 1));
      const r = 1 / Math.sqrt(N + 1);
      for (const component of s.components) {
        expect(component.terminal).toBeCloseTo(mean, 2);
        expect(component.terminal).toBeCloseTo(r / (1 - r), 12);
        // v_1^2 (N + 1)/N with v_1 = sqrt(a_1): 1/N.
        expect(component.snrFirst).toBeCloseTo(1 / N, 12);
        expect(component.reinjection).toMatchObject({ steps: 199, weight: 1 });
      }
      // KL(N(m, I), N(0, I)) = m^2/2, with all encodings of one sign.
      expect(s.terminalBound).toBeCloseTo((N * (r / (1 - r))) ** 2 / 2, 10);
      const all = names.slice(0, N).join('+');
      expect(processFindings(s).map((f) => `${f.kind} ${f.components.join('+')}`)).toEqual([
        `first ${all}`,
        `last ${all}`,
        `again ${all}`,
      ]);
    }
  });

  it('scale with the weight', () => {
    const s = summary(spec(constant(1), 100, [step(0.25)], 2));
    expect(s.components[0]!.terminal).toBeCloseTo(0.25 * (1 + Math.SQRT2), 12);
  });

  it('of a constant retention: a^t/(1 - a^t) at 1 and T, and how long it lasts', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.3, max: 0.99, noNaN: true }),
        fc.integer({ min: 2, max: 400 }),
        (a, T) => {
          const [x] = summary(origin(constant(a), T)).components;
          expect(x!.snrFirst / (a / (1 - a))).toBeCloseTo(1, 9);
          expect(x!.snrLast).toBeCloseTo(a ** T / (1 - a ** T), 9);
          const last = Math.log(0.01 / 1.01) / Math.log(a);
          fc.pre(Math.abs(last - Math.round(last)) > 1e-6);
          expect(x!.alive).toBe(Math.min(T, Math.floor(last)));
        },
      ),
    );
  });

  it('of a late step: marginal weights of 1 have w_T = 1/sqrt(a_T) - 1 where the schedule ends at a_T = 0.001', () => {
    const [x] = summary(
      spec(cosine, 1000, [{ form: 'marginal', curve: { form: 'constant', value: 1 } }]),
    ).components;
    const { most } = x!.reinjection;
    expect(most.t).toBe(1000);
    expect(most.weight).toBeCloseTo(1 / Math.sqrt(0.001) - 1, 9);
    expect(most.share).toBeCloseTo(1 - Math.sqrt(0.001), 9);
  });

  it('stay finite or infinite, never undefined, when A_t underflows', () => {
    const s = summary(spec(constant(1), 3000, [step(1), step(0)], 3));
    const [a, b] = s.components;
    expect(a!.reinjection.growth).toBe(Infinity);
    expect(Number.isNaN(s.terminalBound)).toBe(false);
    expect(b!).toMatchObject({ snrFirst: 0, snrLast: 0, alive: 0 });
    expect(b!.reinjection).toEqual({ growth: 1, steps: 0, weight: 0, most: { t: 0, share: 0, weight: 0 } });
  });
});

const schedules: fc.Arbitrary<Schedule> = fc.oneof(
  fc.constant(cosine),
  fc.record({
    form: fc.constant('linear' as const),
    first: fc.double({ min: 1e-5, max: 1e-3, noNaN: true }),
    last: fc.double({ min: 1e-3, max: 0.02, noNaN: true }),
  }),
  fc.record({
    form: fc.constant('constant' as const),
    value: fc.double({ min: 0.1, max: 0.999, noNaN: true }),
  }),
);
const value = fc.double({ min: 0.01, max: 3, noNaN: true });
const curves: fc.Arbitrary<WeightCurve> = fc.oneof(
  fc.record({ form: fc.constant('constant' as const), value }),
  fc.record({ form: fc.constant('cosine' as const), scale: value }),
  fc.record({ form: fc.constant('linear' as const), from: value, to: value }),
);

describe('findings', () => {
  it('are none for the default process, of any length from 20 steps on and with up to four modalities', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 1500 }), fc.integer({ min: 1, max: 4 }), (T, n) => {
        expect(kinds(spec(cosine, T, Array<Weights>(n).fill(nested)))).toEqual([]);
        expect(kinds(origin(cosine, T))).toEqual([]);
      }),
      { numRuns: 40 },
    );
    expect(kinds(origin({ form: 'linear', first: 1e-4, last: 0.02 }, 1000))).toEqual([]);
    // A curve that nearly follows the schedule is no re-injection.
    expect(kinds(spec(cosine, 1000, [{ form: 'marginal', curve: { form: 'cosine', scale: 1 } }]))).toEqual(
      [],
    );
  });

  it('of nested weights are never re-injection, whatever the schedule', () => {
    fc.assert(
      fc.property(schedules, fc.integer({ min: 50, max: 400 }), value, (schedule, T, scale) => {
        const [x] = summary(spec(schedule, T, [{ form: 'nested', scale }])).components;
        expect(x!.reinjection.growth).toBeCloseTo(1, 6);
        expect(kinds(spec(schedule, T, [{ form: 'nested', scale }])).join()).not.toMatch(/again|late/);
      }),
    );
  });

  it('follow their definitions', () => {
    fc.assert(
      fc.property(schedules, fc.constantFrom('step', 'marginal'), curves, (schedule, form, curve) => {
        const tables = processTables(spec(schedule, 120, [{ form: form as 'step', curve }]));
        const [x] = tables.components;
        const found = processFindings(processSummary(tables)).map((f) => f.kind);
        const ratio = (t: number) => x!.c[t]! ** 2 / (1 - tables.A[t]!);
        const sure = (figure: number, limit: number) => Math.abs(figure / limit - 1) > 1e-3;
        if (sure(ratio(1), processLimits.first))
          expect(found.includes('first')).toBe(ratio(1) < processLimits.first);
        if (ratio(120) > 1.01 * processLimits.last) expect(found).toContain('last');
        // Against A_t itself, which does not underflow in 120 steps.
        let growth = 1;
        for (let t = 2; t <= 120; t++)
          if (ratio(t) >= processLimits.lost)
            growth = Math.max(growth, (x!.c[t]! / x!.c[1]!) * Math.sqrt(tables.A[1]! / tables.A[t]!));
        if (sure(growth, processLimits.growth))
          expect(found.includes('again') || found.includes('late')).toBe(growth > processLimits.growth);
      }),
    );
  });

  it('name an origin that is forgotten in a few steps', () => {
    expect(kinds(origin(constant(0.5), 1000))).toEqual(['first x', 'brief x']);
    expect(summary(origin(constant(0.5), 1000)).components[0]!.alive).toBe(6);
    // In a process of 20 steps, 6 are not few.
    expect(kinds(origin(constant(0.5), 20))).toEqual(['first x']);
    expect([1000, 200, 80, 20].map(fewSteps)).toEqual([50, 20, 20, 5]);
  });

  it('tell a z_T without data but of another variance', () => {
    const s = spec(constant(0.9), 10, [{ form: 'marginal', curve: { form: 'cosine', scale: 1 } }]);
    const last = processFindings(summary(s)).find((f) => f.kind === 'last');
    expect(last).toMatchObject({ components: [], means: [] });
    expect((last as { variance: number }).variance).toBeCloseTo(1 - 0.9 ** 10, 12);
  });

  it('with the same figures are one', () => {
    const found = processFindings(summary(spec(cosine, 1000, [step(1), step(1), step(2), nested])));
    expect(found.filter((f) => f.kind === 'again').map((f) => f.components)).toEqual([['a', 'b'], ['c']]);
  });
});
