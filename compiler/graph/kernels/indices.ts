/**
 * Primitives that take indices.
 *
 * @module
 */
import { sizeOf } from '../ir.js';
import type { Node } from '../ir.js';
import { KernelError } from './array.js';
import type { Kernel } from './array.js';

function checked(node: Node, index: number, rows: number): number {
  if (index >= 0 && index < rows) return index;
  throw new KernelError(node.id, `node %${node.id} (${node.op}): index ${index} is not in 0..${rows - 1}`);
}

export const gather: Kernel<'gather'> = (node, [table, index], out) => {
  const [rows, ...rest] = table!.shape as [number, ...number[]];
  const width = sizeOf(rest);
  index!.data.forEach((raw, i) => {
    const row = checked(node, raw, rows);
    out.set(table!.data.subarray(row * width, (row + 1) * width), i * width);
  });
};

export const scatterAdd: Kernel<'scatter_add'> = (node, [updates, index], out) => {
  const width = sizeOf(node.shape.slice(1));
  const sums = new Float64Array(out.length);
  index!.data.forEach((raw, i) => {
    const row = checked(node, raw, node.attrs.rows);
    for (let k = 0; k < width; k++) sums[row * width + k]! += updates!.data[i * width + k]!;
  });
  out.set(sums);
};

export const oneHot: Kernel<'one_hot'> = (node, [index], out) => {
  const { depth } = node.attrs;
  index!.data.forEach((k, i) => {
    if (k >= 0 && k < depth) out[i * depth + k] = 1;
  });
};
