/**
 * Entry of the worker thread: runs one job and ends.
 *
 * @module
 */
import { mkdirSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { CompiledModel } from '../../compiler/driver.js';
import { acquireLock, LockFault } from '../checkpoint/lock.js';
import { openData } from '../data/open.js';
import type { Dataset } from '../data/table.js';
import type { Executor } from '../executors/executor.js';
import { choose } from '../executors/index.js';
import { RunFault } from '../executors/fault.js';
import { InputFault, SpecFault } from '../faults.js';
import { compileBundle, writeRun } from '../run/folder.js';
import { loadWeights, saveWeights } from '../train/weights.js';
import { ModelSampler } from '../sample/sampler.js';
import { sampleTasks } from '../sample/tasks.js';
import { train } from '../train/trainer.js';
import { readSpecWeights } from '../train/load.js';
import { modelTensors } from '../train/state.js';
import { CheckpointFault } from '../checkpoint/checkpoint.js';
import { join } from 'node:path';
import { evaluate } from '../eval/evaluate.js';
import { version } from '../version.js';
import type { EvalJob, Message, SampleJob, TrainJob, WorkerData } from './protocol.js';

const { job, stop } = workerData as WorkerData;
const flag = new Int32Array(stop);
const post = (message: Message): void => parentPort?.postMessage(message);
const stopped = (): boolean => Atomics.load(flag, 0) !== 0;

async function runTraining(job: TrainJob): Promise<void> {
  const { dir, run, resume, backend, threads } = job;
  const model = compileBundle(run.bundle);
  const dataset = openData(model.info, run.data ?? undefined, 'train');
  const executor = await choose(backend, {
    ...(threads === null ? {} : { threads }),
    log: (line) => post({ kind: 'executor', line }),
  });
  // Nothing is written before spec, data and executor are known to be good.
  mkdirSync(dir, { recursive: true });
  const lock = acquireLock(dir);
  try {
    if (!resume) writeRun(dir, run);
    await trainAndSample(job, model, dataset, executor);
  } finally {
    lock.release();
  }
}

async function trainAndSample(
  { dir, run, resume, root, samples }: TrainJob,
  model: CompiledModel,
  dataset: Dataset,
  executor: Executor,
): Promise<void> {
  const result = await train(
    model,
    dataset,
    executor,
    {
      dir,
      steps: run.steps,
      seed: run.seed,
      resume,
      logEvery: 10,
      checkpointEvery: 500,
      load: () => readSpecWeights(model, root),
    },
    {
      onStart: (info) => post({ kind: 'start', ...info }),
      onRecord: (record) => post({ kind: 'record', record }),
      onCheckpoint: (step, file) => post({ kind: 'checkpoint', step, file }),
      shouldStop: stopped,
    },
  );
  if (result.complete) {
    const tensors = modelTensors(model.layout, result.state);
    saveWeights(dir, tensors, { spec: run.hash, step: String(result.step) });
    if (samples > 0 && !stopped()) {
      const sampler = new ModelSampler(model, new Map(Object.entries(tensors)), executor, samples);
      const held = openData(model.info, run.data ?? undefined, 'eval');
      const options = { rows: samples, seed: run.seed, trained: result.step, data: held };
      await sampleTasks(model, sampler, join(dir, 'samples'), options, (task) => ({
        onProgress: (done, total) => post({ kind: 'sampling', what: task.name, done, total }),
      }));
      await sampler.dispose();
    }
  }
  post({ kind: 'trained', step: result.step, complete: result.complete });
}

async function runSampling({ bundle, dir, request, data, backend, threads }: SampleJob): Promise<void> {
  const model = compileBundle(bundle);
  const { weights, step } = loadWeights(dir, model);
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
  const [train, heldOut] = [openData(info, data, 'train'), openData(info, data, 'eval')];
  let line = '';
  const executor = await choose(backend, {
    ...(threads === null ? {} : { threads }),
    log: (text) => post({ kind: 'executor', line: (line = text) }),
  });
  const sampler = new ModelSampler(model, weights, executor);
  const { networks, ...measured } = await evaluate(model, sampler, {
    tasks: info.tasks.filter((task) => job.tasks.includes(task.name)),
    rows,
    seed,
    train,
    heldOut,
    executor,
    networks: job.networks,
    onProgress: (what, done, total) => post({ kind: 'sampling', what, done, total }),
  });
  await sampler.dispose();
  const provenance = {
    model: info.name,
    spec: model.hash(),
    trained: step,
    weights: { ema: info.train.ema },
    seed,
    rows: Math.min(rows, heldOut.rows),
    heldOut: heldOut.rows,
    data: job.data ?? `builtin:${String(info.data.set?.source.args.name)}`,
    networks,
    executor: line,
    version: version(),
  };
  post({ kind: 'evaluated', evaluation: { ...measured, provenance } });
}

try {
  if (job.kind === 'train') await runTraining(job);
  else if (job.kind === 'eval') await runEvaluation(job);
  else await runSampling(job);
} catch (error) {
  if (error instanceof SpecFault) post({ kind: 'diagnostics', diagnostics: error.diagnostics });
  else if (error instanceof InputFault) post({ kind: 'input', message: error.message, help: error.help });
  else if (
    error instanceof RunFault ||
    error instanceof CheckpointFault ||
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
