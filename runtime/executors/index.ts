/**
 * Which executors there are on this machine, and choosing one. Engines are loaded here and nowhere else, and only
 * when asked for.
 *
 * @module
 */
import type { Executor } from './executor.js';
import { RunFault } from './fault.js';

export type { Executor, PrepareOptions, Program, Tensor, TensorData } from './executor.js';
export { RunFault, type RunFaultOptions } from './fault.js';

/** `ort` is onnxruntime, native where it loads and WebAssembly where not; `auto` falls back to the reference too. */
export const backends = ['auto', 'ort', 'ort-wasm', 'reference'] as const;

export type Backend = (typeof backends)[number];

export interface ChooseOptions {
  /** Intra-op threads; as many as the machine has where not given. */
  readonly threads?: number;
  /** Called with one line: what was chosen, and why something better was not. */
  readonly log?: (line: string) => void;
}

export type Availability =
  | { readonly name: string; readonly ok: true; readonly detail: string }
  | { readonly name: string; readonly ok: false; readonly reason: string };

type Single = Exclude<Backend, 'auto' | 'ort'> | 'ort-native';

/** Fastest first. */
const order: readonly Single[] = ['ort-native', 'ort-wasm', 'reference'];

/** Environment variable that leaves the native build out when it is `wasm`. */
const forceVariable = 'MMDC_ORT';

/** Every executor with its details, or the reason why it cannot be used here. Loads all of them. */
export async function available(options: Pick<ChooseOptions, 'threads'> = {}): Promise<Availability[]> {
  const found: Availability[] = [];
  for (const name of order) {
    try {
      const executor = await create(name, options.threads);
      found.push({ name: executor.name, ok: true, detail: executor.detail });
    } catch (error) {
      found.push({ name: name === 'ort-native' ? 'ort' : name, ok: false, reason: reasonOf(error) });
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
  const candidates = order.filter(
    (name) => backend === 'auto' || name === backend || (backend === 'ort' && name !== 'reference'),
  );
  if (candidates.length === 0) {
    throw new RunFault(`unknown backend '${backend}': it is one of ${backends.join(', ')}`);
  }
  const reasons: string[] = [];
  for (const name of candidates) {
    try {
      const executor = await create(name, options.threads);
      const instead = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
      options.log?.(`${executor.name}: ${executor.detail}${instead}`);
      return executor;
    } catch (error) {
      reasons.push(reasonOf(error));
    }
  }
  throw new RunFault(`no executor for '${backend}': ${reasons.join('; ')}`);
}

async function create(name: Single, threads: number | undefined): Promise<Executor> {
  if (name === 'reference') {
    const { ReferenceExecutor } = await import('./reference/index.js');
    return new ReferenceExecutor();
  }
  if (name === 'ort-native' && process.env[forceVariable] === 'wasm') {
    throw new RunFault(`onnxruntime-node is left out by ${forceVariable}=wasm`);
  }
  const { OrtExecutor } = await import('./ort/executor.js');
  const backend = name === 'ort-native' ? 'native' : 'wasm';
  return OrtExecutor.create(threads === undefined ? { backend } : { backend, threads });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
