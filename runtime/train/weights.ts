/**
 * The weights of a finished run: `model.safetensors`, plain names, the moving average of the parameters and the kept
 * statistics of learned encoders.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CompiledModel } from '../../compiler/driver.js';
import { latest } from '../checkpoint/checkpoint.js';
import {
  formatSafetensors,
  parseSafetensors,
  SafetensorsFault,
  type StoredTensor,
} from '../checkpoint/safetensors.js';
import { writeAtomic } from '../files/atomic.js';
import { InputFault } from '../faults.js';
import { fromTensors, modelTensors } from './state.js';

export const weightsFile = (dir: string): string => join(dir, 'model.safetensors');

export function saveWeights(
  dir: string,
  tensors: Readonly<Record<string, StoredTensor>>,
  metadata: { readonly spec: string; readonly step: string },
): void {
  writeAtomic(weightsFile(dir), formatSafetensors(Object.entries(tensors), { format: 'mmdc', ...metadata }));
}

export interface Weights {
  readonly weights: ReadonlyMap<string, StoredTensor>;
  /** Steps of training behind them. */
  readonly step: number;
}

/**
 * Weights of a run: `model.safetensors`, or while it is not finished the moving average in its newest checkpoint.
 * @throws InputFault when there are none, or they belong to another spec
 */
export function loadWeights(dir: string, model: CompiledModel): Weights {
  const file = weightsFile(dir);
  if (!existsSync(file)) return fromCheckpoint(dir, model);
  let parsed: ReturnType<typeof parseSafetensors>;
  try {
    parsed = parseSafetensors(readFileSync(file));
  } catch (error) {
    if (error instanceof SafetensorsFault) throw new InputFault(`${file} is damaged: ${error.message}`);
    throw error;
  }
  if (parsed.metadata.spec !== model.hash()) {
    throw new InputFault(
      `${file} was trained with another spec`,
      `its hash is ${parsed.metadata.spec}, and the run's is ${model.hash()}`,
    );
  }
  for (const slot of [...model.layout.trainable, ...model.layout.statistics, ...model.layout.frozen]) {
    const tensor = parsed.tensors.get(slot.name);
    if (tensor?.shape.join() !== slot.shape.join()) {
      throw new InputFault(
        `${file}: the tensor '${slot.name}' is missing or not of shape [${slot.shape.join(', ')}]`,
      );
    }
  }
  return { weights: parsed.tensors, step: Number(parsed.metadata.step) };
}

function fromCheckpoint(dir: string, model: CompiledModel): Weights {
  const { checkpoint, rejected } = latest(dir);
  if (!checkpoint) {
    const why = rejected.map((r) => `${r.file}: ${r.reason}`).join('; ');
    throw new InputFault(
      `${dir} has no weights yet${why === '' ? '' : ` (${why})`}`,
      'train first, or let the training reach its first checkpoint',
    );
  }
  const state = fromTensors(model.layout, checkpoint.arrays, checkpoint.file);
  return { weights: new Map(Object.entries(modelTensors(model.layout, state))), step: checkpoint.step };
}
