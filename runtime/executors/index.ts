/**
 * Which executors there are on this machine, and choosing one. Engines are loaded here and nowhere else, and only
 * when asked for.
 *
 * @module
 */
import type { Executor } from './executor.js';
import { RunFault } from './fault.js';
import type { TfjsBackend } from './tfjs/engine.js';

export type { Executor, PrepareOptions, Program, Tensor, TensorData } from './executor.js';
export { RunFault, type RunFaultOptions } from './fault.js';

/** One executor each; fastest first, as far as that can be said of all machines. */
export const executorNames = [
  'tfjs-node-gpu',
  'ort',
  'ort-webgpu',
  'tfjs-node',
  'ort-wasm',
  'tfjs-webgpu',
  'tfjs-wasm',
  'tfjs-cpu',
  'reference',
] as const;

export type ExecutorName = (typeof executorNames)[number];

const tfjs = ['tfjs-node-gpu', 'tfjs-node', 'tfjs-webgpu', 'tfjs-wasm', 'tfjs-cpu'] as const;

/**
 * What each choice may become, best first. `ort` is onnxruntime, native where it loads and WebAssembly where not;
 * `auto` takes native TensorFlow only where it has a GPU, and WebGPU only when asked for, because an adapter in
 * software, which is slower than the processor itself, looks like any other.
 */
const choices = {
  auto: ['tfjs-node-gpu', 'ort', 'ort-wasm', 'tfjs-node', 'tfjs-wasm', 'tfjs-cpu', 'reference'],
  ort: ['ort', 'ort-wasm'],
  'ort-webgpu': ['ort-webgpu', 'ort', 'ort-wasm'],
  'ort-wasm': ['ort-wasm'],
  tfjs,
  'tfjs-node-gpu': ['tfjs-node-gpu'],
  'tfjs-node': ['tfjs-node'],
  'tfjs-webgpu': ['tfjs-webgpu'],
  'tfjs-wasm': ['tfjs-wasm'],
  'tfjs-cpu': ['tfjs-cpu'],
  reference: ['reference'],
} as const satisfies Record<string, readonly ExecutorName[]>;

export type Backend = keyof typeof choices;

export const backends = Object.keys(choices) as readonly Backend[];

export interface ChooseOptions {
  /** Intra-op threads; as many as the machine has where not given. */
  readonly threads?: number;
  /** Called with one line: what was chosen, and why something better was not. */
  readonly log?: (line: string) => void;
}

export type Availability =
  | { readonly name: string; readonly ok: true; readonly detail: string }
  | { readonly name: string; readonly ok: false; readonly reason: string };

/** Environment variable that leaves the native build out when it is `wasm`. */
const forceVariable = 'MMDC_ORT';

/** Every executor with its details, or the reason why it cannot be used here. Loads all of them. */
export async function available(options: Pick<ChooseOptions, 'threads'> = {}): Promise<Availability[]> {
  const found: Availability[] = [];
  for (const name of executorNames) {
    try {
      const { detail } = await create(name, options.threads);
      found.push({ name, ok: true, detail });
    } catch (error) {
      found.push({ name, ok: false, reason: reasonOf(error) });
    }
  }
  return found;
}

/**
 * The fastest executor that `backend` allows and that works here.
 *
 * @throws RunFault when none does, which `auto` never has.
 */
export async function choose(backend: Backend, options: ChooseOptions = {}): Promise<Executor> {
  if (!Object.hasOwn(choices, backend)) {
    throw new RunFault(`unknown backend '${backend}': it is one of ${backends.join(', ')}`);
  }
  const reasons: string[] = [];
  for (const name of choices[backend]) {
    try {
      const executor = await create(name, options.threads, backend === 'auto');
      const instead = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
      options.log?.(`${executor.name}: ${executor.detail}${instead}`);
      return executor;
    } catch (error) {
      // That an engine for special machines is not there is no news to somebody who did not ask for it.
      if (!(error instanceof Unsuitable)) reasons.push(reasonOf(error));
    }
  }
  throw new RunFault(`no executor for '${backend}': ${reasons.join('; ')}`);
}

/** What `auto` passes over in silence. */
class Unsuitable extends RunFault {}

async function create(name: ExecutorName, threads: number | undefined, auto = false): Promise<Executor> {
  switch (name) {
    case 'reference': {
      const { ReferenceExecutor } = await import('./reference/index.js');
      return new ReferenceExecutor();
    }
    case 'ort':
    case 'ort-webgpu':
    case 'ort-wasm': {
      if (name !== 'ort-wasm' && process.env[forceVariable] === 'wasm') {
        throw new RunFault(`onnxruntime-node is left out by ${forceVariable}=wasm`);
      }
      const { OrtExecutor } = await import('./ort/executor.js');
      const backend = ({ ort: 'native', 'ort-webgpu': 'webgpu', 'ort-wasm': 'wasm' } as const)[name];
      return OrtExecutor.create(threads === undefined ? { backend } : { backend, threads });
    }
    default: {
      const backend = name.slice('tfjs-'.length) as TfjsBackend;
      if (auto && backend === 'node-gpu') await requireGpu(backend);
      const { TfjsExecutor } = await import('./tfjs/executor.js');
      return TfjsExecutor.create(backend);
    }
  }
}

/** @throws Unsuitable where native TensorFlow is not there or has no GPU; it is not loaded to find out. */
async function requireGpu(backend: 'node-gpu'): Promise<void> {
  let reason: string | undefined;
  try {
    const { withoutGpu } = await import('./tfjs/engine.js');
    reason = withoutGpu(backend);
  } catch (cause) {
    throw new Unsuitable(reasonOf(cause), { cause });
  }
  if (reason !== undefined) throw new Unsuitable(reason);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
