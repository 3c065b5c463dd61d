/**
 * The training loop. Everything random is a pure function of seed and step, so that a run that was interrupted goes on
 * exactly where it was.
 *
 * @module
 */
import type { CompiledModel } from '../../compiler/driver.js';
import { trainCarry, type TrainingStep } from '../../compiler/lower/training.js';
import { save, type Json } from '../checkpoint/checkpoint.js';
import type { Retention } from '../checkpoint/retention.js';
import type { Dataset } from '../data/table.js';
import type { Executor, Program, Tensor } from '../executors/executor.js';
import { inputNames } from '../executors/feeds.js';
import { LogWriter, type LogRecord } from '../run/log.js';
import type { Account } from './account.js';
import { BatchFeeds, type BatchSource } from './feeds.js';
import { DivergedFault, ExplodedFault, hasExploded } from './guards.js';
import { HeldOut } from './held-out.js';
import { diskFault, originOf, positionOf, resumeFrom, type Meta, type Origin, type Start } from './resume.js';
import { rateAt } from './schedule.js';
import { frozenFeed, stateNames, toTensors, type State } from './state.js';

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
  /** Hashes of the frozen networks that the rows went through (`OpenedParts.networks`): a run goes on with the same. */
  readonly networks?: Readonly<Record<string, string>>;
  /** Steps between log records, and between checkpoints. */
  readonly logEvery: number;
  readonly checkpointEvery: number;
  /** Steps between calls of `onEvaluate`; never where it is left out. */
  readonly evaluateEvery?: number;
  /** A checkpoint is also written after so many seconds without one; default 600. */
  readonly checkpointSeconds?: number;
  /** Which checkpoints stay; default: the newest two, and the best by `best`. */
  readonly retention?: Partial<Retention>;
  /** Bytes that values of a step may occupy at one time: see the pass `recompute`. As they come where not given. */
  readonly memory?: number | undefined;
  /** A gradient norm this many times the usual one, for ten steps, ends the run; default 1000, 0 never. */
  readonly explosion?: number;
  /** Rows that are not trained on: the loss over them is measured before every checkpoint of `checkpointEvery`. */
  readonly heldOut?: Dataset;
  /** Where batches come from, in place of reading `dataset` on this thread; the caller closes it. */
  readonly batches?: BatchSource;
}

export interface StartInfo {
  readonly from: number;
  readonly rejected: readonly { file: string; reason: string }[];
  /** The checkpoint that is gone on from. */
  readonly checkpoint?: string;
  /** What is not as it was when the checkpoint was written, a sentence each. */
  readonly changes: readonly string[];
}

export interface TrainHooks {
  onStart?(info: StartInfo): void;
  onRecord?(record: LogRecord): void;
  onCheckpoint?(step: number, file: string): void;
  /** Called after every `evaluateEvery` steps, with the state; training waits. */
  onEvaluate?(step: number, state: State): Promise<void>;
  /** Asked after every step; true writes a checkpoint and ends the loop. */
  shouldStop?(): boolean;
}

export interface TrainResult {
  readonly step: number;
  /** False when `shouldStop` ended the loop. */
  readonly complete: boolean;
  readonly state: State;
}

/**
 * Trains `model` on `dataset`, writing log and checkpoints to the run folder.
 * @throws DivergedFault, ExplodedFault; InputFault where the checkpoint belongs to another spec, seed or data, or the
 * disk is full
 */
export async function train(
  model: CompiledModel,
  dataset: Dataset,
  executor: Executor,
  options: TrainOptions,
  hooks: TrainHooks = {},
): Promise<TrainResult> {
  const step = model.trainingStep(model.info.train.batch, { memory: options.memory });
  const program = await executor.prepare(step.graph, { carry: carryOf(step) });
  try {
    const origin = originOf(model, dataset, executor, options);
    const start = resumeFrom(model, options, origin, step.terms.length);
    const loop = new Loop(model, dataset, program, step, options, hooks, origin, start);
    try {
      if (options.heldOut)
        loop.heldOut = await HeldOut.prepare(model, options.heldOut, executor, options.seed, step.terms);
      return await loop.run();
    } catch (error) {
      throw diskFault(error, options.dir, loop.step, loop.checkpoint) ?? error;
    } finally {
      await loop.close();
    }
  } finally {
    await program.dispose();
  }
}

/** The loop over steps, with everything that it remembers between them. */
class Loop {
  step: number;
  checkpoint: string | undefined;
  heldOut: HeldOut | undefined;
  private readonly log: LogWriter;
  private readonly feeds: BatchFeeds;
  private readonly account: Account;
  private readonly train: CompiledModel['info']['train'];
  private readonly began = performance.now();
  private readonly secondsBefore: number;
  private saved = performance.now();
  /** Never changes: it is fed with every step. */
  private readonly frozen: Float32Array;

