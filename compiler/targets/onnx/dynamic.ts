/**
 * Models for any number of rows. Graphs are static, so one is lowered for two batch sizes: what differs between the two
 * is what depends on the batch, and is computed from the size of an input when the model runs.
 *
 * @module
 */
import type { Graph } from '../../graph/ir.js';
import type { LowerOptions } from './emitter.js';
import { lowerGraph, type Lowered, type Port } from './lower.js';
import type { OnnxNode, TensorLiteral, ValueInfo } from './proto.js';

/** Two sizes that no dimension of a model is likely to have, and neither divides the other. */
const sizes = [1009, 1013] as const;

/** Name of the size of the batch. */
export const batchName = 'batch';

export interface Dynamic {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, TensorLiteral>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Names of graph inputs and outputs by their names in the model. */
  readonly ports: { readonly inputs: readonly Port[]; readonly outputs: readonly Port[] };
}

/** Thrown where a model's form depends on the number of rows. */
export class BatchDependent extends Error {}

/**
 * @param make the graph for a batch size
 * @param prefix of the names of inner values, so that several graphs fit into one model
 * @param batch value holding the batch size, i64 [1]
 */
export function lowerDynamic(
  make: (batch: number) => Graph,
  options: LowerOptions,
  prefix: string,
  batch: string,
): Dynamic {
  const [a, b] = sizes.map((size) => lowerGraph(make(size), options)) as [Lowered, Lowered];
  if (a.nodes.length !== b.nodes.length)
    throw new BatchDependent('other operations for another number of rows');
  const outer = new Set([...a.inputs, ...a.outputs].map((p) => p.value));
  const rename = (name: string): string => (name === '' || outer.has(name) ? name : `${prefix}${name}`);
  const literals = new Literals(prefix, batch);
  const nodes: OnnxNode[] = [];
  a.nodes.forEach((node, i) => {
    const other = b.nodes[i];
    if (node.op !== other.op || JSON.stringify(node.attributes) !== JSON.stringify(other.attributes))
      throw new BatchDependent(`${node.op} differs for another number of rows`);
    const inputs = node.inputs.map((name, k) => {
      const [x, y] = [a.initializers.get(name), b.initializers.get(other.inputs[k])];
      return x && y ? literals.value(x, y, node.op === 'Reshape' && k === 1) : rename(name);
    });
    nodes.push({ ...node, name: `${prefix}${node.name}`, inputs, outputs: node.outputs.map(rename) });
  });
  const info = (ports: readonly Port[], others: readonly Port[]): ValueInfo[] =>
    ports.map((p, i) => ({
      name: p.value,
      type: p.dtype,
      dims: p.shape.map((d, axis) => (d === others[i].shape[axis] ? d : batchName)),
    }));
  return {
    nodes: [...literals.nodes, ...nodes],
    initializers: literals.initializers,
    inputs: info(a.inputs, b.inputs),
    outputs: info(a.outputs, b.outputs),
    ports: { inputs: a.inputs, outputs: a.outputs },
  };
}

/** Constants of a model, and what takes their place where they depend on the batch. */
class Literals {
  readonly initializers = new Map<string, TensorLiteral>();
  readonly nodes: OnnxNode[] = [];
  private readonly known = new Map<string, string>();

  constructor(
    private readonly prefix: string,
    private readonly batch: string,
  ) {}

  value(x: TensorLiteral, y: TensorLiteral, reshape: boolean): string {
    const key = `${x.type}[${x.dims.join()}]${hex(x.raw)}/${hex(y.raw)}${reshape ? 'r' : ''}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const made = this.make(x, y, reshape);
    this.known.set(key, made);
    return made;
  }

  private make(x: TensorLiteral, y: TensorLiteral, reshape: boolean): string {
    if (x.dims.join() === y.dims.join() && hex(x.raw) === hex(y.raw)) return this.constant(x);
    if (x.type === 'i64' && x.dims.join() === y.dims.join()) return this.integers(x, y, reshape);
    return this.filled(x, y);
  }

  /** Shapes, starts and ends: a + k B in every entry. */
  private integers(x: TensorLiteral, y: TensorLiteral, reshape: boolean): string {
    const [p, q] = [int64s(x.raw), int64s(y.raw)];
    const step = sizes[1] - sizes[0];
    const factor = p.map((value, i) => (q[i] - value) / step);
    const base = p.map((value, i) => value - factor[i] * sizes[0]);
    if (factor.some((k) => !Number.isInteger(k)))
      throw new BatchDependent('a size that is no multiple of the rows');
    if (
      reshape &&
      factor.filter((k) => k !== 0).length === 1 &&
      base.every((n, i) => factor[i] === 0 || n === 0)
    )
      return this.constant(
        int64Literal(
          p.map((n, i) => (factor[i] === 0 ? n : -1)),
          x.dims,
        ),
      );
    const scaled = this.node('Mul', [this.batch, this.constant(int64Literal(factor, x.dims))]);
    if (base.every((n) => n === 0)) return scaled;
    return this.node('Add', [scaled, this.constant(int64Literal(base, x.dims))]);
  }

  /** An array that is larger for more rows and everywhere the same. */
  private filled(x: TensorLiteral, y: TensorLiteral): string {
    const words = (raw: Uint8Array) => new Set(new Uint32Array(raw.slice().buffer));
    const [first, second] = [words(x.raw), words(y.raw)];
    if (x.type === 'i64' || first.size !== 1 || second.size !== 1 || [...first][0] !== [...second][0])
      throw new BatchDependent('a constant that differs for another number of rows');
    const one = this.constant({ type: x.type, dims: [], raw: x.raw.slice(0, 4) });
    const shape = this.integers(
      int64Literal(x.dims, [x.dims.length]),
      int64Literal(y.dims, [y.dims.length]),
      false,
    );
    return this.node('Expand', [one, shape]);
  }

  private constant(t: TensorLiteral): string {
    const key = `c ${t.type}[${t.dims.join()}]${hex(t.raw)}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const name = `${this.prefix}c${this.initializers.size}`;
    this.initializers.set(name, t);
    this.known.set(key, name);
    return name;
  }

  private node(op: string, inputs: readonly string[]): string {
    const name = `${this.prefix}batch.${op}${this.nodes.length}`;
    this.nodes.push({ name, op, domain: '', inputs, outputs: [name], attributes: {} });
    return name;
  }
}

function hex(raw: Uint8Array): string {
  let text = '';
  for (const byte of raw) text += String.fromCharCode(byte);
  return text;
}

function int64s(raw: Uint8Array): number[] {
  return Array.from(new BigInt64Array(raw.slice().buffer), Number);
}

export function int64Literal(values: readonly number[], dims: readonly number[]): TensorLiteral {
  return { type: 'i64', dims, raw: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) };
}
