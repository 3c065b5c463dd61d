/**
 * The training loop. Everything random is a pure function of seed and step, so that a run that was interrupted goes on
 * exactly where it was.
 *
 * @module
 */
import type { CompiledModel } from '../../compiler/driver.js';
import { sizeOf } from '../../compiler/graph/ir.js';
import { dataInput } from '../../compiler/lower/forward.js';
import { trainCarry, trainInputs, type TrainingStep } from '../../compiler/lower/training.js';
import { latest, save, type Json } from '../checkpoint/checkpoint.js';
import { allocateBatch, fillBatch, type BatchArray } from '../data/batches.js';
import type { Dataset } from '../data/table.js';
import type { Executor, Program, Tensor } from '../executors/executor.js';
import { inputNames, pickFeeds } from '../executors/feeds.js';
import { InputFault } from '../faults.js';
import { Stream } from '../random/stream.js';
import { LogWriter, toRecord, type LogRecord } from '../run/log.js';
import { drawTimesteps, RoleSampler } from './roles.js';
import { rateAt, scheduleAt } from './schedule.js';
import { fromTensors, initialState, stateNames, toTensors, type State } from './state.js';

export interface TrainOptions {
  readonly dir: string;
  readonly steps: number;
  readonly seed: number;
  /** Continue from the newest good checkpoint of `dir`, if there is one. */
  readonly resume: boolean;
  /**
   * Reads the weights that the spec takes from files, by parameter name (see `readSpecWeights`). Called at the start of
   * a run, not when it goes on.
   */
  readonly load?: () => ReadonlyMap<string, Float32Array>;
  /** Steps between log records, and between checkpoints. */
  readonly logEvery: number;
  readonly checkpointEvery: number;
}

export interface TrainHooks {
  onStart?(info: {
    readonly from: number;
    readonly rejected: readonly { file: string; reason: string }[];
  }): void;
  onRecord?(record: LogRecord): void;
  onCheckpoint?(step: number, file: string): void;
  /** Asked after every step; true writes a checkpoint and ends the loop. */
  shouldStop?(): boolean;
}

export interface TrainResult {
  readonly step: number;
  /** False when `shouldStop` ended the loop. */
  readonly complete: boolean;
  readonly state: State;
}

/** What a step's loss turned into when it is no number. */
export class DivergedFault extends InputFault {
  constructor(step: number, terms: Readonly<Record<string, number>>, checkpoint: string | undefined) {
    const list = Object.entries(terms)
      .filter(([, value]) => !Number.isFinite(value))
      .map(([name, value]) => `${name} = ${value}`)
      .join(', ');
    super(
      `the loss is not finite at step ${step}: ${list}`,
      checkpoint === undefined
        ? 'there is no checkpoint yet; lower the rate or clip gradients'
        : `the last good checkpoint is ${checkpoint}; lower the rate or clip gradients, and resume`,
    );
  }
}

/** Running sums since the last log record, kept in checkpoints so that logs too are resumed exactly. */
interface Window {
  count: number;
  loss: number;
  terms: number[];
  norm: number;
}

