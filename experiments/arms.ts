/**
 * Training and measuring one model of a system: stages of a {@link Store}, each a command as a user gives it.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { compileFile } from '../runtime/cli/source.js';
import type { Evaluation } from '../runtime/eval/model.js';
import { mmdc } from './command.js';
import type { Done, Store } from './store.js';

export interface Arm {
  readonly spec: string;
  readonly model: string;
  /** Value of `--data`; undefined for the embedded set. */
  readonly data: string | undefined;
  readonly seed: number;
  readonly steps: number;
  /** Rows of every question. */
  readonly rows: number;
}

export interface Facts {
  readonly hash: string;
  readonly parameters: number;
  readonly tasks: readonly string[];
  readonly batch: number;
}

/** What the spec says of a model. @throws SpecFault when it has errors */
export function factsOf(spec: string, name: string): Facts {
  const { model } = compileFile(spec, [], name, 'never');
  return {
    hash: model.hash(),
    parameters: model.parameterList.reduce((sum, p) => sum + p.shape.reduce((a, b) => a * b, 1), 0),
    tasks: model.info.tasks.map((task) => task.name),
    batch: model.info.train.batch,
  };
}

/** SHA-256 over names and sizes of all files of a folder. */
export function fingerprint(dir: string): string {
  const hash = createHash('sha256');
  for (const name of (readdirSync(dir, { recursive: true }) as string[]).toSorted()) {
    const info = statSync(join(dir, name));
    if (info.isFile()) hash.update(`${name}\0${info.size}\0`);
  }
  return hash.digest('hex').slice(0, 16);
}

/** The stages of an arm, by what they depend on. */
export function stagesOf(arm: Arm, hash: string, data: string) {
  const { model, seed, steps, rows } = arm;
  const train = { stage: 'train', hash, model, data, seed, steps };
  return { train, eval: { ...train, stage: 'eval', rows }, sample: { ...train, stage: 'sample' } };
}

export type Stages = ReturnType<typeof stagesOf>;

const dataArgs = (arm: Arm): string[] => (arm.data === undefined ? [] : ['--data', arm.data]);

/** Trains: a finished run is kept, one that was cut off goes on from its newest checkpoint. */
export async function train(store: Store, arm: Arm, stages: Stages): Promise<Done> {
  return store.run(stages.train, async (folder) => {
    const run = join(folder, 'run');
    const checkpoints = join(run, 'checkpoints');
    const resumable = existsSync(checkpoints) && readdirSync(checkpoints).some((f) => f.endsWith('.json'));
    // Cut off before its first checkpoint: there is nothing to go on from.
    if (!resumable) rmSync(run, { recursive: true, force: true });
    await mmdc([
      ...['train', arm.spec, '--model', arm.model, '--out', run],
      ...['--seed', String(arm.seed), '--steps', String(arm.steps), ...dataArgs(arm)],
      ...(resumable ? ['--resume'] : []),
    ]);
  });
}

/** Asks all tasks on held-out rows. @param networks folder of the networks that measure, one for all arms */
export async function measure(store: Store, arm: Arm, stages: Stages, networks: string): Promise<Done> {
  mkdirSync(networks, { recursive: true });
  return store.run(stages.eval, (folder) =>
    mmdc([
      ...['eval', join(store.folder(stages.train), 'run'), '--out', join(folder, 'eval.json')],
      ...['-n', String(arm.rows), '--seed', String(arm.seed), '--networks', networks, ...dataArgs(arm)],
    ]),
  );
}

export const evaluationOf = (store: Store, stages: Stages): Evaluation =>
  JSON.parse(readFileSync(join(store.folder(stages.eval), 'eval.json'), 'utf8')) as Evaluation;

/** Pictures of what is made from nothing. @returns the folder */
export async function draw(store: Store, stages: Stages, rows: number): Promise<string> {
  await store.run(stages.sample, (folder) =>
    mmdc([
      ...['sample', join(store.folder(stages.train), 'run'), '--out', join(folder, 'generate')],
      ...['--task', 'generate', '-n', String(rows)],
    ]),
  );
  return join(store.folder(stages.sample), 'generate');
}
