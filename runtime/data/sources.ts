/**
 * The sources that a `data` block can name, opened as columns.
 *
 * @module
 */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { ModalityInfo, SourceInfo } from '../../compiler/model/info.js';
import { parseSafetensors, SafetensorsFault } from '../checkpoint/safetensors.js';
import { readCifar } from './cifar.js';
import { fillMissing, toColumn, type Column, type ColumnType } from './column.js';
import { DataFault } from './fault.js';
import { asFault, readBytes, refusePickle } from './files.js';
import { readIdx } from './idx.js';
import {
  decodeAll,
  filesAt,
  openImages,
  openMasks,
  pictureFiles,
  type PictureRows,
  type PictureSource,
} from './images.js';
import { readNpy } from './npy.js';
import { readNpz } from './npz.js';
import type { Fit } from './pictures/fit.js';
import { indexShards, readEntry, type ShardRow } from './shards.js';
import { readTable, type TableFormat } from './tables/table.js';
import { pictureBytes, valueArray, type ValueArray } from './tables/values.js';

/** Sets of pictures of at most this many values are decoded when they are opened. */
const mostDecoded = 2 ** 28;

/** A class, a few numbers: a larger file is none. */
const MOST_SIDECAR = 2 ** 24;

export interface OpenOptions {
  /** Decodes pictures only when rows are read, whatever their number. */
  readonly lazy?: boolean;
  /** Folder of the spec's project, for frozen networks that it names; the current folder where it is left out. */
  readonly project?: string;
}

/**
 * @param type what the column has to be
 * @param root folder that paths are relative to
 * @throws DataFault for what is unreadable or does not belong
 */
export async function openSource(
  modality: ModalityInfo,
  type: ColumnType,
  { source }: SourceInfo,
  root: string,
  options: OpenOptions = {},
): Promise<Column> {
  const { args } = source;
  const place = resolvePath(args.path as string, root);
  const { name } = modality;
  const array = (file: Parameters<typeof toColumn>[1]) => toColumn(name, file, type);
  switch (source.form) {
    case 'idx':
      return array(readIdx(place));
    case 'npy':
      return array(readNpy(place));
    case 'npz':
      return array(readNpz(place, (args.key as string | null) ?? undefined));
    case 'safetensors':
      return array(fromSafetensors(place, args.key as string));
    case 'cifar': {
      const files = filesAt(place, /\.bin$/i, '.bin').map((f) => f.file);
      const { images, labels } = readCifar(files, args.labels === 2 ? 2 : 1);
      return array(modality.type === 'category' ? labels : images);
    }
    case 'images':
    case 'masks':
      return pictures(modality, type, place, pictureFiles(place), args.fit, options);
    case 'shards':
      return fromShards(modality, type, place, args.field as string, args, options);
    case 'sidecars':
      return fromSidecars(modality, type, place, args.ending as string, args.missing === true);
    default:
      return fromTable(modality, type, place, source.form as TableFormat, args, options);
  }
}

function resolvePath(path: string, root: string): string {
  return isAbsolute(path) ? path : join(root, path);
}

function fromSafetensors(file: string, key: string) {
  let parsed: ReturnType<typeof parseSafetensors>;
  try {
    parsed = parseSafetensors(readBytes(file));
  } catch (error) {
    if (error instanceof SafetensorsFault)
      throw new DataFault(file, `is damaged: ${error.message}`, { cause: error });
    throw error;
  }
  const tensor = parsed.tensors.get(key);
  if (!tensor) {
    throw new DataFault(file, `has no tensor '${key}'`, {
      help: `it has ${[...parsed.tensors.keys()]
        .slice(0, 10)
        .map((k) => `'${k}'`)
        .join(', ')}`,
    });
  }
  const { shape, data } = tensor;
  if (data instanceof BigInt64Array) return { file, shape, data: Int32Array.from(data, Number) };
  return { file, shape, data };
}

/** Decoded at once where they are few, else row by row. */
function pictures(
  modality: ModalityInfo,
  type: ColumnType,
  place: string,
  sources: readonly PictureSource[],
  fit: unknown,
  options: OpenOptions,
): Column {
  const shape = modality.dataShape;
  const how = { fit: ((fit as { form?: string } | null)?.form ?? 'none') as Fit };
  const rows =
    modality.type === 'mask'
      ? openMasks(place, sources, shape as [number, number], how)
      : openImages(place, sources, shape as [number, number, number], how);
  const size = shape.reduce((n, d) => n * d, 1);
  if (!options.lazy && sources.length * size <= mostDecoded)
    return toColumn(modality.name, decodeAll(rows), type);
  return lazyColumn(modality.name, rows, type);
}

