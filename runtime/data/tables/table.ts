/**
 * Files of named columns: CSV, TSV, JSON lines, Parquet, Arrow. Their libraries are loaded when such a file is opened.
 *
 * @module
 */
import { createReadStream, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { DataFault } from '../fault.js';
import { asFault, MOST_BYTES, readBytes } from '../files.js';

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
      max_record_size: 2 ** 24,
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
  const handle = await open(file).catch((error: unknown) => {
    throw asFault(file, error);
  });
  let rows = 0;
  try {
    for await (const line of handle.readLines()) {
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
      for (const name of wanted) values.get(name)!.push(Object.hasOwn(entries, name) ? entries[name] : null);
      rows++;
    }
  } finally {
    await handle.close();
  }
  check(file, [...names], wanted);
  return tableOf(file, rows, [...names], values);
}

async function fromParquet(file: string, wanted: readonly string[]): Promise<FileTable> {
  const size = statSync(file).size;
  if (size > MOST_BYTES) throw new DataFault(file, `has ${size} bytes; at most ${MOST_BYTES} can be read`);
  const { parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  const bytes = readBytes(file);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  try {
    const metadata = await parquetMetadataAsync(buffer);
    const rows = Number(metadata.num_rows);
    const names = metadata.schema.filter((_, i) => isTopLevel(metadata.schema, i)).map(({ name }) => name);
    check(file, names, wanted);
    const packed = metadata.row_groups.reduce(
      (sum, group) =>
        sum + group.columns.reduce((s, c) => s + Number(c.meta_data?.total_uncompressed_size ?? 0), 0),
      0,
    );
    if (!Number.isSafeInteger(rows) || rows < 0 || packed > MOST_BYTES)
      throw new DataFault(
        file,
        `declares ${rows} rows and ${packed} bytes; at most ${MOST_BYTES} bytes are read`,
      );
    const records = await parquetReadObjects({
      file: buffer,
      metadata,
      compressors,
      columns: [...wanted],
      utf8: false,
    });
    if (records.length !== rows) throw new Error(`${records.length} of ${rows} rows`);
    const values = new Map(wanted.map((name) => [name, records.map((record) => record[name] as unknown)]));
    return tableOf(file, rows, names, values);
  } catch (error) {
    if (error instanceof DataFault) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new DataFault(file, `is not a whole Parquet file (${detail})`, { cause: error });
  }
}

/** Whether a schema element is a child of the root: the list is the tree in depth-first order. */
function isTopLevel(schema: readonly { num_children?: number }[], index: number): boolean {
  let at = 1;
  while (at < index) at = after(schema, at);
  return index > 0 && at === index;
}

function after(schema: readonly { num_children?: number }[], index: number): number {
  let at = index + 1;
  for (let k = 0; k < (schema[index]?.num_children ?? 0) && at < schema.length; k++) at = after(schema, at);
  return at;
}

async function fromArrow(file: string, wanted: readonly string[]): Promise<FileTable> {
  const { readArrow } = await import('./arrow.js');
  try {
    const { rows, names, column } = readArrow(readBytes(file));
    check(file, names, wanted);
    return tableOf(file, rows, names, new Map(wanted.map((name) => [name, column(name)])));
  } catch (error) {
    if (error instanceof DataFault) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new DataFault(file, `is not a whole Arrow file (${detail})`, { cause: error });
  }
}

function tableOf(
  file: string,
  rows: number,
  names: readonly string[],
  values: ReadonlyMap<string, ArrayLike<unknown>>,
): FileTable {
  return { file, rows, names, column: (name) => values.get(name) as ArrayLike<unknown> };
}
