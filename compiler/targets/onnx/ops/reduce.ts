/**
 * Reductions.
 *
 * @module
 */
import { sizeOf } from '../../../graph/ir.js';
import type { NodeOf } from '../../../graph/ir.js';
import { contribDomain } from '../emitter.js';
import type { Emitter } from '../emitter.js';
import { tiles } from './shape.js';
import type { LowerTable } from './table.js';

/** Longest row of ones that is stored in a model. */
const maxOnes = 1 << 16;

/**
 * From here on a sum of products per row is a product of one row with another: it need not be written first. Shorter
 * rows do not pay for a call of their own.
 */
const longRow = 512;

/** A mean over tiles of images, [B, C, h, k, w, l] over k and l, is pooling, for which there is a faster kernel. */
function pooled(n: NodeOf<'sum' | 'mean'>, e: Emitter): string | undefined {
  const found = tiles(e.source(n, 0).shape);
  const { axes } = n.attrs;
  if (found === undefined || axes.join() !== '3,5' || e.options.provider === 'webgpu') return undefined;
  const [B, C, h, w] = found.image as readonly [number, number, number, number];
  const [k, l] = found.by;
  if (k * l === 1) return undefined;
  const attributes = { kernel_shape: { ints: [k, l] }, strides: { ints: [k, l] } };
  const means = e.op('AveragePool', [e.reshape(e.value(n, 0), [B, C, h * k, w * l])], attributes);
  const scaled = n.op === 'mean' ? means : e.op('Mul', [means, e.f32([k * l])]);
  return n.attrs.keep ? e.reshape(scaled, n.shape) : scaled;
}

/** The sum over the last axes of x y, where nothing else reads the product. */
function dot(n: NodeOf<'sum'>, e: Emitter): string | undefined {
  const product = e.source(n, 0);
  const { contrib, provider } = e.options;
  if (product.op !== 'mul' || e.uses(product) > 1 || !contrib || provider === 'webgpu') return undefined;
  const { axes } = n.attrs;
  const kept = product.shape.length - axes.length;
  const width = sizeOf(product.shape.slice(kept));
  if (!axes.every((axis, k) => axis === kept + k) || width < longRow) return undefined;
  const rows = [sizeOf(product.shape.slice(0, kept)), 1, width];
  const operands = [e.source(product, 0), e.source(product, 1)];
  if (operands.some((v) => v.shape.join() !== product.shape.join())) return undefined;
  const [x, y] = operands.map((v) => e.reshape(e.values[v.id] as string, rows)) as [string, string];
  return e.reshape(e.op('FusedMatMul', [x, y], { transB: { i: 1 } }, contribDomain), n.shape);
}

/** Most values that are summed in one go. */
const maxSummed = 1 << 16;

function reduce(op: string, n: NodeOf<'sum' | 'mean' | 'reduce_max'>, e: Emitter): string {
  const { axes, keep } = n.attrs;
  const input = e.source(n, 0);
  if (axes.length === 0) return e.value(n, 0);
  if (axes.every((axis) => input.shape[axis] === 1)) return e.reshape(e.value(n, 0), n.shape);
  const inner = op === 'ReduceMax' ? [] : innerAxes(axes, input.shape);
  if (inner.length === 0) return e.op(op, [e.value(n, 0), e.i64(axes)], { keepdims: { i: keep ? 1 : 0 } });
  const outer = axes.filter((axis) => !inner.includes(axis));
  const part = e.op(op, [e.value(n, 0), e.i64(inner)], { keepdims: { i: 1 } });
  const whole = e.op(op, [part, e.i64(outer)], { keepdims: { i: 1 } });
  return keep ? whole : e.reshape(whole, n.shape);
}

/**
 * Axes to reduce by themselves first, where so much is summed that f32 would lose digits: kernels keep a few running
 * sums, and the mean square of 12 million values came out wrong in the fourth digit. Empty where one reduction will do.
 */
function innerAxes(axes: readonly number[], shape: readonly number[]): number[] {
  const size = (of: readonly number[]): number => sizeOf(of.map((axis) => shape[axis]));
  if (size(axes) <= maxSummed) return [];
  const inner: number[] = [];
  for (const axis of [...axes].sort((a, b) => b - a)) {
    if (inner.length > 0 && size([...inner, axis]) > maxSummed) break;
    inner.unshift(axis);
  }
  return inner.length === axes.length ? [] : inner;
}

/**
 * Sums over leading axes (bias gradients) are a product with a row of ones, 1.3 to 4 times as fast as ReduceSum;
 * over any other axes ReduceSum is as fast as the forms tried in bench/ops/reduction.ts or faster.
 */
function sum(n: NodeOf<'sum'>, e: Emitter): string {
  const other = pooled(n, e) ?? dot(n, e);
  if (other !== undefined) return other;
  const { axes } = n.attrs;
  const input = e.source(n, 0);
  const rows = sizeOf(input.shape.slice(0, axes.length));
  const columns = sizeOf(input.shape.slice(axes.length));
  const leading = axes.every((axis, k) => axis === k);
  if (!leading || rows < 2 || rows > maxOnes || columns < 2) return reduce('ReduceSum', n, e);
  const total = e.op('MatMul', [e.f32([1], [1, rows]), e.reshape(e.value(n, 0), [rows, columns])]);
  return e.reshape(total, n.shape);
}

export const reductions = {
  sum,
  mean: (n, e) => pooled(n, e) ?? reduce('ReduceMean', n, e),
  reduce_max: (n, e) => reduce('ReduceMax', n, e),
} satisfies Partial<LowerTable>;
