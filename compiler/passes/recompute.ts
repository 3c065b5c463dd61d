/**
 * Computes cheap values again where they are read much later, so that they need not be kept meanwhile: the activations
 * of the forward pass that the backward pass reads, such as a sigmoid and the product after it, from what is kept anyway.
 *
 * @module
 */
import { copyInto, GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/builder.js';
import { sizeOf } from '../graph/ir.js';
import type { Graph, Node, Op } from '../graph/ir.js';
import { stats } from '../graph/stats.js';
import type { Pass } from './pass.js';

/** Primitives that cost one pass over their operands. */
const cheap: ReadonlySet<Op> = new Set<Op>([
  ...(['neg', 'exp', 'sqrt', 'sin', 'cos', 'tanh', 'sigmoid', 'erf', 'abs', 'sign'] as const),
  ...(['add', 'sub', 'mul', 'div', 'max', 'min', 'less', 'equal', 'select'] as const),
]);

/** Smaller values are not worth a node. */
const leastElements = 4096;
/** What is this many times smaller than a value may be kept for computing it again. */
const smallness = 8;
/** Operations that one value takes at most. */
const longestChain = 6;
/** A value that is not read for this share of the graph's nodes waits. */
const waiting = 0.1;

/** A value that could be computed again. */
interface Candidate {
  readonly node: Node;
  /** Its first reader after the wait. */
  readonly late: number;
  readonly elements: number;
}

class Planner {
  private readonly reads: readonly (readonly number[])[];

  constructor(private readonly graph: Graph) {
    const reads: number[][] = graph.nodes.map(() => []);
    for (const { id, inputs } of graph.nodes) for (const input of inputs) reads[input]!.push(id);
    for (const { node } of graph.outputs) reads[node]!.push(graph.nodes.length);
    this.reads = reads;
  }

  private node(id: number): Node {
    return this.graph.nodes[id]!;
  }

  /** The value whose memory this is: views are seen through. */
  private owner(id: number): Node {
    const node = this.node(id);
    return node.op === 'reshape' || node.op === 'stop_gradient' ? this.owner(node.inputs[0]!) : node;
  }

  private get gap(): number {
    return Math.max(8, waiting * this.graph.nodes.length);
  }

  /** Whether the value, or a view of it, is read at `at` or after, or so shortly before that it may as well be kept. */
  private keptUntil(id: number, at: number): boolean {
    const { op } = this.node(id);
    if (op === 'input' || op === 'parameter' || op === 'constant') return true;
    return this.reads[id]!.some((reader) => {
      const view = this.graph.nodes[reader]?.op;
      return (
        reader >= at - this.gap / 4 ||
        ((view === 'reshape' || view === 'stop_gradient') && this.keptUntil(reader, at))
      );
    });
  }

  /** Large cheap values that wait for a reader, the largest first. */
  candidates(): Candidate[] {
    const { gap } = this;
    const found = this.graph.nodes.flatMap((node): Candidate[] => {
      const elements = sizeOf(node.shape);
      if (!cheap.has(node.op) || node.dtype !== 'f32' || elements < leastElements) return [];
      const reads = this.reads[node.id]!;
      const late = reads.find((reader, k) => k > 0 && reader - reads[k - 1]! >= gap);
      return late === undefined || late >= this.graph.nodes.length ? [] : [{ node, late, elements }];
    });
    return found.sort((a, b) => b.elements - a.elements || a.node.id - b.node.id);
  }

  /** What has to be computed for `node` at `at`, in order; undefined where an operand is not there any more. */
  chain(node: Node, at: number): readonly Node[] | undefined {
    const steps = new Map<number, Node>();
    const visit = (v: Node): boolean => {
      if (steps.has(v.id)) return true;
      const operands = v.inputs.map((id) => this.node(id));
      const ready = operands.every((operand) => {
        const owner = this.owner(operand.id);
        if (sizeOf(owner.shape) * smallness <= sizeOf(node.shape) || this.keptUntil(owner.id, at))
          return true;
        return cheap.has(operand.op) && operand.dtype === 'f32' && visit(operand);
      });
      steps.set(v.id, v);
      return ready && steps.size <= longestChain;
    };
    return visit(node) ? [...steps.values()] : undefined;
  }
}

/** The graph with the first `count` candidates computed again. */
function rebuilt(graph: Graph, planner: Planner, candidates: readonly Candidate[]): Graph {
  /** Nodes to compute again before a node, and the first reader of the result. */
  const before = new Map<number, { chain: readonly Node[]; of: Candidate }[]>();
  for (const of of candidates) {
    const chain = planner.chain(of.node, of.late);
    if (chain === undefined) continue;
    before.set(of.late, [...(before.get(of.late) ?? []), { chain, of }]);
  }
  const b = new GraphBuilder(graph.name);
  const again = new Map<number, { value: Value; from: number }>();
  const originals = new Map<number, Value>();
  const copies = copyInto(b, graph, (node, inputs) => {
    b.origin = node.origin;
    for (const { chain, of } of before.get(node.id) ?? []) compute(b, chain, of, originals, again);
    const read = node.inputs.map((id, k) => {
      const late = again.get(id);
      return late !== undefined && node.id >= late.from ? late.value : inputs[k]!;
    });
    const value = b.like(node, read);
    originals.set(node.id, value);
    return value;
  });
  for (const { name, node } of graph.outputs) b.output(name, copies.get(node)!);
  return b.finish();
}

/**
 * Appends the chain. Operands go through a reshape that adds an axis of size 1, so that the nodes are not equal to those
 * that they repeat, and nobody who looks for common expressions makes one of both.
 */
function compute(
  b: GraphBuilder,
  chain: readonly Node[],
  { node, late }: Candidate,
  originals: ReadonlyMap<number, Value>,
  again: Map<number, { value: Value; from: number }>,
): void {
  const lifted = (v: Value): Value => (v.op === 'constant' ? v : b.reshape(v, [1, ...v.shape]));
  for (const step of chain) {
    if (again.has(step.id)) continue;
    const inputs = step.inputs.map((id) => again.get(id)?.value ?? originals.get(id)!);
    const rank = Math.max(...inputs.map((v) => v.shape.length));
    const aligned = inputs.map((v) =>
      lifted(v.op === 'constant' || v.shape.length === rank ? v : b.reshape(v, padded(v.shape, rank))),
    );
    b.origin = step.origin;
    const value = b.reshape(b.like(step, aligned), step.shape);
    again.set(step.id, { value, from: late });
  }
  again.set(node.id, { value: again.get(node.id)!.value, from: late });
}

function padded(shape: readonly number[], rank: number): number[] {
  return [...new Array<number>(rank - shape.length).fill(1), ...shape];
}

/**
 * Computes values again until no more than `budget` bytes are occupied at one time (`peakBytes` of {@link stats}), as few
 * as that takes and the largest first; all that can be where no budget is given or it cannot be kept.
 */
export function recomputed(graph: Graph, budget = 0): Graph {
  if (stats(graph).peakBytes <= budget) return graph;
  const planner = new Planner(graph);
  const all = planner.candidates().filter(({ node, late }) => planner.chain(node, late) !== undefined);
  const made = (count: number): Graph => rebuilt(graph, planner, all.slice(0, count));
  let [low, high] = [0, all.length];
  let best = made(high);
  // The smallest number that is enough, by halves.
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const tried = made(middle);
    if (stats(tried).peakBytes <= budget) [high, best] = [middle, tried];
    else low = middle;
  }
  return stats(best).peakBytes < stats(graph).peakBytes ? best : graph;
}

export const recompute: Pass = {
  name: 'recompute',
  about: 'computes cheap values again where they are read much later',
  run: (graph) => recomputed(graph),
};
