/**
 * Elementwise primitives, comparisons and choice.
 *
 * @module
 */
import type { Node, NodeOf } from '../../../graph/ir.js';
import { dataType } from '../proto.js';
import type { Emitter } from '../emitter.js';
import { contribDomain } from '../emitter.js';
import type { Lower, LowerTable } from './table.js';

const unary =
  (op: string) =>
  (n: Node, e: Emitter): string =>
    e.op(op, [e.value(n, 0)]);

const binary =
  (op: string) =>
  (n: Node, e: Emitter): string =>
    e.op(op, [e.value(n, 0), e.value(n, 1)]);

/** Comparisons give f32 0 or 1; the cast goes away where nothing but `select` reads the result. */
const comparison =
  (op: string) =>
  (n: Node, e: Emitter): string =>
    e.cast(e.op(op, [e.value(n, 0), e.value(n, 1)]), dataType.f32);

/** The boolean form of a condition: the comparison itself, or != 0 for anything else. */
function condition(n: NodeOf<'select'>, e: Emitter): string {
  const c = e.source(n, 0);
  if (c.op === 'less') return e.op('Less', [e.value(c, 0), e.value(c, 1)]);
  if (c.op === 'equal') return e.op('Equal', [e.value(c, 0), e.value(c, 1)]);
  return e.cast(e.value(n, 0), dataType.bool);
}

/** x * sigmoid(x) has one kernel (QuickGelu with alpha 1). */
const mul: Lower<'mul'> = (n, e) => {
  if (e.options.contrib && e.options.provider !== 'webgpu') {
    for (const [k, other] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const s = e.source(n, k);
      if (s.op === 'sigmoid' && s.inputs[0] === n.inputs[other] && n.dtype === 'f32') {
        return e.op('QuickGelu', [e.value(s, 0)], { alpha: { f: 1 } }, contribDomain);
      }
    }
  }
  return e.op('Mul', [e.value(n, 0), e.value(n, 1)]);
};

export const elementwise = {
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
  mul,
  div: binary('Div'),
  max: binary('Max'),
  min: binary('Min'),
  pow: binary('Pow'),
  less: comparison('Less'),
  equal: comparison('Equal'),
  select: (n, e) => e.op('Where', [condition(n, e), e.value(n, 1), e.value(n, 2)]),
  cast: (n, e) =>
    e.source(n, 0).dtype === n.dtype ? e.value(n, 0) : e.cast(e.value(n, 0), dataType[n.attrs.to]),
  stop_gradient: (n, e) => e.value(n, 0),
} satisfies Partial<LowerTable>;
