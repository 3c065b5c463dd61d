/**
 * Kernel Inception Distance (Binkowski et al., "Demystifying MMD GANs", 2018): the squared maximum mean discrepancy with
 * the kernel (x.y/d + 1)^3, estimated without bias, so that it may be negative.
 *
 * @module
 */
import type { Stream } from '../../random/stream.js';
import { sameWidth, type Points } from './points.js';

export interface KernelDistance {
  /** Mean over the subsets. */
  readonly value: number;
  /** Standard deviation over the subsets, 0 for one. */
  readonly deviation: number;
  readonly subsets: number;
  readonly size: number;
}

/**
 * Unbiased MMD^2 of two samples.
 * @throws RangeError for fewer than two rows, or different widths
 */
export function mmd2(a: Points, b: Points): number {
  sameWidth(a, b);
  if (a.n < 2 || b.n < 2) throw new RangeError('an unbiased estimate needs two rows of each');
  return within(a) + within(b) - 2 * between(a, b);
}

/**
 * Mean MMD^2 over random subsets of `size` rows of each side, drawn without replacement.
 * @throws RangeError as {@link mmd2}
 */
export function kernelDistance(
  a: Points,
  b: Points,
  options: { readonly subsets: number; readonly size: number; readonly random: Stream },
): KernelDistance {
  const size = Math.min(options.size, a.n, b.n);
  // One subset of everything there is would come out the same every time.
  const subsets = size === a.n && size === b.n ? 1 : options.subsets;
  const values = Array.from({ length: subsets }, () =>
    mmd2(subset(a, size, options.random), subset(b, size, options.random)),
  );
  const value = values.reduce((sum, x) => sum + x, 0) / subsets;
  const variance = values.reduce((sum, x) => sum + (x - value) ** 2, 0) / Math.max(1, subsets - 1);
  return { value, deviation: Math.sqrt(variance), subsets, size };
}

function subset(p: Points, size: number, random: Stream): Points {
  if (size === p.n) return p;
  const order = random.permutation(p.n);
  const data = new Float64Array(size * p.d);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < p.d; j++) data[i * p.d + j] = p.data[order[i]! * p.d + j]!;
  return { data, n: size, d: p.d };
}

function kernel(a: Points, i: number, b: Points, j: number): number {
  const { d } = a;
  let dot = 0;
  for (let k = 0; k < d; k++) dot += a.data[i * d + k]! * b.data[j * d + k]!;
  return (dot / d + 1) ** 3;
}

function within(a: Points): number {
  let sum = 0;
  for (let i = 0; i < a.n; i++) for (let j = 0; j < i; j++) sum += kernel(a, i, a, j);
  return (2 * sum) / (a.n * (a.n - 1));
}

function between(a: Points, b: Points): number {
  let sum = 0;
  for (let i = 0; i < a.n; i++) for (let j = 0; j < b.n; j++) sum += kernel(a, i, b, j);
  return sum / (a.n * b.n);
}
