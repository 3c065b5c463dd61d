/**
 * Drops nodes that no output needs. Inputs and parameters stay: they are the graph's interface.
 *
 * @module
 */
import { liveNodes } from '../graph/evaluate.js';
import type { Graph } from '../graph/ir.js';
import { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/builder.js';
import type { Pass } from './pass.js';

export function dropDead(graph: Graph): Graph {
  const live = liveNodes(graph);
  const b = new GraphBuilder(graph.name);
  const copies = new Map<number, Value>();
  for (const node of graph.nodes) {
    if (!live.has(node.id) && node.op !== 'input' && node.op !== 'parameter') continue;
    copies.set(
      node.id,
      b.like(
        node,
        node.inputs.map((id) => copies.get(id)!),
      ),
    );
  }
  for (const { name, node } of graph.outputs) b.output(name, copies.get(node)!);
  return b.finish();
}

export const dce: Pass = {
  name: 'dce',
  about: 'drops nodes that no output needs',
  run: dropDead,
};
