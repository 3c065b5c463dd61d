/**
 * The executor on onnxruntime's CPU kernels, native or WebAssembly.
 *
 * @module
 */
import { lowerToOnnx } from '../../../compiler/targets/onnx/index.js';
import type { Graph } from '../../../compiler/graph/ir.js';
import type { Executor, PrepareOptions, Program } from '../executor.js';
import { channelBlock } from './block.js';
import { loadEngine, sessionOptions } from './engine.js';
import type { Engine, OrtBackend } from './engine.js';
import { OrtProgram, translate } from './program.js';

export interface OrtOptions {
  readonly backend: OrtBackend;
  /** Intra-op threads; as many as the machine has where not given. */
  readonly threads?: number;
}

/**
 * Lowers graphs to ONNX and runs them on onnxruntime. `run` computes on the calling thread and blocks it: give
 * it a worker thread where something else has to go on meanwhile.
 */
export class OrtExecutor implements Executor {
  readonly name: string;
  readonly detail: string;

  private constructor(
    private readonly engine: Engine,
    /** Width of the blocked convolution's blocks, where there is one. */
    private readonly block: number | undefined,
  ) {
    const native = engine.backend === 'native';
    const threads = `${engine.threads} thread${engine.threads === 1 ? '' : 's'}`;
    this.name = native ? 'ort' : 'ort-wasm';
    this.detail = `${native ? 'onnxruntime-node' : 'onnxruntime-web'} ${engine.version}, ${native ? 'CPU' : 'WebAssembly'}, ${threads}`;
  }

  /**
   * Loads onnxruntime.
   *
   * @throws RunFault when the package is missing or does not load on this machine.
   */
  static async create(options: OrtOptions): Promise<OrtExecutor> {
    const engine = await loadEngine(options.backend, options.threads);
    return new OrtExecutor(engine, await channelBlock(engine));
  }

  async prepare(graph: Graph, options: PrepareOptions = {}): Promise<Program> {
    const { engine, block } = this;
    const model = lowerToOnnx(graph, {
      provider: engine.backend === 'native' ? 'cpu' : 'wasm',
      contrib: true,
      ...(block === undefined ? {} : { channelBlock: block }),
    });
    const settings = sessionOptions(engine, options.threads ?? engine.threads);
    let session;
    try {
      session = await engine.ort.InferenceSession.create(model.bytes, settings);
    } catch (cause) {
      throw translate(cause, graph);
    }
    try {
      return new OrtProgram(graph, model, session, engine, options.carry ?? {});
    } catch (fault) {
      await session.release();
      throw fault;
    }
  }
}
