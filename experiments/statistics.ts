/**
 * What several paired seeds say: the mean difference and a one-sided bound on it by Student's t.
 *
 * @module
 */

/** 95 % quantiles of Student's t with 1 .. 30 degrees of freedom (any table of the distribution has them). */
const quantiles = [
  6.3138, 2.92, 2.3534, 2.1318, 2.015, 1.9432, 1.8946, 1.8595, 1.8331, 1.8125, 1.7959, 1.7823, 1.7709, 1.7613,
  1.7531, 1.7459, 1.7396, 1.7341, 1.7291, 1.7247, 1.7207, 1.7171, 1.7139, 1.7109, 1.7081, 1.7056, 1.7033,
  1.7011, 1.6991, 1.6973,
] as const;

/** Which way a metric is good. */
export type Better = 'higher' | 'lower';

export interface Paired {
  readonly seeds: number;
  /** Mean over seeds of how much better the first is (negative: worse), in the metric's unit. */
  readonly gain: number;
  /** Lower end of the one-sided 95 % interval of the gain; null with one seed, which says nothing about spread. */
  readonly bound: number | null;
}

/**
 * Compares two models seed by seed.
 * @throws RangeError without seeds, with more than 31, or when the two do not pair up
 */
export function paired(first: readonly number[], second: readonly number[], better: Better): Paired {
  const n = first.length;
  if (n === 0 || n !== second.length)
    throw new RangeError(`${n} seeds cannot be paired with ${second.length}`);
  if (n > quantiles.length + 1) throw new RangeError(`${n} seeds are more than ${quantiles.length + 1}`);
  const sign = better === 'higher' ? 1 : -1;
  const differences = first.map((x, i) => sign * (x - second[i]!));
  const gain = differences.reduce((sum, x) => sum + x, 0) / n;
  if (n === 1) return { seeds: 1, gain, bound: null };
  const variance = differences.reduce((sum, x) => sum + (x - gain) ** 2, 0) / (n - 1);
  return { seeds: n, gain, bound: gain - quantiles[n - 2]! * Math.sqrt(variance / n) };
}

export type Verdict = 'within' | 'undecided' | 'below' | 'no claim';

/**
 * Whether the first is worse than the second by more than the margin: `within` when the whole interval is above
 * -margin, `below` when even the mean is not, `undecided` between; `no claim` with one seed.
 */
export function verdict({ gain, bound }: Paired, margin: number): Verdict {
  if (bound === null) return 'no claim';
  if (bound >= -margin) return 'within';
  return gain < -margin ? 'below' : 'undecided';
}
