/**
 * What the lowerings write into: ONNX nodes and initialisers with deterministic names. A node's name starts
 * with `%<id>.`, the graph node it was lowered from, so that profiles and failures lead back to the source.
 *
 * @module
 */
import type { Graph, Node, Shape } from '../../graph/ir.js';
import { sizeOf } from '../../graph/ir.js';
import type { Attributes, DataType, OnnxNode, TensorLiteral } from './proto.js';

/** Which kernels the model is meant for; the fastest form of a primitive differs between them. */
export type Provider = 'cpu' | 'wasm' | 'webgpu';

export interface LowerOptions {
  readonly provider: Provider;
  /** Whether operators of the `com.microsoft` domain may be used (onnxruntime has them, other engines do not). */
  readonly contrib: boolean;
  /**
   * Channels per block of onnxruntime's blocked convolution on the machine that will run the model (8 or 16), where
   * it has one. The model then runs on machines with the same block only.
   */
  readonly channelBlock?: number;
}

export const contribDomain = 'com.microsoft';
/** The blocked kernels that onnxruntime's own optimiser uses where weights are constants. */
export const blockedDomain = 'com.microsoft.nchwc';

export class Emitter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers = new Map<string, TensorLiteral>();
  /** ONNX value that holds each graph node's result; filled in node order. */
  readonly values: string[] = [];
  private readonly memo = new Map<string, readonly string[]>();
  private readonly names = new Map<string, number>();
  /** By node: the nodes that read it, `undefined` for an output of the graph. */
  private readonly readers: readonly (readonly (Node | undefined)[])[];
  private current = 0;

  constructor(
    readonly graph: Graph,
    readonly options: LowerOptions,
  ) {
    const readers = graph.nodes.map((): (Node | undefined)[] => []);
    for (const node of graph.nodes) for (const id of node.inputs) readers[id]?.push(node);
    for (const { node } of graph.outputs) readers[node]?.push(undefined);
    this.readers = readers;
  }

  /** How many inputs of nodes and outputs of the graph read `node`. */
  uses(node: Node): number {
    return this.readersOf(node).length;
  }

  /** The nodes that read `node`, once for each input; `undefined` stands for an output of the graph. */
  readersOf(node: Node): readonly (Node | undefined)[] {
    return this.readers[node.id] ?? [];
  }

  /** Nodes emitted from here on belong to graph node `id`. */
  enter(id: number): void {
    this.current = id;
  }

  /** The graph node that is input `k` of `node`. */
  source(node: Node, k: number): Node {
    const id = node.inputs[k];
    if (id === undefined) throw new RangeError(`${node.op} (node ${node.id}) has no input ${k}`);
    const source = this.graph.nodes[id];
    if (source === undefined) throw new RangeError(`node ${node.id} reads node ${id}, which does not exist`);
    return source;
  }

  /** The ONNX value that holds input `k` of `node`. */
  value(node: Node, k: number): string {
    const value = this.values[this.source(node, k).id];
    if (value === undefined) throw new RangeError(`node ${node.id} reads a later node`);
    return value;
  }

  /** Emits a node with one result. An equal node emitted before is used again. */
  op(op: string, inputs: readonly string[], attributes: Attributes = {}, domain = ''): string {
    return this.ops(op, inputs, 1, attributes, domain)[0] as string;
  }

  /** Emits a node with `count` results. */
  ops(
    op: string,
    inputs: readonly string[],
    count: number,
    attributes: Attributes = {},
    domain = '',
  ): readonly string[] {
    const key = `${domain}:${op}(${inputs.join(',')})#${count}${attributeKey(attributes)}`;
    const known = this.memo.get(key);
    if (known !== undefined) return known;
    const outputs = this.push(op, inputs, count, attributes, domain);
    this.memo.set(key, outputs);
    return outputs;
  }

  /** A value of its own with the same elements. */
  copy(value: string): string {
    return this.push('Identity', [value], 1, {}, '')[0] as string;
  }

  /** A constant vector (or, with `dims`, array) of 64-bit integers: axes, shapes, starts. */
  i64(values: readonly number[], dims: Shape = [values.length]): string {
    return this.literal({ type: 'i64', dims, raw: rawInt64(values) }, `i64:${values.join(',')}`);
  }

  /** A constant f32 array; with one value, every element has it. */
  f32(values: ArrayLike<number>, dims: Shape = []): string {
    return this.literal(literalOf('f32', values, dims), `f32:${Array.from(values).join(',')}`);
  }

  i32(values: ArrayLike<number>, dims: Shape = []): string {
    return this.literal(literalOf('i32', values, dims), `i32:${Array.from(values).join(',')}`);
  }

  reshape(value: string, shape: Shape): string {
    // With allowzero a 0 is a size, as in the graph, not "copy this axis".
    const attributes: Attributes = shape.includes(0) ? { allowzero: { i: 1 } } : {};
    return this.op('Reshape', [value, this.i64(shape)], attributes);
  }

  transpose(value: string, perm: readonly number[]): string {
    if (perm.every((axis, k) => axis === k)) return value;
    return this.op('Transpose', [value], { perm: { ints: perm } });
  }

  cast(value: string, to: 1 | 6 | 7 | 9): string {
    return this.op('Cast', [value], { to: { i: to } });
  }

  private push(op: string, inputs: readonly string[], count: number, attributes: Attributes, domain: string) {
    const name = this.fresh(`%${this.current}.${op}`);
    const outputs = Array.from({ length: count }, (_, k) => (k === 0 ? name : `${name}:${k}`));
    this.nodes.push({ name, op, domain, inputs, outputs, attributes });
    return outputs;
  }

  private literal(t: TensorLiteral, values: string): string {
    const key = `${values}[${t.dims.join(',')}]`;
    const known = this.memo.get(key);
    if (known !== undefined) return known[0] as string;
    const name = `%c${this.initializers.size}`;
    this.initializers.set(name, t);
    this.memo.set(key, [name]);
    return name;
  }

  private fresh(base: string): string {
    const used = this.names.get(base) ?? 0;
    this.names.set(base, used + 1);
    return used === 0 ? base : `${base}.${used + 1}`;
  }
}

/** Typed constant; one value fills the whole array. */
export function literalOf(
  type: Exclude<DataType, 'i64' | 'bool'>,
  values: ArrayLike<number>,
  dims: Shape,
): TensorLiteral {
  const size = sizeOf(dims);
  if (values.length !== size && values.length !== 1) {
    throw new RangeError(`${values.length} values for the shape [${dims.join(', ')}]`);
  }
  const data = type === 'f32' ? new Float32Array(size) : new Int32Array(size);
  if (values.length === 1) data.fill(values[0] as number);
  else data.set(values);
  return { type, dims, raw: new Uint8Array(data.buffer) };
}

function rawInt64(values: readonly number[]): Uint8Array {
  return new Uint8Array(BigInt64Array.from(values, (x) => BigInt(x)).buffer);
}

function attributeKey(attributes: Attributes): string {
  let key = '';
  for (const [name, a] of Object.entries(attributes)) {
    const value = 't' in a ? `${a.t.type}[${a.t.dims.join(',')}]${a.t.raw.join(',')}` : JSON.stringify(a);
    key += `;${name}=${value}`;
  }
  return key;
}
