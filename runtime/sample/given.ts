/**
 * What `--given NAME=VALUE` means: a class, a `.npy` file, or rows of the data.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { didYouMean } from '../../compiler/diagnostics/suggest.js';
import { sizeOf } from '../../compiler/graph/ir.js';
import type { ModalityInfo, ModelInfo } from '../../compiler/model/info.js';
import { rowSize, toColumn, type Column } from '../data/column.js';
import { DataFault } from '../data/fault.js';
import { readNpy } from '../data/npy.js';
import { columnType, openModality } from '../data/open.js';
import type { OpenOptions } from '../data/sources.js';
import { InputFault, UsageFault } from '../faults.js';
import type { Rows } from './sampler.js';

export interface Given {
  readonly name: string;
  readonly rows: Rows;
  /** As written, for `samples.json`. */
  readonly text: string;
}

/**
 * Reads `NAME=VALUE`.
 * @throws UsageFault for a malformed argument, InputFault for a value that does not fit
 */
export async function readGiven(info: ModelInfo, text: string, options: OpenOptions = {}): Promise<Given> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UsageFault(`--given ${text}: it is not of the form NAME=VALUE`);
  const [name, value] = [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
  const modality = findModality(info, name);
  const inTask = info.tasks.some((task) =>
    task.known.some((part) => part.modality === name || part.region === name),
  );
  if (!info.encoders.has(name) && !inTask) throw notGiven(name);
  return { name, text, rows: await readValue(info, modality, value, options) };
}

export const notGiven = (name: string): InputFault =>
  new InputFault(`\`${name}\` cannot be given: the model has no encoder for it`);

export function findModality(info: ModelInfo, name: string): ModalityInfo {
  const found = info.modalities.find((m) => m.name === name);
  if (found) return found;
  const names = info.modalities.map((m) => m.name);
  const near = didYouMean(name, names);
  throw new InputFault(
    `the model has no modality \`${name}\``,
    near ? `did you mean \`${near}\`?` : `it has ${names.map((n) => `\`${n}\``).join(', ')}`,
  );
}

async function readValue(
  info: ModelInfo,
  modality: ModalityInfo,
  value: string,
  options: OpenOptions,
): Promise<Rows> {
  if (modality.type === 'category') {
    const named = modality.labels?.indexOf(value) ?? -1;
    const index = named >= 0 ? named : /^\d+$/.test(value) ? Number(value) : undefined;
    if (index !== undefined) {
      if (index < modality.classes) return { data: Int32Array.of(index), shape: [1] };
      throw new InputFault(
        `\`${modality.name}\` has the classes 0 to ${modality.classes - 1}, and not ${value}`,
      );
    }
  }
  const hash = /^(.*)#(\d*):(\d*)$/.exec(value);
  const path = hash ? hash[1] : value;
  const source = path.endsWith('.npy')
    ? fromArray(modality, path)
    : await fromData(info, modality, path, value, options);
  const from = hash?.[2] ? Number(hash[2]) : 0;
  const to = hash?.[3] ? Number(hash[3]) : source.rows;
  if (from >= to || to > source.rows) {
    throw new InputFault(`--given ${modality.name}=${value}: there are the rows 0:${source.rows}`);
  }
  return rowsOf(
    source,
    Array.from({ length: to - from }, (_, i) => from + i),
  );
}

function fromArray(modality: ModalityInfo, path: string): Column {
  try {
    return toColumn(modality.name, readNpy(path), columnType(modality, [-1]));
  } catch (error) {
    throw error instanceof DataFault ? new InputFault(error.message, error.help) : error;
  }
}

async function fromData(
  info: ModelInfo,
  modality: ModalityInfo,
  path: string,
  value: string,
  options: OpenOptions,
): Promise<Column> {
  if (path.startsWith('builtin:') || existsSync(path))
    return openModality(info, modality.name, path, options);
  const kinds = modality.type === 'category' ? 'a class, a `.npy` file' : 'a `.npy` file';
  throw new InputFault(
    `--given ${modality.name}=${value}: it is neither ${kinds} nor an existing data folder`,
    `rows of the data are written \`--given ${modality.name}=DIR#0:16\``,
  );
}

/** The listed rows of a column, in memory. */
export function rowsOf(column: Column, rows: readonly number[]): Rows {
  const size = rowSize(column);
  const data =
    column.kind === 'index' ? new Int32Array(rows.length * size) : new Float32Array(rows.length * size);
  rows.forEach((row, i) => column.read(row, data, i * size));
  return { data, shape: [rows.length, ...column.shape] };
}

/** `n` rows: as many as there are, or one row repeated. @throws InputFault when there are fewer */
export function fitRows(name: string, rows: Rows, n: number): Rows {
  const have = rows.shape[0];
  if (have === n) return rows;
  const size = sizeOf(rows.shape.slice(1));
  const shape = [n, ...rows.shape.slice(1)];
  if (have > n) return { data: rows.data.slice(0, n * size), shape };
  if (have > 1)
    throw new InputFault(
      `\`${name}\` is given for ${have} rows, and ${n} are to be sampled`,
      'sample at most as many, or give one row for all',
    );
  const data = rows.data instanceof Int32Array ? new Int32Array(n * size) : new Float32Array(n * size);
  for (let i = 0; i < n; i++) data.set(rows.data, i * size);
  return { data, shape };
}
