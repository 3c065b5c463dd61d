/**
 * Values of a table's columns as the rows of a modality: numbers, text and lists, whatever the file had.
 *
 * @module
 */
import type { ModalityInfo } from '../../../compiler/model/info.js';
import { didYouMean } from '../../../compiler/diagnostics/suggest.js';
import { sizeOf } from '../../../compiler/graph/ir.js';
import type { FileArray } from '../array.js';
import { others } from '../column.js';
import { DataFault } from '../fault.js';

export interface ValueArray extends FileArray {
  /** Rows without a value, where there are any. */
  readonly missing?: ReadonlySet<number>;
}

/**
 * @param columns one column of values, or several whose numbers make up a row
 * @param mayMiss whether rows without a value are allowed
 * @throws DataFault naming every row whose value does not belong
 */
export function valueArray(
  file: string,
  modality: ModalityInfo,
  columns: readonly ArrayLike<unknown>[],
  mayMiss: boolean,
): ValueArray {
  const rows = columns[0]!.length;
  const size = modality.type === 'category' ? 1 : sizeOf(modality.dataShape);
  const data = modality.discrete ? new Int32Array(rows * size) : new Float32Array(rows * size);
  const missing = new Set<number>();
  const shape = [rows, ...(modality.type === 'category' ? [] : modality.dataShape)];
  if (columns.length === size && fromNumbers(columns, data)) return { file, shape, data };
  const wrong: DataFault[] = [];
  const numbers: number[] = [];
  for (let row = 0; row < rows; row++) {
    if (mayMiss && columns.some((column) => isMissing(column[row]))) {
      missing.add(row);
      continue;
    }
    try {
      readRow(file, row, modality, columns, size, numbers);
      data.set(numbers, row * size);
    } catch (error) {
      if (!(error instanceof DataFault)) throw error;
      wrong.push(error);
    }
  }
  const [first, ...rest] = wrong;
  if (first) {
    const { row, help } = first;
    throw new DataFault(file, `${first.detail}${others(rest.map((fault) => fault.row ?? 0))}`, {
      ...(row === undefined ? {} : { row }),
      ...(help === undefined ? {} : { help }),
    });
  }
  return { file, shape, data, ...(missing.size > 0 ? { missing } : {}) };
}

/** Rows that are put together at a time. */
const STRETCH = 256;

/** Columns that are typed arrays, side by side. @returns whether they all are, and fit */
function fromNumbers(columns: readonly ArrayLike<unknown>[], data: Int32Array | Float32Array): boolean {
  const typed = columns.filter(
    (column): column is Float32Array | Int32Array =>
      ArrayBuffer.isView(column) &&
      !(column instanceof BigInt64Array || column instanceof BigUint64Array || column instanceof DataView),
  );
  if (typed.length !== columns.length) return false;
  if (data instanceof Int32Array && !typed.every((column) => column.every(Number.isInteger))) return false;
  const width = typed.length;
  const rows = typed[0]!.length;
  // A stretch of rows at a time, so that what is written stays in the cache.
  for (let start = 0; start < rows; start += STRETCH) {
    const end = Math.min(rows, start + STRETCH);
    typed.forEach((column, k) => {
      for (let row = start, at = start * width + k; row < end; row++, at += width) data[at] = column[row]!;
    });
  }
  return true;
}

/** The numbers of one row, into `numbers`. @throws DataFault where they do not belong */
function readRow(
  file: string,
  row: number,
  modality: ModalityInfo,
  columns: readonly ArrayLike<unknown>[],
  size: number,
  numbers: number[],
): void {
  if (columns.some((column) => isMissing(column[row])))
    throw new DataFault(file, `has no value for '${modality.name}'`, {
      row,
      help: 'rows without a value are allowed where the source says `missing: true`',
    });
  numbers.length = 0;
  if (modality.type === 'category') numbers.push(classOf(file, row, modality, columns[0]![row]));
  else for (const column of columns) addNumbers(file, row, column[row], numbers);
  if (numbers.length !== size)
    throw new DataFault(file, `has ${numbers.length} numbers for '${modality.name}', which takes ${size}`, {
      row,
    });
  const broken = modality.discrete ? numbers.find((x) => !Number.isInteger(x)) : undefined;
  if (broken !== undefined)
    throw new DataFault(file, `has ${broken} for '${modality.name}', which takes whole numbers`, { row });
}

function isMissing(value: unknown): boolean {
  if (typeof value !== 'string') return value === null || value === undefined;
  // Nearly every text begins with something to see.
  return !(value.charCodeAt(0) > 32) && value.trim() === '';
}

/** A name of the modality's, or a number. */
function classOf(file: string, row: number, { name, labels }: ModalityInfo, value: unknown): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return Number(value);
  const text = (value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value)).trim();
  const named = labels?.indexOf(text) ?? -1;
  if (named >= 0) return named;
  if (/^-?\d+(\.0*)?$/.test(text)) return Number(text);
  const near = labels && didYouMean(text, labels);
  throw new DataFault(file, `has the class '${text.slice(0, 100)}' for '${name}'`, {
    row,
    help: labels
      ? near
        ? `did you mean '${near}'?`
        : `its classes are ${labels.map((label) => `'${label}'`).join(', ')}`
      : 'its classes have no names: give numbers from 0, or declare them: category["cat", "dog"]',
  });
}

/** Adds the numbers of a value. @throws DataFault where it has something else */
function addNumbers(file: string, row: number, value: unknown, numbers: number[]): void {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
    numbers.push(Number(value));
    return;
  }
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) {
    const list = value as ArrayLike<unknown>;
    for (let i = 0; i < list.length; i++) addNumbers(file, row, list[i], numbers);
    return;
  }
  const one = typeof value === 'string' && value !== '' ? Number(value) : NaN;
  if (!Number.isNaN(one)) {
    numbers.push(one);
    return;
  }
  // `[1, 2, 3]`, `1,2,3` and `1 2 3` all are lists of numbers.
  const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
  const parts = text
    .replaceAll(/[[\](),;]/g, ' ')
    .trim()
    .split(/\s+/);
  for (const part of parts) {
    const number = part === '' ? NaN : Number(part);
    if (Number.isNaN(number))
      throw new DataFault(file, `has '${part.slice(0, 100)}', which is no number`, { row });
    numbers.push(number);
  }
}

/** Bytes of a picture in a table: as they are, or the `bytes` of a record. @throws DataFault */
export function pictureBytes(file: string, row: number, value: unknown): Uint8Array {
  const bytes = value instanceof Uint8Array ? value : (value as { bytes?: unknown } | null)?.bytes;
  if (bytes instanceof Uint8Array) return bytes;
  throw new DataFault(file, 'has no bytes of a picture', {
    row,
    help: 'a column of pictures has the bytes of PNG, JPEG or WebP files, or records with the field `bytes`',
  });
}
