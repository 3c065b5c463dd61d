/**
 * What is counted in the experiments: agreement of two readings, shares of classes, variety within classes.
 *
 * @module
 */

/** @throws RangeError when the two differ in length or are empty */
function sameRows(a: ArrayLike<number>, b: ArrayLike<number>): void {
  if (a.length !== b.length || a.length === 0) {
    throw new RangeError(`${a.length} rows cannot be compared with ${b.length}`);
  }
}

/**
 * Share of rows whose classes are equal, in 0..1.
 * @throws RangeError when the two differ in length or are empty
 */
export function agreement(read: ArrayLike<number>, wanted: ArrayLike<number>): number {
  sameRows(read, wanted);
  let equal = 0;
  for (let i = 0; i < read.length; i++) equal += Number(read[i] === wanted[i]);
  return equal / read.length;
}

/** {@link agreement} among the rows of each wanted class; null for a class without rows. */
export function agreementByClass(
  read: ArrayLike<number>,
  wanted: ArrayLike<number>,
  classes: number,
): (number | null)[] {
  sameRows(read, wanted);
  const rows = new Array<number>(classes).fill(0);
  const equal = new Array<number>(classes).fill(0);
  for (let i = 0; i < read.length; i++) {
    rows[wanted[i]!]! += 1;
    equal[wanted[i]!]! += Number(read[i] === wanted[i]);
  }
  return rows.map((n, k) => (n === 0 ? null : equal[k]! / n));
}

/** Share of every class, in 0..1; they add up to 1. @throws RangeError for a label that is no class */
export function classShares(labels: ArrayLike<number>, classes: number): number[] {
  const shares = new Array<number>(classes).fill(0);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes)
      throw new RangeError(`row ${i}: ${label} is not one of ${classes} classes`);
    shares[label]! += 1 / labels.length;
  }
  return shares;
}

/**
 * Variety of rows of one class: the variance of every value within its class, averaged over values and over classes
 * with at least two rows (unbiased, so that it does not depend on how many rows there are). A generator that draws
 * one picture a class has 0.
 *
 * @param values [n, ...] in C order
 * @throws RangeError when the values are not whole rows, or no class has two of them
 */
export function spreadWithinClasses(
  values: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
): number {
  const size = values.length / labels.length;
  if (!Number.isInteger(size) || size === 0)
    throw new RangeError(`${values.length} values are not ${labels.length} rows`);
  let total = 0;
  let counted = 0;
  for (let k = 0; k < classes; k++) {
    const sum = new Float64Array(size);
    const square = new Float64Array(size);
    let n = 0;
    for (let i = 0; i < labels.length; i++) {
      if (labels[i] !== k) continue;
      n++;
      for (let j = 0; j < size; j++) {
        const x = values[i * size + j]!;
        sum[j]! += x;
        square[j]! += x * x;
      }
    }
    if (n < 2) continue;
    let variance = 0;
    for (let j = 0; j < size; j++) variance += (square[j]! - sum[j]! ** 2 / n) / (n - 1);
    total += variance / size;
    counted++;
  }
  if (counted === 0) throw new RangeError('no class has two rows');
  return total / counted;
}

/** Index of the largest of each row of [n, K]; the first of equals. */
export function largest(values: ArrayLike<number>, K: number): Int32Array {
  const out = new Int32Array(values.length / K);
  for (let i = 0; i < out.length; i++) {
    let best = 0;
    for (let k = 1; k < K; k++) if (values[i * K + k]! > values[i * K + best]!) best = k;
    out[i] = best;
  }
  return out;
}

/** Mean of the largest probability of each row of [n, K]. */
export function meanConfidence(probabilities: ArrayLike<number>, K: number): number {
  const n = probabilities.length / K;
  let total = 0;
  largest(probabilities, K).forEach((k, i) => (total += probabilities[i * K + k]!));
  return total / n;
}

export interface Summary {
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** @throws RangeError when there is nothing to summarise */
export function summarise(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError('there are no values');
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return { mean, min: Math.min(...values), max: Math.max(...values) };
}
