/**
 * Elementwise primitives.
 *
 * @module
 */
import type { Node } from '../ir.js';
import { broadcastStrides, collapse, forEachRow, stridesOf } from './array.js';
import type { Data, Kernel, NdArray } from './array.js';
import { erf } from './erf.js';

function unary(f: (x: number) => number): (node: Node, inputs: readonly NdArray[], out: Data) => void {
  return (_node, inputs, out) => {
    const x = inputs[0]!.data;
    for (let i = 0; i < out.length; i++) out[i] = f(x[i]!);
  };
}

/** Neither exp(x) nor exp(-x) may overflow. */
function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

export const unaryKernels = {
  neg: unary((x) => -x),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  tanh: unary(Math.tanh),
  sigmoid: unary(sigmoid),
  erf: unary(erf),
  abs: unary(Math.abs),
  sign: unary(Math.sign),
};

/** One row: n results from two operands with steps of their own. */
type Row = (
  o: Data,
  at: number,
  a: Data,
  i: number,
  ia: number,
  b: Data,
  j: number,
  jb: number,
  n: number,
) => void;

// Written out, since a function called per element costs more than the arithmetic.
const rows = {
  add(o, at, a, i, ia, b, j, jb, n) {
    for (let k = 0; k < n; k++, i += ia, j += jb) o[at + k] = a[i]! + b[j]!;
  },
  sub(o, at, a, i, ia, b, j, jb, n) {
    for (let k = 0; k < n; k++, i += ia, j += jb) o[at + k] = a[i]! - b[j]!;
  },
  mul(o, at, a, i, ia, b, j, jb, n) {
    for (let k = 0; k < n; k++, i += ia, j += jb) o[at + k] = a[i]! * b[j]!;
  },
  div(o, at, a, i, ia, b, j, jb, n) {
    for (let k = 0; k < n; k++, i += ia, j += jb) o[at + k] = a[i]! / b[j]!;
  },
} satisfies Record<string, Row>;

function perElement(f: (x: number, y: number) => number): Row {
  return (o, at, a, i, ia, b, j, jb, n) => {
    for (let k = 0; k < n; k++, i += ia, j += jb) o[at + k] = f(a[i]!, b[j]!);
  };
}

function binary(row: Row, integer: Row = row): (node: Node, inputs: readonly NdArray[], out: Data) => void {
  return (node, inputs, out) => {
    const [a, b] = inputs as readonly [NdArray, NdArray];
    const walk = collapse(node.shape, [
      stridesOf(node.shape),
      broadcastStrides(a.shape, node.shape),
      broadcastStrides(b.shape, node.shape),
    ]);
    const last = walk.shape.length - 1;
    const [n, ia, jb] = [walk.shape[last]!, walk.strides[1]![last]!, walk.strides[2]![last]!];
    const run = a.data instanceof Int32Array ? integer : row;
    forEachRow(walk, [0, 0, 0], ([o, i, j]) => run(out, o!, a.data, i!, ia, b.data, j!, jb, n));
  };
}

/** Exact 32-bit product, truncating quotient: what int32 kernels elsewhere compute. A zero divisor gives 0. */
const integerMul = perElement(Math.imul);
const integerDiv = perElement((x, y) => Math.trunc(x / y));

export const binaryKernels = {
  add: binary(rows.add),
  sub: binary(rows.sub),
  mul: binary(rows.mul, integerMul),
  div: binary(rows.div, integerDiv),
  max: binary(perElement(Math.max)),
  min: binary(perElement(Math.min)),
  pow: binary(perElement(Math.pow)),
  less: binary(perElement((x, y) => (x < y ? 1 : 0))),
  equal: binary(perElement((x, y) => (x === y ? 1 : 0))),
};

export const select: Kernel<'select'> = (node, inputs, out) => {
  const [c, a, b] = inputs as readonly [NdArray, NdArray, NdArray];
  const walk = collapse(node.shape, [
    stridesOf(node.shape),
    ...[c, a, b].map((x) => broadcastStrides(x.shape, node.shape)),
  ]);
  const last = walk.shape.length - 1;
  const n = walk.shape[last]!;
  const [, sc, sa, sb] = walk.strides.map((s) => s[last]!) as [number, number, number, number];
  forEachRow(walk, [0, 0, 0, 0], ([o, ic, ia, ib]) => {
    for (let k = 0; k < n; k++) {
      out[o! + k] = c.data[ic! + k * sc] !== 0 ? a.data[ia! + k * sa]! : b.data[ib! + k * sb]!;
    }
  });
};
