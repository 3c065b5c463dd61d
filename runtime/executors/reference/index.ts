/**
 * The reference executor: the compiler's own kernels behind the executor interface. Slow and obviously right; the other
 * executors are held to it.
 *
 * @module
 */
import { Evaluator, KernelError } from '../../../compiler/graph/evaluate.js';
import type { Precision } from '../../../compiler/graph/evaluate.js';
import { GraphError } from '../../../compiler/graph/errors.js';
import { sizeOf } from '../../../compiler/graph/ir.js';
import type { Graph, Node } from '../../../compiler/graph/ir.js';
import type { Executor, PrepareOptions, Program, Tensor } from '../executor.js';
import { RunFault } from '../fault.js';

export { evaluate } from '../../../compiler/graph/evaluate.js';

export interface ReferenceOptions {
  /** How reals are stored between nodes. `f32` (the default) rounds after every node, as the fast executors do. */
  readonly precision?: Precision;
}

export class ReferenceExecutor implements Executor {
  readonly name = 'reference';
  readonly detail: string;
  readonly #precision: Precision;

  constructor({ precision = 'f32' }: ReferenceOptions = {}) {
    this.#precision = precision;
    this.detail = `plain TypeScript, ${precision === 'f32' ? 'float32' : 'float64'}, 1 thread`;
  }

  async prepare(graph: Graph, options: PrepareOptions = {}): Promise<Program> {
    return new ReferenceProgram(graph, this.#precision, options.carry ?? {});
  }
}

/** A fed node, or an output's node, by name. */
type Ports = ReadonlyMap<string, Node>;

class ReferenceProgram implements Program {
  readonly #graph: Graph;
  readonly #evaluator: Evaluator;
  readonly #carry: ReadonlyMap<string, string>;
  readonly #inputs: Ports;
  readonly #state = new Map<string, Tensor>();

  constructor(graph: Graph, precision: Precision, carry: Readonly<Record<string, string>>) {
    this.#graph = graph;
    this.#evaluator = new Evaluator(graph, precision);
    this.#carry = new Map(Object.entries(carry));
    this.#inputs = fed(graph);
    checkCarry(graph, this.#inputs, this.#carry);
  }

  async run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    for (const name of Object.keys(feeds)) {
      if (!this.#inputs.has(name) || this.#carry.has(name))
        throw new RunFault(`no input '${name}' is fed on a run`);
    }
    for (const name of this.#inputs.keys()) {
      if (this.#carry.has(name) && !this.#state.has(name)) {
        throw new RunFault(`carried input '${name}' was never written`);
      }
      if (!this.#carry.has(name) && !Object.hasOwn(feeds, name))
        throw new RunFault(`input '${name}' was not fed`);
    }
    const outputs = guarded(this.#graph, () =>
      this.#evaluator.run({ ...feeds, ...Object.fromEntries(this.#state) }),
    );
    for (const [input, output] of this.#carry) {
      this.#state.set(input, outputs[output]!);
      delete outputs[output];
    }
    return outputs;
  }

  write(input: string, value: Tensor): void {
    const node = this.#carried(input);
    const dtype = value.data instanceof Int32Array ? 'i32' : 'f32';
    const fits = value.shape.join() === node.shape.join() && value.data.length === sizeOf(node.shape);
    if (dtype !== node.dtype || !fits) {
      const given = `${value.data.length} elements as ${describe({ dtype, shape: value.shape })}`;
      throw new RunFault(`input '${input}' is ${describe(node)}; it was given ${given}`);
    }
    this.#state.set(input, { data: value.data.slice(), shape: node.shape });
  }

  async read(input: string): Promise<Tensor> {
    this.#carried(input);
    const value = this.#state.get(input);
    if (value === undefined) throw new RunFault(`carried input '${input}' was never written`);
    return { data: value.data.slice(), shape: value.shape };
  }

  async dispose(): Promise<void> {
    this.#state.clear();
  }

  #carried(input: string): Node {
    const node = this.#inputs.get(input);
    if (node === undefined || !this.#carry.has(input))
      throw new RunFault(`'${input}' is not a carried input`);
    return node;
  }
}

function fed(graph: Graph): Ports {
  const ports = new Map<string, Node>();
  for (const node of graph.nodes) {
    if (node.op === 'input' || node.op === 'parameter') ports.set(node.attrs.name, node);
  }
  return ports;
}

function checkCarry(graph: Graph, inputs: Ports, carry: ReadonlyMap<string, string>): void {
  const outputs = new Map(graph.outputs.map((o) => [o.name, graph.nodes[o.node]!]));
  const used = new Set<string>();
  for (const [from, to] of carry) {
    const input = inputs.get(from);
    const output = outputs.get(to);
    if (input === undefined) throw new RunFault(`carry: the graph has no input '${from}'`);
    if (output === undefined) throw new RunFault(`carry: the graph has no output '${to}'`);
    if (used.has(to)) throw new RunFault(`carry: output '${to}' is carried to two inputs`);
    if (describe(input) !== describe(output)) {
      throw new RunFault(`carry: '${from}' is ${describe(input)} but '${to}' is ${describe(output)}`);
    }
    used.add(to);
  }
}

/** Faults of the graph's layer, in this layer's terms. */
function guarded<T>(graph: Graph, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof KernelError) throw new RunFault(cause.message, { graph, node: cause.node, cause });
    if (cause instanceof GraphError) throw new RunFault(cause.message, { cause });
    throw cause;
  }
}

function describe({ dtype, shape }: Pick<Node, 'dtype' | 'shape'>): string {
  return `${dtype}[${shape.join(', ')}]`;
}
