/**
 * Entry of the worker thread: runs one job and ends.
 *
 * @module
 */
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import type { CompiledModel } from '../../compiler/driver.js';
import { acquireLock, LockFault } from '../checkpoint/lock.js';
import { DataFault } from '../data/fault.js';
import { openData, openParts, type OpenedParts } from '../data/open.js';
import type { Dataset } from '../data/table.js';
import type { Executor } from '../executors/executor.js';
import { choose } from '../executors/index.js';
import { RunFault } from '../executors/fault.js';
import { InputFault, SpecFault } from '../faults.js';
import { overlap } from '../data/overlap.js';
import { addEvent } from '../run/events.js';
import { compileBundle, encodersOf, keepNetworks, readRun, runFile, writeRun } from '../run/folder.js';
import { readLog } from '../run/log.js';
import { estimate, holdAgainst, machine } from '../train/estimate.js';
import { stillTerms, type Still } from '../train/guards.js';
import { version } from '../version.js';
import { loadWeights, saveWeights } from '../train/weights.js';
import { ModelSampler } from '../sample/sampler.js';
import { sampleTasks } from '../sample/tasks.js';
import { train } from '../train/trainer.js';
import { readSpecWeights } from '../train/load.js';
import { modelTensors, type State } from '../train/state.js';
import { CheckpointFault } from '../checkpoint/checkpoint.js';
import { dirname, join } from 'node:path';
import { evaluationFile, scheduledFile } from '../eval/file.js';
import { measure } from '../eval/measure.js';
import { writeAtomic } from '../files/atomic.js';
import { byName, everyQuestion } from '../sample/questions.js';
import { located } from './located.js';
import { Prefetch } from './prefetch.js';
import type { EvalJob, Message, SampleJob, TrainJob, WorkerData } from './protocol.js';

/** Steps between log records. */
const logEvery = 10;

const { job, stop } = workerData as WorkerData;
const flag = new Int32Array(stop);
const post = (message: Message): void => parentPort?.postMessage(message);
const onProgress = (what: string, done: number, total: number): void =>
  post({ kind: 'sampling', what, done, total });
const stopped = (): boolean => Atomics.load(flag, 0) !== 0;

const unwritable: Readonly<Record<string, string>> = {
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'it is a file',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the file system is read-only',
};

