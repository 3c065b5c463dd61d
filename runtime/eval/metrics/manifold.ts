/**
 * Improved precision and recall (Kynkäänniemi et al., "Improved precision and recall metric for assessing generative
 * models", 2019): a set's manifold is the union of balls around its points, each reaching to its k-th neighbour.
 *
 * @module
 */
import { squaredDistances, type Points } from './points.js';

export interface PrecisionRecall {
  /** Share of generated rows in the manifold of the real ones. */
  readonly precision: number;
  /** Share of real rows in the manifold of the generated ones. */
  readonly recall: number;
}

/** @throws RangeError when a side has not more than `k` rows, or the widths differ */
export function precisionRecall(real: Points, generated: Points, k = 3): PrecisionRecall {
  return { precision: share(real, generated, k), recall: share(generated, real, k) };
}

/** Share of `rows` in the manifold of `set`. */
function share(set: Points, rows: Points, k: number): number {
  const radii = neighbourDistances(set, k);
  const distances = squaredDistances(rows, set);
  let inside = 0;
  for (let i = 0; i < rows.n; i++) {
    for (let j = 0; j < set.n; j++) {
      if (distances[i * set.n + j]! > radii[j]!) continue;
      inside++;
      break;
    }
  }
  return inside / rows.n;
}

/** Squared distance of every row to its k-th neighbour, itself excluded. */
function neighbourDistances(set: Points, k: number): Float64Array {
  if (!Number.isInteger(k) || k < 1 || set.n <= k)
    throw new RangeError(`${set.n} rows have no ${k}-th neighbours`);
  const distances = squaredDistances(set, set);
  return Float64Array.from({ length: set.n }, (_, i) => {
    const row = distances.slice(i * set.n, (i + 1) * set.n);
    row[i] = Infinity;
    return row.sort()[k - 1]!;
  });
}

export interface Copying {
  /** Share of generated rows that are nearer to a training row than any held-out row is, at the given quantile. */
  readonly copied: number;
  /** Median distance of generated rows to their nearest training rows. */
  readonly generated: number;
  /** The same for held-out rows. */
  readonly heldOut: number;
}

/**
 * Whether a generator copies: distances to the nearest training row, of generated and of held-out rows. A generated row
 * counts as a copy when it is nearer than the nearest 1 % of the held-out rows are.
 * @throws RangeError when the widths differ
 */
export function nearestCopies(train: Points, heldOut: Points, generated: Points): Copying {
  const near = (rows: Points): Float64Array => {
    const all = squaredDistances(rows, train);
    return Float64Array.from({ length: rows.n }, (_, i) => {
      let best = Infinity;
      for (let j = 0; j < train.n; j++) best = Math.min(best, all[i * train.n + j]!);
      return Math.sqrt(best);
    }).sort();
  };
  const [held, made] = [near(heldOut), near(generated)];
  const threshold = held[Math.floor(0.01 * held.length)]!;
  return {
    copied: made.filter((x) => x < threshold).length / made.length,
    generated: made[made.length >> 1]!,
    heldOut: held[held.length >> 1]!,
  };
}
