/**
 * Every primitive in kernels of TensorFlow.js.
 *
 * @module
 */
import type { NodeOf, Op } from '../../../compiler/graph/ir.js';
import { sizeOf } from '../../../compiler/graph/ir.js';
import { RunFault } from '../fault.js';
import { conv2d, conv2dFilter, conv2dInput, every, matmul } from './contraction.js';
import type { Kernels, Lowering } from './lowering.js';
import type { TfTensor } from './tf.js';

/** Primitives with a lowering: all but the leaves. */
export type Computed = Exclude<Op, 'input' | 'parameter' | 'constant'>;

const unary =
  (name: string): Lowering<Op> =>
  (k, _node, [x]) =>
    k.unary(name, x as TfTensor);

const binary =
  (name: string): Lowering<Op> =>
  (k, _node, [a, b]) =>
    k.binary(name, a as TfTensor, b as TfTensor);

/** 0 and 1 as reals. */
const compare =
  (name: string): Lowering<Op> =>
  (k, _node, [a, b]) =>
    k.cast(k.binary(name, a as TfTensor, b as TfTensor), 'float32');

/** i32: FloorDiv, one more where the quotient is negative and not whole; 0 where the divisor is. */
const div: Lowering<'div'> = (k, node, [a, b]) => {
  const [x, y] = [a as TfTensor, b as TfTensor];
  if (node.dtype === 'f32') return k.binary('RealDiv', x, y);
  const zero = k.binary('Equal', y, k.ints([0], []));
  const divisor = k.binary('Add', y, k.cast(zero, 'int32'));
  const floor = k.binary('FloorDiv', x, divisor);
  const rest = k.binary('Sub', x, k.binary('Multiply', floor, divisor));
  const up = k.binary(
    'Multiply',
    k.cast(k.binary('NotEqual', rest, k.ints([0], [])), 'int32'),
    k.cast(k.binary('Less', floor, k.ints([0], [])), 'int32'),
  );
  const quotient = k.binary('Add', floor, up);
  const whole = k.cast(k.binary('NotEqual', y, k.ints([0], [])), 'int32');
  return k.binary('Multiply', quotient, whole);
};

const select: Lowering<'select'> = (k, { shape }, [c, a, b]) => {
  const chosen = k.binary('NotEqual', c as TfTensor, k.scalar(0));
  const condition = k.broadcast(chosen, shape);
  const [t, e] = [k.broadcast(a as TfTensor, shape), k.broadcast(b as TfTensor, shape)];
  return k.run('Select', { condition, t, e });
};

/**
 * Long sums in two halves, rows first: WebAssembly adds one number after the other, and the error of that grows with
 * their count.
 */
const longSum = 1024;

const sum: Lowering<'sum'> = (k, { shape, attrs: { axes } }, [x]) =>
  k.reshape(summed(k, x as TfTensor, axes), shape);

function summed(k: Kernels, x: TfTensor, axes: readonly number[]): TfTensor {
  if (axes.length === 0) return k.copy(x);
  const count = axes.reduce((n, axis) => n * (x.shape[axis] as number), 1);
  if (count > longSum && axes.length > 1) {
    const last = axes[axes.length - 1] as number;
    const inner = k.run('Sum', { x }, { axis: [last], keepDims: true });
    return summed(k, inner, axes.slice(0, -1));
  }
  if (count > longSum) {
    const [axis] = axes as readonly [number];
    const part = divisorNear(count, Math.sqrt(count));
    if (part > 1) {
      const split = [...x.shape.slice(0, axis), count / part, part, ...x.shape.slice(axis + 1)];
      const inner = k.run('Sum', { x: k.reshape(x, split) }, { axis: [axis + 1], keepDims: false });
      return k.run('Sum', { x: inner }, { axis: [axis], keepDims: false });
    }
  }
  return k.run('Sum', { x }, { axis: axes, keepDims: false });
}

/** The largest divisor of `n` that is at most `root`. */
function divisorNear(n: number, root: number): number {
  for (let d = Math.floor(root); d > 1; d--) if (n % d === 0) return d;
  return 1;
}

