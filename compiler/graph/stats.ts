/**
 * What a graph costs.
 *
 * @module
 */
import { liveNodes } from './evaluate.js';
import { sizeOf } from './ir.js';
import type { Graph, Node, Op } from './ir.js';
import { isReshape } from './permutation.js';

export interface Stats {
  readonly nodes: number;
  /** Nodes of each operation that occurs, by name. */
  readonly ops: Readonly<Partial<Record<Op, number>>>;
  /** Floating-point operations of matrix products and convolutions; a multiplication with its addition counts as two. */
  readonly flops: number;
  /** Elements of all parameters. */
  readonly parameters: number;
  /** Bytes of all values that are computed, at four bytes an element; views (reshape, stop_gradient) count nothing. */
  readonly activationBytes: number;
  /** The most bytes that computed values occupy at one time when each is dropped after its last use. */
  readonly peakBytes: number;
  /** Elements that transpositions move. */
  readonly moved: number;
}

/** Operations of one node, counted as in {@link Stats.flops}. */
export function flopsOf(graph: Pick<Graph, 'nodes'>, node: Node): number {
  const input = (k: number): Node => graph.nodes[node.inputs[k]!]!;
  switch (node.op) {
    case 'matmul': {
      const a = input(0).shape;
      return 2 * sizeOf(node.shape) * a[a.length - (node.attrs.transposeA ? 2 : 1)]!;
    }
    // Each of the three joins every (dy, w) pair of a channel pair once: 2 B O H' W' C kh kw, padding included.
    case 'conv2d':
      return 2 * sizeOf(node.shape) * sizeOf(input(1).shape.slice(1));
    case 'conv2d_input':
      return 2 * sizeOf(input(0).shape) * sizeOf(input(1).shape.slice(1));
    case 'conv2d_filter':
      return 2 * sizeOf(input(1).shape) * sizeOf(node.shape.slice(1));
    default:
      return 0;
  }
}

/** Whether a node has memory of its own that a run fills. */
export function isComputed({ op }: Node): boolean {
  return !['input', 'parameter', 'constant', 'reshape', 'stop_gradient'].includes(op);
}

function peak(graph: Graph, live: ReadonlySet<number>): number {
  // A view lives as long as what it is a view of is needed.
  const owner = graph.nodes.map((n) => n.id);
  for (const n of graph.nodes)
    if (n.op === 'reshape' || n.op === 'stop_gradient') owner[n.id] = owner[n.inputs[0]!]!;
  const lastUse = new Map<number, number>();
  for (const n of graph.nodes) {
    if (live.has(n.id)) for (const i of [n.id, ...n.inputs]) lastUse.set(owner[i]!, n.id);
  }
  for (const o of graph.outputs) lastUse.set(owner[o.node]!, Infinity);
  const ends = new Map<number, number>();
  let [now, most] = [0, 0];
  for (const n of graph.nodes) {
    if (!live.has(n.id)) continue;
    if (isComputed(n)) {
      const bytes = 4 * sizeOf(n.shape);
      now += bytes;
      const end = lastUse.get(n.id)!;
      ends.set(end, (ends.get(end) ?? 0) + bytes);
    }
    most = Math.max(most, now);
    now -= ends.get(n.id) ?? 0;
  }
  return most;
}

/** Counts over the nodes that outputs need, parameters and inputs included. */
export function stats(graph: Graph): Stats {
  const live = liveNodes(graph);
  const nodes = graph.nodes.filter((n) => live.has(n.id));
  const ops: Partial<Record<Op, number>> = {};
  for (const n of nodes) ops[n.op] = (ops[n.op] ?? 0) + 1;
  const total = (of: (n: Node) => number): number => nodes.reduce((sum, n) => sum + of(n), 0);
  return {
    nodes: nodes.length,
    ops: Object.fromEntries(Object.entries(ops).sort(([a], [b]) => (a < b ? -1 : 1))),
    flops: total((n) => flopsOf(graph, n)),
    parameters: total((n) => (n.op === 'parameter' ? sizeOf(n.shape) : 0)),
    activationBytes: total((n) => (isComputed(n) ? 4 * sizeOf(n.shape) : 0)),
    peakBytes: peak(graph, live),
    moved: elementsMoved(graph),
  };
}

/** Elements that the transpositions among live nodes move; those that leave the order as it is move none. */
export function elementsMoved(graph: Graph): number {
  const live = liveNodes(graph);
  let moved = 0;
  for (const node of graph.nodes) {
    if (node.op !== 'transpose' || !live.has(node.id)) continue;
    if (!isReshape(graph.nodes[node.inputs[0]!]!.shape, node.attrs.perm)) moved += sizeOf(node.shape);
  }
  return moved;
}
