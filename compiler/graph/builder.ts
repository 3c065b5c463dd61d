/**
 * How graphs are made: one method per primitive, each returning the new node. Shapes and dtypes are inferred and
 * checked at once; operations that would do nothing return their operand.
 *
 * @module
 */
import { GraphError, infer, sameShape, showType } from './infer.js';
import { sizeOf } from './ir.js';
import type { DType, Graph, Node, Op, OpAttrs, Origin, Output, Shape } from './ir.js';

export { GraphError };

/** A node of the builder that made it. */
export type Value = Node;

type Pair = readonly [number, number];
type Quad = readonly [number, number, number, number];

/** Stride [1, 1] and no padding unless told. */
export interface ConvOptions {
  readonly stride?: Pair;
  /** Top, left, bottom, right. */
  readonly pad?: Quad;
}

/** Builds one graph; every method throws {@link GraphError} when operands or attributes do not fit. */
export class GraphBuilder {
  /** Attached to every node that is made while it is set. */
  origin?: Origin;
  readonly #name: string;
  readonly #nodes: Node[] = [];
  readonly #outputs: Output[] = [];
  readonly #leaves = new Set<string>();

  constructor(name: string) {
    this.#name = name;
  }

  get name(): string {
    return this.#name;
  }

  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  // ---- leaves

  /** A value that is fed on every run. Names of inputs and parameters are unique in a graph. */
  input(name: string, shape: Shape, dtype: DType = 'f32'): Value {
    this.#newName('input', name);
    return this.#add('input', [], { name }, { shape: [...shape], dtype });
  }

  /** A trainable f32 array. Names of inputs and parameters are unique in a graph. */
  parameter(name: string, shape: Shape): Value {
    this.#newName('parameter', name);
    return this.#add('parameter', [], { name }, { shape: [...shape], dtype: 'f32' });
  }

  /** Data in C order; one element stands for every element. The data is copied. */
  constant(data: ArrayLike<number>, shape: Shape, dtype: DType = 'f32'): Value {
    return this.#add('constant', [], { data: Float64Array.from(data) }, { shape: [...shape], dtype });
  }

  /** An f32 constant of shape []. */
  scalar(x: number): Value {
    return this.constant([x], []);
  }

  // ---- elementwise, f32

  neg(a: Value): Value {
    return this.#add('neg', [a], {});
  }
  exp(a: Value): Value {
    return this.#add('exp', [a], {});
  }
  log(a: Value): Value {
    return this.#add('log', [a], {});
  }
  sqrt(a: Value): Value {
    return this.#add('sqrt', [a], {});
  }
  sin(a: Value): Value {
    return this.#add('sin', [a], {});
  }
  cos(a: Value): Value {
    return this.#add('cos', [a], {});
  }
  tanh(a: Value): Value {
    return this.#add('tanh', [a], {});
  }
  sigmoid(a: Value): Value {
    return this.#add('sigmoid', [a], {});
  }
  erf(a: Value): Value {
    return this.#add('erf', [a], {});
  }
  abs(a: Value): Value {
    return this.#add('abs', [a], {});
  }
  sign(a: Value): Value {
    return this.#add('sign', [a], {});
  }

  // ---- elementwise of two; a number becomes a scalar constant of the other operand's dtype

  add(a: Value | number, b: Value | number): Value {
    return this.#binary('add', a, b);
  }
  sub(a: Value | number, b: Value | number): Value {
    return this.#binary('sub', a, b);
  }
  mul(a: Value | number, b: Value | number): Value {
    return this.#binary('mul', a, b);
  }
  div(a: Value | number, b: Value | number): Value {
    return this.#binary('div', a, b);
  }
  max(a: Value | number, b: Value | number): Value {
    return this.#binary('max', a, b);
  }
  min(a: Value | number, b: Value | number): Value {
    return this.#binary('min', a, b);
  }
  pow(a: Value | number, b: Value | number): Value {
    return this.#binary('pow', a, b);
  }
  /** a < b as f32 0/1. */
  less(a: Value | number, b: Value | number): Value {
    return this.#binary('less', a, b);
  }
  /** a == b as f32 0/1. */
  equal(a: Value | number, b: Value | number): Value {
    return this.#binary('equal', a, b);
  }
  /** a where c != 0, else b. */
  select(c: Value, a: Value | number, b: Value | number): Value {
    return this.#add('select', [c, this.#lift(a, 'f32'), this.#lift(b, 'f32')], {});
  }

  // ---- reductions; negative axes count from the end, the order of axes does not matter

  sum(a: Value, axes: readonly number[], keep = false): Value {
    return this.#reduce('sum', a, axes, keep);
  }
  mean(a: Value, axes: readonly number[], keep = false): Value {
    return this.#reduce('mean', a, axes, keep);
  }
  reduceMax(a: Value, axes: readonly number[], keep = false): Value {
    return this.#reduce('reduce_max', a, axes, keep);
  }