/** Makes and locks a run's folder. @throws InputFault where it cannot be written to */
function openFolder(dir: string): ReturnType<typeof acquireLock> {
  try {
    mkdirSync(dir, { recursive: true });
    return acquireLock(dir);
  } catch (error) {
    const reason = unwritable[codeOf(error)] ?? unwritable[accessOf(dir)];
    if (reason === undefined) throw error;
    throw new InputFault(
      `${dir} cannot be written to: ${reason}`,
      'nothing was done; choose another folder with `--out`, or make this one writable',
    );
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}

/** Why a folder, or where it is not there the one above, cannot be written to: making it says ENOENT whatever the reason. */
function accessOf(dir: string): string {
  try {
    accessSync(dir, constants.W_OK);
    return '';
  } catch (error) {
    return codeOf(error) === 'ENOENT' && dirname(dir) !== dir ? accessOf(dirname(dir)) : codeOf(error);
  }
}

async function runTraining(job: TrainJob): Promise<void> {
  const { dir, run, resume, backend, threads, retention } = job;
  const model = compileBundle(run.bundle);
  const warnings: string[] = [];
  const parted = await splits(model, run.data ?? undefined, job.root, warnings);
  const needs = estimate(model, run.steps, logEvery, retention.keep + 2);
  warnings.push(...holdAgainst(needs, machine(dir), run.batch, dir));
  const executor = await choose(backend, {
    ...(threads === null ? {} : { threads }),
    log: (line) => post({ kind: 'executor', line }),
  });
  // Nothing is written before spec, data, machine and executor are known to be good.
  const lock = openFolder(dir);
  try {
    // Another process may have been quicker between the command line's look and the lock.
    if (!resume && existsSync(runFile(dir)))
      throw new InputFault(
        `${dir} already holds a run`,
        'go on with it with `--resume`, or choose another folder',
      );
    if (!resume || !isDeepStrictEqual(readRun(dir), run)) writeRun(dir, run);
    keepNetworks(dir, job.root, parted.networks);
    for (const text of warnings) warn(dir, 0, text);
    const lazy = [...parted.training.columns.values()].some((column) => column.lazy);
    const { leftOut } = parted;
    const batches = lazy
      ? new Prefetch({
          bundle: run.bundle,
          root: run.data ?? undefined,
          project: job.root,
          leftOut,
          seed: run.seed,
          batch: model.info.train.batch,
        })
      : undefined;
    try {
      await trainAndSample(job, model, parted, batches, executor);
    } finally {
      await batches?.close();
    }
  } finally {
    lock.release();
  }
}

function warn(dir: string, step: number, text: string): void {
  addEvent(dir, { event: 'warning', step, text });
  post({ kind: 'warning', text });
}

interface Splits {
  readonly training: Dataset;
  readonly heldOut: Dataset | undefined;
  /** Rows that were taken out of the training because they are held out too. */
  readonly leftOut: readonly number[];
  /** Hashes of the frozen networks that rows went through. */
  readonly networks: OpenedParts['networks'];
}

/** Rows to train on and rows held out, with none in both. */
async function splits(
  model: CompiledModel,
  data: string | undefined,
  project: string,
  warnings: string[],
): Promise<Splits> {
  const { info } = model;
  const parts = await openParts(info, data, { project });
  const { networks } = parts;
  const { dataset: training, skipped } = parts.part('train');
  if (skipped.length > 0) warnings.push(describeSkipped(skipped, training.rows));
  const builtin = data?.startsWith('builtin:') ?? info.data.set !== null;
  if (!builtin && !info.evalRows) return { training, heldOut: undefined, leftOut: [], networks };
  const heldOut = parts.part('eval').dataset;
  const { exact, near, compared } = overlap(training, heldOut);
  if (near > 0) {
    warnings.push(
      `${near} of ${training.rows} training rows are nearly the same as a row for evaluation (${compared} rows compared)`,
    );
  }
  if (exact.length === 0) return { training, heldOut, leftOut: [], networks };
  if (2 * exact.length > training.rows) {
    throw new InputFault(
      `${exact.length} of ${training.rows} training rows are rows for evaluation too`,
      'the ranges `data { rows }` and `eval { rows }` are of the same rows, or files were copied: part them',
    );
  }
  warnings.push(
    `${exact.length} of ${training.rows} training rows are rows for evaluation too: they are left out of the training`,
  );
  const copies = new Set(exact);
  return { training: training.take((row) => !copies.has(row)), heldOut, leftOut: exact, networks };
}

/** How many rows were left out because they cannot be decoded, and the first of them. */
function describeSkipped(skipped: readonly DataFault[], rows: number): string {
  const some = skipped.slice(0, 3).map((fault) => fault.message);
  const more = skipped.length > some.length ? `, and ${skipped.length - some.length} more` : '';
  return `${skipped.length} rows cannot be decoded and are left out of the ${rows + skipped.length} to train on: ${some.join('; ')}${more}`;
}

async function trainAndSample(
  { dir, run, resume, root, samples, checkpointEvery, retention, explosion, memory, ...job }: TrainJob,
  model: CompiledModel,
  { training, heldOut, networks }: Splits,
  batches: Prefetch | undefined,
  executor: Executor,
): Promise<void> {
  const still = new Set<string>();
  let done = 0;
  const options = {
    dir,
    steps: run.steps,
    seed: run.seed,
    resume,
    logEvery,
    checkpointEvery,
    retention,
    explosion,
    evaluateEvery: job.evaluateEvery,
    ...(memory === null ? {} : { memory: memory * 2 ** 20 }),
  };
  /** Writes what the averaged weights of a step do on held-out rows; the newest is what reports show. */
  const onEvaluate = async (step: number, state: State): Promise<void> => {
    const evaluation = await measure(
      model,
      new Map(Object.entries(modelTensors(model.layout, state))),
      executor,
      {
        tasks: byName(model.info.tasks),
        rows: job.evaluateRows,
        seed: run.seed,
        train: training,
        heldOut: heldOut ?? training,
        networks: join(dir, 'networks'),
        project: root,
        lpips: null,
        trained: step,
        data: run.data,
        line: `${executor.name}: ${executor.detail}`,
        encoders: networks,
        onProgress,
      },
    );
    const text = `${JSON.stringify(evaluation, undefined, 2)}\n`;
    const file = scheduledFile(dir, step);
    mkdirSync(dirname(file), { recursive: true });
    writeAtomic(file, text);
    writeAtomic(evaluationFile(dir), text);
    addEvent(dir, { event: 'evaluation', step, text: file.slice(dir.length + 1) });
    post({ kind: 'scheduled', step, file });
  };
  const result = await train(
    model,
    training,
    executor,
    {
      ...options,
      load: () => readSpecWeights(model, root),
      networks,
      ...(heldOut ? { heldOut } : {}),
      ...(batches ? { batches } : {}),
    },
    {
      onStart: (info) => {
        done = info.from;
        addEvent(dir, {
          event: 'start',
          step: info.from,
          text: `mmdc ${version()} on ${executor.name}: ${executor.detail}; Node ${process.version}; process ${process.pid}`,
        });
        for (const { file, reason } of info.rejected)
          addEvent(dir, {
            event: 'warning',
            step: info.from,
            text: `left out a checkpoint: ${file}: ${reason}`,
          });
        post({ kind: 'start', ...info });
        for (const text of info.changes) warn(dir, info.from, text);
      },
      onRecord: (record) => {
        done = record.step;
        post({ kind: 'record', record });
      },
      onCheckpoint: (step, file) => {
        post({ kind: 'checkpoint', step, file });
        for (const each of stillTerms(readLog(dir))) {
          if (still.has(each.term)) continue;
          still.add(each.term);
          warn(dir, step, describeStill(each));
        }
      },
      onEvaluate,
      shouldStop: stopped,
    },
  ).catch((error: unknown) => {
    addEvent(dir, {
      event: 'stop',
      step: done,
      text: error instanceof Error ? error.message : String(error),
    });
    throw error;
  });
  addEvent(dir, {
    event: result.complete ? 'finish' : 'stop',
    step: result.step,
    text: result.complete ? 'all steps are done' : 'interrupted',
  });
  if (result.complete) {
    const tensors = modelTensors(model.layout, result.state);
    saveWeights(dir, tensors, { spec: run.hash, step: String(result.step) });
    if (samples > 0 && !stopped()) {
      const sampler = new ModelSampler(model, new Map(Object.entries(tensors)), executor, samples);
      const held = heldOut ?? (await openData(model.info, run.data ?? undefined, 'eval', { project: root }));
      const sampling = { rows: samples, seed: run.seed, trained: result.step, data: held };
      await sampleTasks(model, sampler, join(dir, 'samples'), sampling, (task) => ({
        onProgress: (count, total) => post({ kind: 'sampling', what: task.name, done: count, total }),
      }));
      await sampler.dispose();
    }
  }
  post({ kind: 'trained', step: result.step, complete: result.complete });
}

function describeStill({ term, value, how, records }: Still): string {
  const modality = term.replace(/^L2\./, '');
  const shown = value.toPrecision(4);
  const what =
    how === 'constant'
      ? `${term} has been ${shown} in each of the last ${records} log records`
      : `${term} is no lower than at the start, ${shown}, after ${records} log records`;
  return `${what}: nothing is learned about \`${modality}\` (its decoder, its weight in \`loss { L2 }\`, its data)`;
}

async function runSampling({
  bundle,
  dir,
  request,
  weights: which,
  data,
  backend,
  threads,
}: SampleJob): Promise<void> {
  const model = compileBundle(bundle);
  const { weights, step } = loadWeights(dir, model, which);
  const executor = await choose(backend, {
    ...(threads === null ? {} : { threads }),
    log: (line) => post({ kind: 'executor', line }),
  });
  const sampler = new ModelSampler(model, weights, executor);
  const produced = await sampler.sample(
    { ...request, data },
    { onProgress: (done, total) => post({ kind: 'sampling', what: 'samples', done, total }) },
  );
  await sampler.dispose();
  post({ kind: 'sampled', rows: new Map([...data, ...produced]), trained: step });
}

async function runEvaluation(job: EvalJob): Promise<void> {
  const { bundle, dir, backend, threads, rows, seed } = job;
  const model = compileBundle(bundle);
  const { info } = model;
  const { weights, step } = loadWeights(dir, model);
  const data = job.data ?? undefined;
  const parts = await openParts(info, data, { project: encodersOf(dir) });
  const [train, heldOut] = [parts.part('train').dataset, parts.part('eval').dataset];
  let line = '';
  const executor = await choose(backend, {
    ...(threads === null ? {} : { threads }),
    log: (text) => post({ kind: 'executor', line: (line = text) }),
  });
  const every = job.tasks === 'roles' ? everyQuestion(info) : undefined;
  const evaluation = await measure(model, weights, executor, {
    tasks: every ? every.asked : byName(info.tasks.filter((task) => job.tasks.includes(task.name))),
    rows,
    seed,
    train,
    heldOut,
    networks: job.networks,
    project: encodersOf(dir),
    lpips: job.lpips,
    trained: step,
    data: job.data,
    line,
    encoders: parts.networks,
    onProgress,
  });
  const untrained = (every?.untrained ?? []).map((question) => `${question}: it was never trained`);
  const omitted = [...evaluation.omitted, ...untrained];
  post({ kind: 'evaluated', evaluation: { ...evaluation, omitted } });
}

try {
  if (job.kind === 'train') await runTraining(job);
  else if (job.kind === 'eval') await runEvaluation(job);
  else await runSampling(job);
} catch (error) {
  if (error instanceof SpecFault) post({ kind: 'diagnostics', diagnostics: error.diagnostics });
  else if (error instanceof InputFault) post({ kind: 'input', message: error.message, help: error.help });
  else if (error instanceof RunFault) {
    const { files } = job.kind === 'train' ? job.run.bundle : job.bundle;
    post({ kind: 'input', message: located(error, files), help: undefined });
  } else if (
    error instanceof CheckpointFault ||
    error instanceof DataFault ||
    error instanceof LockFault ||
    isFileError(error)
  ) {
    post({ kind: 'input', message: (error as Error).message, help: undefined });
  } else {
    const fault = error instanceof Error ? error : new Error(String(error));
    post({ kind: 'internal', message: fault.message, stack: fault.stack ?? '' });
  }
}

/** A full disk, a read-only folder: the system's own words are clear. */
function isFileError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}
