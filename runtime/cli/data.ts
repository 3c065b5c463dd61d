/**
 * `mmdc data`: what a spec would be fed, and what is wrong with it, before anything is trained.
 *
 * @module
 */
import { resolve } from 'node:path';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.js';
import type { ModelInfo } from '../../compiler/model/info.js';
import { allocateBatch, fillRows } from '../data/batches.js';
import { DataFault } from '../data/fault.js';
import { openEach, openParts, type OpenedParts } from '../data/open.js';
import { overlap } from '../data/overlap.js';
import { MOST_PROBLEMS, survey, type ColumnSurvey } from '../data/survey.js';
import type { Dataset } from '../data/table.js';
import { SpecFault, UsageFault } from '../faults.js';
import { writeAtomic } from '../files/atomic.js';
import { projectRoot } from '../host.js';
import { renderDataReport, valuesOf } from '../report/data.js';
import type { SampleImage } from '../report/model.js';
import { drawRows, gridLayout } from '../sample/write.js';
import { note, noteDiagnostics, print, type ColorChoice } from './output.js';
import { startProgress } from './progress.js';
import { compileFile, displayName, renamed, type Read } from './source.js';

export interface DataOptions {
  readonly data?: string;
  readonly out?: string;
  readonly format: 'text' | 'json';
  readonly set?: readonly string[];
  readonly model?: string;
  readonly color: ColorChoice;
}

/** Rows that the page shows. */
const shown = 48;

/** Problems of one modality that the terminal lists; JSON and the page have all that are kept. */
const listed = 10;

export async function showData(file: string, options: DataOptions): Promise<void> {
  if (options.out !== undefined && !/\.html?$/i.test(options.out))
    throw new UsageFault(`-o ${options.out}: it writes a page`, 'name a file that ends in .html');
  const { model, read } = compileFile(file, options.set ?? [], options.model, options.color);
  const { info } = model;
  const faults: Diagnostic[] = [];
  const project = projectRoot(resolve(file));
  const columns = await surveyAll(info, options.data, project, faults);
  const warnings: string[] = [];
  const parts: Record<string, number> = {};
  let rows: Dataset | undefined;
  if (faults.length === 0) {
    const opened = await guarded(() => openParts(info, options.data, { lazy: true, project }), faults);
    if (opened) rows = await part(info, opened, parts, warnings, columns, faults);
  }
  const problems = columns.flatMap((c) => problemsOf(c, MOST_PROBLEMS));
  warnings.push(...columns.flatMap(suspicions));
  if (options.out !== undefined)
    writeAtomic(
      options.out,
      renderDataReport({
        model: info.name,
        spec: file,
        data: options.data ?? 'embedded',
        parts,
        columns,
        problems: [...faults.map((d) => d.message), ...problems],
        warnings,
        ...(rows ? pictures(info, rows) : { images: [], shown: 0 }),
      }),
    );
  const there = faults.map((d) => renamed(d, displayName(file)));
  if (options.format === 'json')
    print(
      JSON.stringify(
        {
          model: info.name,
          rows: parts,
          modalities: columns,
          warnings,
          problems: there.map(({ code, message, help }) => ({ code, message, help })),
        },
        undefined,
        2,
      ),
    );
  else if (columns.length > 0) print(asText(info.name, columns, parts, warnings));
  report(there, read, columns, options);
  if (faults.length > 0 || columns.some((c) => c.damaged > 0 && info.data.errors !== 'skip'))
    process.exitCode = 1;
}

/** Every source on its own; of an embedded set, its columns. */
async function surveyAll(
  info: ModelInfo,
  root: string | undefined,
  project: string,
  faults: Diagnostic[],
): Promise<ColumnSurvey[]> {
  const sources = root === undefined ? [] : await openEach(info, root);
  for (const source of sources) if ('fault' in source) faults.push(...source.fault.diagnostics);
  let columns = sources.flatMap((source) => ('column' in source ? [source.column] : []));
  if (sources.length === 0) {
    const opened = await guarded(() => openParts(info, root, { lazy: true, project }), faults);
    const dataset = opened && (await guarded(() => opened.part('train').dataset, faults));
    columns = dataset ? [...dataset.columns.values()] : [];
  }
  const total = columns.reduce((n, c) => n + c.rows, 0);
  const bar = startProgress('reading', total, 0, 'rows');
  let done = 0;
  const surveys = columns.map((column) =>
    survey(column, () => {
      if (done++ % 256 === 0) bar.update(done, column.name);
    }),
  );
  bar.end();
  return surveys;
}

