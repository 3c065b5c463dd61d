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
  const wrong: DataFault[] = [];
  for (let row = 0; row < rows; row++) {
    const values = columns.map((column) => column[row]);
    if (mayMiss && values.some(isMissing)) {
      missing.add(row);
      continue;
    }
    try {
      data.set(rowOf(file, row, modality, values, size), row * size);
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
  const shape = [rows, ...(modality.type === 'category' ? [] : modality.dataShape)];
  return { file, shape, data, ...(missing.size > 0 ? { missing } : {}) };
}

/** The numbers of one row. @throws DataFault where they do not belong */
function rowOf(
  file: string,
  row: number,
  modality: ModalityInfo,
  values: readonly unknown[],
  size: number,
): number[] {
  if (values.some(isMissing))
    throw new DataFault(file, `has no value for '${modality.name}'`, {
      row,
      help: 'rows without a value are allowed where the source says `missing: true`',
    });
  const numbers =
    modality.type === 'category' ? [classOf(file, row, modality, values[0])] : numbersOf(file, row, values);
  if (numbers.length !== size)
    throw new DataFault(file, `has ${numbers.length} numbers for '${modality.name}', which takes ${size}`, {
      row,
    });
  const broken = modality.discrete ? numbers.find((x) => !Number.isInteger(x)) : undefined;
  if (broken !== undefined)
    throw new DataFault(file, `has ${broken} for '${modality.name}', which takes whole numbers`, { row });
  return numbers;
}

function isMissing(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'string' && value.trim() === '');
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

function numbersOf(file: string, row: number, values: readonly unknown[]): number[] {
  return values.flatMap((value) => {
    if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
      return [Number(value)];
    if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView)))
      return numbersOf(file, row, Array.from(value as ArrayLike<unknown>));
    // `[1, 2, 3]`, `1,2,3` and `1 2 3` all are lists of numbers.
    const parts = String(value)
      .replaceAll(/[[\](),;]/g, ' ')
      .trim()
      .split(/\s+/);
    return parts.map((part) => {
      const number = part === '' ? NaN : Number(part);
      if (Number.isNaN(number))
        throw new DataFault(file, `has '${part.slice(0, 100)}', which is no number`, { row });
      return number;
    });
  });
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
