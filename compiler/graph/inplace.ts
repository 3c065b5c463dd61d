/**
 * Planning which values may be computed in the memory of an operand that nothing reads any more.
 *
 * @module
 */
import { liveNodes } from './live.js';
import { sizeOf } from './ir.js';
import type { Graph, Op } from './ir.js';

/** Primitives whose result in a place depends on the operands in that place alone, so that they may overwrite one. */
const ELEMENTWISE: ReadonlySet<Op> = new Set<Op>([
  ...(['neg', 'exp', 'log', 'sqrt', 'sin', 'cos', 'tanh', 'sigmoid', 'erf', 'abs', 'sign'] as const),
  ...(['add', 'sub', 'mul', 'div', 'max', 'min', 'pow', 'less', 'equal', 'select'] as const),
]);

/**
 * For each node that can overwrite an operand, that operand's position. An operand qualifies when it is as large as the
 * result and of its dtype, was computed (what is fed and constants belong to others), and neither it nor any view of the
 * same memory (`reshape`, `stop_gradient`) is read later or is an output.
 */
export function planInPlace(graph: Graph): ReadonlyMap<number, number> {
  const live = liveNodes(graph);
  /** The node whose memory a value lies in. */
  const home: number[] = [];
  const lastRead: number[] = [];
  for (const { id, op, inputs } of graph.nodes) {
    home[id] = op === 'reshape' || op === 'stop_gradient' ? home[inputs[0]!]! : id;
    if (live.has(id)) for (const input of inputs) lastRead[home[input]!] = id;
  }
  for (const { node } of graph.outputs) lastRead[home[node]!] = Infinity;
  const plan = new Map<number, number>();
  for (const { id, op, inputs, shape, dtype } of graph.nodes) {
    if (!live.has(id) || !ELEMENTWISE.has(op)) continue;
    const taken = inputs.findIndex((input) => {
      const owner = graph.nodes[home[input]!]!;
      return (
        owner.op !== 'input' &&
        owner.op !== 'parameter' &&
        owner.op !== 'constant' &&
        owner.dtype === dtype &&
        sizeOf(owner.shape) === sizeOf(shape) &&
        lastRead[owner.id] === id
      );
    });
    if (taken >= 0) plan.set(id, taken);
  }
  return plan;
}
