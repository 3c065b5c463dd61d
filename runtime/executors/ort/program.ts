/**
 * A prepared graph on onnxruntime, with its carried values.
 *
 * @module
 */
import type * as onnxruntime from 'onnxruntime-web';
import type { OnnxArtifact, Port } from '../../../compiler/targets/onnx/index.js';
import { sizeOf } from '../../../compiler/graph/ir.js';
import type { Graph } from '../../../compiler/graph/ir.js';
import type { Program, Tensor } from '../executor.js';
import { RunFault } from '../fault.js';
import { checkCarry, describe } from '../ports.js';
import { firstLine } from './engine.js';
import type { Engine } from './engine.js';

type OrtTensor = onnxruntime.Tensor;
type Session = onnxruntime.InferenceSession;

/** Failures are thrown; the engine need not print them as well. */
const quiet = { logSeverityLevel: 4 } as const;

/** A value that stays here between runs: an output of one run is an input of the next. */
interface Carried {
  readonly input: Port;
  readonly output: Port;
  current: OrtTensor | undefined;
  /** Native only: where the next run writes; changes places with `current` after every run. */
  spare: OrtTensor | undefined;
}

export class OrtProgram implements Program {
  private readonly carried = new Map<string, Carried>();
  private readonly feeds: readonly Port[];
  private readonly returns: readonly Port[];
  private busy = false;

  /** @throws RunFault when `carry` names what the graph has not, or pairs values of different types. */
  constructor(
    private readonly graph: Graph,
    model: OnnxArtifact,
    private readonly session: Session,
    private readonly engine: Engine,
    carry: Readonly<Record<string, string>>,
  ) {
    const inputs = byName(model.inputs);
    const outputs = byName(model.outputs);
    checkCarry(inputs, outputs, Object.entries(carry));
    for (const [from, to] of Object.entries(carry)) {
      const [input, output] = [inputs.get(from) as Port, outputs.get(to) as Port];
      this.carried.set(from, { input, output, current: undefined, spare: undefined });
    }
    const carriedOut = new Set(Object.values(carry));
    this.feeds = model.inputs.filter((p) => !this.carried.has(p.name));
    this.returns = model.outputs.filter((p) => !carriedOut.has(p.name));
  }

  async run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    if (this.busy) throw new RunFault('a program runs one step at a time');
    const inputs: Record<string, OrtTensor> = {};
    for (const port of this.feeds) {
      const tensor = feeds[port.name];
      if (tensor === undefined) throw new RunFault(`input '${port.name}' was not fed`);
      inputs[port.value] = this.tensor(port, tensor, false);
    }
    for (const name of Object.keys(feeds)) {
      if (!this.feeds.some((p) => p.name === name)) throw new RunFault(`no input '${name}' is fed on a run`);
    }
    const fetches: Record<string, OrtTensor | null> = {};
    for (const port of this.returns) fetches[port.value] = null;
    for (const c of this.carried.values()) {
      if (c.current === undefined) throw new RunFault(`carried input '${c.input.name}' was never written`);
      inputs[c.input.value] = c.current;
      // The WebAssembly build ignores outputs given to it and returns new ones.
      if (this.engine.backend === 'native') c.spare ??= this.empty(c.output);
      fetches[c.output.value] = c.spare ?? null;
    }
    this.busy = true;
    let results: Readonly<Record<string, OrtTensor>>;
    try {
      results = (await this.session.run(inputs, fetches, quiet)) as Readonly<Record<string, OrtTensor>>;
    } catch (cause) {
      throw translate(cause, this.graph);
    } finally {
      this.busy = false;
    }
    for (const c of this.carried.values()) {
      const next = c.spare ?? (results[c.output.value] as OrtTensor);
      if (this.engine.backend === 'native') c.spare = c.current;
      c.current = next;
    }
    const returned: Record<string, Tensor> = {};
    for (const port of this.returns) {
      const data = (results[port.value] as OrtTensor).data as Float32Array | Int32Array;
      returned[port.name] = { data, shape: port.shape };
    }
    return returned;
  }

  write(input: string, value: Tensor): void {
    const c = this.state(input);
    c.current = this.tensor(c.input, value, true);
  }

  async read(input: string): Promise<Tensor> {
    const c = this.state(input);
    if (c.current === undefined) throw new RunFault(`carried input '${input}' was never written`);
    return { data: (c.current.data as Float32Array | Int32Array).slice(), shape: c.input.shape };
  }

  async dispose(): Promise<void> {
    this.carried.clear();
    await this.session.release();
  }

  private state(input: string): Carried {
    const c = this.carried.get(input);
    if (c === undefined) throw new RunFault(`'${input}' is not a carried input`);
    return c;
  }

  private empty(port: Port): OrtTensor {
    const size = sizeOf(port.shape);
    const { Tensor } = this.engine.ort;
    return port.dtype === 'f32'
      ? new Tensor('float32', new Float32Array(size), port.shape)
      : new Tensor('int32', new Int32Array(size), port.shape);
  }

  private tensor(port: Port, value: Tensor, copy: boolean): OrtTensor {
    const wanted = sizeOf(port.shape);
    if (value.data.length !== wanted || value.shape.join() !== port.shape.join()) {
      throw new RunFault(
        `input '${port.name}' is ${describe(port)}; it was given ${value.data.length} elements as [${value.shape.join(', ')}]`,
      );
    }
    const { data } = value;
    const { Tensor } = this.engine.ort;
    if (port.dtype === 'i32') {
      if (!(data instanceof Int32Array)) throw new RunFault(`input '${port.name}' needs an Int32Array`);
      return new Tensor('int32', usable(data, copy) ? data : Int32Array.from(data), port.shape);
    }
    if (data instanceof Int32Array) throw new RunFault(`input '${port.name}' needs a Float32Array`);
    const asIs = data instanceof Float32Array && usable(data, copy);
    return new Tensor('float32', asIs ? data : Float32Array.from(data), port.shape);
  }
}

/** Whether the engine may read this memory itself: it refuses shared memory. */
function usable(data: Float32Array | Int32Array, copy: boolean): boolean {
  return !copy && data.buffer instanceof ArrayBuffer;
}

function byName(ports: readonly Port[]): ReadonlyMap<string, Port> {
  return new Map(ports.map((port) => [port.name, port]));
}

/** The engine's words and, where it names the failing node, the graph node that it was lowered from. */
export function translate(cause: unknown, graph: Graph): RunFault {
  const message = cause instanceof Error ? cause.message : String(cause);
  const named = /%(\d+)\./.exec(message);
  const id = named === null ? undefined : Number(named[1]);
  const node = id === undefined ? undefined : graph.nodes[id];
  if (node === undefined) return new RunFault(`onnxruntime: ${firstLine(cause)}`, { cause });
  return new RunFault(`onnxruntime: node ${node.id} (${node.op}): ${firstLine(cause)}`, {
    graph,
    node: node.id,
    cause,
  });
}
