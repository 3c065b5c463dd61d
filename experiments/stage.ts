/**
 * Stages of an experiment: each leaves a record beside its files, and is not done again while what it depends on is the
 * same.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readRun, runFile } from '../runtime/run/folder.js';
import { readLog } from '../runtime/run/log.js';
import { weightsFile } from '../runtime/train/weights.js';
import { compileFile } from '../runtime/cli/source.js';
import { InputFault } from '../runtime/faults.js';
import { writeAtomic } from '../runtime/files/atomic.js';
import { commit, mmdc } from './command.js';

export interface StageRecord {
  /** What the stage's files depend on. */
  readonly key: string;
  /** Wall-clock seconds of the command. */
  readonly seconds: number;
  /** Code it was done with, as {@link commit} names it. */
  readonly commit: string | null;
}

export interface Stage extends StageRecord {
  readonly reused: boolean;
}

export interface Training {
  readonly steps: number;
  /** Seconds in the training loop, over all sessions of a run that was interrupted. */
  readonly seconds: number;
  /** Code of the session that finished it; null where that is not known. */
  readonly commit: string | null;
  readonly reused: boolean;
}

export interface TrainRequest {
  readonly spec: string;
  readonly data: string;
  readonly run: string;
  readonly seed: number;
  /** undefined: as many as the spec says. */
  readonly steps: number | undefined;
}

/**
 * Trains a run to its end: a finished one is reused, an interrupted one resumed.
 * @throws InputFault when the folder holds a run of another spec
 */
export async function trainStage(request: TrainRequest): Promise<Training> {
  const { spec, data, run, seed, steps } = request;
  const begun = existsSync(runFile(run));
  if (begun) checkRun(request);
  const reused = begun && existsSync(weightsFile(run));
  const record = `${run}.json`;
  if (!reused) {
    mkdirSync(dirname(run), { recursive: true });
    const code = commit();
    await mmdc([
      'train',
      spec,
      ...['--data', data, '--out', run, '--seed', String(seed)],
      ...(steps === undefined ? [] : ['--steps', String(steps)]),
      ...(begun ? ['--resume'] : []),
    ]);
    writeAtomic(record, `${JSON.stringify({ commit: code })}\n`);
  }
  const last = readLog(run).at(-1);
  if (!last) throw new InputFault(`${run} has no log`);
  const known = existsSync(record)
    ? (JSON.parse(readFileSync(record, 'utf8')) as Pick<Training, 'commit'>)
    : undefined;
  return { steps: last.step, seconds: last.seconds, commit: known?.commit ?? null, reused };
}

/** Holds a run in the folder to the spec as it is now. */
function checkRun({ spec, run, seed, steps }: TrainRequest): void {
  const before = readRun(run);
  const { model } = compileFile(spec, before.bundle.set, before.bundle.model, 'never');
  const wanted = steps ?? compileFile(spec, [], undefined, 'never').model.info.train.steps;
  if (before.hash === model.hash() && before.seed === seed && before.steps === wanted) return;
  throw new InputFault(
    `${run} was trained with another spec, seed or number of steps`,
    'remove it, or choose another folder with --out',
  );
}

/**
 * Samples a run into a folder with `mmdc sample RUN --out DIR ARGS`. The record lies at DIR.json; samples of the same
 * weights with the same arguments are reused.
 */
export async function sampleStage(run: string, dir: string, args: readonly string[]): Promise<Stage> {
  const weights = createHash('sha256')
    .update(readFileSync(weightsFile(run)))
    .digest('hex');
  const key = `${args.join(' ')} of ${weights}`;
  const file = `${dir}.json`;
  if (existsSync(file)) {
    const record = JSON.parse(readFileSync(file, 'utf8')) as StageRecord;
    if (record.key === key) return { ...record, reused: true };
  }
  mkdirSync(dirname(dir), { recursive: true });
  const code = commit();
  const began = performance.now();
  await mmdc(['sample', run, '--out', dir, ...args]);
  const record: StageRecord = { key, seconds: (performance.now() - began) / 1000, commit: code };
  writeAtomic(file, `${JSON.stringify(record, undefined, 2)}\n`);
  return { ...record, reused: false };
}

/** A file that {@link sampleStage} has written. */
export const sampled = (dir: string, modality: string): string => join(dir, `${modality}.npy`);
