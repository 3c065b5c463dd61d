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
  if (e.options.provider === 'webgpu') return twoPass(n, eps, e);
  const width = e.source(n, 0).shape.at(-1) as number;
  const ones = e.f32([1], [width]);
  return e.ops('LayerNormalization', [e.value(n, 0), ones], 3, { axis: { i: -1 }, epsilon: { f: eps } });
}

/** Mean, then the variance around it: the kernel on WebGPU takes both in one pass, which loses three digits. */
function twoPass(n: Node, eps: number, e: Emitter): readonly string[] {
  const mean = (value: string): string => e.op('ReduceMean', [value, e.i64([-1])], { keepdims: { i: 1 } });
  const x = e.value(n, 0);
  const average = mean(x);
  const centred = e.op('Sub', [x, average]);
  const variance = mean(e.op('Mul', [centred, centred]));
  const deviation = e.op('Sqrt', [e.op('Add', [variance, e.f32([eps], [])])]);
  const scale = e.op('Reciprocal', [deviation]);
  return [e.op('Mul', [centred, scale]), average, scale];
}

export const lastAxis = {
  softmax: (n, e) => e.op('Softmax', [e.value(n, 0)], { axis: { i: -1 } }),
  log_softmax: (n, e) => e.op('LogSoftmax', [e.value(n, 0)], { axis: { i: -1 } }),
  normalize: (n, e) => layerNorm(n, n.attrs.eps, e)[0] as string,
  rstd: (n, e) => layerNorm(n, n.attrs.eps, e)[2] as string,
} satisfies Partial<LowerTable>;
