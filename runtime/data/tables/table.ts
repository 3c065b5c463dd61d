/**
 * Files of named columns: CSV, TSV, JSON lines, Parquet, Arrow. Their libraries are loaded when such a file is opened.
 *
 * @module
 */
import { createReadStream, statSync } from 'node:fs';
import { DataFault } from '../fault.js';
import { asFault, readBytes } from '../files.js';

export interface FileTable {
  readonly file: string;
  readonly rows: number;
  readonly names: readonly string[];
  /** Values of a column, one a row: text of CSV files; numbers, bigints, lists, bytes, null of the others. */
  column(name: string): ArrayLike<unknown>;
}

export type TableFormat = 'csv' | 'tsv' | 'jsonl' | 'parquet' | 'arrow';

/**
 * Reads the wanted columns.
 * @throws DataFault for damaged files, duplicate names and columns that are not there
 */
export async function readTable(
  file: string,
  format: TableFormat,
  wanted: readonly string[],
): Promise<FileTable> {
  try {
    if (statSync(file).isDirectory()) throw new DataFault(file, 'is a folder, not a file');
  } catch (error) {
    throw asFault(file, error);
  }
  switch (format) {
    case 'csv':
    case 'tsv':
      return fromText(file, format, wanted);
    case 'jsonl':
      return fromLines(file, wanted);
    case 'parquet':
      return fromParquet(file, wanted);
    case 'arrow':
      return fromArrow(file, wanted);
  }
}

function check(file: string, names: readonly string[], wanted: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new DataFault(file, `has two columns named '${twice}'`);
  const missing = wanted.find((name) => !names.includes(name));
  if (missing !== undefined)
    throw new DataFault(file, `has no column '${missing}'`, {
      help: `it has ${names
        .slice(0, 20)
        .map((name) => `'${name}'`)
        .join(', ')}${names.length > 20 ? ', ...' : ''}`,
    });
}

/** A longer record is damage, or an attack on the memory. */
const MOST_RECORD = 2 ** 24;

/** Row by row, so that only the wanted columns are ever in memory. */
async function fromText(file: string, format: 'csv' | 'tsv', wanted: readonly string[]): Promise<FileTable> {
  const { parse } = await import('csv-parse');
  const values = new Map<string, string[]>(wanted.map((name) => [name, []]));
  let names: string[] | undefined;
  const parser = createReadStream(file).pipe(
    parse({
      bom: true,
      delimiter: format === 'csv' ? ',' : '\t',
      skip_empty_lines: true,
      max_record_size: MOST_RECORD,
    }),
  );
  let rows = 0;
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      if (!names) {
        names = record.map((name) => name.trim());
        check(file, names, wanted);
        continue;
      }
      for (const name of wanted) values.get(name)!.push(record[names.indexOf(name)]!);
      rows++;
    }
  } catch (error) {
    if (error instanceof DataFault) throw error;
    throw new DataFault(file, `is not a ${format.toUpperCase()} file: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (!names) throw new DataFault(file, 'is empty', { help: 'its first line names the columns' });
  return tableOf(file, rows, names, values);
}

async function fromLines(file: string, wanted: readonly string[]): Promise<FileTable> {
  const values = new Map<string, unknown[]>(wanted.map((name) => [name, []]));
  const names = new Set<string>();
  let rows = 0;
  try {
    for await (const lines of linesOf(file))
      for (const line of lines) {
        if (line.trim() === '') continue;
        let record: unknown;
        try {
          record = JSON.parse(line);
        } catch (error) {
          throw new DataFault(file, `is not JSON: ${(error as Error).message}`, { row: rows });
        }
        if (typeof record !== 'object' || record === null || Array.isArray(record))
          throw new DataFault(file, 'is not a JSON object', { row: rows });
        const entries = record as Record<string, unknown>;
        for (const name of Object.keys(entries)) names.add(name);
        for (const name of wanted)
          values.get(name)!.push(Object.hasOwn(entries, name) ? entries[name] : null);
        rows++;
      }
  } catch (error) {
    throw asFault(file, error);
  }
  check(file, [...names], wanted);
  return tableOf(file, rows, [...names], values);
}

/** The lines of a file, those of a piece of it at a time. @throws DataFault where one is longer than a record may be */
async function* linesOf(file: string): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of createReadStream(file, { highWaterMark: 2 ** 18 }) as AsyncIterable<Uint8Array>) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop()!;
    if (rest.length > MOST_RECORD)
      throw new DataFault(file, `has a line of more than ${MOST_RECORD} characters`);
    yield lines;
  }
  yield [rest + decoder.decode()];
}

async function fromParquet(file: string, wanted: readonly string[]): Promise<FileTable> {
  const { readParquet } = await import('./parquet.js');
  try {
    const { rows, names, columns } = readParquet(readBytes(file));
    check(file, names, wanted);
    return tableOf(file, rows, names, await columns(wanted));
  } catch (error) {
    throw damaged(file, 'Parquet', error);
  }
}

async function fromArrow(file: string, wanted: readonly string[]): Promise<FileTable> {
  const { readArrow } = await import('./arrow.js');
  try {
    const { rows, names, column } = readArrow(readBytes(file));
    check(file, names, wanted);
    return tableOf(file, rows, names, new Map(wanted.map((name) => [name, column(name)])));
  } catch (error) {
    throw damaged(file, 'Arrow', error);
  }
}

/** What a reader found. Errors that are none of ours are those of a library's code, and say little of the file. */
function damaged(file: string, format: string, error: unknown): DataFault {
  if (error instanceof DataFault) return error;
  const detail = error instanceof RangeError ? error.message : 'it is damaged';
  return new DataFault(file, `is not a whole ${format} file (${detail})`, { cause: error });
}

function tableOf(
  file: string,
  rows: number,
  names: readonly string[],
  values: ReadonlyMap<string, ArrayLike<unknown>>,
): FileTable {
  return { file, rows, names, column: (name) => values.get(name) as ArrayLike<unknown> };
}