  constructor(
    private readonly model: CompiledModel,
    dataset: Dataset,
    private readonly program: Program,
    private readonly graph: TrainingStep,
    private readonly options: TrainOptions,
    private readonly hooks: TrainHooks,
    private readonly origin: Origin,
    start: Start,
  ) {
    const { dir, seed, steps } = options;
    for (const name of stateNames) {
      const data = start.state[name];
      if (data.length > 0) program.write(name, { data, shape: [data.length] });
    }
    // The schedule follows the steps that are asked for now, which a resumed run may have more of.
    this.train = { ...model.info.train, steps };
    this.frozen = start.state.frozen;
    this.step = start.info.from;
    this.checkpoint = start.info.checkpoint;
    this.account = start.account;
    this.secondsBefore = start.seconds;
    this.log = new LogWriter(dir, this.step);
    this.feeds = new BatchFeeds(model, graph, dataset, seed, this.train, this.train.batch, options.batches);
    hooks.onStart?.(start.info);
  }

  async run(): Promise<TrainResult> {
    const { steps, logEvery, checkpointEvery, checkpointSeconds = 600 } = this.options;
    while (this.step < steps) {
      this.step++;
      const n = this.step;
      const outputs = await this.program.run({ ...(await this.feeds.at(n)), ...frozenFeed(this.frozen) });
      this.check(outputs);
      const scheduled = n % checkpointEvery === 0 || n === steps;
      if (scheduled && this.heldOut) {
        this.account.heldOut = await this.heldOut.measure(
          await readState(this.program, this.model.layout, this.frozen),
        );
      }
      if (n % logEvery === 0 || n === steps) {
        const record = this.account.flush(n, this.graph.terms, rateAt(this.train, n), this.seconds());
        this.log.write(record);
        this.hooks.onRecord?.(record);
      }
      const { evaluateEvery = 0 } = this.options;
      if (evaluateEvery > 0 && n % evaluateEvery === 0) {
        const state = await readState(this.program, this.model.layout, this.frozen);
        await this.hooks.onEvaluate?.(n, state);
      }
      const stop = this.hooks.shouldStop?.() ?? false;
      const due = performance.now() - this.saved >= checkpointSeconds * 1000;
      if (scheduled || stop || due) await this.save(scheduled);
      if (stop) break;
    }
    return {
      step: this.step,
      complete: this.step >= steps,
      state: await readState(this.program, this.model.layout, this.frozen),
    };
  }

  async close(): Promise<void> {
    this.log.close();
    await this.heldOut?.dispose();
  }

  /** Takes a step's figures in. @throws DivergedFault, ExplodedFault before anything of a bad step is written */
  private check(outputs: Readonly<Record<string, Tensor>>): void {
    const [loss, norm] = [outputs.loss.data[0], outputs.grad_norm.data[0]];
    if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
      const terms = Object.fromEntries(this.graph.terms.map((name, i) => [name, outputs.terms.data[i]]));
      throw new DivergedFault(this.step, { loss, ...terms, grad_norm: norm }, this.checkpoint);
    }
    const usual = Math.exp(this.account.norm.mean);
    this.account.add(loss, outputs.terms.data, norm, this.options.explosion ?? 1000, this.train.clip);
    const { high } = this.account.norm;
    if (hasExploded(this.account.norm))
      throw new ExplodedFault(this.step, norm, usual, high, this.checkpoint);
  }

  private async save(scheduled: boolean): Promise<void> {
    const now = await readState(this.program, this.model.layout, this.frozen);
    requireFinite(now, this.step, this.checkpoint);
    this.log.sync();
    const meta: Meta = {
      ...this.origin,
      seconds: this.seconds(),
      steps: this.options.steps,
      position: positionOf(this.step, this.train.batch, this.origin.data.rows),
      account: this.account.toJson(),
    };
    const snapshot = {
      step: this.step,
      arrays: toTensors(this.model.layout, now),
      // Only at steps that do not depend on when the run was interrupted: the best is then the same one.
      metrics: scheduled ? this.account.metrics(this.graph.terms) : {},
      meta: meta as unknown as Json,
    };
    this.checkpoint = save(this.options.dir, snapshot, this.options.retention);
    this.saved = performance.now();
    this.hooks.onCheckpoint?.(this.step, this.checkpoint);
  }

  private seconds(): number {
    return this.secondsBefore + (performance.now() - this.began) / 1000;
  }
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

/** Nothing that is not a number is ever written to a checkpoint. */
function requireFinite(state: State, step: number, checkpoint: string | undefined): void {
  for (const name of stateNames) {
    if (state[name].every(Number.isFinite)) continue;
    throw new DivergedFault(step, { loss: 0, [name]: NaN }, checkpoint);
  }
}