/** Trains `model` on `dataset`, writing log and checkpoints to the run folder. */
export async function train(
  model: CompiledModel,
  dataset: Dataset,
  executor: Executor,
  options: TrainOptions,
  hooks: TrainHooks = {},
): Promise<TrainResult> {
  const { info, layout } = model;
  const { dir, seed, steps } = options;
  const step = model.trainingStep(info.train.batch);
  const program = await executor.prepare(step.graph, { carry: carryOf(step) });
  try {
    const { state, meta, rejected } = start(model, options);
    for (const name of stateNames) {
      if (state[name].length > 0) program.write(name, { data: state[name], shape: [state[name].length] });
    }
    hooks.onStart?.({ from: meta.step, rejected });
    const log = new LogWriter(dir, meta.step);
    const feeds = new BatchFeeds(model, step, dataset, seed);
    const { frozen } = state;
    const constant: Record<string, Tensor> =
      frozen.length > 0 ? { [trainInputs.frozen]: { data: frozen, shape: [frozen.length] } } : {};
    const began = performance.now();
    const window = meta.window ?? emptyWindow(step.terms.length);
    let checkpoint: string | undefined;
    let n = meta.step;
    const elapsed = () => meta.seconds + (performance.now() - began) / 1000;
    const write = async () => {
      const now = await readState(program, layout, frozen);
      const description: Meta = { step: n, seconds: elapsed(), window, hash: model.hash(), seed };
      checkpoint = save(dir, {
        step: n,
        arrays: toTensors(layout, now),
        meta: description as unknown as Json,
      });
      hooks.onCheckpoint?.(n, checkpoint);
    };
    try {
      while (n < steps) {
        n++;
        const outputs = await program.run({ ...feeds.at(n), ...constant });
        accumulate(window, outputs);
        if (!Number.isFinite(outputs.loss.data[0])) {
          const terms = Object.fromEntries(step.terms.map((name, i) => [name, outputs.terms.data[i]]));
          throw new DivergedFault(n, { loss: outputs.loss.data[0], ...terms }, checkpoint);
        }
        if (n % options.logEvery === 0 || n === steps) {
          const record = flush(window, n, step.terms, rateAt(info.train, n), elapsed());
          log.write(record);
          hooks.onRecord?.(record);
        }
        const stop = hooks.shouldStop?.() ?? false;
        if (n % options.checkpointEvery === 0 || n === steps || stop) await write();
        if (stop) break;
      }
      return { step: n, complete: n >= steps, state: await readState(program, layout, frozen) };
    } finally {
      log.close();
    }
  } finally {
    await program.dispose();
  }
}

interface Meta {
  readonly step: number;
  readonly seconds: number;
  readonly window?: Window;
  readonly hash: string;
  readonly seed: number;
}

function start(
  model: CompiledModel,
  options: TrainOptions,
): { state: State; meta: Meta; rejected: readonly { file: string; reason: string }[] } {
  const fresh: Meta = { step: 0, seconds: 0, hash: model.hash(), seed: options.seed };
  const begin = () => initialState(model.layout, options.seed, loadedWeights(model, options));
  if (!options.resume) return { state: begin(), meta: fresh, rejected: [] };
  const { checkpoint, rejected } = latest(options.dir);
  if (!checkpoint) return { state: begin(), meta: fresh, rejected };
  const meta = checkpoint.meta as unknown as Meta;
  if (meta.hash !== fresh.hash || meta.seed !== options.seed) {
    throw new InputFault(
      `${checkpoint.file} was made by another spec or seed`,
      'resume with what the run was started with, or start a new run in another folder',
    );
  }
  return { state: fromTensors(model.layout, checkpoint.arrays, checkpoint.file), meta, rejected };
}

function loadedWeights(model: CompiledModel, { load }: TrainOptions): ReadonlyMap<string, Float32Array> {
  if (load) return load();
  const [wanted] = [...model.info.weights].filter(([, weights]) => weights.load !== null);
  if (!wanted) return new Map();
  throw new InputFault(
    `${wanted[0]} takes its weights from ${wanted[1].load}, and nothing says how to read it`,
    'give `train` the option `load`: `() => readSpecWeights(model, folder)`',
  );
}

function carryOf(step: TrainingStep): Record<string, string> {
  const inputs = inputNames(step.graph);
  return Object.fromEntries(Object.entries(trainCarry).filter(([name]) => inputs.has(name)));
}

async function readState(
  program: Program,
  layout: CompiledModel['layout'],
  frozen: Float32Array,
): Promise<State> {
  const read = async (name: string, size: number) =>
    size === 0 ? new Float32Array(0) : Float32Array.from((await program.read(name)).data);
  return {
    parameters: await read('parameters', layout.size),
    moment1: await read('moment1', layout.size),
    moment2: await read('moment2', layout.size),
    ema: await read('ema', layout.size),
    statistics: await read('statistics', layout.statisticsSize),
    frozen,
  };
}

