/**
 * Samplers as linear updates. Whatever the method, one reverse step from t to s < t is
 *
 *   z_s = z z_t + sum_j y[j] Yh_j + sum_j previous[j] Yh_j(last call) + noise n,   n ~ N(0, I)
 *
 * with coefficients that depend on t and s alone, so that one graph serves every sampler.
 *
 * @module
 */
import type { ProcessTables } from './tables.js';

export type Sampler =
  | { readonly form: 'ddpm' }
  /** eta 0 is deterministic, eta 1 the posterior (Song, Meng & Ermon, DDIM, 2021, eq. 12, 16). */
  | { readonly form: 'ddim'; readonly eta: number }
  /** Second-order multistep (Lu et al., DPM-Solver++, 2022, algorithm 2), per component. */
  | { readonly form: 'dpmpp' };

export interface Update {
  readonly t: number;
  readonly s: number;
  readonly z: number;
  readonly y: readonly number[];
  readonly previous: readonly number[];
  readonly noise: number;
}

/**
 * Times at which the model is called, descending from T; the last step leads to 0.
 * @param count number of model calls, 1..T
 */
export function timesteps(T: number, count: number): number[] {
  const n = Math.min(count, T);
  const times: number[] = [];
  for (let i = 0; i < n; i++) times.push(Math.round(T - (i * (T - 1)) / Math.max(n - 1, 1)));
  return [...new Set(times)];
}

/** All updates of a chain over `times` (descending, from T); the last update ends at t = 0. */
export function updates(tables: ProcessTables, sampler: Sampler, times: readonly number[]): Update[] {
  return times.map((t, i) => {
    const s = times[i + 1] ?? 0;
    return sampler.form === 'dpmpp'
      ? multistep(tables, t, s, times[i - 1])
      : singleStep(tables, sampler, t, s);
  });
}

function singleStep(
  tables: ProcessTables,
  sampler: Exclude<Sampler, { form: 'dpmpp' }>,
  t: number,
  s: number,
): Update {
  const eta = sampler.form === 'ddpm' ? 1 : sampler.eta;
  // q^2 = eta^2 (sigma_s^2 / sigma_t^2)(1 - A_t/A_s); 1 - A_t/A_s = (B_t - (A_t/A_s) B_s) without cancellation.
  const r = tables.A[t] / tables.A[s];
  const q2 = eta ** 2 * (tables.B[s] / tables.B[t]) * (tables.B[t] - r * tables.B[s]);
  const z = Math.sqrt(Math.max(tables.B[s] - q2, 0)) / tables.sigma[t];
  return {
    t,
    s,
    z,
    y: tables.components.map((component) => component.c[s] - z * component.c[t]),
    previous: tables.components.map(() => 0),
    noise: Math.sqrt(q2),
  };
}

function multistep(tables: ProcessTables, t: number, s: number, before: number | undefined): Update {
  const z = tables.sigma[s] / tables.sigma[t];
  const y: number[] = [];
  const previous: number[] = [];
  for (const component of tables.components) {
    const first = component.c[s] - component.c[t] * z;
    const lambda = (u: number) => Math.log(component.c[u] / tables.sigma[u]);
    const h = lambda(s) - lambda(t);
    const hBefore = before === undefined ? NaN : lambda(t) - lambda(before);
    // First order where lambda is not finite (t = T with no signal left, s = 0) or not monotone.
    const ratio =
      Number.isFinite(h) && Number.isFinite(hBefore) && h > 0 && hBefore > 0 ? h / (2 * hBefore) : 0;
    y.push(first * (1 + ratio));
    previous.push(-first * ratio);
  }
  return { t, s, z, y, previous, noise: 0 };
}
