/**
 * Primitives that only move elements: all are one copy between strided views.
 *
 * @module
 */
import type { Node } from '../ir.js';
import { broadcastStrides, copyStrided, stridesOf } from './array.js';
import type { Data, Kernel, NdArray } from './array.js';

/** Also cast and stop_gradient: stores convert between dtypes (i32 truncates towards zero). */
export function copy(_node: Node, inputs: readonly NdArray[], out: Data): void {
  out.set(inputs[0]!.data);
}

export const transpose: Kernel<'transpose'> = (node, [x], out) => {
  const own = stridesOf(x!.shape);
  const strides = node.attrs.perm.map((p) => own[p]!);
  copyStrided(node.shape, x!.data, 0, strides, out, 0, stridesOf(node.shape));
};

export const broadcast: Kernel<'broadcast'> = (node, [x], out) => {
  copyStrided(node.shape, x!.data, 0, broadcastStrides(x!.shape, node.shape), out, 0, stridesOf(node.shape));
};

export const slice: Kernel<'slice'> = (node, [x], out) => {
  const { start, step } = node.attrs;
  const own = stridesOf(x!.shape);
  const offset = own.reduce((sum, s, k) => sum + s * start[k]!, 0);
  const strides = own.map((s, k) => s * step[k]!);
  copyStrided(node.shape, x!.data, offset, strides, out, 0, stridesOf(node.shape));
};

export const pad: Kernel<'pad'> = (node, [x], out) => {
  const strides = stridesOf(node.shape);
  const offset = strides.reduce((sum, s, k) => sum + s * node.attrs.before[k]!, 0);
  copyStrided(x!.shape, x!.data, 0, stridesOf(x!.shape), out, offset, strides);
};

export const concat: Kernel<'concat'> = (node, inputs, out) => {
  const strides = stridesOf(node.shape);
  let offset = 0;
  for (const x of inputs) {
    copyStrided(x.shape, x.data, 0, stridesOf(x.shape), out, offset, strides);
    offset += x.shape[node.attrs.axis]! * strides[node.attrs.axis]!;
  }
};
