/**
 * Reverse-mode differentiation: extends a graph with the gradient of a scalar. The backward pass is made of the same
 * primitives, so that it can be differentiated again.
 *
 * @module
 */
import { GraphError } from '../graph/builder.js';
import type { GraphBuilder, Value } from '../graph/builder.js';
import { showType } from '../graph/errors.js';
import type { Node, NodeOf, Op } from '../graph/ir.js';
import { contracting } from './contraction.js';
import { elementwise } from './elementwise.js';
import { unbroadcast } from './rule.js';
import type { Rule } from './rule.js';
import { constantAlmostEverywhere, moving } from './shape.js';

const rules: { readonly [K in Op]: Rule<K> } = {
  ...elementwise,
  ...moving,
  ...contracting,
  ...constantAlmostEverywhere,
};

/**
 * Appends the gradient of `loss` with respect to each of `wrt` to the graph of `b`.
 *
 * Contributions to one value are added in the order of its uses, last use first, so that the result is the same on every
 * run. Backward nodes carry the origin of the node they are the derivative of. A `wrt` that the loss does not depend on
 * gets zeros. Where a function has no derivative: abs takes 0; max, min and reduce_max share it among ties.
 *
 * @param loss f32, shape []
 * @param wrt f32 values of any shape, leaves or not
 * @param observe called after the derivative of each node was appended, with the ids of the new nodes
 * @returns for each of `wrt` a value of its shape
 * @throws GraphError when the loss is no f32 scalar or one of `wrt` is not f32
 */
export function gradients(
  b: GraphBuilder,
  loss: Value,
  wrt: readonly Value[],
  observe?: (node: Node, from: number, to: number) => void,
): Value[] {
  if (loss.dtype !== 'f32' || loss.shape.length > 0) {
    throw new GraphError(`gradients: the loss must be an f32 scalar, got ${showType(loss)}`);
  }
  for (const v of wrt) {
    if (v.dtype !== 'f32')
      throw new GraphError(`gradients: ${v.op} ${showType(v)} has no gradient, it is not f32`);
  }
  const outer = b.origin;
  const active = dependents(b.nodes, loss.id, new Set(wrt.map((v) => v.id)));
  const sums = new Map<number, Value>([[loss.id, b.scalar(1)]]);
  try {
    for (let id = loss.id; id >= 0; id--) {
      const g = sums.get(id);
      if (g === undefined || !active.has(id)) continue;
      const node = b.nodes[id]!;
      b.origin = node.origin ?? outer;
      if (!node.inputs.some((input) => active.has(input))) continue;
      const before = b.nodes.length;
      const partials = pullback(b, node, g, active);
      node.inputs.forEach((input, k) => {
        const partial = partials[k];
        if (partial === undefined || !active.has(input)) return;
        const own = unbroadcast(b, partial, b.nodes[input]!.shape);
        const sum = sums.get(input);
        sums.set(input, sum === undefined ? own : b.add(sum, own));
      });
      observe?.(node, before, b.nodes.length);
    }
    b.origin = outer;
    return wrt.map((v) => sums.get(v.id) ?? b.constant([0], v.shape));
  } finally {
    b.origin = outer;
  }
}

/** Ids up to `last` of the f32 values that depend on one of `roots`, roots included. */
function dependents(nodes: readonly Node[], last: number, roots: ReadonlySet<number>): ReadonlySet<number> {
  const found = new Set<number>();
  for (let id = 0; id <= last; id++) {
    const node = nodes[id]!;
    const depends = roots.has(id) || node.inputs.some((input) => found.has(input));
    if (depends && node.dtype === 'f32') found.add(id);
  }
  return found;
}

function pullback<K extends Op>(
  b: GraphBuilder,
  node: NodeOf<K> & Node,
  g: Value,
  active: ReadonlySet<number>,
): readonly (Value | undefined)[] {
  const rule: Rule<K> = rules[node.op as K];
  const inputs = node.inputs.map((id) => b.nodes[id]!);
  return rule({ b, node, inputs, g, wants: (k) => active.has(node.inputs[k]!) });
}
