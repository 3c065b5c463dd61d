/**
 * Primitives that read or make indices.
 *
 * @module
 */
import { sizeOf } from '../../../graph/ir.js';
import type { NodeOf } from '../../../graph/ir.js';
import { dataType } from '../proto.js';
import { literalOf } from '../emitter.js';
import type { Emitter } from '../emitter.js';
import type { LowerTable } from './table.js';

/** index[..., 1] == 0..depth-1: unlike ONNX OneHot, indices out of range (negative ones too) give zeros. */
function oneHot(index: string, shape: readonly number[], depth: number, e: Emitter): string {
  const range = e.i32(
    Array.from({ length: depth }, (_, k) => k),
    [depth],
  );
  return e.cast(e.op('Equal', [e.reshape(index, [...shape, 1]), range]), dataType.f32);
}

/** Up to here a one-hot product is faster than ScatterElements, which adds element by element on one thread. */
const oneHotRows = 256;

/**
 * ScatterND would be ten times as fast as either form, but it splits the updates over threads without a lock:
 * with two threads or more it loses updates of rows that occur twice (seen in onnxruntime 1.30).
 */
function scatterAdd(n: NodeOf<'scatter_add'>, e: Emitter): string {
  const { rows } = n.attrs;
  const count = sizeOf(e.source(n, 1).shape);
  const width = sizeOf(n.shape.slice(1));
  const updates = e.reshape(e.value(n, 0), [count, width]);
  const index = e.value(n, 1);
  if (rows <= oneHotRows) {
    const range = e.i32(
      Array.from({ length: rows }, (_, k) => k),
      [rows, 1],
    );
    const hot = e.cast(e.op('Equal', [range, e.reshape(index, [1, count])]), dataType.f32);
    return e.reshape(e.op('MatMul', [hot, updates]), n.shape);
  }
  const zeros = e.op('ConstantOfShape', [e.i64([rows, width])], { value: { t: literalOf('f32', [0], [1]) } });
  const each = e.op('Expand', [e.reshape(index, [count, 1]), e.i64([count, width])]);
  const attributes = { axis: { i: 0 }, reduction: { s: 'add' } };
  return e.reshape(e.op('ScatterElements', [zeros, each, updates], attributes), n.shape);
}

export const indices = {
  gather: (n, e) => e.op('Gather', [e.value(n, 0), e.value(n, 1)], { axis: { i: 0 } }),
  scatter_add: scatterAdd,
  one_hot: (n, e) => oneHot(e.value(n, 0), e.source(n, 0).shape, n.attrs.depth, e),
  argmax: (n, e) =>
    e.cast(e.op('ArgMax', [e.value(n, 0)], { axis: { i: -1 }, keepdims: { i: 0 } }), dataType.i32),
} satisfies Partial<LowerTable>;
