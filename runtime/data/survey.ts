/**
 * What a column holds: ranges, counts of classes, rows that are missing or cannot be read. Rows are read one at a time, so
 * memory is bounded by one row and the counts, however much there is.
 *
 * @module
 */
import { rowSize, type Column } from './column.js';
import { DataFault } from './fault.js';

/** A row that cannot be fed, and why. */
export interface RowProblem {
  readonly row: number;
  readonly file: string;
  readonly problem: string;
}

export interface ColumnSurvey {
  readonly modality: string;
  readonly source: string;
  readonly rows: number;
  readonly shape: readonly number[];
  readonly missing: number;
  /** Of `real` columns that have a value: over all values. */
  readonly values?: {
    readonly least: number;
    readonly most: number;
    readonly mean: number;
    /** Standard deviation over all values (of the population). */
    readonly deviation: number;
    /** Rows whose values are all equal, which is rarely meant. */
    readonly constantRows: number;
  };
  /** Of `index` columns: how often every class occurs, and how many values have no class. */
  readonly classes?: { readonly counts: readonly number[]; readonly ignored: number };
  readonly labels?: readonly string[];
  /** The first {@link MOST_PROBLEMS}. */
  readonly problems: readonly RowProblem[];
  readonly damaged: number;
}

/** Problems that are kept of a column; the rest are counted. */
export const MOST_PROBLEMS = 100;

/**
 * @param onRow called after every row, for a progress bar
 */
export function survey(column: Column, onRow: (row: number) => void = () => undefined): ColumnSurvey {
  const size = rowSize(column);
  const buffer = column.kind === 'real' ? new Float32Array(size) : new Int32Array(size);
  const counts = new Array<number>(column.classes ?? 0).fill(0);
  const problems: RowProblem[] = [];
  let [missing, damaged, ignored, constantRows, seen] = [0, 0, 0, 0, 0];
  let [least, most, mean, squares] = [Infinity, -Infinity, 0, 0];
  for (let row = 0; row < column.rows; row++) {
    onRow(row);
    if (column.missing?.(row)) {
      missing++;
      continue;
    }
    try {
      column.read(row, buffer, 0);
    } catch (error) {
      if (!(error instanceof DataFault)) throw error;
      damaged++;
      if (problems.length < MOST_PROBLEMS) problems.push({ row, file: error.file, problem: error.detail });
      continue;
    }
    if (column.kind === 'index') {
      for (const value of buffer) {
        if (value < 0) ignored++;
        else counts[value]!++;
      }
      continue;
    }
    let equal = true;
    for (const value of buffer) {
      // Welford's recurrence: one pass, and no difference of large sums.
      seen++;
      const before = value - mean;
      mean += before / seen;
      squares += before * (value - mean);
      if (value < least) least = value;
      if (value > most) most = value;
      if (value !== buffer[0]) equal = false;
    }
    if (equal && size > 1) constantRows++;
  }
  return {
    modality: column.name,
    source: column.source,
    rows: column.rows,
    shape: column.shape,
    missing,
    ...(column.kind === 'real' && seen > 0
      ? { values: { least, most, mean, deviation: Math.sqrt(squares / seen), constantRows } }
      : {}),
    ...(column.kind === 'index' ? { classes: { counts, ignored } } : {}),
    ...(column.labels ? { labels: column.labels } : {}),
    problems,
    damaged,
  };
}
