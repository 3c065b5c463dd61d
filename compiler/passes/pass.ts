/**
 * What a pass is, and rewriting node by node.
 *
 * @module
 */
import { copyInto, GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/builder.js';
import type { Graph, Node } from '../graph/ir.js';

/**
 * A named, pure graph-to-graph function. Inputs, parameters and outputs keep names, types and meaning, derivatives
 * included: passes may run before differentiation.
 */
export interface Pass {
  readonly name: string;
  /** One line. */
  readonly about: string;
  run(graph: Graph): Graph;
}

/** Rebuilds a graph: `rule` gives the value that stands for a node, or `undefined` to keep it. */
export function rewrite(
  graph: Graph,
  rule: (b: GraphBuilder, node: Node, inputs: readonly Value[]) => Value | undefined,
): Graph {
  const b = new GraphBuilder(graph.name);
  const copies = copyInto(b, graph, (node, inputs) => {
    b.origin = node.origin;
    return rule(b, node, inputs);
  });
  for (const { name, node } of graph.outputs) b.output(name, copies.get(node)!);
  return b.finish();
}