/** The rows as they are joined and parted, and what the parts have in common. */
async function part(
  info: ModelInfo,
  opened: OpenedParts,
  parts: Record<string, number>,
  warnings: string[],
  columns: readonly ColumnSurvey[],
  faults: Diagnostic[],
): Promise<Dataset | undefined> {
  const training = await guarded(() => opened.part('train').dataset, faults);
  if (!training) return undefined;
  parts.training = training.rows;
  if (!info.evalRows) return training;
  const held = await guarded(() => opened.part('eval').dataset, faults);
  if (!held) return training;
  parts['held out'] = held.rows;
  if (columns.every((c) => c.damaged === 0)) {
    const { exact, near, compared } = overlap(training, held);
    if (exact.length + near > 0)
      warnings.push(
        `of ${compared} rows compared, ${exact.length} to train on are copies of rows held out (training leaves them out) and ${near} nearly are`,
      );
  }
  return training;
}

async function guarded<T>(work: () => T | Promise<T>, faults: Diagnostic[]): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SpecFault)) throw error;
    faults.push(...error.diagnostics);
    return undefined;
  }
}

function problemsOf({ modality, problems, damaged }: ColumnSurvey, most: number): string[] {
  const some = problems.slice(0, most);
  const more = damaged - some.length;
  return [
    ...some.map(({ row, file, problem }) => `${modality}: row ${row}: ${file}: ${problem}`),
    ...(more > 0 ? [`${modality}: ${more} more rows cannot be read`] : []),
  ];
}

/** What is allowed and rarely meant. */
function suspicions({ modality, values, classes, rows, missing, shape }: ColumnSurvey): string[] {
  const found: string[] = [];
  if (values && values.constantRows > 0 && shape.length > 0)
    found.push(`${modality}: ${values.constantRows} rows have one value throughout`);
  if (values && values.least === values.most && rows > 1)
    found.push(`${modality}: every value is ${values.least}`);
  const none = classes?.counts.flatMap((n, i) => (n === 0 ? [i] : [])) ?? [];
  if (none.length > 0)
    found.push(
      `${modality}: no row has class ${none.slice(0, 10).join(', ')}${none.length > 10 ? ` and ${none.length - 10} more` : ''}`,
    );
  if (missing === rows) found.push(`${modality}: no row has it`);
  return found;
}

function asText(
  name: string,
  columns: readonly ColumnSurvey[],
  parts: Readonly<Record<string, number>>,
  warnings: readonly string[],
): string {
  const table = [
    ['modality', 'rows', 'missing', 'unreadable', 'shape', 'values', 'source'],
    ...columns.map((c) => [
      c.modality,
      ...[c.rows, c.missing, c.damaged].map(String),
      `[${c.shape.join(', ')}]`,
      valuesOf(c),
      c.source,
    ]),
  ];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((cells) => cells[i]!.length)));
  const lines = table.map((cells) =>
    cells
      .map((cell, i) => (i >= 1 && i <= 3 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
  const rows = Object.entries(parts).map(([what, n]) => `${n} ${what}`);
  return [
    ...lines,
    ...(rows.length > 0 ? ['', `${name}: ${rows.join(', ')}`] : []),
    ...warnings.map((text) => `warning: ${text}`),
  ].join('\n');
}

function report(
  faults: readonly Diagnostic[],
  read: Read,
  columns: readonly ColumnSurvey[],
  options: DataOptions,
): void {
  noteDiagnostics(faults, read.sources, options.color);
  for (const text of columns.flatMap((c) => problemsOf(c, listed))) note(`error: ${text}`);
}

/** Grids of what can be seen, with classes as captions, of rows spread evenly over the data. */
function pictures(info: ModelInfo, dataset: Dataset): { images: SampleImage[]; shown: number } {
  const n = Math.min(shown, dataset.rows);
  const wanted = Array.from({ length: n }, (_, i) => Math.floor((i * dataset.rows) / n));
  const one = allocateBatch(dataset, 1);
  const rows = wanted.filter((row) => {
    try {
      fillRows(dataset, [row], one);
      return true;
    } catch (error) {
      if (error instanceof DataFault) return false;
      throw error;
    }
  });
  if (rows.length === 0) return { images: [], shown: 0 };
  const arrays = allocateBatch(dataset, rows.length);
  fillRows(dataset, rows, arrays);
  const captions = rows.map((row, i) =>
    info.modalities
      .filter((m) => m.type === 'category')
      .map((m) => {
        const value = Number(arrays[m.name]!.data[i]);
        return value < 0 ? `no ${m.name}` : `${m.name} ${m.labels?.[value] ?? value}`;
      })
      .concat(`row ${row}`)
      .join(', '),
  );
  const images = info.modalities.flatMap((m): SampleImage[] => {
    const array = arrays[m.name]!;
    const png = drawRows(info, m.name, { data: array.data, shape: [...array.shape] });
    const { columns, rows: down, gap } = gridLayout(rows.length);
    return png
      ? [
          {
            name: m.name,
            png,
            alt: `${rows.length} rows of ${m.name}.`,
            grid: { columns, rows: down, gap, count: rows.length },
          },
        ]
      : [];
  });
  const [first, ...others] = images;
  return { images: first ? [{ ...first, captions }, ...others] : [], shown: rows.length };
}
