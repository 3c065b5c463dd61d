/**
 * Arrays as the kernels see them, and walking over strided ones.
 *
 * @module
 */
import type { DType, NodeOf, Op, Shape } from '../ir.js';

export type Data = Float32Array | Float64Array | Int32Array;

/** An array in C order. */
export interface NdArray {
  readonly data: Data;
  readonly shape: Shape;
}

/** What reals are stored in. Sums are accumulated in float64 either way and rounded when they are stored. */
export type Precision = 'f32' | 'f64';

/** Computes a node from its inputs' arrays into `out`, which is as large as the node and filled with zeros. */
export type Kernel<K extends Op> = (node: NodeOf<K>, inputs: readonly NdArray[], out: Data) => void;

/** A kernel met data that its primitive does not take, such as an index out of range. */
export class KernelError extends Error {
  override readonly name: string = 'KernelError';

  constructor(
    readonly node: number,
    message: string,
  ) {
    super(message);
  }
}

export function allocate(size: number, dtype: DType, precision: Precision): Data {
  if (dtype === 'i32') return new Int32Array(size);
  return precision === 'f64' ? new Float64Array(size) : new Float32Array(size);
}

/** Distance in elements between neighbours along each axis, in C order. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let n = 1;
  for (let k = shape.length - 1; k >= 0; k--) {
    strides[k] = n;
    n *= shape[k]!;
  }
  return strides;
}

/** Strides that read an array of `shape` as if it were broadcast to `target`: 0 along stretched axes. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const own = stridesOf(shape);
  const lead = target.length - shape.length;
  return target.map((_, k) => (k < lead || shape[k - lead] === 1 ? 0 : own[k - lead]!));
}

/** Several strided views of one shape, with as few axes as they can be walked with. */
export interface Walk {
  readonly shape: readonly number[];
  /** Per view, per axis. */
  readonly strides: readonly (readonly number[])[];
}

/** Drops axes of size 1 and merges neighbours that every view can walk as one; at least one axis remains. */
export function collapse(shape: Shape, strides: readonly (readonly number[])[]): Walk {
  const sizes: number[] = [];
  const steps: number[][] = strides.map(() => []);
  for (let k = 0; k < shape.length; k++) {
    const d = shape[k]!;
    if (d === 1) continue;
    const last = sizes.length - 1;
    if (last >= 0 && strides.every((s, v) => steps[v]![last] === s[k]! * d)) {
      sizes[last]! *= d;
      strides.forEach((s, v) => (steps[v]![last] = s[k]!));
    } else {
      sizes.push(d);
      strides.forEach((s, v) => steps[v]!.push(s[k]!));
    }
  }
  if (sizes.length === 0) return { shape: [1], strides: strides.map(() => [0]) };
  return { shape: sizes, strides: steps };
}

/**
 * Calls `row` for every run along the last axis of a walk, in C order.
 *
 * @param row gets the offset of each view (the array is reused between calls)
 */
export function forEachRow(
  walk: Walk,
  offsets: readonly number[],
  row: (at: readonly number[]) => void,
): void {
  const { shape, strides } = walk;
  const outer = shape.length - 1;
  if (shape.includes(0)) return;
  const at = [...offsets];
  const index = new Array<number>(outer).fill(0);
  for (;;) {
    row(at);
    let k = outer - 1;
    for (; k >= 0; k--) {
      index[k]!++;
      for (let v = 0; v < at.length; v++) at[v]! += strides[v]![k]!;
      if (index[k]! < shape[k]!) break;
      for (let v = 0; v < at.length; v++) at[v]! -= strides[v]![k]! * shape[k]!;
      index[k] = 0;
    }
    if (k < 0) return;
  }
}

/** Copies `shape` elements from one strided view to another. */
export function copyStrided(
  shape: Shape,
  from: Data,
  fromOffset: number,
  fromStrides: readonly number[],
  to: Data,
  toOffset: number,
  toStrides: readonly number[],
): void {
  const walk = collapse(shape, [fromStrides, toStrides]);
  const last = walk.shape.length - 1;
  const n = walk.shape[last]!;
  const fromStep = walk.strides[0]![last]!;
  const toStep = walk.strides[1]![last]!;
  forEachRow(walk, [fromOffset, toOffset], ([a, b]) => {
    let i = a!;
    let o = b!;
    for (let k = 0; k < n; k++) {
      to[o] = from[i]!;
      i += fromStep;
      o += toStep;
    }
  });
}
