/**
 * Lowers a graph to an ONNX model: one lowering per primitive, dead nodes dropped, values named after the graph.
 *
 * @module
 */
import { sizeOf, type DType, type Graph, type Node, type Shape } from '../../graph/ir.js';
import { Emitter } from './emitter.js';
import type { LowerOptions } from './emitter.js';
import { convolutions } from './ops/convolution.js';
import { elementwise } from './ops/elementwise.js';
import { indices } from './ops/indices.js';
import { lastAxis } from './ops/lastaxis.js';
import { products } from './ops/product.js';
import { reductions } from './ops/reduce.js';
import { shape } from './ops/shape.js';
import type { LowerTable } from './ops/table.js';
import { encodeModel } from './proto.js';
import type { OnnxNode, TensorLiteral } from './proto.js';

/** A fed or returned value: its name in the graph and its name in the model. */
export interface Port {
  readonly name: string;
  readonly value: string;
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface OnnxArtifact {
  /** The serialised model; equal graphs and options give equal bytes. */
  readonly bytes: Uint8Array;
  /** Inputs, then parameters where the graph has them, in node order. */
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/** Opset 20 is the first with everything used here, and IR version 9 is the one released with it. */
export const opset = 20;
export const irVersion = 9;

const table: LowerTable = {
  ...elementwise,
  ...reductions,
  ...shape,
  ...products,
  ...convolutions,
  ...lastAxis,
  ...indices,
};

/**
 * Lowers `graph`. i32 values stay INT32, comparisons become FLOAT 0/1.
 *
 * @throws RangeError where the graph is malformed (a node that reads a later one, constants of a wrong size);
 * graphs that pass the verifier never are.
 */
export function lowerToOnnx(graph: Graph, options: LowerOptions): OnnxArtifact {
  const { nodes, initializers, inputs, outputs, early } = lowerGraph(graph, options);
  const domains = new Set(['', ...nodes.map((n) => n.domain)]);
  const bytes = encodeModel({
    irVersion,
    opsets: Object.fromEntries([...domains].map((d) => [d, d === '' ? opset : 1])),
    producer: 'mmdc',
    graph: {
      name: graph.name,
      nodes,
      initializers,
      inputs: inputs.map((p) => ({ name: p.value, type: p.dtype, dims: p.shape })),
      outputs: [
        ...outputs.map((p) => ({ name: p.value, type: p.dtype, dims: p.shape })),
        ...early.map((name) => ({ name, type: 'f32' as const, dims: [1] })),
      ],
    },
  });
  return { bytes, inputs, outputs };
}

export interface Lowered {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, TensorLiteral>;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Values f32 [1] that are outputs of the model only so that they are computed early. */
  readonly early: readonly string[];
}

/** The parts of a model, before it is put together. */
export function lowerGraph(graph: Graph, options: LowerOptions): Lowered {
  const e = new Emitter(graph, options);
  const names = new Names();
  const inputs: Port[] = [];
  for (const node of graph.nodes) {
    e.enter(node.id);
    if (node.op === 'input' || node.op === 'parameter') {
      const value = names.unique(node.attrs.name);
      inputs.push({ name: node.attrs.name, value, shape: node.shape, dtype: node.dtype });
      e.values.push(value);
    } else {
      e.values.push(lowerNode(node, e));
    }
  }
  const { outputs, rename } = nameOutputs(graph, e, inputs, names);
  const early = options.contrib && options.provider !== 'webgpu' ? computedEarly(graph, e) : [];
  const wanted = outputs.map((p) => rename.back.get(p.value) ?? p.value);
  const nodes = live(e.nodes, new Set([...wanted, ...early]));
  const used = new Set(nodes.flatMap((n) => n.inputs));
  return {
    nodes: nodes.map((n) => renamed(n, rename.to)),
    initializers: new Map([...e.initializers].filter(([name]) => used.has(name))),
    inputs,
    outputs,
    early,
  };
}

/** A value that is read at least this many nodes later. */
const muchLater = 24;

/**
 * onnxruntime runs what a graph's end needs depth first, from the last node that nothing reads to the first. The weight
 * gradients, which only the optimiser reads, so come after the whole backward pass, and every gradient of an activation
 * is kept until then. One element of each as an output of its own, in reverse, makes them come when their operands are
 * there: what is smaller than its operands and read much later.
 *
 * @returns these outputs, which nobody fetches
 */
function computedEarly(graph: Graph, e: Emitter): string[] {
  const firstRead = new Map<number, number>();
  for (const { id, inputs } of graph.nodes)
    for (const input of inputs) if (!firstRead.has(input)) firstRead.set(input, id);
  const early = graph.nodes.filter(({ id, op, dtype, shape, inputs }) => {
    if (op === 'input' || op === 'parameter' || op === 'constant' || op === 'slice' || dtype !== 'f32')
      return false;
    const operands = inputs.reduce((n, input) => n + sizeOf((graph.nodes[input] as Node).shape), 0);
    const wait = (firstRead.get(id) ?? id) - id;
    return wait >= muchLater && sizeOf(shape) > 0 && sizeOf(shape) < operands;
  });
  return early.reverse().map(({ id, shape }) => {
    e.enter(id);
    const flat = e.reshape(e.values[id] as string, [sizeOf(shape)]);
    return e.op('Slice', [flat, e.i64([0]), e.i64([1]), e.i64([0])]);
  });
}

function lowerNode(node: Exclude<Node, { op: 'input' | 'parameter' }>, e: Emitter): string {
  // The table pairs each primitive with its own node type; TypeScript cannot follow that through the union.
  const lower = table[node.op] as (n: Node, e: Emitter) => string;
  return lower(node, e);
}

/** Names of the model's inputs and outputs: those of the graph where ONNX allows it. */
class Names {
  private readonly taken = new Set<string>();

  /** `name`, changed where it is taken or starts with %, as the values in between do. */
  unique(name: string): string {
    let unique = name.startsWith('%') ? `_${name}` : name;
    while (this.taken.has(unique)) unique += '_';
    this.taken.add(unique);
    return unique;
  }
}

interface Rename {
  readonly to: Map<string, string>;
  readonly back: Map<string, string>;
}

/**
 * Gives outputs their own names. A value that is also an input, a constant or another output is copied, since
 * the model needs a value of its own for each output.
 */
function nameOutputs(
  graph: Graph,
  e: Emitter,
  inputs: readonly Port[],
  names: Names,
): { outputs: Port[]; rename: Rename } {
  const rename: Rename = { to: new Map(), back: new Map() };
  const fed = new Set(inputs.map((p) => p.value));
  const outputs: Port[] = [];
  for (const { name, node } of graph.outputs) {
    const { shape, dtype } = graph.nodes[node] as Node;
    let value = e.values[node] as string;
    if (fed.has(value) || e.initializers.has(value) || rename.to.has(value)) {
      e.enter(node);
      value = e.copy(value);
    }
    const unique = names.unique(name);
    rename.to.set(value, unique);
    rename.back.set(unique, value);
    outputs.push({ name, value: unique, shape, dtype });
  }
  return { outputs, rename };
}

/** Nodes that an output depends on, in order. */
function live(nodes: readonly OnnxNode[], wanted: Set<string>): OnnxNode[] {
  const kept: OnnxNode[] = [];
  for (const n of [...nodes].reverse()) {
    if (!n.outputs.some((y) => wanted.has(y))) continue;
    for (const x of n.inputs) wanted.add(x);
    kept.push(n);
  }
  return kept.reverse();
}

function renamed(n: OnnxNode, to: ReadonlyMap<string, string>): OnnxNode {
  const name = (value: string): string => to.get(value) ?? value;
  return { ...n, inputs: n.inputs.map(name), outputs: n.outputs.map(name) };
}
