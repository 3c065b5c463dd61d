/**
 * Reductions.
 *
 * @module
 */
import type { NodeOf } from '../../../graph/ir.js';
import type { Emitter } from '../emitter.js';
import type { LowerTable } from './table.js';

function reduce(op: string, n: NodeOf<'sum' | 'mean' | 'reduce_max'>, e: Emitter): string {
  const { axes, keep } = n.attrs;
  const input = e.source(n, 0);
  if (axes.length === 0) return e.value(n, 0);
  if (axes.every((axis) => input.shape[axis] === 1)) return e.reshape(e.value(n, 0), n.shape);
  return e.op(op, [e.value(n, 0), e.i64(axes)], { keepdims: { i: keep ? 1 : 0 } });
}

export const reductions = {
  sum: (n, e) => reduce('ReduceSum', n, e),
  mean: (n, e) => reduce('ReduceMean', n, e),
  reduce_max: (n, e) => reduce('ReduceMax', n, e),
} satisfies Partial<LowerTable>;
