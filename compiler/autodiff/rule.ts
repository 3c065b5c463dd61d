/**
 * What a derivative rule is.
 *
 * @module
 */
import type { GraphBuilder, Value } from '../graph/builder.js';
import { sameShape } from '../graph/infer.js';
import type { Node, NodeOf, Op, Shape } from '../graph/ir.js';

/** What a rule works with. */
export interface Pullback<K extends Op> {
  readonly b: GraphBuilder;
  readonly node: NodeOf<K> & Node;
  readonly inputs: readonly Value[];
  /** Gradient of the loss with respect to the node; has the node's shape. */
  readonly g: Value;
  /** Whether the gradient with respect to input k is wanted; others need not be built. */
  readonly wants: (k: number) => boolean;
}

/**
 * The vector-Jacobian product of a primitive: the gradient with respect to each input, in order; `undefined` where it
 * is zero or not wanted. Gradients of broadcast operands may have the node's shape: they are summed afterwards.
 */
export type Rule<K extends Op> = (p: Pullback<K>) => readonly (Value | undefined)[];

/** Sums a gradient over the axes that were stretched when an operand of `shape` was broadcast. */
export function unbroadcast(b: GraphBuilder, g: Value, shape: Shape): Value {
  if (sameShape(g.shape, shape)) return g;
  const lead = g.shape.length - shape.length;
  const axes = g.shape.flatMap((d, k) => (k < lead || (shape[k - lead] === 1 && d !== 1) ? [k] : []));
  // Rows last: the sums per row and channel are often there already, in a normalisation's gradient.
  const perRow = axes.slice(1);
  const split =
    axes[0] === 0 && perRow.length > 0 && perRow.every((axis) => axis >= axes.length - 1 && axis >= 2);
  return b.reshape(split ? b.sum(b.sum(g, perRow), [0]) : b.sum(g, axes), shape);
}

/** The shape with the given axes as size 1. */
export function kept(shape: Shape, axes: readonly number[]): number[] {
  return shape.map((d, k) => (axes.includes(k) ? 1 : d));
}
