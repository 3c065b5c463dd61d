/**
 * Matrix products.
 *
 * @module
 */
import type { NodeOf, Shape } from '../../../graph/ir.js';
import type { Emitter } from '../emitter.js';
import { contribDomain } from '../emitter.js';
import type { LowerTable } from './table.js';

function matmul(n: NodeOf<'matmul'>, e: Emitter): string {
  const { transposeA, transposeB } = n.attrs;
  const [a, b] = [e.value(n, 0), e.value(n, 1)];
  if (!transposeA && !transposeB) return e.op('MatMul', [a, b]);
  const [sa, sb] = [e.source(n, 0).shape, e.source(n, 1).shape];
  const flags = { transA: { i: transposeA ? 1 : 0 }, transB: { i: transposeB ? 1 : 0 } };
  if (sa.length === 2 && sb.length === 2) return e.op('Gemm', [a, b], flags);
  if (e.options.contrib && e.options.provider !== 'webgpu') {
    return e.op('FusedMatMul', [a, b], flags, contribDomain);
  }
  return e.op('MatMul', [transposeA ? swapLast(a, sa, e) : a, transposeB ? swapLast(b, sb, e) : b]);
}

function swapLast(value: string, shape: Shape, e: Emitter): string {
  const perm = shape.map((_, axis) => axis);
  perm.push(...perm.splice(-2).reverse());
  return e.transpose(value, perm);
}

export const products = {
  matmul,
} satisfies Partial<LowerTable>;
