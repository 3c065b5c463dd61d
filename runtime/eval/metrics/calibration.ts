/**
 * How far stated probabilities are from the truth.
 *
 * @module
 */

export interface Calibration {
  /** Expected calibration error: |accuracy - confidence|, averaged over rows. */
  readonly error: number;
  /** Mean probability of the class that is read, and share of rows in which it is right. */
  readonly confidence: number;
  readonly accuracy: number;
  /** Rows that have a class. */
  readonly count: number;
}

/**
 * Expected calibration error over bins of equal width (Guo et al., "On calibration of modern neural networks", 2017,
 * eq. 5): rows are put into bins (0, 1/M], (1/M, 2/M], ... by the probability of the class that is read.
 * @param probabilities [n, K]
 * @param classes [n]; rows below 0 have none and are left out
 * @throws RangeError when lengths do not fit
 */
export function calibration(
  probabilities: ArrayLike<number>,
  classes: ArrayLike<number>,
  K: number,
  bins = 15,
): Calibration {
  if (probabilities.length !== classes.length * K)
    throw new RangeError(
      `${probabilities.length} values are not ${K} probabilities for ${classes.length} rows`,
    );
  const [count, sure, right] = [0, 1, 2].map(() => new Float64Array(bins)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let row = 0; row < classes.length; row++) {
    if (classes[row]! < 0) continue;
    let best = 0;
    for (let k = 1; k < K; k++) if (probabilities[row * K + k]! > probabilities[row * K + best]!) best = k;
    const confidence = probabilities[row * K + best]!;
    const bin = Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1));
    count[bin]! += 1;
    sure[bin]! += confidence;
    right[bin]! += Number(best === classes[row]);
  }
  const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
  const n = Math.max(1, sum(count));
  const error = count.reduce((total, _, m) => total + Math.abs(right[m]! - sure[m]!), 0) / n;
  return { error, confidence: sum(sure) / n, accuracy: sum(right) / n, count: sum(count) };
}
