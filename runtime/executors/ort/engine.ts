/**
 * Loads onnxruntime on demand: the native addon or its WebAssembly build. Both offer the same interface, so
 * everything above this file is written once.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import type * as onnxruntime from 'onnxruntime-web';
import { RunFault } from '../fault.js';

/** The interface shared by `onnxruntime-node` and `onnxruntime-web`. */
export type Ort = typeof onnxruntime;
export type Session = onnxruntime.InferenceSession;
export type SessionOptions = onnxruntime.InferenceSession.SessionOptions;

/** `webgpu` is the provider inside the native package, on Vulkan, Metal or Direct3D. */
export type OrtBackend = 'native' | 'webgpu' | 'wasm';

export interface Engine {
  readonly backend: OrtBackend;
  readonly ort: Ort;
  readonly threads: number;
  readonly version: string;
}

/** Optional and native: named by a variable so that the project also builds where it is not installed. */
const nativePackage: string = 'onnxruntime-node';

/** The WebAssembly module is set up once a process; later requests get the number of threads of the first. */
let wasmThreads: number | undefined;

/** @throws RunFault when the package is missing or does not load on this machine. */
export async function loadEngine(backend: OrtBackend, threads = availableParallelism()): Promise<Engine> {
  const name = backend === 'wasm' ? 'onnxruntime-web' : nativePackage;
  let ort: Ort;
  try {
    ort = (await import(/* @vite-ignore */ name)) as Ort;
  } catch (cause) {
    throw new RunFault(`${name} does not load: ${firstLine(cause)}`, { cause });
  }
  if (backend !== 'wasm') {
    return { backend, ort, threads, version: ort.env.versions.node ?? ort.env.versions.common };
  }
  if (wasmThreads === undefined) {
    wasmThreads = threads;
    ort.env.wasm.numThreads = threads;
    ort.env.logLevel = 'fatal';
  }
  return { backend, ort, threads: wasmThreads, version: ort.env.versions.web ?? ort.env.versions.common };
}

/**
 * How long an idle worker thread waits actively for the next kernel. Without a limit a training step is as fast on a
 * machine of its own, but takes twice as long where another process wants the cores; without any it is 5 % slower
 * (bench/ops/options.ts).
 */
const spinMicroseconds = '200';

/** What has no kernel on WebGPU runs on the CPU: onnxruntime adds that provider itself. */
const providers = { native: 'cpu', webgpu: 'webgpu', wasm: 'wasm' } as const;

/**
 * Measured on training steps (bench/ops/options.ts). The memory pattern saves no time, takes more memory and makes the
 * second run slow. Treating denormals as zero gains nothing here either, and onnxruntime would set that for the
 * calling thread too, where JavaScript's own arithmetic then changes.
 */
export function sessionOptions(engine: Engine, threads: number): SessionOptions {
  return {
    executionProviders: [providers[engine.backend]],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    interOpNumThreads: 1,
    intraOpNumThreads: threads,
    enableCpuMemArena: true,
    enableMemPattern: false,
    // Failures are thrown; printing them as well would only repeat them.
    logSeverityLevel: 4,
    extra: { session: { 'intra_op.spin_duration_us': spinMicroseconds } },
  };
}

export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] as string;
}
