/**
 * Runs a graph with the kernels: plain TypeScript, synchronous, one node after the other.
 *
 * @module
 */
import { GraphError } from './errors.js';
import { planInPlace } from './inplace.js';
import { sizeOf } from './ir.js';
import type { Graph, Node, Shape } from './ir.js';
import { allocate } from './kernels/array.js';
import type { Data, NdArray, Precision } from './kernels/array.js';
import { compute, constantData } from './kernels/table.js';
import { liveNodes } from './live.js';

export { KernelError } from './kernels/array.js';
export type { Data, NdArray, Precision } from './kernels/array.js';
export { liveNodes } from './live.js';

/** For every node, the ids of the nodes whose last user it is. */
function releases(graph: Graph, live: ReadonlySet<number>): ReadonlyMap<number, readonly number[]> {
  const kept = new Set(graph.outputs.map((o) => o.node));
  const seen = new Set<number>();
  const result = new Map<number, number[]>();
  for (let id = graph.nodes.length - 1; id >= 0; id--) {
    if (!live.has(id)) continue;
    const last = graph.nodes[id]!.inputs.filter((i) => !kept.has(i) && !seen.has(i));
    last.forEach((i) => seen.add(i));
    result.set(id, last);
  }
  return result;
}

/**
 * A graph made ready to be run many times: constants are laid out once, values are dropped after their last use, and
 * overwritten there where the result fits.
 */
export class Evaluator {
  readonly #graph: Graph;
  readonly #precision: Precision;
  readonly #live: ReadonlySet<number>;
  readonly #releases: ReadonlyMap<number, readonly number[]>;
  readonly #inPlace: ReadonlyMap<number, number>;
  readonly #constants = new Map<number, NdArray>();

  /** @param inPlace false computes every value in memory of its own */
  constructor(graph: Graph, precision: Precision, inPlace = true) {
    this.#graph = graph;
    this.#precision = precision;
    this.#live = liveNodes(graph);
    this.#releases = releases(graph, this.#live);
    this.#inPlace = inPlace ? planInPlace(graph) : new Map<number, number>();
    for (const node of graph.nodes) {
      if (node.op !== 'constant' || !this.#live.has(node.id)) continue;
      this.#constants.set(node.id, { data: constantData(node, precision), shape: node.shape });
    }
  }

  /**
   * @param feeds a value for every input and parameter that an output needs; never written to
   * @returns every output; arrays of their own, which the caller may keep and change
   * @throws GraphError when a feed is missing or of another size or dtype
   * @throws KernelError when an index is out of range
   */
  run(feeds: Readonly<Record<string, NdArray>>): Record<string, NdArray> {
    const values = new Map<number, NdArray>(this.#constants);
    const borrowed = new Set<Data>([...this.#constants.values()].map((v) => v.data));
    for (const node of this.#graph.nodes) {
      if (!this.#live.has(node.id) || node.op === 'constant') continue;
      if (node.op === 'input' || node.op === 'parameter') {
        const value = this.#feed(node, node.attrs.name, feeds);
        borrowed.add(value.data);
        values.set(node.id, value);
      } else {
        const inputs = node.inputs.map((id) => values.get(id)!);
        const taken = this.#inPlace.get(node.id);
        const into = taken === undefined ? undefined : inputs[taken]!.data;
        values.set(node.id, compute(node, inputs, this.#precision, into));
      }
      for (const id of this.#releases.get(node.id)!) values.delete(id);
    }
    const outputs: Record<string, NdArray> = {};
    for (const { name, node } of this.#graph.outputs) {
      const { data, shape } = values.get(node)!;
      outputs[name] = { data: borrowed.has(data) ? data.slice() : data, shape };
      borrowed.add(data);
    }
    return outputs;
  }

  #feed(node: Node, name: string, feeds: Readonly<Record<string, NdArray>>): NdArray {
    const fed = Object.hasOwn(feeds, name) ? feeds[name] : undefined;
    if (fed === undefined) throw new GraphError(`${node.op} "${name}" is not fed`);
    checkFeed(node, name, fed);
    const wanted = allocate(0, node.dtype, this.#precision);
    if (fed.data.constructor === wanted.constructor) return { data: fed.data, shape: node.shape };
    const data = allocate(fed.data.length, node.dtype, this.#precision);
    data.set(fed.data);
    return { data, shape: node.shape };
  }
}

function checkFeed(node: Node, name: string, fed: { readonly data: Data; readonly shape: Shape }): void {
  const dtype = fed.data instanceof Int32Array ? 'i32' : 'f32';
  const fits = fed.shape.length === node.shape.length && fed.shape.every((d, k) => d === node.shape[k]);
  if (fits && dtype === node.dtype && fed.data.length === sizeOf(node.shape)) return;
  throw new GraphError(
    `${node.op} "${name}" is ${node.dtype}[${node.shape.join(', ')}], fed ${dtype}[${fed.shape.join(', ')}] ` +
      `(${fed.data.length} elements)`,
  );
}

/**
 * Runs a graph once.
 *
 * @param precision how reals are stored between nodes, `f32` unless told
 * @throws GraphError, KernelError as {@link Evaluator.run}
 */
export function evaluate(
  graph: Graph,
  feeds: Readonly<Record<string, NdArray>>,
  { precision = 'f32' }: { readonly precision?: Precision } = {},
): Record<string, NdArray> {
  return new Evaluator(graph, precision).run(feeds);
}
