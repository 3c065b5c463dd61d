/**
 * Primitives that read or make indices.
 *
 * @module
 */
import { sizeOf } from '../../../graph/ir.js';
import type { NodeOf } from '../../../graph/ir.js';
import { dataType } from '../proto.js';
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

function scatterAdd(n: NodeOf<'scatter_add'>, e: Emitter): string {
  const { rows } = n.attrs;
  const count = sizeOf(e.source(n, 1).shape);
  const width = sizeOf(n.shape.slice(1));
  const hot = oneHot(e.reshape(e.value(n, 1), [count]), [count], rows, e);
  const updates = e.reshape(e.value(n, 0), [count, width]);
  return e.reshape(e.op('Gemm', [hot, updates], { transA: { i: 1 } }), n.shape);
}

export const indices = {
  gather: (n, e) => e.op('Gather', [e.value(n, 0), e.value(n, 1)], { axis: { i: 0 } }),
  scatter_add: scatterAdd,
  one_hot: (n, e) => oneHot(e.value(n, 0), e.source(n, 0).shape, n.attrs.depth, e),
  argmax: (n, e) =>
    e.cast(e.op('ArgMax', [e.value(n, 0)], { axis: { i: -1 }, keepdims: { i: 0 } }), dataType.i32),
} satisfies Partial<LowerTable>;
