/**
 * `mmdc report`.
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import type { CompiledModel } from '../../compiler/driver.js';
import type { ModelInfo, ModalityInfo } from '../../compiler/model/info.js';
import { snr } from '../../compiler/process/tables.js';
import { sizeOf } from '../../compiler/graph/ir.js';
import { readNpy } from '../data/npy.js';
import { writeAtomic } from '../files/atomic.js';
import { evaluationFile, readEvaluation, readScheduled } from '../eval/file.js';
import type { Metric, RunReport, SampleImage, TaskSamples } from '../report/model.js';
import { eventFile } from '../report/tensorboard.js';
import { compileRun, executorFile, readRun, type RunInfo } from '../run/folder.js';
import { readLog } from '../run/log.js';
import { weightsFile } from '../train/weights.js';
import { drawRows, gridLayout, type SampleDescription } from '../sample/write.js';
import { print } from './output.js';

export interface ReportOptions {
  readonly out?: string;
  readonly tensorboard?: string;
}

/** `report.html` of one run, or one page that compares several. */
export async function report(dirs: readonly string[], options: ReportOptions): Promise<void> {
  if (options.tensorboard !== undefined) {
    for (const dir of dirs)
      print(
        exportEvents(
          dir,
          dirs.length > 1 ? join(options.tensorboard, basename(resolve(dir))) : options.tensorboard,
        ),
      );
    return;
  }
  if (dirs.length > 1) print(await writeComparison(dirs, options.out ?? 'comparison.html'));
  else print(await writeReport(dirs[0], { ...(options.out === undefined ? {} : { out: options.out }) }));
}

async function writeComparison(dirs: readonly string[], out: string): Promise<string> {
  const runs = dirs.map((dir) => {
    const { run, model } = compileRun(dir);
    return { name: dir, log: readLog(dir), steps: run.steps, settings: settingsOf(run, model) };
  });
  const { renderComparison } = await import('../report/index.js');
  writeAtomic(resolve(out), await renderComparison(runs));
  return out;
}

/** A run's log as a TensorBoard event file in the folder `out`. */
function exportEvents(dir: string, out: string): string {
  const started = Date.parse(readRun(dir).started) / 1000;
  mkdirSync(out, { recursive: true });
  const file = join(out, `events.out.tfevents.${Math.floor(started)}.mmdc`);
  writeAtomic(file, eventFile(readLog(dir), started));
  return file;
}

export interface PageOptions {
  /** In place of the run folder's `report.html`. */
  readonly out?: string;
  /** Seconds after which a browser loads the page again, while the run goes on. */
  readonly refresh?: number;
}

/** What was in force, in the order to show. */
function settingsOf(run: RunInfo, model: CompiledModel): [string, string][] {
  return [
    ['model', model.info.name],
    ['data', run.data ?? 'the set embedded in mmdc'],
    ['parameters', model.layout.size.toLocaleString('en')],
    ['batch', String(run.batch)],
    ['steps', String(run.steps)],
    ['seed', String(run.seed)],
    ['mmdc', run.version],
    ...run.bundle.set.map((item): [string, string] => {
      const [path, ...value] = item.split('=');
      return [path.trim(), value.join('=').trim()];
    }),
    ...model.info.defaults.map((d): [string, string] => [d.path, `${d.value} (default: ${d.reason})`]),
  ];
}

/** Writes `report.html` into a run folder. @returns its path as the user would type it */
export async function writeReport(dir: string, options: PageOptions = {}): Promise<string> {
  const { run, model } = compileRun(dir);
  const { info } = model;
  const log = readLog(dir);
  const done = log.length > 0 ? log[log.length - 1].step : 0;
  const finished = existsSync(weightsFile(dir)) && log.length > 0;
  const seconds = log.length > 0 ? log[log.length - 1].seconds : 0;
  const content: RunReport = {
    title: info.name,
    spec: { path: run.bundle.file, text: run.bundle.files[run.bundle.file], hash: run.hash },
    started: run.started,
    ...(finished ? { finished: new Date(Date.parse(run.started) + seconds * 1000).toISOString() } : {}),
    settings: settingsOf(run, model),
    ...(options.refresh === undefined ? {} : { refresh: options.refresh }),
    executor: readExecutor(dir),
    steps: { done, planned: run.steps },
    log,
    samples: info.tasks.flatMap((task) => readSamples(join(dir, 'samples', task.name), info) ?? []),
    metrics: readMetrics(dir, run.hash),
    process: processCurves(info),
    parameters: model.layout.trainable.map(({ name, shape, size }) => ({ name, shape, count: size })),
    notes: info.doc === '' ? [] : [info.doc],
  };
  const { renderReport } = await import('../report/index.js');
  const file = options.out === undefined ? join(dir, 'report.html') : resolve(options.out);
  writeAtomic(file, await renderReport(content));
  return relative(process.cwd(), resolve(file)) || file;
}

