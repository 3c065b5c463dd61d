/**
 * `mmdc check`.
 *
 * @module
 */
import type { Diagnostic, Edit } from '../../compiler/diagnostics/diagnostic.js';
import { renderJson, renderText, summary, toJson } from '../../compiler/diagnostics/render.js';
import { writeAtomic } from '../files/atomic.js';
import type { FilledDefault } from '../../compiler/model/settings.js';
import { UsageFault } from '../faults.js';
import { version } from '../version.js';
import { note, painterFor, print, type ColorChoice } from './output.js';
import { analyzeFile } from './source.js';

export interface CheckOptions {
  readonly format: 'text' | 'json' | 'sarif';
  readonly denyWarnings?: boolean;
  readonly fix?: boolean;
  readonly defaults?: boolean;
  readonly set?: readonly string[];
  readonly color: ColorChoice;
}

export async function check(files: readonly string[], options: CheckOptions): Promise<void> {
  if (options.defaults && options.format === 'sarif') {
    throw new UsageFault('--defaults: SARIF has no place for them', 'use `--format text` or `--format json`');
  }
  let { list, sources, defaults } = checkAll(files, options);
  if (options.fix) {
    const fixed = applyFixes(list, sources);
    if (fixed > 0) {
      note(`fixed ${fixed} problem${fixed === 1 ? '' : 's'}`);
      ({ list, sources, defaults } = checkAll(files, options));
    }
  }
  const source = (file: string) => sources.get(file);
  if (options.format === 'json' && options.defaults)
    print(JSON.stringify({ diagnostics: toJson(list, source), defaults }, undefined, 2));
  else if (options.format === 'json') print(renderJson(list, source));
  else if (options.format === 'sarif') {
    // It holds the page of every code, which the other forms do not need.
    const { renderSarif } = await import('../../compiler/diagnostics/render/sarif.js');
    print(renderSarif(list, source, version()));
  } else {
    if (list.length > 0) print(renderText(list, source, painterFor(process.stdout, options.color)));
    if (options.defaults) print(showDefaults(defaults));
    note(summary(list));
  }
  const failing = list.some(
    (d) => d.severity === 'error' || (options.denyWarnings && d.severity === 'warning'),
  );
  if (failing) process.exitCode = 1;
}

function checkAll(
  files: readonly string[],
  options: CheckOptions,
): { list: Diagnostic[]; sources: Map<string, string>; defaults: ModelDefault[] } {
  const list: Diagnostic[] = [];
  const defaults: ModelDefault[] = [];
  const sources = new Map<string, string>();
  for (const file of files) {
    const read = analyzeFile(file, options.set);
    list.push(...read.diagnostics);
    for (const [name, text] of read.sources) sources.set(name, text);
    for (const [model, { info }] of read.analysis.models)
      for (const filled of info.defaults) defaults.push({ file, model, ...filled });
  }
  return { list, sources, defaults };
}

/** A setting that a spec leaves to the language. */
interface ModelDefault extends FilledDefault {
  readonly file: string;
  readonly model: string;
}

/** One table a model: path, value, reason. */
function showDefaults(list: readonly ModelDefault[]): string {
  const tables = new Map<string, ModelDefault[]>();
  for (const row of list) {
    const title = `${row.file}: model ${row.model}`;
    tables.set(title, [...(tables.get(title) ?? []), row]);
  }
  const width = (rows: readonly ModelDefault[], key: 'path' | 'value') =>
    Math.max(...rows.map((row) => row[key].length));
  return [...tables]
    .map(([title, rows]) => {
      const [path, value] = [width(rows, 'path'), width(rows, 'value')];
      const lines = rows.map((r) => `  ${r.path.padEnd(path)}  ${r.value.padEnd(value)}  ${r.reason}`);
      return [title, ...lines].join('\n');
    })
    .join('\n\n');
}

/** Applies the safe fixes, last in a file first, those that overlap an applied one left out. */
function applyFixes(list: readonly Diagnostic[], sources: ReadonlyMap<string, string>): number {
  const edits = new Map<string, Edit[]>();
  let count = 0;
  for (const d of list) {
    const fix = d.fixes.find((f) => f.safe);
    const apart = (edit: Edit) =>
      (edits.get(edit.file) ?? []).every(
        (e) => edit.range.end <= e.range.start || edit.range.start >= e.range.end,
      );
    if (!fix?.edits.every(apart)) continue;
    count++;
    for (const edit of fix.edits) edits.set(edit.file, [...(edits.get(edit.file) ?? []), edit]);
  }
  for (const [file, all] of edits) {
    let text = sources.get(file) ?? '';
    for (const { range, text: replacement } of all.sort((a, b) => b.range.start - a.range.start)) {
      text = text.slice(0, range.start) + replacement + text.slice(range.end);
    }
    writeAtomic(file, text);
  }
  return count;
}
