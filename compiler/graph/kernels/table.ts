/**
 * What every primitive means, as code that runs: one kernel each. The reference executor and constant folding both
 * use these, and every other executor is tested against them.
 *
 * @module
 */
import { sizeOf } from '../ir.js';
import type { NodeOf, Op } from '../ir.js';
import { allocate } from './array.js';
import type { Data, Kernel, NdArray, Precision } from './array.js';
import * as contraction from './contraction.js';
import { binaryKernels, select, unaryKernels } from './elementwise.js';
import * as indices from './indices.js';
import * as lastAxis from './lastaxis.js';
import * as movement from './movement.js';
import * as reduce from './reduce.js';

/** Primitives that get their value from outside. */
export type Leaf = 'input' | 'parameter' | 'constant';

/** Primitives with a kernel: all but the leaves. */
export type Computed = Exclude<Op, Leaf>;

const kernels: { readonly [K in Computed]: Kernel<K> } = {
  ...unaryKernels,
  ...binaryKernels,
  select,
  sum: reduce.sum,
  mean: reduce.mean,
  reduce_max: reduce.reduceMax,
  reshape: movement.copy,
  transpose: movement.transpose,
  broadcast: movement.broadcast,
  slice: movement.slice,
  pad: movement.pad,
  concat: movement.concat,
  matmul: contraction.matmul,
  conv2d: contraction.conv2d,
  conv2d_input: contraction.conv2dInput,
  conv2d_filter: contraction.conv2dFilter,
  softmax: lastAxis.softmax,
  log_softmax: lastAxis.logSoftmax,
  normalize: lastAxis.normalize,
  rstd: lastAxis.rstd,
  argmax: lastAxis.argmax,
  gather: indices.gather,
  scatter_add: indices.scatterAdd,
  one_hot: indices.oneHot,
  cast: movement.copy,
  stop_gradient: movement.copy,
};

/** Whether a node's result is its operand's data unchanged, so that it may share it. */
function isView(node: NodeOf<Op>): boolean {
  return node.op === 'reshape' || node.op === 'stop_gradient';
}

/** The value of a constant node. */
export function constantData(node: NodeOf<'constant'>, precision: Precision): Data {
  const data = allocate(sizeOf(node.shape), node.dtype, precision);
  if (node.attrs.data.length === 1) data.fill(node.attrs.data[0]!);
  else data.set(node.attrs.data);
  return data;
}

/**
 * Computes one node. The result may share its data with the first operand.
 *
 * @param into memory to compute it in, such as an operand's that an elementwise primitive may overwrite
 * @throws KernelError naming node and index when an index is out of range.
 */
export function compute<K extends Computed>(
  node: NodeOf<K>,
  inputs: readonly NdArray[],
  precision: Precision,
  into?: Data,
): NdArray {
  if (isView(node)) return { data: inputs[0]!.data, shape: node.shape };
  const out = into ?? allocate(sizeOf(node.shape), node.dtype, precision);
  const kernel: Kernel<K> = kernels[node.op];
  kernel(node, inputs, out);
  return { data: out, shape: node.shape };
}
