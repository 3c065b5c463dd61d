/**
 * `mmdc compile --target pytorch`.
 *
 * @module
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { diagnostic } from '../../compiler/diagnostics/table.js';
import type { CompiledModel } from '../../compiler/driver.js';
import { emitPytorch, packageName, Unsupported } from '../../compiler/targets/pytorch/index.js';
import { formatNpy } from '../data/npy.js';
import { SCENE_CLASSES, SCENE_ROWS, scenes } from '../data/scenes.js';
import { rowSize } from '../data/column.js';
import { formatSafetensors, type StoredTensor } from '../checkpoint/safetensors.js';
import { exportedWeights, modelCard } from '../export/card.js';
import { SpecFault } from '../faults.js';
import { writeAtomic } from '../files/atomic.js';
import { packageRoot } from '../host.js';
import { readSpecWeights } from '../train/load.js';

/** The modules of a package that are the same for every model. */
export function sharedModules(): Map<string, string> {
  const folder = join(packageRoot(), 'compiler', 'targets', 'pytorch', 'package');
  const names = readdirSync(folder).filter((name) => name.endsWith('.py'));
  return new Map(names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/**
 * Files of the package. Weights that the spec loads go with it, under the names of the parameters.
 * @param root folder of the project, in which the paths of files that the spec loads begin
 * @throws SpecFault placed in the spec where the target cannot do what it says, or a file of weights does not fit
 */
export function pytorchFiles(model: CompiledModel, root: string): Map<string, string | Uint8Array> {
  try {
    const files = new Map<string, string | Uint8Array>(emitPytorch(model, sharedModules()));
    const folder = packageName(model.info.name);
    if (model.info.data.set) addScenes(files, folder);
    const loaded = readSpecWeights(model, root);
    if (loaded.size > 0) files.set(`${folder}/loaded.safetensors`, loadedFile(model, loaded));
    return files;
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    throw new SpecFault([diagnostic('MMD1001', error.place, { what: error.what, target: 'pytorch' })]);
  }
}

/** The model card, and the weights of a run where one is named. */
export function weightFiles(
  model: CompiledModel,
  run: string | undefined,
  root: string,
): Map<string, string | Uint8Array> {
  const weights = exportedWeights(model, run, root);
  const files = new Map<string, string | Uint8Array>([
    ['README.md', modelCard(model, { target: 'pytorch', run, step: weights.step })],
  ]);
  if (run === undefined) return files;
  const metadata = { format: 'mmdc', spec: model.hash(), step: String(weights.step) };
  const pieces = formatSafetensors(
    [...weights.tensors].map(([name, tensor]) => [name, tensor as StoredTensor]),
    metadata,
  );
  return files.set('model.safetensors', Buffer.concat(pieces));
}

/** Writes files, whole or not at all, making their folders. @returns their paths */
export function writeTree(out: string, files: ReadonlyMap<string, string | Uint8Array>): string[] {
  return [...files].map(([name, content]) => {
    const path = join(out, name);
    mkdirSync(dirname(path), { recursive: true });
    writeAtomic(path, content);
    return path;
  });
}

function loadedFile(model: CompiledModel, loaded: ReadonlyMap<string, Float32Array>): Uint8Array {
  const { trainable, frozen, statistics } = model.layout;
  const slots = [...trainable, ...frozen, ...statistics].filter(({ name }) => loaded.has(name));
  const tensors = slots.map(({ name, shape }): [string, StoredTensor] => [
    name,
    { shape, data: loaded.get(name) as Float32Array },
  ]);
  return Buffer.concat(formatSafetensors(tensors, { format: 'mmdc' }));
}

/** The embedded set as arrays: pixels and classes as bytes. */
function addScenes(files: Map<string, string | Uint8Array>, folder: string): void {
  void SCENE_CLASSES;
  for (const split of ['train', 'val'] as const) {
    const set = scenes(split);
    const rows = SCENE_ROWS[split];
    for (const column of set.columns.values()) {
      const size = rowSize(column);
      const row = column.kind === 'real' ? new Float32Array(size) : new Int32Array(size);
      const bytes = column.name === 'emb' ? new Float32Array(rows * size) : new Uint8Array(rows * size);
      for (let i = 0; i < rows; i++) {
        column.read(i, row, 0);
        for (let k = 0; k < size; k++)
          bytes[i * size + k] = column.name === 'image' ? Math.round((row[k] + 1) * 127.5) : row[k];
      }
      files.set(`${folder}/scenes/${split}/${column.name}.npy`, formatNpy(bytes, [rows, ...column.shape]));
    }
  }
}
