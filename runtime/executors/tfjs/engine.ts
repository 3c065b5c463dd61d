/**
 * Loads TensorFlow.js with one of its backends, on demand.
 *
 * @module
 */
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import util from 'node:util';
import { computesOnGpu, hasDriver } from './gpu.js';
import { RunFault } from '../fault.js';
import type { Tf } from './tf.js';

/** Fastest first. The first two are native: TensorFlow itself, on a GPU where the library was built for one. */
export const tfjsBackends = ['node-gpu', 'node', 'webgpu', 'wasm', 'cpu'] as const;

export type TfjsBackend = (typeof tfjsBackends)[number];

export interface TfjsEngine {
  readonly backend: TfjsBackend;
  readonly tf: Tf;
  /** The name under which TensorFlow.js knows the backend. */
  readonly device: 'tensorflow' | 'webgpu' | 'wasm' | 'cpu';
  /** One line about what runs underneath. */
  readonly detail: string;
  /** Whether the kernels run on a GPU. */
  readonly gpu: boolean;
}

const packages = {
  'node-gpu': '@tensorflow/tfjs-node-gpu',
  node: '@tensorflow/tfjs-node',
  webgpu: '@tensorflow/tfjs-backend-webgpu',
  wasm: '@tensorflow/tfjs-backend-wasm',
  cpu: '@tensorflow/tfjs-backend-cpu',
} as const;

/** @throws RunFault when a package is missing or does not work on this machine. */
export async function loadTfjs(backend: TfjsBackend): Promise<TfjsEngine> {
  if (backend === 'node-gpu' || backend === 'node') return loadNative(backend);
  if (backend === 'webgpu' && !hasWebGpu()) {
    throw new RunFault('there is no WebGPU in this process (navigator.gpu)');
  }
  const tf = await load<Tf>('@tensorflow/tfjs-core');
  tf.enableProdMode();
  await load(packages[backend]);
  await activate(tf, backend);
  const kind = { webgpu: 'WebGPU', wasm: 'WebAssembly, 1 thread', cpu: 'plain JavaScript, 1 thread' }[
    backend
  ];
  const detail = `TensorFlow.js ${tf.version_core}, ${kind}`;
  return { backend, tf, device: backend, detail, gpu: backend === 'webgpu' };
}

function hasWebGpu(): boolean {
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: unknown } };
  return navigator?.gpu !== undefined;
}

interface NativeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version?: string };
}

async function loadNative(backend: 'node-gpu' | 'node'): Promise<TfjsEngine> {
  const name = packages[backend];
  if (!hasAddon(name)) {
    throw new RunFault(
      `${name} has no native addon (scripts/tfjs-native.sh builds it, see docs/executors.md)`,
    );
  }
  restoreUtil();
  const tf = await load<Tf>(name);
  tf.enableProdMode();
  await activate(tf, 'tensorflow');
  const native = tf.findBackend('tensorflow') as NativeBackend;
  const version = native.binding.TF_Version;
  const gpu = native.isUsingGpuDevice;
  const library = version === undefined ? 'TensorFlow' : `TensorFlow ${version}`;
  const detail = `tfjs-${backend} ${tf.version_core}, ${library}, ${gpu ? 'GPU' : 'CPU'}`;
  return { backend, tf, device: 'tensorflow', detail, gpu };
}

/**
 * Whether the addon is where tfjs-node looks for it. Asked first, because the package takes long to load, to fail then.
 *
 * @throws RunFault when the package is not installed.
 */
function hasAddon(name: string): boolean {
  const lib = join(folderOf(name), 'lib');
  return (
    existsSync(lib) && readdirSync(lib).some((folder) => existsSync(join(lib, folder, 'tfjs_binding.node')))
  );
}

/** @throws RunFault when the package is not installed. */
function folderOf(name: string): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch (error) {
    throw new RunFault(reasonOf(name, error), { cause: error });
  }
}

/**
 * Why the native backend would not compute on a GPU here, or undefined where it would. Nothing is loaded.
 *
 * @throws RunFault when the package is not installed.
 */
export function withoutGpu(backend: 'node-gpu' | 'node'): string | undefined {
  const name = packages[backend];
  if (!hasAddon(name)) return `${name} has no native addon`;
  if (!hasDriver()) return 'there is no NVIDIA driver';
  return computesOnGpu(folderOf(name)) ? undefined : 'TensorFlow has no GPU';
}

/** tfjs-node 4.22 uses two functions of `node:util` that newer Nodes have not. */
function restoreUtil(): void {
  const functions = util as unknown as Record<string, unknown>;
  functions['isNullOrUndefined'] ??= (x: unknown) => x === null || x === undefined;
  functions['isArray'] ??= Array.isArray;
}

async function load<T>(name: string): Promise<T> {
  try {
    const module = (await import(/* @vite-ignore */ name)) as { readonly default?: T };
    return module.default ?? (module as T);
  } catch (error) {
    throw new RunFault(reasonOf(name, error), { cause: error });
  }
}

/** @throws RunFault when the backend does not start. */
export async function activate(tf: Tf, device: string): Promise<void> {
  if (tf.getBackend() === device) return;
  let started: boolean;
  try {
    started = await tf.setBackend(device);
  } catch (cause) {
    throw new RunFault(`TensorFlow.js cannot start '${device}': ${firstLine(cause)}`, { cause });
  }
  if (!started) throw new RunFault(`TensorFlow.js cannot start '${device}'`);
}

function reasonOf(name: string, error: unknown): string {
  const message = firstLine(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.endsWith('MODULE_NOT_FOUND') && message.includes(name)) return `${name} is not installed`;
  return `${name} does not load: ${message}`;
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] as string;
}