const mean: Lowering<'mean'> = (k, { shape, attrs: { axes } }, [x]) => {
  const count = axes.reduce((n, axis) => n * ((x as TfTensor).shape[axis] as number), 1);
  return k.reshape(k.binary('Multiply', summed(k, x as TfTensor, axes), k.scalar(1 / count)), shape);
};

const reduceMax: Lowering<'reduce_max'> = (k, { shape, attrs: { axes } }, [x]) =>
  axes.length === 0
    ? k.copy(x as TfTensor)
    : k.reshape(k.run('Max', { x: x as TfTensor }, { reductionIndices: axes, keepDims: false }), shape);

const slice: Lowering<'slice'> = (k, node, [x]) => {
  const { start, step } = node.attrs;
  let value = x as TfTensor;
  for (const [axis, count] of node.shape.entries()) {
    const [from, by] = [start[axis] as number, step[axis] as number];
    if (by !== 1) value = every(k, value, axis, from, by, count);
  }
  const begin = node.shape.map((_, axis) => (step[axis] === 1 ? (start[axis] as number) : 0));
  return k.slice(value, begin, node.shape);
};

const pad: Lowering<'pad'> = (k, { attrs: { before, after } }, [x]) =>
  k.pad(
    x as TfTensor,
    before.map((n, axis) => [n, after[axis] as number] as const),
  );

const concat: Lowering<'concat'> = (k, { attrs: { axis } }, inputs) =>
  k.concat(
    inputs.filter((x) => sizeOf(x.shape) > 0),
    axis,
  );

/** The last axis as columns: kernels over it want a matrix. */
function columns(k: Kernels, x: TfTensor): TfTensor {
  return k.reshape(x, [-1, x.shape[x.shape.length - 1] as number]);
}

const softmax: Lowering<'softmax'> = (k, { shape }, [x]) =>
  k.reshape(k.run('Softmax', { logits: columns(k, x as TfTensor) }, { dim: 1 }), shape);

/** x - max - log(sum(exp(x - max))). */
const logSoftmax: Lowering<'log_softmax'> = (k, { shape }, [x]) => {
  const rows = columns(k, x as TfTensor);
  const most = k.run('Max', { x: rows }, { reductionIndices: [1], keepDims: true });
  const shifted = k.binary('Sub', rows, most);
  const total = k.run('Sum', { x: k.unary('Exp', shifted) }, { axis: [1], keepDims: true });
  return k.reshape(k.binary('Sub', shifted, k.unary('Log', total)), shape);
};

/** Differences from the mean [N, D] and 1 / sqrt(biased variance + eps) [N, 1]. */
function moments(k: Kernels, x: TfTensor, eps: number): readonly [TfTensor, TfTensor] {
  const rows = columns(k, x);
  const scale = k.scalar(1 / (rows.shape[1] as number));
  const average = (t: TfTensor): TfTensor =>
    k.binary('Multiply', k.run('Sum', { x: t }, { axis: [1], keepDims: true }), scale);
  const centred = k.binary('Sub', rows, average(rows));
  const variance = average(k.binary('Multiply', centred, centred));
  return [centred, k.unary('Rsqrt', k.binary('Add', variance, k.scalar(eps)))];
}

const normalize: Lowering<'normalize'> = (k, { shape, attrs }, [x]) => {
  const [centred, scale] = moments(k, x as TfTensor, attrs.eps);
  return k.reshape(k.binary('Multiply', centred, scale), shape);
};

const rstd: Lowering<'rstd'> = (k, { shape, attrs }, [x]) =>
  k.reshape(moments(k, x as TfTensor, attrs.eps)[1], shape);

const argmax: Lowering<'argmax'> = (k, { shape }, [x]) =>
  k.reshape(k.cast(k.run('ArgMax', { x: columns(k, x as TfTensor) }, { axis: 1 }), 'int32'), shape);

/**
 * The kernels in JavaScript and WebAssembly read and write wherever an index points, and there an index is cheap to
 * look at. TensorFlow checks itself (on the CPU), and WebGPU clamps.
 */
function checkIndex(k: Kernels, node: NodeOf<Op>, index: TfTensor, rows: number): void {
  if (k.device !== 'cpu' && k.device !== 'wasm') return;
  for (const i of index.dataSync()) {
    if (i < 0 || i >= rows) throw new RunFault(`index ${i} is not in 0..${rows - 1}`, { node: node.id });
  }
}

