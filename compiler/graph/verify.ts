/**
 * Checks that a graph is well formed. Runs after every pass and on everything that comes from outside.
 *
 * @module
 */
import { attrProblem } from './attrs.js';
import { GraphError, showType } from './errors.js';
import { infer, sameShape } from './infer.js';
import type { Graph, Node } from './ir.js';

/** Something wrong with a graph; `node` is the position in `graph.nodes`, absent for faults of the whole. */
export interface Problem {
  readonly node?: number;
  readonly message: string;
}

/**
 * Everything wrong with a graph: ids that are not positions, inputs that do not exist yet, attributes of the wrong form,
 * shapes and dtypes that differ from what the operands give, names used twice, outputs of nodes that do not exist.
 */
export function verify(graph: Graph): Problem[] {
  const problems: Problem[] = [];
  const names = new Set<string>();
  graph.nodes.forEach((node, k) => {
    const message = nodeProblem(graph, node, k);
    if (message !== undefined) problems.push({ node: k, message: `%${k}: ${message}` });
    if (node.op === 'input' || node.op === 'parameter') {
      if (names.has(node.attrs.name))
        problems.push({ node: k, message: `%${k}: name "${node.attrs.name}" is taken` });
      names.add(node.attrs.name);
    }
  });
  const outputs = new Set<string>();
  for (const { name, node } of graph.outputs) {
    if (outputs.has(name)) problems.push({ message: `output "${name}" exists twice` });
    if (graph.nodes[node] === undefined)
      problems.push({ message: `output "${name}" is %${node}, which does not exist` });
    outputs.add(name);
  }
  return problems;
}

function nodeProblem(graph: Graph, node: Node, k: number): string | undefined {
  if (node.id !== k) return `has id ${node.id}`;
  const missing = node.inputs.find((i) => !(Number.isInteger(i) && i >= 0 && i < k));
  if (missing !== undefined) return `uses %${missing}, which does not come before it`;
  if (node.dtype !== 'f32' && node.dtype !== 'i32') return `has dtype ${String(node.dtype)}`;
  const fault = attrProblem(node.op, node.attrs);
  if (fault !== undefined) return fault;
  try {
    const inputs = node.inputs.map((i) => graph.nodes[i]!);
    const type = infer(node.op, inputs, node.attrs, node);
    if (type.dtype === node.dtype && sameShape(type.shape, node.shape)) return undefined;
    return `${node.op} gives ${showType(type)}, declared ${showType(node)}`;
  } catch (e) {
    if (e instanceof GraphError) return e.message;
    throw e;
  }
}

/** @throws GraphError with every problem, if there is one; `after` says what made the graph. */
export function assertValid(graph: Graph, after: string): void {
  const problems = verify(graph);
  if (problems.length === 0) return;
  const list = problems.map((p) => `  ${p.message}`).join('\n');
  throw new GraphError(`graph "${graph.name}" is malformed after ${after}:\n${list}`);
}