/** The inputs of every step, in buffers that are used again. */
export class BatchFeeds {
  private readonly columns: Record<string, BatchArray>;
  private readonly roles: RoleSampler;
  private readonly noise: Float32Array;
  private readonly given: Float32Array;
  private readonly produced: Float32Array;
  private readonly t: Int32Array;
  private readonly inverse: Float32Array;
  private readonly wanted: ReadonlySet<string>;

  constructor(
    private readonly model: CompiledModel,
    step: Pick<TrainingStep, 'graph'>,
    private readonly dataset: Dataset,
    private readonly seed: number,
    private readonly batch = model.info.train.batch,
  ) {
    const { info } = model;
    this.columns = allocateBatch(dataset, batch);
    this.roles = new RoleSampler(info);
    this.noise = new Float32Array(batch * sizeOf(info.space.shape));
    this.given = new Float32Array(batch * info.modalities.length);
    this.produced = new Float32Array(batch * info.modalities.length);
    this.t = new Int32Array(batch);
    this.inverse = new Float32Array(batch);
    // A graph may have no use for an input (the time weights of a loss term with weight 0, say).
    this.wanted = inputNames(step.graph);
  }

  /** Inputs of step n = 1, 2, ... */
  at(n: number): Record<string, Tensor> {
    const { info } = this.model;
    const { batch, seed } = this;
    const count = info.modalities.length;
    fillBatch(this.dataset, { seed, step: n - 1, batch }, this.columns);
    const random = new Stream(seed, 'roles', n);
    const rows = Array.from({ length: batch }, () => this.roles.draw(random));
    rows.forEach((roles, i) =>
      roles.forEach((role, m) => {
        this.given[i * count + m] = Number(role === 'given');
        this.produced[i * count + m] = Number(role === 'produced');
      }),
    );
    drawTimesteps(info, rows, new Stream(seed, 'time', n)).forEach(({ t, inverseProbability }, i) => {
      this.t[i] = t;
      this.inverse[i] = inverseProbability;
    });
    new Stream(seed, 'noise', n).normal(this.noise);
    const feeds: Record<string, Tensor> = {
      [trainInputs.given]: { data: this.given, shape: [batch, count] },
      [trainInputs.produced]: { data: this.produced, shape: [batch, count] },
      [trainInputs.t]: { data: this.t, shape: [batch] },
      [trainInputs.inverseProbability]: { data: this.inverse, shape: [batch] },
      [trainInputs.noise]: { data: this.noise, shape: [batch, ...info.space.shape] },
      [trainInputs.schedule]: { data: scheduleAt(info.train, n), shape: [4] },
    };
    for (const modality of info.modalities) feeds[dataInput(modality.name)] = this.columns[modality.name];
    return pickFeeds(feeds, this.wanted);
  }
}

function emptyWindow(terms: number): Window {
  return { count: 0, loss: 0, terms: new Array<number>(terms).fill(0), norm: 0 };
}

function accumulate(window: Window, outputs: Readonly<Record<string, Tensor>>): void {
  window.count++;
  window.loss += outputs.loss.data[0];
  window.norm += outputs.grad_norm.data[0];
  for (let i = 0; i < window.terms.length; i++) window.terms[i] += outputs.terms.data[i];
}

function flush(
  window: Window,
  n: number,
  names: readonly string[],
  rate: number,
  seconds: number,
): LogRecord {
  const k = window.count;
  const rest = { rate, grad_norm: window.norm / k, seconds: Math.round(seconds * 1000) / 1000 };
  const record = toRecord(
    n,
    window.loss / k,
    names,
    window.terms.map((term) => term / k),
    rest,
  );
  Object.assign(window, emptyWindow(names.length));
  return record;
}
