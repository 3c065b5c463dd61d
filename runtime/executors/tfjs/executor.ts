/**
 * The executor on TensorFlow.js: native TensorFlow, WebGPU, WebAssembly or plain JavaScript, whichever is asked for.
 *
 * @module
 */
import type { Graph } from '../../../compiler/graph/ir.js';
import type { Executor, PrepareOptions, Program } from '../executor.js';
import { activate, loadTfjs, type TfjsBackend, type TfjsEngine } from './engine.js';
import { TfjsProgram } from './program.js';

/** Runs graphs kernel by kernel on the calling thread, and blocks it. Its threads are the engine's own choice. */
export class TfjsExecutor implements Executor {
  readonly name: string;
  readonly detail: string;
  /** Whether the kernels run on a GPU. */
  readonly gpu: boolean;

  private constructor(private readonly engine: TfjsEngine) {
    this.name = `tfjs-${engine.backend}`;
    this.detail = engine.detail;
    this.gpu = engine.gpu;
  }

  /** @throws RunFault when a package is missing or does not work on this machine. */
  static async create(backend: TfjsBackend): Promise<TfjsExecutor> {
    return new TfjsExecutor(await loadTfjs(backend));
  }

  async prepare(graph: Graph, options: PrepareOptions = {}): Promise<Program> {
    await activate(this.engine.tf, this.engine.device);
    return new TfjsProgram(graph, this.engine, options.carry ?? {});
  }
}
