/**
 * `mmdc train`.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { didYouMean } from '../../compiler/diagnostics/suggest.js';
import { pickModel, type CompiledModel } from '../../compiler/driver.js';
import type { Backend } from '../executors/index.js';
import { projectRoot } from '../host.js';
import { InputFault, UsageFault } from '../faults.js';
import { writeAtomic } from '../files/atomic.js';
import { bundleDifference } from '../run/difference.js';
import { bundleOf, executorFile, readRun, runFile, type RunInfo } from '../run/folder.js';
import type { LogRecord } from '../run/log.js';
import { version } from '../version.js';
import type { Message } from '../worker/protocol.js';
import { runJob } from '../worker/start.js';
import { note, noteDiagnostics, print, type ColorChoice } from './output.js';
import { startProgress, type Progress } from './progress.js';
import { EventWriter } from '../run/tensorboard.js';
import { writeReport } from './report.js';
import { analyzeFile, compileFile, displayName, renamed } from './source.js';

export interface TrainOptions {
  readonly data?: string;
  readonly out: string;
  readonly steps?: number;
  readonly seed?: number;
  readonly set?: readonly string[];
  readonly model?: string;
  readonly backend: Backend;
  readonly threads?: number;
  readonly memory?: number;
  readonly resume?: boolean;
  readonly checkpointEvery: number;
  readonly keep: number;
  readonly keepEvery: number;
  readonly best?: string;
  readonly stopNorm: number;
  readonly evalEvery: number;
  readonly evalRows: number;
  readonly tensorboard?: boolean;
  readonly color: ColorChoice;
}

/** Rows of every task that a finished run shows. */
const sampleRows = 24;

export async function train(file: string, options: TrainOptions): Promise<void> {
  const set = [
    ...(options.set ?? []),
    ...(options.steps === undefined ? [] : [`train.steps=${options.steps}`]),
    ...(options.seed === undefined ? [] : [`train.seed=${options.seed}`]),
  ];
  const dir = resolve(options.out);
  const { model: named } = compileFile(file, set, options.model, options.color);
  const before = existsSync(runFile(dir)) ? readRun(dir) : undefined;
  if (before && !options.resume) throw alreadyHeld(options.out);
  const model = before ? asBegun(file, set, named, before) : named;
  const run = before ? goOn(before, model, named, set, options) : describe(model, options.data);
  const best = options.best ?? (model.info.evalRows ? 'held_out.loss' : 'loss');
  checkMetric(best, model);
  let executor = '';
  let events: EventWriter | undefined;
  const page = new LivePage(dir);
  let bar: Progress | undefined;
  let sampling: { what: string; progress: Progress } | undefined;
  let trained: Extract<Message, { kind: 'trained' }> | undefined;
  const { interrupted } = await runJob(
    {
      kind: 'train',
      dir,
      run,
      resume: before !== undefined,
      checkpointEvery: options.checkpointEvery,
      retention: { keep: options.keep, every: options.keepEvery, best },
      explosion: options.stopNorm,
      root: projectRoot(file),
      backend: options.backend,
      threads: options.threads ?? null,
      memory: options.memory ?? null,
      samples: sampleRows,
      evaluateEvery: options.evalEvery,
      evaluateRows: options.evalRows,
    },
    {
      onInterrupt: () => note('\ninterrupted: writing a checkpoint (press again to end at once)'),
      onDiagnostics: (diagnostics) => {
        const shown = displayName(file);
        const sources = new Map(Object.entries(run.bundle.files).map(([name, text]) => [shown(name), text]));
        noteDiagnostics(
          diagnostics.map((d) => renamed(d, shown)),
          sources,
          options.color,
        );
      },
      onMessage: (message) => {
        switch (message.kind) {
          case 'executor':
            note(message.line);
            executor = message.line;
            break;
          case 'start':
            writeAtomic(executorFile(dir), `${executor}\n`);
            for (const { file: name, reason } of message.rejected)
              note(`warning: left out a checkpoint: ${name}: ${reason}`);
            if (message.rejected.length > 0 && message.checkpoint !== undefined)
              note(`using the older checkpoint ${message.checkpoint}`);
            note(
              message.from > 0
                ? `going on from step ${message.from}`
                : `${model.layout.size} parameters, ${run.steps} steps of ${run.batch} rows`,
            );
            bar = startProgress('training', run.steps, message.from, 'steps');
            if (options.tensorboard) events = new EventWriter(dir, run.started, message.from);
            break;
          case 'warning':
            note(`${bar ? '\n' : ''}warning: ${message.text}`);
            break;
          case 'record':
            events?.write(message.record);
            page.due();
            bar?.update(message.record.step, showLosses(message.record));
            break;
          case 'sampling':
            if (sampling?.what !== message.what) {
              (sampling?.progress ?? bar)?.end();
              sampling = {
                what: message.what,
                progress: startProgress(`sampling ${message.what}`, message.total),
              };
            }
            sampling.progress.update(message.done, '');
            break;
          case 'trained':
            trained = message;
            break;
          default:
            break;
        }
      },
    },
  ).finally(async () => {
    (sampling?.progress ?? bar)?.end();
    events?.close();
    await page.idle();
  });
  if (interrupted && !trained?.complete) {
    note(`stopped at step ${trained?.step ?? 0}; \`--resume\` goes on from there`);
    process.exitCode = 130;
    return;
  }
  // A run folder can be uploaded to a model hub as it is.
  const { modelCard, writeCard } = await import('../export/card.js');
  const card = modelCard(model, { target: 'run', run: dir, step: trained?.step ?? 0 });
  if (!writeCard(dir, card)) note(`${join(dir, 'README.md')} was changed by hand, and stays as it is`);
  print(await writeReport(dir));
  if (interrupted) process.exitCode = 130;
}

