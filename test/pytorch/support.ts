/**
 * Emitting packages and running them. Needs a Python with torch, numpy, safetensors and pillow, whose path `MMDC_PYTHON`
 * gives; tests skip themselves without, with a message.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { analyze, pickModel, type CompiledModel } from '../../compiler/driver.js';
import { fileHost } from '../../runtime/host.js';
import { pytorchFiles, writeTree } from '../../runtime/cli/compile-pytorch.js';

export const root = fileURLToPath(new URL('../../', import.meta.url));

const candidate = process.env.MMDC_PYTHON;

function works(path: string, modules: string): boolean {
  return spawnSync(path, ['-c', `import ${modules}`]).status === 0;
}

/** The Python to use, or undefined. */
export const python =
  candidate !== undefined && works(candidate, 'torch, numpy, safetensors, PIL') ? candidate : undefined;
export const needsPython = python ? '' : ' (skipped: MMDC_PYTHON names no Python with torch and safetensors)';

/** A tool beside that Python, such as ruff; undefined where it is not installed. */
export function tool(name: string): string | undefined {
  const path = candidate === undefined ? '' : join(dirname(candidate), name);
  return existsSync(path) ? path : undefined;
}

/** Compiles a spec, as text or as a file of the repository. */
export function compileSpec(source: string, name?: string, set: readonly string[] = []): CompiledModel {
  const file = source.endsWith('.mmd') ? join(root, source) : join(root, 'examples', 'inline.mmd');
  const text = source.endsWith('.mmd') ? readFileSync(file, 'utf8') : source;
  const { host, name: path } = fileHost(file);
  const analysis = analyze(host, path, text, { set });
  const model = pickModel(analysis, name);
  if (typeof model === 'string')
    throw new Error(`${model}: ${analysis.diagnostics.map((d) => `${d.code} ${d.message}`).join('; ')}`);
  return model;
}

/** Emits a package into a new folder. */
export function emit(model: CompiledModel): string {
  const folder = mkdtempSync(join(tmpdir(), 'mmdc-pytorch-'));
  writeTree(folder, pytorchFiles(model));
  return folder;
}

export interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly error: string;
}

/** Runs Python in a package's folder. */
export function runPython(cwd: string, args: readonly string[], env: Record<string, string> = {}): Ran {
  const { status, stdout, stderr } = spawnSync(python as string, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, OMP_NUM_THREADS: '1', PYTHONPATH: cwd, ...env },
    maxBuffer: 2 ** 28,
  });
  return { status, out: stdout, error: stderr };
}
