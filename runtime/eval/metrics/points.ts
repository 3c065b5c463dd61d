/**
 * Rows of features, and their first two moments in float64.
 *
 * @module
 */
export interface Points {
  /** [n, d] in C order */
  readonly data: ArrayLike<number>;
  readonly n: number;
  readonly d: number;
}

export interface Moments {
  readonly n: number;
  readonly d: number;
  /** [d] */
  readonly mean: Float64Array;
  /** [d, d], with n - 1 in the denominator */
  readonly covariance: Float64Array;
}

/** @throws RangeError when the values are not rows of `d` */
export function points(data: ArrayLike<number>, d: number): Points {
  if (!Number.isInteger(d) || d < 1 || data.length === 0 || data.length % d !== 0)
    throw new RangeError(`${data.length} values are not rows of ${d}`);
  return { data, n: data.length / d, d };
}

/** @throws RangeError for fewer than two rows */
export function moments({ data, n, d }: Points): Moments {
  if (n < 2) throw new RangeError('a covariance needs two rows');
  const mean = new Float64Array(d);
  for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) mean[j]! += data[i * d + j]! / n;
  const covariance = new Float64Array(d * d);
  const row = new Float64Array(d);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < d; j++) row[j] = data[i * d + j]! - mean[j]!;
    for (let j = 0; j < d; j++) {
      const x = row[j]! / (n - 1);
      for (let k = 0; k <= j; k++) covariance[j * d + k]! += x * row[k]!;
    }
  }
  for (let j = 0; j < d; j++) for (let k = 0; k < j; k++) covariance[k * d + j] = covariance[j * d + k]!;
  return { n, d, mean, covariance };
}

/** The rows with the given mean taken out and divided by the given deviation, feature by feature; constant ones are 0. */
export function standardised(p: Points, { mean, covariance, d }: Moments): Points {
  sameWidth(p, { d });
  const data = new Float64Array(p.n * d);
  for (let i = 0; i < data.length; i++) {
    const j = i % d;
    const deviation = Math.sqrt(covariance[j * d + j]!);
    data[i] = deviation > 0 ? (p.data[i]! - mean[j]!) / deviation : 0;
  }
  return { data, n: p.n, d };
}

/** Squared Euclidean distances of every row of `a` to every row of `b`, [a.n, b.n]. @throws RangeError */
export function squaredDistances(a: Points, b: Points): Float64Array {
  sameWidth(a, b);
  const { d } = a;
  const out = new Float64Array(a.n * b.n);
  for (let i = 0; i < a.n; i++) {
    for (let j = 0; j < b.n; j++) {
      let sum = 0;
      for (let k = 0; k < d; k++) {
        const x = a.data[i * d + k]! - b.data[j * d + k]!;
        sum += x * x;
      }
      out[i * b.n + j] = sum;
    }
  }
  return out;
}

/** @throws RangeError when the two have features of different width */
export function sameWidth(a: { readonly d: number }, b: { readonly d: number }): void {
  if (a.d !== b.d) throw new RangeError(`features of width ${a.d} cannot be compared with ${b.d}`);
}
