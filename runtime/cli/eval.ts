/**
 * `mmdc eval`.
 *
 * @module
 */
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { didYouMean } from '../../compiler/diagnostics/suggest.js';
import type { Evaluation, Measures } from '../eval/model.js';
import type { Backend } from '../executors/index.js';
import { InputFault, UsageFault } from '../faults.js';
import { writeAtomic } from '../files/atomic.js';
import { compileRun } from '../run/folder.js';
import { runJob } from '../worker/start.js';
import { note, noteDiagnostics, print, type ColorChoice } from './output.js';
import { startProgress, type Progress } from './progress.js';

export interface EvalOptions {
  readonly data?: string;
  readonly out: string;
  readonly task?: readonly string[];
  readonly roles?: boolean;
  readonly n: number;
  readonly seed: number;
  readonly networks?: string;
  readonly lpips?: string;
  readonly backend: Backend;
  readonly threads?: number;
  readonly color: ColorChoice;
}

export async function evaluate(dir: string, options: EvalOptions): Promise<void> {
  const { run, model } = compileRun(dir);
  const names = model.info.tasks.map((t) => t.name);
  if (options.roles && options.task) throw new UsageFault('--task and --roles exclude each other');
  if (names.length === 0 && !options.roles)
    throw new InputFault(
      'the model has no tasks to evaluate',
      'declare one: `task NAME: image`, or ask everything: --roles',
    );
  for (const task of options.task ?? []) {
    if (names.includes(task)) continue;
    const near = didYouMean(task, names);
    throw new InputFault(
      `the model has no task \`${task}\``,
      near ? `did you mean \`${near}\`?` : `it has ${names.map((t) => `\`${t}\``).join(', ')}`,
    );
  }
  const root = options.data ?? run.data ?? undefined;
  const data = root === undefined || root.startsWith('builtin:') ? root : resolve(root);
  let shown: { what: string; progress: Progress } | undefined;
  let result: Evaluation | undefined;
  const { interrupted } = await runJob(
    {
      kind: 'eval',
      bundle: run.bundle,
      dir: resolve(dir),
      data: data ?? null,
      tasks: options.roles ? 'roles' : (options.task ?? names),
      rows: options.n,
      seed: options.seed,
      networks: resolve(options.networks ?? join(dir, 'networks')),
      lpips: options.lpips === undefined ? null : resolve(options.lpips),
      backend: options.backend,
      threads: options.threads ?? null,
    },
    {
      onInterrupt: () => process.exit(130),
      onDiagnostics: (diagnostics) =>
        noteDiagnostics(diagnostics, new Map(Object.entries(run.bundle.files)), options.color),
      onMessage: (message) => {
        if (message.kind === 'executor') note(message.line);
        else if (message.kind === 'sampling') {
          if (shown?.what !== message.what) {
            shown?.progress.end();
            shown = { what: message.what, progress: startProgress(message.what, message.total) };
          }
          shown.progress.update(message.done, '');
        } else if (message.kind === 'evaluated') result = message.evaluation;
      },
    },
  ).finally(() => shown?.progress.end());
  if (interrupted || !result) return;
  mkdirSync(dirname(resolve(options.out)), { recursive: true });
  writeAtomic(resolve(options.out), `${JSON.stringify(result, undefined, 2)}\n`);
  for (const [task, measures] of Object.entries(result.tasks)) note(table(task, measures));
  for (const reason of result.omitted) note(`not measured: ${reason}`);
  print(options.out);
}

function table(task: string, measures: Measures): string {
  const entries = Object.entries(measures);
  const width = Math.max(...entries.map(([name]) => name.length));
  const lines = entries.map(
    ([name, { value, count }]) => `  ${name.padEnd(width)}  ${show(value)}  (${count} rows)`,
  );
  return [task, ...lines].join('\n');
}

const show = (x: number): string => (Number.isInteger(x) ? String(x) : x.toPrecision(4)).padStart(10);
