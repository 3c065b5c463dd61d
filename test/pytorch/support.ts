/**
 * Emitting packages and running them. Needs a Python with torch, numpy, safetensors and pillow, whose path `MMDC_PYTHON`
 * gives; tests skip themselves without, with a message.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { analyze, pickModel, type CompiledModel } from '../../compiler/driver.js';
import { formatNpy } from '../../runtime/data/npy.js';
import { fileHost } from '../../runtime/host.js';
import { Stream } from '../../runtime/random/stream.js';
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

/** Emits a package into a new folder. `project`: where the paths of weights that the spec loads begin. */
export function emit(model: CompiledModel, project = root): string {
  const folder = mkdtempSync(join(tmpdir(), 'mmdc-pytorch-'));
  writeTree(folder, pytorchFiles(model, project));
  return folder;
}

export interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly error: string;
}

/** Runs Python in a package's folder. `limit`: milliseconds after which it is ended, and `status` is null. */
export function runPython(
  cwd: string,
  args: readonly string[],
  env: Record<string, string> = {},
  limit = 230_000,
): Ran {
  const { status, stdout, stderr } = spawnSync(python as string, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, OMP_NUM_THREADS: '1', PYTHONPATH: cwd, ...env },
    maxBuffer: 2 ** 28,
    // A test's own limit cannot end what blocks its thread.
    timeout: limit,
  });
  return { status, out: stdout, error: stderr };
}

/** |a - b| / |b| over all elements. */
export function relative(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let [difference, size] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  return Math.sqrt(difference / Math.max(size, 1e-30));
}

/** Every kind of encoder, term and read-out in a model that takes milliseconds a step. */
export const smallSpec = `
import { UNet } from "std/backbones"

/// Small pictures, their class and a vector.
model Small {
  modality image: image[8, 8, 1]
  modality label: category["a", "b", "c"]
  modality emb: vector[4] { likelihood: cosine }
  space z: f32[8, 8, 3]
  encoder image = image |> into(z, channels: 0..1)
  encoder label = label |> linear(8) |> project([8, 8, 1]) |> into(z, channels: 1..2)
  encoder emb = emb |> project([8, 8, 1]) |> into(z, channels: 2..3)
  process { steps: 50, retention: cosine, origin: zero, weights: nested }
  backbone h = concat(z, given) |> UNet(t, widths: [8, 16], heads: 2)
  decoder image = h |> conv(1)
  decoder label = h |> pool |> linear(3)
  decoder emb = h |> pool |> linear(4)
  task generate: image, label, emb { guidance: 1.5, sampler: dpmpp, steps: 10 }
  task classify: image -> label
  task draw: label, emb -> image { guidance: 2.0, sampler: ddim(0.5), steps: 10 }
  loss { L2 { image: mean(0.1), label: 0.2, emb: 0.05 }, L3: 1 }
  // Directions without a gradient (the bias of attention's keys) would else move by rounding alone, as Adam divides by it.
  train { optimizer: adamw(epsilon: 1e-4), rate: cosine(1e-3, warmup: 5), batch: 8, steps: 20 }
  data { image: npy("image.npy"), label: npy("label.npy"), emb: npy("emb.npy"), rows: 0..48 }
  eval { rows: 48..64 }
}
`;

/** Data for {@link smallSpec}. @returns the folder */
export function smallData(folder: string, rows: number): string {
  mkdirSync(folder, { recursive: true });
  const random = new Stream(2, 'small');
  const pixels = Uint8Array.from(random.integers(rows * 64, 256));
  writeFileSync(join(folder, 'image.npy'), formatNpy(pixels, [rows, 8, 8, 1]));
  writeFileSync(join(folder, 'label.npy'), formatNpy(random.integers(rows, 3), [rows]));
  writeFileSync(join(folder, 'emb.npy'), formatNpy(random.normal(rows * 4), [rows, 4]));
  return folder;
}
