/**
 * Schedules and curves over diffusion time, in float64.
 *
 * @module
 */

/** A function of t, defined for t = 1..steps. */
export type Curve = (t: number, steps: number) => number;

/** What a `retention:` or `alpha:` key can say. */
export type Schedule =
  | { readonly form: 'cosine'; readonly offset: number; readonly max: number }
  | { readonly form: 'linear'; readonly first: number; readonly last: number }
  | { readonly form: 'constant'; readonly value: number };

/** What a weight curve inside `marginal(...)` or `step(...)` can say. */
export type WeightCurve =
  | { readonly form: 'constant'; readonly value: number }
  | { readonly form: 'cosine'; readonly scale: number }
  | { readonly form: 'linear'; readonly from: number; readonly to: number };

/** How a modality's encoding enters z_t. */
export type Weights =
  | { readonly form: 'nested'; readonly scale: number }
  | { readonly form: 'marginal'; readonly curve: WeightCurve }
  | { readonly form: 'step'; readonly curve: WeightCurve };

/**
 * Per-step retention a_t (or alpha_t, before the normaliser) for t = 1..steps; index 0 is 1 and unused.
 *
 * - `cosine`: A_t = f(t)/f(0), f(t) = cos^2((t/T + s)/(1 + s) pi/2), 1 - a_t at most `max` (Nichol & Dhariwal,
 *   "Improved Denoising Diffusion Probabilistic Models", 2021, eq. 17).
 * - `linear`: 1 - a_t from `first` to `last`, both scaled by 1000/T (Ho, Jain & Abbeel, DDPM, 2020, section 4).
 * - `constant`: a_t = value.
 */
export function retention(schedule: Schedule, steps: number): Float64Array {
  const a = new Float64Array(steps + 1);
  a[0] = 1;
  switch (schedule.form) {
    case 'cosine': {
      const f = (t: number) =>
        Math.cos((((t / steps + schedule.offset) / (1 + schedule.offset)) * Math.PI) / 2) ** 2;
      for (let t = 1; t <= steps; t++) a[t] = Math.max(f(t) / f(t - 1), 1 - schedule.max);
      return a;
    }
    case 'linear': {
      const scale = 1000 / steps;
      for (let t = 1; t <= steps; t++) {
        const u = steps === 1 ? 0 : (t - 1) / (steps - 1);
        a[t] = 1 - scale * (schedule.first + u * (schedule.last - schedule.first));
      }
      return a;
    }
    case 'constant':
      return a.fill(schedule.value, 1);
  }
}

/** The curve as a function of t. */
export function curveOf(curve: WeightCurve): Curve {
  switch (curve.form) {
    case 'constant':
      return () => curve.value;
    case 'cosine':
      // cos(pi/2) is 6e-17 in floating point; the end of the curve is meant to be exactly zero.
      return (t, T) => (t === T ? 0 : curve.scale * Math.cos((Math.PI * t) / (2 * T)));
    case 'linear':
      return (t, T) => curve.from + (T === 1 ? 0 : ((curve.to - curve.from) * (t - 1)) / (T - 1));
  }
}