const gather: Lowering<'gather'> = (k, node, [table, index]) => {
  const x = table as TfTensor;
  checkIndex(k, node, index as TfTensor, x.shape[0] as number);
  const indices = k.reshape(index as TfTensor, [-1]);
  const flat = k.reshape(x, [x.shape[0] as number, -1]);
  return k.reshape(k.run('GatherV2', { x: flat, indices }, { axis: 0, batchDims: 0 }), node.shape);
};

const scatterAdd: Lowering<'scatter_add'> = (k, node, [updates, index]) => {
  const { rows } = node.attrs;
  checkIndex(k, node, index as TfTensor, rows);
  const count = sizeOf((index as TfTensor).shape);
  const width = sizeOf(node.shape.slice(1));
  const inputs = {
    indices: k.reshape(index as TfTensor, [count, 1]),
    updates: k.reshape(updates as TfTensor, [count, width]),
  };
  return k.reshape(k.run('ScatterNd', inputs, { shape: [rows, width] }), node.shape);
};

/** By comparison: the kernel for it writes past its rows where an index is out of range. */
const oneHot: Lowering<'one_hot'> = (k, { shape, attrs: { depth } }, [index]) => {
  const column = k.reshape(index as TfTensor, [-1, 1]);
  const classes = k.ints(
    Array.from({ length: depth }, (_, i) => i),
    [1, depth],
  );
  return k.reshape(k.cast(k.binary('Equal', column, classes), 'float32'), shape);
};

const copy: Lowering<Op> = (k, _node, [x]) => k.copy(x as TfTensor);

export const lowerings: { readonly [K in Computed]: Lowering<K> } = {
  neg: unary('Neg'),
  exp: unary('Exp'),
  log: unary('Log'),
  sqrt: unary('Sqrt'),
  sin: unary('Sin'),
  cos: unary('Cos'),
  tanh: unary('Tanh'),
  sigmoid: unary('Sigmoid'),
  erf: unary('Erf'),
  abs: unary('Abs'),
  sign: unary('Sign'),
  add: binary('Add'),
  sub: binary('Sub'),
  mul: binary('Multiply'),
  div,
  max: binary('Maximum'),
  min: binary('Minimum'),
  pow: binary('Pow'),
  less: compare('Less'),
  equal: compare('Equal'),
  select,
  sum,
  mean,
  reduce_max: reduceMax,
  reshape: (k, { shape }, [x]) => k.reshape(x as TfTensor, shape),
  transpose: (k, { attrs }, [x]) =>
    attrs.perm.length < 2 ? k.copy(x as TfTensor) : k.transpose(x as TfTensor, attrs.perm),
  broadcast: (k, { shape }, [x]) => k.broadcast(x as TfTensor, shape),
  slice,
  pad,
  concat,
  matmul,
  conv2d,
  conv2d_input: conv2dInput,
  conv2d_filter: conv2dFilter,
  softmax,
  log_softmax: logSoftmax,
  normalize,
  rstd,
  gather,
  scatter_add: scatterAdd,
  one_hot: oneHot,
  argmax,
  cast: (k, { dtype }, [x]) => k.cast(x as TfTensor, dtype === 'f32' ? 'float32' : 'int32'),
  stop_gradient: copy,
};

/**
 * Computes one node; kernels never see empty arrays, which only a few of them take.
 *
 * @throws RunFault, or whatever a kernel throws
 */
export function compute<K extends Computed>(
  k: Kernels,
  node: NodeOf<K>,
  inputs: readonly TfTensor[],
): TfTensor {
  const empty = node.op === 'concat' ? sizeOf(node.shape) === 0 : inputs.some((x) => sizeOf(x.shape) === 0);
  // Sums over nothing, rows that nothing is added to, padding around nothing.
  if (empty || sizeOf(node.shape) === 0) {
    return k.filled(node.shape, node.dtype === 'f32' ? 'float32' : 'int32');
  }
  const lower: Lowering<K> = lowerings[node.op];
  return lower(k, node, inputs);
}