/** Evaluations during training whose figures are shown beside the newest. */
const shownBefore = 6;

/** Figures of `mmdc eval`, where it wrote them into the run folder for the spec that the run has. */
function readMetrics(dir: string, hash: string): Metric[] {
  const evaluation = readEvaluation(evaluationFile(dir));
  if (evaluation?.provenance.spec !== hash) return [];
  const { trained, seed } = evaluation.provenance;
  const earlier = readScheduled(dir).filter(
    ({ provenance }) => provenance.spec === hash && provenance.trained < trained,
  );
  /** What the same question gave before: `; before: 0.41 (step 500), 0.62 (step 1000)`. */
  const before = (task: string, name: string): string => {
    const figures = earlier.slice(-shownBefore).flatMap(({ tasks, provenance }) => {
      const value = tasks[task]?.[name]?.value;
      return value === undefined ? [] : [`${Number(value.toPrecision(4))} (step ${provenance.trained})`];
    });
    return figures.length === 0 ? '' : `; before: ${figures.join(', ')}`;
  };
  return Object.entries(evaluation.tasks).flatMap(([task, measures]) =>
    Object.entries(measures).map(([name, { value, count, features }]) => ({
      name,
      value,
      count,
      note: `task ${task}${typeof features === 'string' ? `, ${features} features` : ''}, averaged weights of step ${trained}, seed ${seed}${before(task, name)}`,
    })),
  );
}

/** The executor's line, written down when the training began. */
function readExecutor(dir: string): string {
  const file = executorFile(dir);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : 'not recorded';
}

function processCurves(info: ModelInfo): RunReport['process'] {
  const { tables } = info;
  return {
    components: tables.components.map((component) => ({
      name: component.name,
      coefficient: [...component.c],
      snr: [...component.c].map((_, t) => snr(tables, component, t)),
    })),
    sigma: [...tables.sigma],
  };
}

/** Pictures of a task's samples, with everything that cannot be seen as captions. */
function readSamples(dir: string, info: ModelInfo): TaskSamples | undefined {
  const file = join(dir, 'samples.json');
  if (!existsSync(file)) return undefined;
  const description = JSON.parse(readFileSync(file, 'utf8')) as SampleDescription;
  const names = [...description.given, ...description.produced];
  const arrays = new Map(names.map((name) => [name, readNpy(join(dir, `${name}.npy`))]));
  const modality = (name: string) => info.modalities.find((m) => m.name === name) as ModalityInfo;
  const captions = captionsOf(
    names.map(modality).filter((m) => m.type === 'category'),
    arrays,
  );
  const grid = { ...gridLayout(description.n), count: description.n };
  const images = names.flatMap((name): SampleImage[] => {
    const array = arrays.get(name);
    if (!array) return [];
    const rows = { data: array.data as Float32Array | Int32Array, shape: array.shape };
    const png = drawRows(info, name, rows);
    if (!png) return [];
    const role = description.given.includes(name) ? 'given' : 'generated';
    return [
      {
        name: `${name} (${role})`,
        png,
        grid,
        alt: `${description.n} ${role} pictures of \`${name}\``,
        ...(captions ? { captions } : {}),
      },
    ];
  });
  const sampler =
    description.sampler === 'ddim'
      ? `DDIM (eta ${description.eta})`
      : description.sampler === 'ddpm'
        ? 'DDPM'
        : 'DPM-Solver++(2M)';
  const how =
    description.readout === 'terminal'
      ? `mean of ${description.calls} calls at t = T`
      : `${sampler}, ${description.steps} steps`;
  const guidance = description.guidance === 1 ? '' : `, guidance ${description.guidance}`;
  return {
    task: description.task ?? 'samples',
    given: description.given,
    produced: description.produced,
    caption: `${how}${guidance}, seed ${description.seed}`,
    images,
  };
}

function captionsOf(
  modalities: readonly ModalityInfo[],
  arrays: ReadonlyMap<string, { readonly data: ArrayLike<number>; readonly shape: readonly number[] }>,
): string[] | undefined {
  if (modalities.length === 0) return undefined;
  const [first] = modalities;
  const n = arrays.get(first.name)?.shape[0] ?? 0;
  return Array.from({ length: n }, (_, i) =>
    modalities
      .map((m) => {
        const index = arrays.get(m.name)?.data[i * sizeOf(m.dataShape)] ?? -1;
        return m.labels?.[index] ?? String(index);
      })
      .join(', '),
  );
}
