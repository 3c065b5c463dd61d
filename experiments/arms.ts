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
import { writeAtomic } from '../runtime/files/atomic.js';
import { mmdc } from './command.js';
import { measureHoles } from './holes.js';
import type { Done, Ingredients, Store } from './store.js';

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
  /** Of its rows, those that are trained on declared tasks. */
  readonly share: number;
}

/** What the spec says of a model. @throws SpecFault when it has errors */
export function factsOf(spec: string, name: string): Facts {
  const { model } = compileFile(spec, [], name, 'never');
  return {
    hash: model.hash(),
    parameters: model.parameterList.reduce((sum, p) => sum + p.shape.reduce((a, b) => a * b, 1), 0),
    tasks: model.info.tasks.map((task) => task.name),
    batch: model.info.train.batch,
    share: model.info.train.roles.tasks,
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

/** Restores in holes of given sizes, or asks everything that was trained; figures as those of tasks. */
export async function measureExtra(
  store: Store,
  arm: Arm,
  stage: Ingredients,
  run: string,
  networks: string,
): Promise<Done> {
  const { stage: what, rows, calls } = stage;
  return store.run(stage, async (folder) => {
    const file = join(folder, 'eval.json');
    if (what === 'holes') {
      const options = { rows: rows as number, calls: calls as number };
      const tasks = await measureHoles(arm, run, folder, networks, options);
      writeAtomic(file, `${JSON.stringify({ tasks }, undefined, 2)}\n`);
    } else {
      await mmdc([
        ...['eval', run, '--roles', '--out', file, '-n', String(rows)],
        ...['--seed', String(arm.seed), '--networks', networks, ...dataArgs(arm)],
      ]);
    }
  });
}

/** Figures of a stage that is done, by task. */
export const figuresOf = (store: Store, stage: Ingredients): Evaluation['tasks'] =>
  (JSON.parse(readFileSync(join(store.folder(stage), 'eval.json'), 'utf8')) as Pick<Evaluation, 'tasks'>)
    .tasks;

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
