/**
 * One modality's data, row by row, in the form that graphs read: reals as they are, discrete values as indices.
 *
 * @module
 */
import type { ArrayData, FileArray } from './array.js';
import { DataFault } from './fault.js';

/** Which of its random versions a derived row is: by default that of the row itself, in training that of the step. */
export interface Draw {
  readonly from: 'row' | 'step';
  readonly index: number;
}

export interface Column {
  readonly name: string;
  /** The file or folder that it came from, for messages. */
  readonly source: string;
  readonly rows: number;
  /** Shape of one row: [] for a class, [H, W] for a mask, [H, W, C] for an image, [D] for a vector. */
  readonly shape: readonly number[];
  /** `real` rows are read as f32 (images in [-1, 1]), `index` rows as i32: classes from 0, -1 where ignored. */
  readonly kind: 'real' | 'index';
  /** Number of classes of an `index` column. */
  readonly classes?: number;
  /** Names of the classes, where they have names. */
  readonly labels?: readonly string[];
  /** What each row is called, where rows are files. */
  readonly rowNames?: readonly string[];
  /** Rows that have no value here; reading one gives zeros, or -1 for classes. */
  missing?(row: number): boolean;
  /** Whether rows are decoded when they are read: reading may fail, and takes time. */
  readonly lazy?: boolean;
  /**
   * Writes one row, C order, to `out` from `offset`. `row` must be in range: it is not checked. `draw` matters where
   * rows are derived by chance.
   */
  read(row: number, out: Float32Array | Int32Array, offset: number, draw?: Draw): void;
}

/** What a column's data has to be: the runtime's side of a modality's type. */
export type ColumnType =
  /** 8-bit values are scaled from 0 .. 255 to [-1, 1]; floats must lie in [-1, 1] already. */
  | { readonly kind: 'image'; readonly shape: readonly [number, number, number] }
  /** Values in `ignore` become -1: pixels without a class. */
  | {
      readonly kind: 'mask';
      readonly shape: readonly [number, number];
      readonly classes: number;
      readonly ignore?: readonly number[];
    }
  | { readonly kind: 'category'; readonly classes: number; readonly labels?: readonly string[] }
  | { readonly kind: 'vector'; readonly shape: readonly number[] }
  /** Values 0 and 1. */
  | { readonly kind: 'binary'; readonly shape: readonly number[] }
  | { readonly kind: 'tokens'; readonly shape: readonly [number]; readonly classes: number };

/** Number of elements of one row. */
export function rowSize(column: Column): number {
  return column.shape.reduce((n, d) => n * d, 1);
}

/**
 * The column of the given type over an array. Axes of size 1 may be missing or added: [n, 28, 28] is an
 * `image[28, 28, 1]`, and [n, 1] a category. Every value is checked.
 *
 * @throws DataFault when the shape is another one, or a value does not belong (naming its row).
 */
export function toColumn(
  name: string,
  array: FileArray & { readonly rowNames?: readonly string[] },
  type: ColumnType,
): Column {
  const shape: readonly number[] = type.kind === 'category' ? [] : type.shape;
  const [rows, ...perRow] = array.shape;
  if (rows === undefined) throw new DataFault(array.file, 'holds a single number, not rows');
  if (squeeze(perRow).join() !== squeeze(shape).join()) {
    throw new DataFault(
      array.file,
      `has rows of shape ${show(perRow)}; modality '${name}' is ${type.kind} with rows of shape ${show(shape)}`,
    );
  }
  if (rows === 0) throw new DataFault(array.file, 'has no rows');
  const size = shape.reduce((n, d) => n * d, 1);
  const base = { name, source: array.file, rows, shape, ...names(array.rowNames) };
  switch (type.kind) {
    case 'image': {
      checkPixels(array, size);
      const { data } = array;
      const read = data instanceof Uint8Array ? byteReader(data, size) : realReader(data, size);
      return { ...base, kind: 'real', read };
    }
    case 'vector':
      checkReals(array, size, -Infinity, Infinity, '');
      return { ...base, kind: 'real', read: realReader(array.data, size) };
    case 'binary':
      checkIntegers(array, size, 2, []);
      return { ...base, kind: 'real', read: realReader(array.data, size) };
    case 'category':
    case 'mask':
    case 'tokens': {
      const ignore = type.kind === 'mask' ? (type.ignore ?? []) : [];
      checkIntegers(array, size, type.classes, ignore);
      const labels = type.kind === 'category' && type.labels !== undefined ? { labels: type.labels } : {};
      const read = indexReader(array.data, size, ignore);
      return { ...base, kind: 'index', classes: type.classes, ...labels, read };
    }
  }
}

/** The rows `start` to `end` (excluded) of a column. @throws DataFault when the range is not within it. */
export function rowRange(column: Column, start: number, end: number): Column {
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end > column.rows || start >= end) {
    throw new DataFault(column.source, `has ${column.rows} rows; ${start}..${end} is not a range of them`);
  }
  return {
    ...column,
    rows: end - start,
    ...names(column.rowNames?.slice(start, end)),
    ...(column.missing ? { missing: (row: number) => column.missing!(start + row) } : {}),
    read: (row, out, offset, draw) => column.read(start + row, out, offset, draw),
  };
}

