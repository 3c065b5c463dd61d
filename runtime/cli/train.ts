/**
 * `mmdc train`.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CompiledModel } from '../../compiler/driver.js';
import type { Backend } from '../executors/index.js';
import { projectRoot } from '../host.js';
import { InputFault } from '../faults.js';
import { writeAtomic } from '../files/atomic.js';
import { bundleOf, executorFile, readRun, runFile, type RunInfo } from '../run/folder.js';
import type { LogRecord } from '../run/log.js';
import { version } from '../version.js';
import type { Message } from '../worker/protocol.js';
import { runJob } from '../worker/start.js';
import { note, noteDiagnostics, print, type ColorChoice } from './output.js';
import { startProgress, type Progress } from './progress.js';
import { writeReport } from './report.js';
import { compileFile, displayName, renamed } from './source.js';

export interface TrainOptions {
  readonly data?: string;
  readonly out: string;
  readonly steps?: number;
  readonly seed?: number;
  readonly set?: readonly string[];
  readonly model?: string;
  readonly backend: Backend;
  readonly threads?: number;
  readonly resume?: boolean;
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
  const { model } = compileFile(file, set, options.model, options.color);
  const dir = resolve(options.out);
  const run = describe(model, options.data);
  const resume = checkFolder(dir, run, options);
  let executor = '';
  let bar: Progress | undefined;
  let sampling: { what: string; progress: Progress } | undefined;
  let trained: Extract<Message, { kind: 'trained' }> | undefined;
  const { interrupted } = await runJob(
    {
      kind: 'train',
      dir,
      run,
      resume,
      root: projectRoot(file),
      backend: options.backend,
      threads: options.threads ?? null,
      samples: sampleRows,
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
            note(
              message.from > 0
                ? `going on from step ${message.from}`
                : `${model.layout.size} parameters, ${run.steps} steps of ${run.batch} rows`,
            );
            bar = startProgress('training', run.steps, message.from);
            break;
          case 'record':
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
  ).finally(() => (sampling?.progress ?? bar)?.end());
  if (interrupted && !trained?.complete) {
    note(`stopped at step ${trained?.step ?? 0}; \`--resume\` goes on from there`);
    process.exitCode = 130;
    return;
  }
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

/** Refuses to write over a run, or to resume another one. Whether to resume. */
function checkFolder(dir: string, run: RunInfo, options: TrainOptions): boolean {
  if (!existsSync(runFile(dir))) return false;
  if (!options.resume) {
    throw new InputFault(
      `${options.out} already holds a run`,
      'go on with it with `--resume`, or choose another folder',
    );
  }
  const before = readRun(dir);
  if (before.hash !== run.hash) {
    throw new InputFault(
      `${options.out} was trained with another spec: ${difference(before, run)}`,
      'resume with the spec and settings it was started with, or choose another folder',
    );
  }
  return true;
}

/** The first thing in which two runs differ. */
function difference(before: RunInfo, now: RunInfo): string {
  if (before.bundle.model !== now.bundle.model)
    return `model \`${before.bundle.model}\`, now \`${now.bundle.model}\``;
  if (before.bundle.set.join() !== now.bundle.set.join()) {
    return `overrides [${before.bundle.set.join(', ')}], now [${now.bundle.set.join(', ')}]`;
  }
  for (const [name, text] of Object.entries(now.bundle.files)) {
    const old = before.bundle.files[name];
    if (old === undefined) return `${name} was not part of it`;
    if (old === text) continue;
    const [a, b] = [old.split('\n'), text.split('\n')];
    const line = b.findIndex((content, i) => content !== a[i]);
    const at = line < 0 ? b.length : line;
    return `line ${at + 1} of ${name} was \`${(a[at] ?? '').trim()}\` and is \`${(b[at] ?? '').trim()}\``;
  }
  const gone = Object.keys(before.bundle.files).find((name) => !(name in now.bundle.files));
  return gone === undefined ? 'its files differ' : `${gone} is no longer part of it`;
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
