/**
 * Elementwise primitives, comparisons and choice. Chains are left to onnxruntime's own optimiser: it fuses
 * x * sigmoid(x) and gelu where nothing else reads the inner values, which is exactly where a fused kernel pays;
 * under a gradient they are read again, and then the separate kernels are as fast (bench/ops/elementwise.ts).
 *
 * @module
 */
import { sizeOf, type Node, type NodeOf } from '../../../graph/ir.js';
import { isGelu, uniformValue } from '../../../graph/patterns.js';
import { dataType } from '../proto.js';
import type { Emitter } from '../emitter.js';
import { biasedConv2d } from './convolution.js';
import { fusedProduct } from './product.js';
import type { LowerTable } from './table.js';

const unary =
  (op: string) =>
  (n: Node, e: Emitter): string =>
    e.op(op, [e.value(n, 0)]);

/**
 * An elementwise operation that broadcasts. Where the last axes of all operands have size 1 and one operand is a single
 * number, onnxruntime goes through the other one element at a time, which takes thirteen times as long; those axes are
 * left out then (bench/ops/elementwise.ts).
 */
function broadcasting(op: string, n: Node, e: Emitter): string {
  const operands = n.inputs.map((_, k) => e.source(n, k));
  const values = n.inputs.map((_, k) => e.value(n, k));
  const rank = n.shape.length;
  const real = n.shape.findLastIndex((d) => d !== 1) + 1;
  const single = operands.some((x) => sizeOf(x.shape) === 1);
  if (real === rank || real === 0 || !single || operands.every((x) => sizeOf(x.shape) === 1)) {
    return e.op(op, values);
  }
  const cut = operands.map(({ shape }, k) => {
    const kept = shape.slice(0, Math.max(shape.length - (rank - real), 0));
    return kept.length === shape.length ? (values[k] as string) : e.reshape(values[k] as string, kept);
  });
  return e.reshape(e.op(op, cut), n.shape);
}

const binary =
  (op: string) =>
  (n: Node, e: Emitter): string =>
    broadcasting(op, n, e);

/** Comparisons give f32 0 or 1; the cast goes away where nothing but `select` reads the result. */
const comparison =
  (op: string) =>
  (n: Node, e: Emitter): string =>
    e.cast(e.op(op, [e.value(n, 0), e.value(n, 1)]), dataType.f32);

/** onnxruntime's kernel on WebGPU fails where it broadcasts (1.30). */
function pow(n: Node, e: Emitter): string {
  const operand = (k: number): string => {
    const same = e.source(n, k).shape.join() === n.shape.join();
    return same || e.options.provider !== 'webgpu'
      ? e.value(n, k)
      : e.op('Expand', [e.value(n, k), e.i64(n.shape)]);
  };
  return e.op('Pow', [operand(0), operand(1)]);
}

/** u (1 + erf(u)) / sqrt(2) with u = x / sqrt(2), whose parts nothing else reads, as one operation. */
function gelu(n: NodeOf<'mul'>, e: Emitter): string | undefined {
  for (const k of [0, 1]) {
    const [inner, number] = [e.source(n, k), e.source(n, 1 - k)];
    if (!isSqrtHalf(number) || e.uses(inner) !== 1 || !isGelu(e.graph.nodes, inner, (m) => e.uses(m)))
      continue;
    const u = [e.source(inner, 0), e.source(inner, 1)].find((part) => part.op !== 'add') ?? inner;
    if (u.op !== 'mul') continue;
    const at = [0, 1].find((i) => isSqrtHalf(e.source(u, i)));
    if (at !== undefined) return e.op('Gelu', [e.value(u, 1 - at)]);
  }
  return undefined;
}

function isSqrtHalf(n: Node): boolean {
  return Math.abs((uniformValue(n) ?? 0) - Math.SQRT1_2) < 1e-9;
}

/** The boolean form of a condition: the comparison itself, or != 0 for anything else. */
function condition(n: NodeOf<'select'>, e: Emitter): string {
  const c = e.source(n, 0);
  if (c.op === 'less') return e.op('Less', [e.value(c, 0), e.value(c, 1)]);
  if (c.op === 'equal') return e.op('Equal', [e.value(c, 0), e.value(c, 1)]);
  return e.cast(e.value(n, 0), dataType.bool);
}

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
  add: (n, e) => biasedConv2d(n, e) ?? fusedProduct(n, e) ?? broadcasting('Add', n, e),
  sub: binary('Sub'),
  mul: (n, e) => gelu(n, e) ?? fusedProduct(n, e) ?? broadcasting('Mul', n, e),
  div: binary('Div'),
  max: binary('Max'),
  min: binary('Min'),
  pow,
  less: comparison('Less'),
  equal: comparison('Equal'),
  select: (n, e) => e.op('Where', [condition(n, e), e.value(n, 1), e.value(n, 2)]),
  cast: (n, e) =>
    e.source(n, 0).dtype === n.dtype ? e.value(n, 0) : e.cast(e.value(n, 0), dataType[n.attrs.to]),
  stop_gradient: (n, e) => e.value(n, 0),
} satisfies Partial<LowerTable>;
