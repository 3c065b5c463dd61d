/**
 * The weights of a finished run: `model.safetensors`, plain names, the moving average of the parameters and the kept
 * statistics of learned encoders.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CompiledModel } from '../../compiler/driver.js';
import {
  bestFile,
  CheckpointFault,
  checkpointFiles,
  latest,
  load,
  type Checkpoint,
  type Expect,
} from '../checkpoint/checkpoint.js';
import {
  formatSafetensors,
  parseSafetensors,
  SafetensorsFault,
  type StoredTensor,
} from '../checkpoint/safetensors.js';
import { writeAtomic } from '../files/atomic.js';
import { InputFault } from '../faults.js';
import { tensorDifference } from '../run/difference.js';
import { requireShapes } from './resume.js';
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

/** Which weights: those of the finished run, the newest or best checkpoint, or the one of a step. */
export type Which = 'final' | 'last' | `best:${string}` | number;

/**
 * Weights of a run: `model.safetensors`, or while it is not finished the moving average in its newest checkpoint.
 * @throws InputFault when there are none, or they belong to another spec
 */
export function loadWeights(dir: string, model: CompiledModel, which: Which = 'final'): Weights {
  const file = weightsFile(dir);
  if (which !== 'final' || !existsSync(file)) return fromCheckpoint(dir, model, which);
  let parsed: ReturnType<typeof parseSafetensors>;
  try {
    parsed = parseSafetensors(readFileSync(file));
  } catch (error) {
    if (error instanceof SafetensorsFault) throw new InputFault(`${file} is damaged: ${error.message}`);
    throw error;
  }
  const wanted = [...model.layout.trainable, ...model.layout.statistics, ...model.layout.frozen];
  const there = [...parsed.tensors].map(([name, { shape }]) => ({ name, shape }));
  const how = tensorDifference(there, wanted);
  if (parsed.metadata.spec !== model.hash()) {
    const what = how === undefined ? 'its tensors are the same, so text or settings differ' : `\n    ${how}`;
    throw new InputFault(
      `${file} was trained with another spec: ${what}`,
      `its spec has the hash ${parsed.metadata.spec}, and the run's has ${model.hash()}`,
    );
  }
  if (how !== undefined) throw new InputFault(`${file} does not fit the spec:\n    ${how}`);
  return { weights: parsed.tensors, step: Number(parsed.metadata.step) };
}

function fromCheckpoint(dir: string, model: CompiledModel, which: Which): Weights {
  const checkpoint = findCheckpoint(dir, model, which);
  const state = fromTensors(model.layout, checkpoint.arrays, checkpoint.file);
  return { weights: new Map(Object.entries(modelTensors(model.layout, state))), step: checkpoint.step };
}

function findCheckpoint(dir: string, model: CompiledModel, which: Which): Checkpoint {
  const expect: Expect = (file, entries) => requireShapes(model, file, entries);
  if (which === 'final' || which === 'last') {
    const { checkpoint, rejected } = latest(dir, expect);
    if (checkpoint) return checkpoint;
    const why = rejected.map((r) => `${r.file}: ${r.reason}`).join('; ');
    throw new InputFault(
      `${dir} has no weights yet${why === '' ? '' : ` (${why})`}`,
      'train first, or let the training reach its first checkpoint',
    );
  }
  const files = checkpointFiles(dir);
  const steps = files.map((f) => Number(/(\d+)\.safetensors$/.exec(f)?.[1]));
  const file = typeof which === 'number' ? files[steps.indexOf(which)] : bestFile(dir, which.slice(5));
  if (file === undefined) {
    throw new InputFault(
      typeof which === 'number'
        ? `${dir} has no checkpoint of step ${which}`
        : `no checkpoint of ${dir} has the metric '${which.slice(5)}'`,
      `there are checkpoints of the steps ${steps.toReversed().join(', ') || '(none)'}`,
    );
  }
  try {
    return load(file, expect);
  } catch (error) {
    if (error instanceof CheckpointFault) throw new InputFault(error.message);
    throw error;
  }
}
