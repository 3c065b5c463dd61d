/**
 * The reference executor: the compiler's own kernels behind the executor interface. Slow and obviously right; the other
 * executors are held to it.
 *
 * @module
 */
import { Evaluator, KernelError } from '../../../compiler/graph/evaluate.js';
import type { Precision } from '../../../compiler/graph/evaluate.js';
import { GraphError } from '../../../compiler/graph/errors.js';
import type { Graph, Node } from '../../../compiler/graph/ir.js';
import type { Executor, PrepareOptions, Program, Tensor } from '../executor.js';
import { RunFault } from '../fault.js';
import { checkCarry, checkFeeds, checkTensor, fedNodes } from '../ports.js';
import type { Ports } from '../ports.js';

export { evaluate } from '../../../compiler/graph/evaluate.js';

export interface ReferenceOptions {
  /** How reals are stored between nodes. `f32` (the default) rounds after every node, as the fast executors do. */
  readonly precision?: Precision;
  /** Whether an operation may overwrite an operand that nothing reads any more (`planInPlace`); true unless told. */
  readonly inPlace?: boolean;
}

export class ReferenceExecutor implements Executor {
  readonly name = 'reference';
  readonly detail: string;
  readonly #precision: Precision;
  readonly #inPlace: boolean;

  constructor({ precision = 'f32', inPlace = true }: ReferenceOptions = {}) {
    this.#precision = precision;
    this.#inPlace = inPlace;
    this.detail = `plain TypeScript, ${precision === 'f32' ? 'float32' : 'float64'}, 1 thread`;
  }

  async prepare(graph: Graph, options: PrepareOptions = {}): Promise<Program> {
    return new ReferenceProgram(graph, this.#precision, this.#inPlace, options.carry ?? {});
  }
}

class ReferenceProgram implements Program {
  readonly #graph: Graph;
  readonly #evaluator: Evaluator;
  readonly #carry: ReadonlyMap<string, string>;
  readonly #inputs: Ports;
  readonly #state = new Map<string, Tensor>();

  constructor(graph: Graph, precision: Precision, inPlace: boolean, carry: Readonly<Record<string, string>>) {
    this.#graph = graph;
    this.#evaluator = new Evaluator(graph, precision, inPlace);
    this.#carry = new Map(Object.entries(carry));
    this.#inputs = fedNodes(graph);
    const outputs = new Map(graph.outputs.map((o) => [o.name, graph.nodes[o.node]!]));
    checkCarry(this.#inputs, outputs, this.#carry);
  }

  async run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    checkFeeds(this.#inputs, this.#carry, this.#state, feeds);
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
    checkTensor(input, node, value);
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
