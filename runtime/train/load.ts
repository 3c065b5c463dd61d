/**
 * Weights that a spec takes from files: safetensors, matched with the parameters of a declaration by name.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { diagnostic } from '../../compiler/diagnostics/table.js';
import { editDistance, enumerate } from '../../compiler/diagnostics/suggest.js';
import type { CompiledModel } from '../../compiler/driver.js';
import type { Slot } from '../../compiler/lower/layout.js';
import type { WeightsInfo } from '../../compiler/model/info.js';
import { parametersOf } from '../../compiler/model/weights.js';
import { parseSafetensors, SafetensorsFault, type StoredTensor } from '../checkpoint/safetensors.js';
import { SpecFault } from '../faults.js';

/** Names that a message lists. */
const mostShown = 4;

/**
 * Reads everything that the model loads.
 * @param root folder of the project, in which the spec's own path begins
 * @returns values by parameter name
 * @throws SpecFault placed at `load:`, for a file that cannot be read or does not fit
 */
export function readSpecWeights(model: CompiledModel, root: string): Map<string, Float32Array> {
  const { info, layout } = model;
  const values = new Map<string, Float32Array>();
  for (const [path, weights] of info.weights) {
    if (weights.load === null) continue;
    const file = isAbsolute(weights.load)
      ? weights.load
      : join(root, dirname(info.module.file), weights.load);
    const place = { file: info.module.file, range: weights.place };
    const tensors = readTensors(file, weights.load, place);
    const missing: string[] = [];
    const find = (slot: Slot, required: boolean): void => {
      const found = lookUp(slot, path, weights, tensors);
      if (found?.shape.join() === slot.shape.join())
        values.set(slot.name, Float32Array.from(found.data as ArrayLike<number>));
      else if (required) missing.push(explain(slot, path, weights, found, tensors));
    };
    for (const slot of parametersOf(path, [...layout.trainable, ...layout.frozen])) find(slot, true);
    // Files of other tools have no statistics: then those of the batches are used.
    for (const slot of parametersOf(path, layout.statistics)) find(slot, false);
    if (missing.length === 0) continue;
    const more = missing.length > mostShown ? [`${missing.length - mostShown} more`] : [];
    const name = path.replace('.', ' ');
    const list = enumerate([...missing.slice(0, mostShown), ...more]);
    throw new SpecFault([diagnostic('MMD0520', place, { path: weights.load, name, missing: list })]);
  }
  return values;
}

function readTensors(
  file: string,
  shown: string,
  place: Parameters<typeof diagnostic>[1],
): ReadonlyMap<string, StoredTensor> {
  try {
    return parseSafetensors(readFileSync(file)).tensors;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (!(error instanceof SafetensorsFault) && code === undefined) throw error;
    const reason = code === 'ENOENT' ? `there is no ${file}` : (error as Error).message;
    throw new SpecFault([diagnostic('MMD0519', place, { path: shown, reason })]);
  }
}

/** Names under which a parameter is looked for, the first that is there counting. */
function candidates({ name }: Slot, path: string, { prefix }: WeightsInfo): string[] {
  const own = name.slice(path.length + 1);
  return prefix === null ? [name, own] : [`${prefix}${own}`];
}

function lookUp(
  slot: Slot,
  path: string,
  weights: WeightsInfo,
  tensors: ReadonlyMap<string, StoredTensor>,
): StoredTensor | undefined {
  for (const name of candidates(slot, path, weights)) {
    const found = tensors.get(name);
    if (found) return found;
  }
  return undefined;
}

/** What is wrong with one parameter: its shape, or its name with those that have the shape. */
function explain(
  slot: Slot,
  path: string,
  weights: WeightsInfo,
  found: StoredTensor | undefined,
  tensors: ReadonlyMap<string, StoredTensor>,
): string {
  const shape = `[${slot.shape.join(', ')}]`;
  const [wanted] = candidates(slot, path, weights);
  if (found) return `\`${wanted}\` is [${found.shape.join(', ')}] there, and ${shape} here`;
  const alike = [...tensors]
    .filter(([, tensor]) => tensor.shape.join() === slot.shape.join())
    .map(([name]) => name)
    .sort((a, b) => editDistance(a, wanted) - editDistance(b, wanted))
    .slice(0, 2)
    .map((name) => `\`${name}\``);
  const hint = alike.length > 0 ? `, which may be ${enumerate(alike, 'or')} there` : '';
  return `\`${wanted}\` ${shape}${hint}`;
}