  // ---- shape

  /** One size may be -1: what the others leave. */
  reshape(a: Value, shape: Shape): Value {
    const target = resolveShape(a, shape);
    return sameShape(a.shape, target) ? this.#own(a) : this.#add('reshape', [a], { shape: target });
  }

  /** Out axis k is axis perm[k] of `a`. */
  transpose(a: Value, perm: readonly number[]): Value {
    const identity = perm.length === a.shape.length && perm.every((p, k) => p === k);
    return identity ? this.#own(a) : this.#add('transpose', [a], { perm: [...perm] });
  }

  broadcast(a: Value, shape: Shape): Value {
    return sameShape(a.shape, shape) ? this.#own(a) : this.#add('broadcast', [a], { shape: [...shape] });
  }

  /**
   * Elements start, start + step, ... before stop on every axis. With a positive step negative bounds count from
   * the end; with a negative step only `start` does, and a `stop` of -1 lies before the first element. Bounds
   * outside the axis are refused.
   */
  slice(a: Value, start: readonly number[], stop: readonly number[], step?: readonly number[]): Value {
    const steps = step ?? a.shape.map(() => 1);
    const fromEnd = (x: number, k: number): number => (x < 0 ? x + (a.shape[k] ?? 0) : x);
    const attrs = {
      start: start.map(fromEnd),
      stop: stop.map((x, k) => ((steps[k] ?? 1) < 0 ? x : fromEnd(x, k))),
      step: [...steps],
    };
    const everything =
      start.length === a.shape.length &&
      stop.length === a.shape.length &&
      a.shape.every((d, k) => attrs.start[k] === 0 && attrs.stop[k] === d && attrs.step[k] === 1);
    return everything ? this.#own(a) : this.#add('slice', [a], attrs);
  }

  /** Zeros before and after, counts per axis. */
  pad(a: Value, before: readonly number[], after: readonly number[]): Value {
    const nothing = before.length === a.shape.length && [...before, ...after].every((n) => n === 0);
    return nothing ? this.#own(a) : this.#add('pad', [a], { before: [...before], after: [...after] });
  }

  /** `axis` may be negative. */
  concat(values: readonly Value[], axis: number): Value {
    const [first] = values;
    if (values.length === 1) return this.#own(first!);
    const rank = first?.shape.length ?? 0;
    return this.#add('concat', values, { axis: axis < 0 ? axis + rank : axis });
  }

  // ---- contractions

  matmul(a: Value, b: Value, options: { transposeA?: boolean; transposeB?: boolean } = {}): Value {
    const { transposeA = false, transposeB = false } = options;
    return this.#add('matmul', [a, b], { transposeA, transposeB });
  }

  /** x [B, C, H, W], w [O, C, kh, kw] -> [B, O, H', W']. */
  conv2d(x: Value, w: Value, options: ConvOptions = {}): Value {
    return this.#add('conv2d', [x, w], convAttrs(options));
  }

  /** (dy [B, O, H', W'], w [O, C, kh, kw]) -> [B, C, ...size]: the adjoint of conv2d in x. */
  conv2dInput(dy: Value, w: Value, options: ConvOptions & { readonly size: Pair }): Value {
    return this.#add('conv2d_input', [dy, w], { ...convAttrs(options), size: pair(options.size) });
  }

  /** (x [B, C, H, W], dy [B, O, H', W']) -> [O, C, ...kernel]: the adjoint of conv2d in w. */
  conv2dFilter(x: Value, dy: Value, options: ConvOptions & { readonly kernel: Pair }): Value {
    return this.#add('conv2d_filter', [x, dy], { ...convAttrs(options), kernel: pair(options.kernel) });
  }

  // ---- over the last axis

  softmax(a: Value): Value {
    return this.#add('softmax', [a], {});
  }
  logSoftmax(a: Value): Value {
    return this.#add('log_softmax', [a], {});
  }
  normalize(a: Value, eps: number): Value {
    return this.#add('normalize', [a], { eps });
  }
  rstd(a: Value, eps: number): Value {
    return this.#add('rstd', [a], { eps });
  }

  // ---- indices

  gather(table: Value, index: Value): Value {
    return this.#add('gather', [table, index], {});
  }
  scatterAdd(updates: Value, index: Value, rows: number): Value {
    return this.#add('scatter_add', [updates, index], { rows });
  }
  oneHot(index: Value, depth: number): Value {
    return this.#add('one_hot', [index], { depth });
  }
  argmax(a: Value): Value {
    return this.#add('argmax', [a], {});
  }

  // ---- the rest

  cast(a: Value, to: DType): Value {
    return a.dtype === to ? this.#own(a) : this.#add('cast', [a], { to });
  }
  stopGradient(a: Value): Value {
    return this.#add('stop_gradient', [a], {});
  }

