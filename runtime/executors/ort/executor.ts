/**
 * The executor on onnxruntime: its kernels for the CPU, native or WebAssembly, or those on WebGPU.
 *
 * @module
 */
import { GraphBuilder } from '../../../compiler/graph/builder.js';
import { lowerToOnnx } from '../../../compiler/targets/onnx/index.js';
import type { OnnxArtifact } from '../../../compiler/targets/onnx/index.js';
import type { Graph } from '../../../compiler/graph/ir.js';
import type { Executor, PrepareOptions, Program } from '../executor.js';
import { RunFault } from '../fault.js';
import { channelBlock } from './block.js';
import { firstLine, loadEngine, sessionOptions } from './engine.js';
import type { Engine, OrtBackend } from './engine.js';
import { OrtProgram, translate } from './program.js';

export interface OrtOptions {
  readonly backend: OrtBackend;
  /** Intra-op threads; as many as the machine has where not given. */
  readonly threads?: number;
}

/** Carried outputs stay on the device, where the next run reads them. */
function onDevice(
  model: OnnxArtifact,
  carry: Readonly<Record<string, string>>,
): Record<string, 'gpu-buffer'> {
  const carried = new Set(Object.values(carry));
  const ports = model.outputs.filter((port) => carried.has(port.name));
  return Object.fromEntries(ports.map((port) => [port.value, 'gpu-buffer']));
}

/** The provider looks for an adapter when the first session is made. */
async function checkAdapter(engine: Engine): Promise<void> {
  const b = new GraphBuilder('probe');
  b.output('y', b.mul(b.input('x', [1]), 2));
  const model = lowerToOnnx(b.finish(), { provider: 'webgpu', contrib: true });
  try {
    const session = await engine.ort.InferenceSession.create(model.bytes, sessionOptions(engine, 1));
    await session.release();
  } catch (cause) {
    const missing = firstLine(cause).includes('adapter');
    throw new RunFault(missing ? 'there is no WebGPU adapter' : `WebGPU: ${firstLine(cause)}`, { cause });
  }
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
    const { backend, version } = engine;
    const threads = `${engine.threads} thread${engine.threads === 1 ? '' : 's'}`;
    this.name = { native: 'ort', webgpu: 'ort-webgpu', wasm: 'ort-wasm' }[backend];
    const kind = { native: `CPU, ${threads}`, webgpu: 'WebGPU', wasm: `WebAssembly, ${threads}` }[backend];
    this.detail = `${backend === 'wasm' ? 'onnxruntime-web' : 'onnxruntime-node'} ${version}, ${kind}`;
  }

  /**
   * Loads onnxruntime.
   *
   * @throws RunFault when the package is missing or does not load on this machine, or there is no adapter for WebGPU.
   */
  static async create(options: OrtOptions): Promise<OrtExecutor> {
    const engine = await loadEngine(options.backend, options.threads);
    if (options.backend === 'webgpu') {
      await checkAdapter(engine);
      return new OrtExecutor(engine, undefined);
    }
    return new OrtExecutor(engine, await channelBlock(engine));
  }

  async prepare(graph: Graph, options: PrepareOptions = {}): Promise<Program> {
    const { engine, block } = this;
    const model = lowerToOnnx(graph, {
      provider: engine.backend === 'native' ? 'cpu' : engine.backend,
      contrib: true,
      ...(block === undefined ? {} : { channelBlock: block }),
    });
    const settings = {
      ...sessionOptions(engine, options.threads ?? engine.threads),
      ...(engine.backend === 'webgpu'
        ? { preferredOutputLocation: onDevice(model, options.carry ?? {}) }
        : {}),
    };
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
