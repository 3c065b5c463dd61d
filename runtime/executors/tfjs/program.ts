/**
 * A prepared graph on TensorFlow.js. Every value is freed after its last use, so between runs there are constants and
 * carried values and nothing else.
 *
 * @module
 */
import { liveNodes } from '../../../compiler/graph/evaluate.js';
import { constantData } from '../../../compiler/graph/kernels/table.js';
import type { Graph, Node } from '../../../compiler/graph/ir.js';
import type { Program, Tensor } from '../executor.js';
import { RunFault } from '../fault.js';
import { checkCarry, checkFeeds, checkTensor, fedNodes, type Ports } from '../ports.js';
import { activate, type TfjsEngine } from './engine.js';
import { Kernels } from './lowering.js';
import { compute } from './table.js';
import type { TfTensor } from './tf.js';

export class TfjsProgram implements Program {
  private readonly kernels: Kernels;
  private readonly inputs: Ports;
  private readonly carry: ReadonlyMap<string, string>;
  private readonly schedule: readonly Step[];
  private readonly constants = new Map<number, TfTensor>();
  private readonly state = new Map<string, TfTensor>();

  /** @throws RunFault when `carry` names what the graph has not, or pairs values of different types. */
  constructor(
    private readonly graph: Graph,
    private readonly engine: TfjsEngine,
    carry: Readonly<Record<string, string>>,
  ) {
    this.kernels = new Kernels(engine);
    this.carry = new Map(Object.entries(carry));
    this.inputs = fedNodes(graph);
    checkCarry(this.inputs, new Map(graph.outputs.map((o) => [o.name, nodeOf(graph, o.node)])), this.carry);
    this.schedule = scheduleOf(graph);
    for (const { node } of this.schedule) {
      if (node.op === 'constant') {
        const data = constantData(node, 'f32') as Float32Array | Int32Array;
        this.constants.set(node.id, this.upload(data, node));
      }
    }
  }

  async run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    checkFeeds(this.inputs, this.carry, this.state, feeds);
    for (const [name, value] of Object.entries(feeds))
      checkTensor(name, this.inputs.get(name) as Node, value);
    await this.select();
    const outputs = this.execute(feeds);
    for (const [input, output] of this.carry) {
      this.state.get(input)?.dispose();
      this.state.set(input, outputs.get(output) as TfTensor);
      outputs.delete(output);
    }
    const returned: Record<string, Tensor> = {};
    try {
      for (const [name, tensor] of outputs) returned[name] = await this.download(tensor);
    } finally {
      for (const tensor of outputs.values()) tensor.dispose();
    }
    return returned;
  }

  write(input: string, value: Tensor): void {
    const port = this.carried(input);
    checkTensor(input, port, value);
    this.state.get(input)?.dispose();
    const data = value.data;
    this.state.set(input, this.upload(data instanceof Float64Array ? Float32Array.from(data) : data, port));
  }

  async read(input: string): Promise<Tensor> {
    this.carried(input);
    const tensor = this.state.get(input);
    if (tensor === undefined) throw new RunFault(`carried input '${input}' was never written`);
    return this.download(tensor);
  }

  async dispose(): Promise<void> {
    for (const tensor of [...this.constants.values(), ...this.state.values()]) tensor.dispose();
    this.constants.clear();
    this.state.clear();
  }

  /** Runs the schedule: no other program can come between, since nothing here waits. */
  private execute(feeds: Readonly<Record<string, Tensor>>): Map<string, TfTensor> {
    const { tf } = this.engine;
    const values = new Map<number, TfTensor>();
    const value = (id: number): TfTensor => (this.constants.get(id) ?? values.get(id)) as TfTensor;
    const outputs = new Map<string, TfTensor>();
    try {
      for (const { node, frees } of this.schedule) {
        if (node.op === 'constant') continue;
        if (node.op === 'input' || node.op === 'parameter') values.set(node.id, this.fed(node, feeds));
        else {
          const inputs = node.inputs.map(value);
          values.set(
            node.id,
            this.guarded(node, () => tf.tidy(() => compute(this.kernels, node, inputs))),
          );
        }
        for (const id of frees) {
          values.get(id)?.dispose();
          values.delete(id);
        }
      }
      for (const { name, node } of this.graph.outputs) outputs.set(name, this.kernels.copy(value(node)));
      return outputs;
    } catch (fault) {
      for (const tensor of outputs.values()) tensor.dispose();
      throw fault;
    } finally {
      for (const tensor of values.values()) tensor.dispose();
    }
  }

  private fed(node: Extract<Node, { op: 'input' | 'parameter' }>, feeds: Readonly<Record<string, Tensor>>) {
    const carried = this.state.get(node.attrs.name);
    if (carried !== undefined) return this.kernels.copy(carried);
    const { data } = feeds[node.attrs.name] as Tensor;
    return this.upload(data instanceof Float64Array ? Float32Array.from(data) : data, node);
  }

  /** The backends in JavaScript keep the array that they are given, so each gets one of its own. */
  private upload(data: Float32Array | Int32Array, { shape, dtype }: Pick<Node, 'shape' | 'dtype'>): TfTensor {
    return this.engine.tf.tensor(data.slice(), shape, dtype === 'f32' ? 'float32' : 'int32');
  }

  /** Plain JavaScript and TensorFlow give out the memory of the tensor itself. */
  private async download(tensor: TfTensor): Promise<Tensor> {
    const data = (await tensor.data()) as Float32Array | Int32Array;
    const shared = this.engine.device === 'cpu' || this.engine.device === 'tensorflow';
    return { data: shared ? data.slice() : data, shape: tensor.shape };
  }

  /** Kernels run on the active backend of the process. */
  private async select(): Promise<void> {
    const { tf, device } = this.engine;
    while (tf.getBackend() !== device) await activate(tf, device);
  }

  private carried(input: string): Node {
    const port = this.inputs.get(input);
    if (port === undefined || !this.carry.has(input)) throw new RunFault(`'${input}' is not a carried input`);
    return port;
  }

  private guarded(node: Node, make: () => TfTensor): TfTensor {
    try {
      return make();
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      const fault = `TensorFlow.js: node ${node.id} (${node.op}): ${message.trim().replaceAll(/\s*\n\s*/g, ', ')}`;
      throw new RunFault(fault, { graph: this.graph, node: node.id, cause });
    }
  }
}

interface Step {
  readonly node: Node;
  /** Nodes whose value no later step and no output needs. */
  readonly frees: readonly number[];
}

function scheduleOf(graph: Graph): Step[] {
  const live = liveNodes(graph);
  const seen = new Set(graph.outputs.map((o) => o.node));
  const steps: Step[] = [];
  for (let id = graph.nodes.length - 1; id >= 0; id--) {
    if (!live.has(id)) continue;
    const node = nodeOf(graph, id);
    const frees = [...new Set(node.inputs)].filter((input) => !seen.has(input));
    frees.forEach((input) => seen.add(input));
    steps.push({ node, frees });
  }
  return steps.reverse();
}

function nodeOf(graph: Graph, id: number): Node {
  return graph.nodes[id] as Node;
}
