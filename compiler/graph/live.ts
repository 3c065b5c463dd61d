/**
 * Which nodes are needed.
 *
 * @module
 */
import type { Graph } from './ir.js';

/** Ids of the nodes that an output needs. */
export function liveNodes(graph: Graph): Set<number> {
  const live = new Set(graph.outputs.map((o) => o.node));
  for (let id = graph.nodes.length - 1; id >= 0; id--) {
    if (live.has(id)) for (const input of graph.nodes[id]!.inputs) live.add(input);
  }
  return live;
}
