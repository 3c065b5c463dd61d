/**
 * Where a pending transposition is worth passing on.
 *
 * @module
 */
import type { Graph, Op } from '../../graph/ir.js';

/** Operations that can work on untransposed data; their result is pending in turn. */
const passing: ReadonlySet<Op> = new Set<Op>([
  ...(['neg', 'exp', 'log', 'sqrt', 'sin', 'cos', 'tanh', 'sigmoid', 'erf', 'abs', 'sign'] as const),
  ...(['add', 'sub', 'mul', 'div', 'max', 'min', 'pow', 'less', 'equal', 'select'] as const),
  ...(['sum', 'mean', 'reduce_max', 'reshape', 'broadcast', 'slice', 'pad', 'concat'] as const),
  ...(['cast', 'stop_gradient'] as const),
]);

/**
 * Nodes whose result reaches, through operations that pass a transposition on, one that takes it up: another
 * transposition, a matrix product (whose flags transpose for free), or a reduction to one axis or none.
 */
export function findAbsorbing(graph: Graph, live: ReadonlySet<number>): ReadonlySet<number> {
  const absorbing = new Set<number>();
  for (let id = graph.nodes.length - 1; id >= 0; id--) {
    const node = graph.nodes[id]!;
    if (!live.has(id)) continue;
    const reduced = (node.op === 'sum' || node.op === 'mean') && node.shape.length <= 1;
    const takesUp = node.op === 'transpose' || node.op === 'matmul' || reduced;
    if (takesUp || (passing.has(node.op) && absorbing.has(id))) {
      for (const input of node.inputs) absorbing.add(input);
    }
  }
  return absorbing;
}
