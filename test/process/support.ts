/** Processes to test with: fixed ones and generators of arbitrary ones. */
import fc from 'fast-check';
import type { Schedule, WeightCurve, Weights } from '../../compiler/process/schedule.js';
import type { ComponentSpec, Origin, ProcessSpec } from '../../compiler/process/tables.js';

export const ddpmLinear: Schedule = { form: 'linear', first: 1e-4, last: 0.02 };
export const cosine: Schedule = { form: 'cosine', offset: 0.008, max: 0.999 };
export const nested: Weights = { form: 'nested', scale: 1 };

/** A process with one modality that is the origin and nothing aggregated. */
export function single(schedule: Schedule, steps: number): ProcessSpec {
  return {
    steps,
    schedule,
    normaliser: 1,
    origin: { form: 'modality', name: 'x' },
    components: [{ name: 'x' }],
  };
}

const real = (min: number, max: number) => fc.double({ min, max, noNaN: true });

export const scheduleArbitrary: fc.Arbitrary<Schedule> = fc.oneof(
  fc.record({ form: fc.constant('cosine' as const), offset: real(0.001, 0.1), max: real(0.5, 0.999) }),
  // Scaled by 1000 / steps: these stay below 1 from 20 steps on.
  fc.record({ form: fc.constant('linear' as const), first: real(1e-5, 1e-3), last: real(1e-3, 0.019) }),
  fc.record({ form: fc.constant('constant' as const), value: real(0.5, 0.999) }),
);

const curveArbitrary: fc.Arbitrary<WeightCurve> = fc.oneof(
  fc.record({ form: fc.constant('constant' as const), value: real(0, 2) }),
  fc.record({ form: fc.constant('cosine' as const), scale: real(0.1, 2) }),
  fc.record({ form: fc.constant('linear' as const), from: real(0, 2), to: real(0, 2) }),
);

export const weightsArbitrary: fc.Arbitrary<Weights> = fc.oneof(
  fc.record({ form: fc.constant('nested' as const), scale: real(0.1, 2) }),
  fc.record({ form: fc.constant('marginal' as const), curve: curveArbitrary }),
  fc.record({ form: fc.constant('step' as const), curve: curveArbitrary }),
);

const names = ['x', 'y', 'w'];

export const processArbitrary: fc.Arbitrary<ProcessSpec> = fc
  .tuple(
    fc.integer({ min: 20, max: 60 }),
    scheduleArbitrary,
    fc.constantFrom(1, 2, 3),
    fc.constantFrom<Origin>({ form: 'zero' }, { form: 'mean' }, { form: 'modality', name: 'x' }),
    fc.array(weightsArbitrary, { minLength: 1, maxLength: 3 }),
    fc.boolean(),
  )
  .map(([steps, schedule, normaliser, origin, weights, alsoOrigin]) => {
    const components = weights.map((w, i): ComponentSpec =>
      origin.form === 'modality' && i === 0 && !alsoOrigin
        ? { name: names[i]! }
        : { name: names[i]!, weights: w },
    );
    return { steps, schedule, normaliser, origin, components };
  });

/** |a - b| / max(|b|, floor). */
export function relative(a: number, b: number, floor = 1e-300): number {
  return Math.abs(a - b) / Math.max(Math.abs(b), floor);
}
