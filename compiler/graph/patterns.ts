/**
 * What passes and lowerings recognise in graphs.
 *
 * @module
 */
import { liveNodes } from './evaluate.js';
import type { Graph, Node } from './ir.js';

/** The number that every element of a constant is, or `undefined` for anything else. */
export function uniformValue(node: Node): number | undefined {
  return node.op === 'constant' && node.attrs.data.length === 1 ? node.attrs.data[0] : undefined;
}

/** How often each node is read, by nodes that outputs need and by outputs. */
export function readers(graph: Graph): readonly number[] {
  const counts = new Array<number>(graph.nodes.length).fill(0);
  const live = liveNodes(graph);
  for (const node of graph.nodes) {
    if (live.has(node.id)) for (const id of node.inputs) counts[id]!++;
  }
  for (const { node } of graph.outputs) counts[node]!++;
  return counts;
}

/** u (erf(u) + 1), whose parts nothing else reads: engines have one operation for it and the number after it. */
export function isGelu(nodes: readonly Node[], v: Node, uses: (node: Node) => number): boolean {
  if (v.op !== 'mul') return false;
  const [p, q] = v.inputs.map((id) => nodes[id]!) as [Node, Node];
  return [
    [p, q],
    [q, p],
  ].some(([u, sum]) => {
    if (sum!.op !== 'add' || uses(sum!) !== 1) return false;
    const parts = sum!.inputs.map((id) => nodes[id]!);
    const erf = parts.find((part) => part.op === 'erf');
    const one = parts.find((part) => part !== erf);
    if (erf === undefined || one === undefined || uses(erf) !== 1) return false;
    return uniformValue(one) === 1 && nodes[erf.inputs[0]!] === u && uses(u!) === 2;
  });
}
