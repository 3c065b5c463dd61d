/**
 * Diagnostics for scripts: the JSON form.
 *
 * @module
 */
import type { Range } from '../../../grammar/ast.js';
import type { Diagnostic, Severity } from '../diagnostic.js';
import type { LineMap } from '../../../grammar/lines.js';
import type { Source } from './source.js';
import { clamp, linesOf } from './source.js';

/** Lines and columns from 1 (columns in UTF-16 units), offsets from 0 in UTF-16 units. */
export interface JsonPosition {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

export interface JsonRange {
  readonly start: JsonPosition;
  /** Exclusive. */
  readonly end: JsonPosition;
}

export interface JsonDiagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly file: string;
  readonly range: JsonRange;
  /** `file` only where it is not the diagnostic's own. */
  readonly labels: readonly { readonly file?: string; readonly range: JsonRange; readonly message: string }[];
  readonly help: string | null;
  readonly fixes: readonly {
    readonly title: string;
    readonly safe: boolean;
    /** `file` only where it is not the diagnostic's own. */
    readonly edits: readonly { readonly file?: string; readonly range: JsonRange; readonly text: string }[];
  }[];
}

export function toJson(list: readonly Diagnostic[], source: Source): JsonDiagnostic[] {
  const lines = linesOf(source);
  return list.map((d) => {
    const at = (file: string, range: Range) => ({
      ...(file === d.file ? {} : { file }),
      range: jsonRange(lines(file), range),
    });
    return {
      code: d.code,
      severity: d.severity,
      message: d.message,
      file: d.file,
      range: jsonRange(lines(d.file), d.range),
      labels: d.labels.map((l) => ({ ...at(l.file, l.range), message: l.message })),
      help: d.help ?? null,
      fixes: d.fixes.map((f) => ({
        title: f.title,
        safe: f.safe,
        edits: f.edits.map((e) => ({ ...at(e.file, e.range), text: e.text })),
      })),
    };
  });
}

/** A JSON array of diagnostics, ending in a newline. */
export function renderJson(list: readonly Diagnostic[], source: Source): string {
  return `${JSON.stringify(toJson(list, source), null, 2)}\n`;
}

/** Where there is no text (a data file), everything is at the start. */
function jsonRange(source: LineMap | undefined, range: Range): JsonRange {
  if (source === undefined) {
    const start = { line: 1, column: 1, offset: 0 };
    return { start, end: start };
  }
  const { start, end } = clamp(source, range);
  return {
    start: { ...source.position(start), offset: start },
    end: { ...source.position(end), offset: end },
  };
}