  /** Names a result. Names are unique; one value may have several. */
  output(name: string, value: Value): void {
    if (this.#outputs.some((o) => o.name === name)) throw new GraphError(`output "${name}" exists already`);
    this.#outputs.push({ name, node: this.#own(value).id });
  }

  /** The graph so far: nothing is dropped or renumbered, and building may go on afterwards. */
  finish(): Graph {
    return { name: this.#name, nodes: [...this.#nodes], outputs: [...this.#outputs] };
  }

  /**
   * A node like `node`, on other inputs: its type is inferred anew and its origin kept. What passes copy graphs with.
   */
  like(node: Node, inputs: readonly Value[]): Value {
    const outer = this.origin;
    if (node.origin !== undefined) this.origin = node.origin;
    try {
      if (node.op === 'input' || node.op === 'parameter') this.#newName(node.op, node.attrs.name);
      return this.#add(node.op, inputs, node.attrs, { shape: node.shape, dtype: node.dtype });
    } finally {
      this.origin = outer;
    }
  }

  #own(value: Value): Value {
    if (this.#nodes[value.id] !== value) {
      throw new GraphError(`${value.op} ${showType(value)} belongs to another graph than "${this.#name}"`);
    }
    return value;
  }

  #newName(op: 'input' | 'parameter', name: string): void {
    if (this.#leaves.has(name))
      throw new GraphError(`${op} "${name}": graph "${this.#name}" has that name already`);
    this.#leaves.add(name);
  }

  #lift(x: Value | number, dtype: DType): Value {
    return typeof x === 'number' ? this.constant([x], [], dtype) : x;
  }

  #binary(op: Binary, a: Value | number, b: Value | number): Value {
    const dtype = typeof a !== 'number' ? a.dtype : typeof b !== 'number' ? b.dtype : 'f32';
    return this.#add(op, [this.#lift(a, dtype), this.#lift(b, dtype)], {});
  }

  #reduce(op: 'sum' | 'mean' | 'reduce_max', a: Value, axes: readonly number[], keep: boolean): Value {
    const rank = a.shape.length;
    const sorted = axes.map((k) => (k < 0 ? k + rank : k)).sort((x, y) => x - y);
    return sorted.length === 0 ? this.#own(a) : this.#add(op, [a], { axes: sorted, keep });
  }

  #add<K extends Op>(
    op: K,
    inputs: readonly Value[],
    attrs: OpAttrs[K],
    declared?: { readonly shape: Shape; readonly dtype: DType },
  ): Value {
    for (const value of inputs) this.#own(value);
    const { shape, dtype } = infer(op, inputs, attrs, declared);
    const origin = this.origin === undefined ? {} : { origin: this.origin };
    const id = this.#nodes.length;
    // The union of node types is keyed by `op`, which the compiler cannot see through the type parameter.
    const node = {
      id,
      op,
      inputs: inputs.map((v) => v.id),
      attrs,
      shape,
      dtype,
      ...origin,
    } as unknown as Node;
    this.#nodes.push(node);
    return node;
  }
}

type Binary = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'pow' | 'less' | 'equal';

function pair([a, b]: Pair): Pair {
  return [a, b];
}

function convAttrs({ stride = [1, 1], pad = [0, 0, 0, 0] }: ConvOptions): { stride: Pair; pad: Quad } {
  return { stride: pair(stride), pad: [pad[0], pad[1], pad[2], pad[3]] };
}

function resolveShape(a: Value, shape: Shape): number[] {
  const free = shape.indexOf(-1);
  if (free < 0) return [...shape];
  const rest = sizeOf(shape.filter((_, k) => k !== free));
  const size = sizeOf(a.shape) / rest;
  if (shape.lastIndexOf(-1) !== free || !Number.isInteger(size)) {
    throw new GraphError(`reshape(${showType(a)}): [${shape.join(', ')}] leaves no size for -1`);
  }
  return shape.map((d) => (d === -1 ? size : d));
}

/**
 * Copies the nodes of `graph` (not its outputs) to the end of `builder`, in order.
 *
 * @param replace called with each node and the copies of its inputs; a value it returns stands for the node,
 *   `undefined` copies the node as it is
 * @returns the value for each old id
 */
export function copyInto(
  builder: GraphBuilder,
  graph: Graph,
  replace?: (node: Node, inputs: Value[]) => Value | undefined,
): Map<number, Value> {
  const copies = new Map<number, Value>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id) => {
      const copy = copies.get(id);
      if (copy === undefined)
        throw new GraphError(`graph "${graph.name}": node ${node.id} uses ${id} before it exists`);
      return copy;
    });
    copies.set(node.id, replace?.(node, inputs) ?? builder.like(node, inputs));
  }
  return copies;
}