/** The listed rows of a column, in that order; -1 is a row that is missing. */
export function pickRows(column: Column, rows: Int32Array): Column {
  const { rowNames } = column;
  const gone = (row: number) => rows[row]! < 0 || (column.missing?.(rows[row]!) ?? false);
  return {
    ...column,
    rows: rows.length,
    ...names(rowNames && Array.from(rows, (row) => rowNames[row] ?? '')),
    ...(column.missing || rows.includes(-1) ? { missing: gone } : {}),
    read: (row, out, offset, draw) => {
      if (rows[row]! < 0) fillMissing(column, out, offset);
      else column.read(rows[row]!, out, offset, draw);
    },
  };
}

/** What a row without a value reads as. */
export function fillMissing(
  column: Pick<Column, 'shape' | 'kind'>,
  out: Float32Array | Int32Array,
  offset: number,
): void {
  const size = column.shape.reduce((n, d) => n * d, 1);
  out.fill(column.kind === 'index' ? -1 : 0, offset, offset + size);
}

function names(rowNames: readonly string[] | undefined): { rowNames?: readonly string[] } {
  return rowNames === undefined ? {} : { rowNames };
}

/** Rows of at least so many values are copied as a block. */
const LONG_ROW = 32;

function realReader(data: ArrayData, size: number): Column['read'] {
  if (size >= LONG_ROW)
    return (row, out, offset) => out.set(data.subarray(row * size, (row + 1) * size), offset);
  return (row, out, offset) => {
    const from = row * size;
    for (let i = 0; i < size; i++) out[offset + i] = data[from + i]!;
  };
}

/** What 0 .. 255 are in [-1, 1]. */
const scaled = Float32Array.from({ length: 256 }, (_, byte) => byte / 127.5 - 1);

function byteReader(data: Uint8Array, size: number): Column['read'] {
  return (row, out, offset) => {
    const from = row * size;
    for (let i = 0; i < size; i++) out[offset + i] = scaled[data[from + i]!]!;
  };
}

function indexReader(data: ArrayData, size: number, ignore: readonly number[]): Column['read'] {
  if (ignore.length === 0) return realReader(data, size);
  const ignored = new Set(ignore);
  return (row, out, offset) => {
    const from = row * size;
    for (let i = 0; i < size; i++) {
      const value = data[from + i]!;
      out[offset + i] = ignored.has(value) ? -1 : value;
    }
  };
}

function checkPixels(array: FileArray, size: number): void {
  const { data } = array;
  if (data instanceof Float32Array || data instanceof Float64Array) {
    // A little room, for values that went through f16 or a resampling filter.
    checkReals(
      array,
      size,
      -1.001,
      1.001,
      'pixels given as floats are in [-1, 1]: scale them as x / 127.5 - 1',
    );
  } else if (!(data instanceof Uint8Array)) {
    throw new DataFault(array.file, 'has integer pixels that are not bytes', {
      help: 'store pixels as 8-bit values, or as floats in [-1, 1]',
    });
  }
}

function checkReals(array: FileArray, size: number, low: number, high: number, help: string): void {
  if (allWithin(array.data, Math.max(low, -Number.MAX_VALUE), Math.min(high, Number.MAX_VALUE))) return;
  refuse(
    array,
    size,
    (value) => value >= low && value <= high && Number.isFinite(value),
    (value) =>
      Number.isFinite(value) ? `has the value ${value}, outside [-1, 1]` : `has the value ${value}`,
    help,
  );
}

/** Whether every value is a number in [low, high]: the common case, in a loop that is compiled well. */
function allWithin(data: ArrayData, low: number, high: number): boolean {
  for (let i = 0; i < data.length; i++) if (!(data[i]! >= low && data[i]! <= high)) return false;
  return true;
}

function checkIntegers(array: FileArray, size: number, classes: number, ignore: readonly number[]): void {
  const whole = !(array.data instanceof Float32Array || array.data instanceof Float64Array);
  if (whole && allWithin(array.data, 0, classes - 1)) return;
  refuse(
    array,
    size,
    (value) => (Number.isInteger(value) && value >= 0 && value < classes) || ignore.includes(value),
    (value) => `has the value ${value}, which is not one of the ${classes} classes`,
    `classes are 0 to ${classes - 1}${size > 1 ? '; name a value without a class as void' : ''}`,
  );
}

/** Rows that are named where several are wrong. */
const mostNamed = 20;

/** @throws DataFault for the first value that does not belong, naming every other row that has such values too */
function refuse(
  array: FileArray,
  size: number,
  belongs: (value: number) => boolean,
  say: (value: number) => string,
  help: string,
): void {
  const { data } = array;
  const wrong: number[] = [];
  let first = 0;
  for (let i = 0; i < data.length; i++) {
    if (belongs(data[i]!)) continue;
    const row = Math.floor(i / size);
    if (wrong.length === 0) first = data[i]!;
    wrong.push(row);
    i = (row + 1) * size - 1;
  }
  if (wrong.length === 0) return;
  throw new DataFault(array.file, `${say(first)}${others(wrong.slice(1))}`, {
    row: wrong[0],
    ...(help === '' ? {} : { help }),
  });
}

/** `; rows 3, 7 and 12 more are wrong too`, or nothing. */
export function others(rows: readonly number[]): string {
  if (rows.length === 0) return '';
  const named = rows.slice(0, mostNamed).join(', ');
  const more = rows.length > mostNamed ? ` and ${rows.length - mostNamed} more` : '';
  return `; row${rows.length > 1 ? 's' : ''} ${named}${more} ${rows.length > 1 ? 'are' : 'is'} wrong too`;
}

function squeeze(shape: readonly number[]): number[] {
  return shape.filter((d) => d !== 1);
}

function show(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
