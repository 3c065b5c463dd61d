/**
 * Matrix products, with the multiplication by a number and the bias that Gemm and FusedMatMul have built in.
 *
 * @module
 */
import type { Node, NodeOf, Shape } from '../../../graph/ir.js';
import { uniformValue } from '../../../graph/patterns.js';
import type { Emitter } from '../emitter.js';
import { contribDomain } from '../emitter.js';
import type { LowerTable } from './table.js';

/** alpha A B + bias. */
interface Product {
  readonly node: NodeOf<'matmul'>;
  readonly alpha: number;
  /** A row that is added to every row of the result, times `beta`. */
  readonly bias?: Node;
  readonly beta: number;
}

/** What `n` multiplies by a number of its own, and the number. */
function scaledBy(n: Node, e: Emitter): { x: Node; by: number } | undefined {
  if (n.op !== 'mul') return undefined;
  for (const k of [0, 1]) {
    const [x, c] = [e.source(n, k), e.source(n, 1 - k)];
    const number = uniformValue(c);
    if (number !== undefined && x.dtype === 'f32' && x.shape.join() === n.shape.join())
      return { x, by: number };
  }
  return undefined;
}

/** Whether a product can multiply by a number: Gemm can, and where it is no Gemm only onnxruntime's own operation. */
function takesNumber(n: NodeOf<'matmul'>, e: Emitter): boolean {
  return isGemm(n, e) || (e.options.contrib && e.options.provider !== 'webgpu');
}

function isGemm(n: NodeOf<'matmul'>, e: Emitter): boolean {
  return e.source(n, 0).shape.length === 2 && e.source(n, 1).shape.length === 2;
}

/** The product that `n` is with a number or a bias, or undefined; what lies between is read by nothing else. */
function productOf(n: Node, e: Emitter): Product | undefined {
  const scaled = scaledBy(n, e);
  if (scaled !== undefined) {
    const inner = e.uses(scaled.x) === 1 ? productOf(scaled.x, e) : undefined;
    if (inner === undefined || !takesNumber(inner.node, e)) return undefined;
    return { ...inner, alpha: inner.alpha * scaled.by, beta: inner.beta * scaled.by };
  }
  if (n.op === 'matmul') return { node: n, alpha: 1, beta: 1 };
  if (n.op !== 'add') return undefined;
  for (const k of [0, 1]) {
    const [x, bias] = [e.source(n, k), e.source(n, 1 - k)];
    if (x.op !== 'matmul' || e.uses(x) !== 1 || !isGemm(x, e)) continue;
    const row =
      bias.shape.length <= 2 && bias.shape.at(-1) === x.shape[1] && bias.shape.at(-2) !== x.shape[0];
    if (row && bias.shape.length > 0) return { node: x, alpha: 1, bias, beta: 1 };
  }
  return undefined;
}

/** A matrix product with what is around it, where `n` is more than the product itself. */
export function fusedProduct(n: NodeOf<'mul' | 'add'>, e: Emitter): string | undefined {
  const product = productOf(n, e);
  return product === undefined ? undefined : emit(product, e);
}

/** Operand `k`, without the number that every reader of it multiplies by in its own product. */
function operand(n: NodeOf<'matmul'>, k: number, e: Emitter): { value: string; by: number } {
  const source = e.source(n, k);
  const scaled = takesNumber(n, e) ? scaledBy(source, e) : undefined;
  const everywhere = e.readersOf(source).every((reader) => reader?.op === 'matmul' && takesNumber(reader, e));
  // A product with a number before it is one already, and multiplies there.
  if (scaled === undefined || !everywhere || productOf(source, e) !== undefined)
    return { value: e.value(n, k), by: 1 };
  return { value: e.value(source, e.source(source, 0) === scaled.x ? 0 : 1), by: scaled.by };
}

function emit({ node: n, alpha: outer, bias, beta }: Product, e: Emitter): string {
  const { transposeA, transposeB } = n.attrs;
  const [left, right] = [operand(n, 0, e), operand(n, 1, e)];
  const [a, b] = [left.value, right.value];
  const alpha = outer * left.by * right.by;
  const flags = { transA: { i: transposeA ? 1 : 0 }, transB: { i: transposeB ? 1 : 0 } };
  const plain = !transposeA && !transposeB && alpha === 1;
  if (bias !== undefined) {
    const c = e.values[bias.id] as string;
    return e.op('Gemm', [a, b, c], { ...flags, alpha: { f: alpha }, beta: { f: beta } });
  }
  if (plain) return e.op('MatMul', [a, b]);
  if (isGemm(n, e)) return e.op('Gemm', [a, b], { ...flags, alpha: { f: alpha } });
  if (takesNumber(n, e)) return e.op('FusedMatMul', [a, b], { ...flags, alpha: { f: alpha } }, contribDomain);
  const [sa, sb] = [e.source(n, 0).shape, e.source(n, 1).shape];
  return e.op('MatMul', [transposeA ? swapLast(a, sa, e) : a, transposeB ? swapLast(b, sb, e) : b]);
}

function swapLast(value: string, shape: Shape, e: Emitter): string {
  const perm = shape.map((_, axis) => axis);
  perm.push(...perm.splice(-2).reverse());
  return e.transpose(value, perm);
}

export const products = {
  matmul: (n, e) => emit({ node: n, alpha: 1, beta: 1 }, e),
} satisfies Partial<LowerTable>;
