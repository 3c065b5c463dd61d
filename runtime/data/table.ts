/**
 * A data set: columns of equally many rows, row i of every column being of the same thing.
 *
 * @module
 */
import { pickRows, rowRange, type Column } from './column.js';
import { DataFault } from './fault.js';

export class Dataset {
  readonly columns: ReadonlyMap<string, Column>;
  readonly rows: number;

  /**
   * Joins columns by the order of their rows.
   *
   * @throws DataFault when there are none, two have the same name, their numbers of rows differ, or rows that are
   * files pair up wrongly: row 3 is `b.png` here and `c.png` there, which also has a `b.png`.
   */
  constructor(columns: Iterable<Column>) {
    const byName = new Map<string, Column>();
    for (const column of columns) {
      if (byName.has(column.name))
        throw new DataFault(column.source, `column '${column.name}' is there twice`);
      byName.set(column.name, column);
    }
    const [first, ...others] = byName.values();
    if (first === undefined) throw new DataFault('data', 'has no columns');
    for (const other of others) checkPair(first, other);
    this.columns = byName;
    this.rows = first.rows;
  }

  /** @throws DataFault when there is no such column. */
  column(name: string): Column {
    const column = this.columns.get(name);
    if (column === undefined) {
      throw new DataFault(
        'data',
        `has no column '${name}'; there are ${[...this.columns.keys()].join(', ')}`,
      );
    }
    return column;
  }

  /**
   * Some of the rows: a range (end excluded), those that a predicate accepts, or those listed.
   *
   * @throws DataFault when none are left or the range is not within the data.
   */
  take(
    which: { readonly start: number; readonly end: number } | ((row: number) => boolean) | Int32Array,
  ): Dataset {
    const columns = [...this.columns.values()];
    if (typeof which === 'object' && 'start' in which) {
      return new Dataset(columns.map((column) => rowRange(column, which.start, which.end)));
    }
    const rows =
      typeof which === 'function'
        ? Int32Array.from(Array.from({ length: this.rows }, (_, row) => row).filter(which))
        : which;
    if (rows.length === 0) throw new DataFault('data', `none of the ${this.rows} rows is left`);
    const outside = rows.find((row) => row < 0 || row >= this.rows);
    if (outside !== undefined) throw new DataFault('data', `has ${this.rows} rows, and no row ${outside}`);
    return new Dataset(columns.map((column) => pickRows(column, rows)));
  }
}

function checkPair(a: Column, b: Column): void {
  if (a.rows !== b.rows) {
    throw new DataFault(
      b.source,
      `'${a.name}' has ${a.rows} rows and '${b.name}' has ${b.rows}: columns are joined row by row`,
      { help: unpaired(a, b) ?? `'${a.name}' is read from ${a.source}` },
    );
  }
  if (a.rowNames === undefined || b.rowNames === undefined) return;
  const there = new Set(b.rowNames.map(stem));
  for (let row = 0; row < a.rows; row++) {
    const name = stem(a.rowNames[row]!);
    if (name !== stem(b.rowNames[row]!) && there.has(name)) {
      throw new DataFault(
        b.source,
        `'${a.name}' is ${a.rowNames[row]} and '${b.name}' is ${b.rowNames[row]}, though it has a file of the same name`,
        { row, help: unpaired(a, b) ?? 'rename the files so that both folders sort the same way' },
      );
    }
  }
}

/** The first file without a partner, where both columns are folders. */
function unpaired(a: Column, b: Column): string | undefined {
  if (a.rowNames === undefined || b.rowNames === undefined) return undefined;
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const there = new Set(other.rowNames!.map(stem));
    const alone = one.rowNames!.find((name) => !there.has(stem(name)));
    if (alone !== undefined) return `${other.source} has no partner for ${alone}`;
  }
  return undefined;
}

function stem(name: string): string {
  return name.replace(/\.[^.]*$/, '');
}
