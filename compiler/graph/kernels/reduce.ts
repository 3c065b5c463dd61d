/**
 * Reductions. Sums are taken in float64 and rounded once.
 *
 * @module
 */
import { sizeOf } from '../ir.js';
import type { Kernel, NdArray } from './array.js';
import { collapse, forEachRow, stridesOf } from './array.js';
import type { Data } from './array.js';

interface Reduced {
  readonly axes: readonly number[];
}

/** Runs `row` over the operand with, per row, where its results lie: a step of 0 means one result for the row. */
function overRows(
  x: NdArray,
  { axes }: Reduced,
  row: (from: number, to: number, step: number, n: number) => void,
): void {
  const kept = stridesOf(x.shape.map((d, k) => (axes.includes(k) ? 1 : d)));
  const target = kept.map((s, k) => (axes.includes(k) ? 0 : s));
  const walk = collapse(x.shape, [stridesOf(x.shape), target]);
  const last = walk.shape.length - 1;
  const [n, step] = [walk.shape[last]!, walk.strides[1]![last]!];
  forEachRow(walk, [0, 0], ([from, to]) => row(from!, to!, step, n));
}

function sums(x: NdArray, attrs: Reduced, size: number): Float64Array {
  const total = new Float64Array(size);
  const { data } = x;
  overRows(x, attrs, (from, to, step, n) => {
    if (step === 0) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += data[from + k]!;
      total[to]! += sum;
    } else {
      for (let k = 0; k < n; k++) total[to + k]! += data[from + k]!;
    }
  });
  return total;
}

export const sum: Kernel<'sum'> = (node, [x], out) => {
  out.set(sums(x!, node.attrs, out.length));
};

export const mean: Kernel<'mean'> = (node, [x], out) => {
  const total = sums(x!, node.attrs, out.length);
  const count = sizeOf(node.attrs.axes.map((a) => x!.shape[a]!));
  for (let i = 0; i < out.length; i++) out[i] = total[i]! / count;
};

export const reduceMax: Kernel<'reduce_max'> = (node, [x], out: Data) => {
  const { data } = x!;
  out.fill(-Infinity);
  overRows(x!, node.attrs, (from, to, step, n) => {
    for (let k = 0; k < n; k++) {
      const o = to + k * step;
      // Math.max, unlike a comparison, lets NaN through.
      out[o] = Math.max(out[o]!, data[from + k]!);
    }
  });
};
