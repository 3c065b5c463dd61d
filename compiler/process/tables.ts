/**
 * Coefficient tables of the forward and reverse process, in float64: every scalar of the process is a function of
 * t alone, computed once here and read by graphs and samplers.
 *
 * The state is one equation (components): z_t = sum_j c_j(t) Y_j + sigma_t eps, where Y_j = E_j(x_j) and
 * c_j(t) = o_j sqrt(A_t) + v_t^(j); o_j is 1 for the modality that is the origin z_0, 1/N each when the origin is
 * the mean of the encodings, else 0; v_t = sqrt(a_t) (v_{t-1} + w_t), v_0 = 0 is the accumulated aggregation
 * weight (MT-Diffusion, arXiv 2407.17571, forward transition z_t ~ N(sqrt(a_t)(z_{t-1} + s_t), (1 - a_t) I)).
 *
 * @module
 */
import { curveOf, retention, type Schedule, type Weights } from './schedule.js';

export type Origin =
  | { readonly form: 'zero' }
  | { readonly form: 'mean' }
  | { readonly form: 'modality'; readonly name: string };

export interface ComponentSpec {
  /** The modality whose encoding this is. */
  readonly name: string;
  /** Absent when the modality enters only as the origin. */
  readonly weights?: Weights;
}

export interface ProcessSpec {
  readonly steps: number;
  /** `retention` gives a_t itself; `alpha` is divided by the normaliser. */
  readonly schedule: Schedule;
  /** a_t = schedule(t) / normaliser. The source's literal form uses N + 1. */
  readonly normaliser: number;
  readonly origin: Origin;
  readonly components: readonly ComponentSpec[];
}

export interface Component {
  readonly name: string;
  /** Share of the origin: z_0 contains o Y. */
  readonly o: number;
  /** Per-step weight w_t, t = 0..T (w_0 = 0). */
  readonly w: Float64Array;
  /** Accumulated weight v_t, t = 0..T. */
  readonly v: Float64Array;
  /** Marginal coefficient c(t) = o sqrt(A_t) + v_t. */
  readonly c: Float64Array;
  /** mu_t - mu_theta = sum_j k_j(t) (Y_j - Yh_j), t = 1..T. */
  readonly k: Float64Array;
}

export interface ProcessTables {
  readonly steps: number;
  /** a_t, t = 0..T (a_0 = 1). */
  readonly a: Float64Array;
  /** A_t = a_1 ... a_t, A_0 = 1. */
  readonly A: Float64Array;
  /** 1 - A_t without cancellation for small t. */
  readonly B: Float64Array;
  /** sigma_t = sqrt(1 - A_t). */
  readonly sigma: Float64Array;
  /** var_t = (1 - a_t)(1 - A_{t-1})/(1 - A_t), the posterior's variance, t = 1..T (var_1 = 0). */
  readonly variance: Float64Array;
  readonly components: readonly Component[];
}

/** Builds the tables. The caller has checked the specification: values outside (0, 1) are not repaired here. */
export function processTables(spec: ProcessSpec): ProcessTables {
  const T = spec.steps;
  const schedule = retention(spec.schedule, T);
  const a = new Float64Array(T + 1);
  const A = new Float64Array(T + 1);
  const B = new Float64Array(T + 1);
  const sigma = new Float64Array(T + 1);
  const variance = new Float64Array(T + 1);
  a[0] = A[0] = 1;
  for (let t = 1; t <= T; t++) {
    a[t] = schedule[t] / spec.normaliser;
    A[t] = A[t - 1] * a[t];
    // 1 - A_t = (1 - A_{t-1}) a_t + (1 - a_t): sums of positive terms keep full precision at small t.
    B[t] = B[t - 1] * a[t] + (1 - a[t]);
    sigma[t] = Math.sqrt(B[t]);
    variance[t] = ((1 - a[t]) * B[t - 1]) / B[t];
  }
  const aggregated = spec.components.filter((c) => c.weights !== undefined).length;
  const components = spec.components.map((component): Component => {
    const o =
      spec.origin.form === 'modality'
        ? Number(spec.origin.name === component.name)
        : spec.origin.form === 'mean' && component.weights
          ? 1 / aggregated
          : 0;
    const { w, v } = weightTables(component.weights, a, A);
    const c = new Float64Array(T + 1);
    const k = new Float64Array(T + 1);
    for (let t = 0; t <= T; t++) c[t] = o * Math.sqrt(A[t]) + v[t];
    for (let t = 1; t <= T; t++) {
      const fromOrigin = (o * (1 - a[t]) * Math.sqrt(A[t - 1])) / B[t];
      const fromWeights = ((1 - a[t]) * v[t - 1] - a[t] * B[t - 1] * w[t]) / B[t];
      k[t] = fromOrigin + fromWeights;
    }
    return { name: component.name, o, w, v, c, k };
  });
  return { steps: T, a, A, B, sigma, variance, components };
}

function weightTables(weights: Weights | undefined, a: Float64Array, A: Float64Array) {
  const T = a.length - 1;
  const w = new Float64Array(T + 1);
  const v = new Float64Array(T + 1);
  if (weights === undefined) return { w, v };
  if (weights.form === 'nested') {
    // v_t = c sqrt(A_t): the whole encoding enters in the first step, w_1 = c, and decays like z_0.
    w[1] = weights.scale;
    for (let t = 1; t <= T; t++) v[t] = weights.scale * Math.sqrt(A[t]);
    return { w, v };
  }
  const curve = curveOf(weights.curve);
  for (let t = 1; t <= T; t++) {
    const root = Math.sqrt(a[t]);
    if (weights.form === 'marginal') {
      v[t] = curve(t, T);
      w[t] = v[t] / root - v[t - 1];
    } else {
      w[t] = curve(t, T);
      v[t] = root * (v[t - 1] + w[t]);
    }
  }
  return { w, v };
}

/** Mean and variance of q(z_s | z_t, Y) for s < t as mu = fromZ z_t + sum_j fromY[j] Y_j, exact for any s. */
export function posterior(tables: ProcessTables, t: number, s: number) {
  const r = tables.A[t] / tables.A[s];
  const root = Math.sqrt(r);
  const oneMinusR = s === t - 1 ? 1 - tables.a[t] : tables.B[t] - r * tables.B[s];
  const fromZ = (root * tables.B[s]) / tables.B[t];
  const fromY = tables.components.map((component) => {
    const w = component.v[t] / root - component.v[s];
    return (oneMinusR * component.c[s] - r * tables.B[s] * w) / tables.B[t];
  });
  return { fromZ, fromY, variance: (oneMinusR * tables.B[s]) / tables.B[t] };
}

/** SNR of a component at t: c_j(t)^2 / sigma_t^2 for an encoding of unit variance; Infinity at t = 0. */
export function snr(tables: ProcessTables, component: Component, t: number): number {
  return tables.B[t] === 0 ? Infinity : component.c[t] ** 2 / tables.B[t];
}

/**
 * Upper bound on L0 per dimension, in nats, for encodings of unit mean square:
 * 1/2 [ (sum_j |c_j(T)|)^2 - A_T - ln(1 - A_T) ].
 */
export function terminalBound(tables: ProcessTables): number {
  const T = tables.steps;
  const mean = tables.components.reduce((sum, component) => sum + Math.abs(component.c[T]), 0);
  return 0.5 * (mean ** 2 - tables.A[T] - Math.log(tables.B[T]));
}