function describe(model: CompiledModel, data: string | undefined): RunInfo {
  return {
    format: 1,
    bundle: bundleOf(model),
    hash: model.hash(),
    data: data === undefined ? null : data.startsWith('builtin:') ? data : resolve(data),
    steps: model.info.train.steps,
    seed: model.info.train.seed,
    batch: model.info.train.batch,
    version: version(),
    started: new Date().toISOString(),
  };
}

function alreadyHeld(out: string): InputFault {
  return new InputFault(
    `${out} already holds a run`,
    'go on with it with `--resume` (and more `--steps`, where it is finished), or choose another folder',
  );
}

const isSteps = (override: string): boolean => /^\s*train\.steps\s*=/.test(override);

/**
 * The model as the run was begun: the number of steps is the one setting that a run may change, so an override of it
 * is taken from the run.
 */
function asBegun(file: string, set: readonly string[], named: CompiledModel, before: RunInfo): CompiledModel {
  const plain = (list: readonly string[]) => list.filter((item) => !isSteps(item)).join('\n');
  if (plain(set) !== plain(before.bundle.set) || set.join('\n') === before.bundle.set.join('\n'))
    return named;
  const model = pickModel(analyzeFile(file, before.bundle.set).analysis, named.info.name);
  return typeof model === 'string' ? named : model;
}

/** The description of a run that goes on. @throws InputFault where it would be another run */
function goOn(
  before: RunInfo,
  model: CompiledModel,
  named: CompiledModel,
  set: readonly string[],
  options: TrainOptions,
): RunInfo {
  if (before.hash !== model.hash()) {
    const how = bundleDifference(before.bundle, bundleOf(model)) ?? 'its files differ';
    throw new InputFault(
      `${options.out} was trained with another spec: ${how}`,
      'resume with the spec and settings it was started with, or choose another folder',
    );
  }
  const { data, started } = { ...describe(model, options.data), started: before.started };
  const steps = set.some(isSteps) ? named.info.train.steps : before.steps;
  return { ...before, data, started, steps };
}

/** @throws UsageFault where no checkpoint will ever have the metric */
function checkMetric(metric: string, { info }: CompiledModel): void {
  const terms = ['loss', 'L0', 'L1', 'L3', ...[...info.loss.L2.keys()].map((name) => `L2.${name}`)];
  const simplified = info.loss.L1.form === 'simplified';
  const known = [...terms, ...terms.map((name) => `held_out.${name}`)];
  if (known.includes(metric) || (simplified && /^(held_out\.)?L1[a-z_.]*$/i.test(metric))) return;
  const near = didYouMean(metric, known);
  throw new UsageFault(
    `there is no metric '${metric}'`,
    near === undefined ? `there are ${known.join(', ')}` : `did you mean \`${near}\`?`,
  );
}

function showLosses(record: LogRecord): string {
  const number = (x: number) => (Math.abs(x) >= 1e5 ? x.toExponential(2) : x.toPrecision(4));
  const parts = [`loss ${number(record.loss)}`];
  for (const [name, value] of Object.entries(record.simplified)) parts.push(`${name} ${number(value)}`);
  parts.push(`L0 ${number(record.L0)}`, `L1 ${number(record.L1)}`);
  for (const [name, value] of Object.entries(record.L2)) parts.push(`L2.${name} ${number(value)}`);
  parts.push(`L3 ${number(record.L3)}`);
  return parts.join(' ');
}

/** The run's `report.html`, written again while the run goes on. */
class LivePage {
  private next = performance.now() + 10_000;
  private writing: Promise<void> | undefined;

  constructor(private readonly dir: string) {}

  /** Writes the page when it is time: every half minute, and never for more than a twentieth of the time. */
  due(): void {
    const began = performance.now();
    if (this.writing || began < this.next) return;
    this.writing = writeReport(this.dir, { refresh: 30 })
      // The report at the end tells what is wrong; a run does not end because of a page.
      .catch(() => undefined)
      .then(() => {
        const now = performance.now();
        this.next = now + Math.max(30_000, 20 * (now - began));
        this.writing = undefined;
      });
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.writing;
    this.next = Infinity;
  }
}
