/**
 * `mmdc sample`.
 *
 * @module
 */
import { resolve } from 'node:path';
import { didYouMean } from '../../compiler/diagnostics/suggest.js';
import type { ModelInfo } from '../../compiler/model/info.js';
import { canProduce } from '../../compiler/model/check.js';
import type { Sampler } from '../../compiler/process/samplers.js';
import type { Backend } from '../executors/index.js';
import { InputFault, UsageFault } from '../faults.js';
import { compileRun, encodersOf } from '../run/folder.js';
import { findModality, fitRows, notGiven, readGiven, rowsOf } from '../sample/given.js';
import { openModality } from '../data/open.js';
import { questionOf, type Question } from '../sample/questions.js';
import type { Rows } from '../sample/sampler.js';
import { neededBy } from '../sample/tasks.js';
import { writeSamples } from '../sample/write.js';
import type { Which } from '../train/weights.js';
import { runJob } from '../worker/start.js';
import type { Message } from '../worker/protocol.js';
import { note, print, type ColorChoice } from './output.js';
import { startProgress, type Progress } from './progress.js';

export interface SampleOptions {
  readonly out: string;
  readonly task?: string;
  readonly given?: readonly string[];
  readonly produce?: readonly string[];
  readonly n?: number;
  readonly steps?: number;
  readonly sampler?: Sampler['form'];
  readonly seed: number;
  readonly checkpoint?: string;
  readonly backend: Backend;
  readonly threads?: number;
  readonly color: ColorChoice;
}

const defaultRows = 16;

export async function sample(dir: string, options: SampleOptions): Promise<void> {
  const { run, model } = compileRun(dir);
  const { info } = model;
  const given = await Promise.all(
    (options.given ?? []).map((text) => readGiven(info, text, { project: encodersOf(dir) })),
  );
  const again = given.find((g, i) => given.findIndex((other) => other.name === g.name) !== i);
  if (again) throw new UsageFault(`--given ${again.name} is there twice`);
  const task = chooseTask(
    info,
    options,
    given.map((g) => g.name),
  );
  const steps = options.steps ?? task.steps;
  if (steps > info.tables.steps)
    throw new UsageFault(`--steps ${steps}: the process has ${info.tables.steps} steps`);
  // Rows given from data say how many there are; a single one is for all.
  const counts = given.map((g) => g.rows.shape[0]).filter((rows) => rows > 1);
  const n = options.n ?? (counts.length > 0 ? Math.max(...counts) : defaultRows);
  const data = new Map<string, Rows>();
  for (const name of neededBy(task)) {
    const found = given.find((g) => g.name === name);
    // A task's givens that the command line leaves open come from the run's own held-out data.
    const rows = found?.rows ?? (await heldOut(info, name, run.data, n, encodersOf(dir)));
    data.set(name, fitRows(name, rows, n));
  }
  const sampler: Sampler =
    options.sampler === undefined
      ? task.sampler
      : options.sampler === 'ddim'
        ? { form: 'ddim', eta: 0 }
        : { form: options.sampler };
  const request = { ...task, rows: n, seed: options.seed, steps, sampler };
  let progress: Progress | undefined;
  let result: Extract<Message, { kind: 'sampled' }> | undefined;
  const { interrupted } = await runJob(
    {
      kind: 'sample',
      bundle: run.bundle,
      dir: resolve(dir),
      request,
      weights: whichWeights(options.checkpoint, info),
      data,
      backend: options.backend,
      threads: options.threads ?? null,
    },
    {
      onInterrupt: () => process.exit(130),
      onMessage: (message) => {
        if (message.kind === 'executor') note(message.line);
        else if (message.kind === 'sampling') {
          progress ??= startProgress('sampling', message.total);
          progress.update(message.done, '');
        } else if (message.kind === 'sampled') result = message;
      },
    },
  ).finally(() => progress?.end());
  if (interrupted || !result) return;
  const files = writeSamples(resolve(options.out), info, result.rows, {
    task: options.task ?? null,
    given: task.given,
    produced: task.produced,
    known: task.known,
    values: given.map((g) => g.text),
    n,
    seed: options.seed,
    steps,
    sampler: sampler.form,
    eta: sampler.form === 'ddim' ? sampler.eta : null,
    guidance: task.guidance,
    readout: task.readout.form,
    calls: task.readout.form === 'terminal' ? task.readout.calls : null,
    spec: run.hash,
    trained: result.trained,
  });
  for (const file of files) print(`${options.out}/${file}`);
}

/** The task that the options mean: a declared one, or what `--given` and `--produce` put together. */
function chooseTask(info: ModelInfo, options: SampleOptions, given: readonly string[]): Question {
  const produce = (options.produce ?? []).flatMap((text) => text.split(',')).map((name) => name.trim());
  if (options.task !== undefined) {
    if (produce.length > 0) throw new UsageFault('--task and --produce exclude each other');
    const task = info.tasks.find((t) => t.name === options.task);
    if (!task) {
      const names = info.tasks.map((t) => t.name);
      const near = didYouMean(options.task, names);
      throw new InputFault(
        `the model has no task \`${options.task}\``,
        near ? `did you mean \`${near}\`?` : `it has ${names.map((t) => `\`${t}\``).join(', ')}`,
      );
    }
    const extra = given.find((name) => !neededBy(task).includes(name));
    if (extra) throw new UsageFault(`--given ${extra}: the task \`${task.name}\` is not given it`);
    return task;
  }
  const produced =
    produce.length > 0
      ? produce
      : given.length > 0
        ? []
        : info.modalities.map((m) => m.name).filter((name) => canProduce(info, name));
  if (produced.length === 0) throw new UsageFault('say what to produce: --produce NAME, or --task NAME');
  for (const name of produced) {
    findModality(info, name);
    if (!canProduce(info, name))
      throw new InputFault(`\`${name}\` cannot be produced: the model has no decoder for it`);
    if (given.includes(name)) throw new UsageFault(`\`${name}\` is both given and produced`);
  }
  for (const name of given) if (!info.encoders.has(name)) throw notGiven(name);
  return questionOf(info, given, produced);
}

async function heldOut(
  info: ModelInfo,
  name: string,
  data: string | null,
  n: number,
  project: string,
): Promise<Rows> {
  const root = data ?? (info.data.set ? `builtin:${String(info.data.set.source.args.name)}` : undefined);
  if (root === undefined) throw new UsageFault(`say what \`${name}\` is: --given ${name}=VALUE`);
  const column = await openModality(info, name, root, { project });
  const first = info.evalRows?.from ?? 0;
  const last = info.evalRows?.to ?? column.rows;
  return rowsOf(
    column,
    Array.from({ length: Math.min(n, last - first) }, (_, i) => first + i),
  );
}

/** @throws UsageFault when it names no checkpoint */
function whichWeights(text: string | undefined, info: ModelInfo): Which {
  if (text === undefined) return 'final';
  if (text === 'last') return 'last';
  if (text === 'best') return info.evalRows ? 'best:held_out.loss' : 'best:loss';
  if (text.startsWith('best:')) return text as Which;
  if (/^\d+$/.test(text)) return Number(text);
  throw new UsageFault(
    `--checkpoint ${text} names no checkpoint`,
    'it is `last`, a step, `best`, or `best:` and a metric such as `best:L2.label`',
  );
}
