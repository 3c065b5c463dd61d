/**
 * Primitives over the last axis.
 *
 * @module
 */
import type { Node } from '../../../graph/ir.js';
import type { Emitter } from '../emitter.js';
import type { LowerTable } from './table.js';

/** [Y, Mean, InvStdDev]; `normalize` and `rstd` of one value share one node. */
function layerNorm(n: Node, eps: number, e: Emitter): readonly string[] {
  const width = e.source(n, 0).shape.at(-1) as number;
  const ones = e.f32([1], [width]);
  return e.ops('LayerNormalization', [e.value(n, 0), ones], 3, { axis: { i: -1 }, epsilon: { f: eps } });
}

export const lastAxis = {
  softmax: (n, e) => e.op('Softmax', [e.value(n, 0)], { axis: { i: -1 } }),
  log_softmax: (n, e) => e.op('LogSoftmax', [e.value(n, 0)], { axis: { i: -1 } }),
  normalize: (n, e) => layerNorm(n, n.attrs.eps, e)[0] as string,
  rstd: (n, e) => layerNorm(n, n.attrs.eps, e)[2] as string,
} satisfies Partial<LowerTable>;