/** A column that decodes a row when it is read, with the checks that a whole one gets at once. */
function lazyColumn(name: string, rows: PictureRows, type: ColumnType): Column {
  const one = (row: number): Column => {
    try {
      return toColumn(name, { file: rows.file, shape: [1, ...rows.shape], data: rows.row(row) }, type);
    } catch (error) {
      if (!(error instanceof DataFault)) throw error;
      const help = error.help === undefined ? {} : { help: error.help };
      throw new DataFault(error.file, error.detail, { row, ...help, cause: error });
    }
  };
  // Known without decoding: that the first picture is damaged says nothing about the others.
  const indexed = type.kind === 'mask' || type.kind === 'tokens' || type.kind === 'category';
  return {
    name,
    source: rows.file,
    rows: rows.rowNames.length,
    shape: type.kind === 'category' ? [] : type.shape,
    kind: indexed ? 'index' : 'real',
    ...(indexed ? { classes: type.classes } : {}),
    rowNames: rows.rowNames,
    lazy: true,
    read: (row, out, offset) => one(row).read(0, out, offset),
  };
}

type Args = SourceInfo['source']['args'];

async function fromTable(
  modality: ModalityInfo,
  type: ColumnType,
  file: string,
  format: TableFormat,
  args: Args,
  options: OpenOptions,
): Promise<Column> {
  const names = (args.columns as readonly string[] | null) ?? [
    (args.column as string | null) ?? modality.name,
  ];
  const id = args.id as string | null;
  const table = await readTable(file, format, [...new Set([...names, ...(id === null ? [] : [id])])]);
  if (table.rows === 0) throw new DataFault(file, 'has no rows');
  const rowNames =
    id === null
      ? undefined
      : Array.from(table.column(id), (value) =>
          value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value),
        );
  if (modality.type === 'image' || modality.type === 'mask') {
    const values = table.column(names[0]!);
    const sources = Array.from({ length: table.rows }, (_, row): PictureSource => {
      const bytes = () => pictureBytes(file, row, values[row]);
      return { file: `${file}, row ${row}`, name: rowNames?.[row] ?? String(row), bytes, head: bytes };
    });
    const column = pictures(modality, type, file, sources, args.fit, options);
    return rowNames ? column : unnamed(column);
  }
  const values = valueArray(
    file,
    modality,
    names.map((name) => table.column(name)),
    args.missing === true,
  );
  return withMissing(modality.name, values, type, rowNames);
}

/** Rows of a table without ids are joined by order. */
function unnamed({ rowNames: _, ...column }: Column): Column {
  return column;
}

/** A column whose rows without values are read as such. */
function withMissing(
  name: string,
  values: ValueArray,
  type: ColumnType,
  rowNames: readonly string[] | undefined,
): Column {
  const column = toColumn(name, { ...values, ...(rowNames ? { rowNames } : {}) }, type);
  const { missing } = values;
  if (!missing) return column;
  return {
    ...column,
    missing: (row) => missing.has(row),
    read: (row, out, offset) =>
      missing.has(row) ? fillMissing(column, out, offset) : column.read(row, out, offset),
  };
}

function fromShards(
  modality: ModalityInfo,
  type: ColumnType,
  place: string,
  field: string,
  args: Args,
  options: OpenOptions,
): Column {
  const rows = indexShards(filesAt(place, /\.tar$/i, '.tar').map((f) => f.file));
  if (rows.length === 0) throw new DataFault(place, 'holds no samples');
  const entry = (row: ShardRow) => {
    const found = row.entries.get(field.toLowerCase());
    if (!found && args.missing !== true)
      throw new DataFault(place, `the sample ${row.key} has no ${field}`, {
        help: `it has ${[...row.entries.keys()].join(', ')}`,
      });
    return found;
  };
  if (modality.type === 'image' || modality.type === 'mask') {
    const there = rows.filter((row) => entry(row));
    const sources = there.map((row): PictureSource => {
      const bytes = () => readEntry(entry(row)!);
      return { file: `${entry(row)!.file}, ${row.key}.${field}`, name: row.key, bytes, head: bytes };
    });
    const column = pictures(modality, type, place, sources, args.fit, options);
    return column;
  }
  const text = rows.map((row) => {
    const found = entry(row);
    return found ? parseSidecar(found.file, field, readEntry(found)) : null;
  });
  const values = valueArray(place, modality, [text], args.missing === true);
  return withMissing(
    modality.name,
    values,
    type,
    rows.map((row) => row.key),
  );
}

/** Files beside pictures: `a.txt` has the value of the row `a`. */
function fromSidecars(
  modality: ModalityInfo,
  type: ColumnType,
  place: string,
  ending: string,
  mayMiss: boolean,
): Column {
  const dot = ending.startsWith('.') ? ending : `.${ending}`;
  const escaped = dot.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const files = filesAt(place, new RegExp(`${escaped}$`, 'i'), dot);
  const values = files.map(({ file }) => {
    try {
      const { size } = statSync(file);
      if (size > MOST_SIDECAR)
        throw new DataFault(file, `has ${size} bytes; a file beside a picture has at most ${MOST_SIDECAR}`);
      return parseSidecar(file, dot.slice(1), readFileSync(file));
    } catch (error) {
      throw asFault(file, error);
    }
  });
  const array = valueArray(place, modality, [values], mayMiss);
  return withMissing(
    modality.name,
    array,
    type,
    files.map((f) => f.name),
  );
}

/** What a small file says: JSON, an array of NumPy is not one, or text. */
function parseSidecar(file: string, ending: string, bytes: Uint8Array): unknown {
  refusePickle(file, bytes);
  const text = new TextDecoder().decode(bytes).trim();
  if (ending.toLowerCase() !== 'json') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
