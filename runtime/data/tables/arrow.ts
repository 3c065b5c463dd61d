/**
 * Arrow files (Feather version 2 among them) and streams, through `apache-arrow`, which is given only what
 * `arrow-layout.ts` has checked. Buffers packed with LZ4 or Zstandard are unpacked to the size that they declare.
 *
 * @module
 */
import {
  compressionRegistry,
  CompressionType,
  DataType,
  Precision,
  tableFromIPC,
  Vector,
  type Data,
} from 'apache-arrow';
import { decompressZstd } from 'hyparquet-compressors';
import { checkArrow } from './arrow-layout.js';
import { unpackLz4 } from './lz4.js';

export interface ArrowTable {
  readonly rows: number;
  readonly names: readonly string[];
  /** Values of a column, one a row. @throws RangeError where they point outside of the file, or are of a type that is not read */
  column(name: string): ArrayLike<unknown>;
}

/** @throws RangeError, or an error of the library, for a file that is damaged */
export function readArrow(bytes: Uint8Array): ArrowTable {
  const rows = checkArrow(bytes);
  compressionRegistry.set(CompressionType.LZ4_FRAME, {
    decode: (packed) => unpackLz4(packed, declared(packed)),
  });
  compressionRegistry.set(CompressionType.ZSTD, {
    decode: (packed) => {
      const out = new Uint8Array(declared(packed));
      if (decompressZstd(packed, out).length !== out.length)
        throw new RangeError('a packed buffer is damaged');
      return out;
    },
  });
  const table = tableFromIPC(bytes);
  if (table.numRows !== rows) throw new RangeError(`it has ${table.numRows} of ${rows} rows`);
  return {
    rows,
    names: table.schema.fields.map((field) => field.name),
    column: (name) => valuesOf(table.getChild(name)!.data as readonly Data[], rows),
  };
}

/** The size that stands before a packed buffer, which the library does not pass on. */
function declared(packed: Uint8Array): number {
  return Number(new DataView(packed.buffer, packed.byteOffset - 8, 8).getBigInt64(0, true));
}

/** Values of the pieces of a column. */
function valuesOf(pieces: readonly Data[], rows: number): ArrayLike<unknown> {
  for (const piece of pieces) checkValues(piece);
  const [only] = pieces;
  if (pieces.length === 1 && only!.nullCount === 0 && isPlain(only!.type))
    return (only!.values as Float32Array).subarray(0, rows);
  const out: unknown[] = [];
  for (const piece of pieces) {
    const value = reader(piece);
    for (let i = 0; i < piece.length; i++) out.push(value(i));
  }
  return out;
}

/** Numbers that lie in a typed array as they are. */
function isPlain(type: DataType): boolean {
  return DataType.isInt(type) || (DataType.isFloat(type) && type.precision !== Precision.HALF);
}

/** @returns a function from a row of the piece to its value: number, bigint, boolean, text, bytes, list, record, null */
function reader(piece: Data): (i: number) => unknown {
  const { type, length, nullCount, values, children, valueOffsets } = piece;
  if (length === 0) return () => null;
  const there = (read: (i: number) => unknown) =>
    nullCount === 0 ? read : (i: number) => (piece.getValid(i) ? read(i) : null);
  if (isPlain(type)) return there((i) => (values as Float32Array)[i]);
  if (DataType.isList(type) || DataType.isLargeList(type) || DataType.isFixedSizeList(type)) {
    const child = children[0]!;
    const [first, last] = DataType.isFixedSizeList(type)
      ? [(i: number) => i * type.listSize, (i: number) => (i + 1) * type.listSize]
      : [(i: number) => Number(valueOffsets[i]), (i: number) => Number(valueOffsets[i + 1])];
    if (isPlain(child.type) && child.nullCount === 0)
      return there((i) => (child.values as Float32Array).subarray(first(i), last(i)));
    const value = reader(child);
    return there((i) => Array.from({ length: last(i) - first(i) }, (_, k) => value(first(i) + k)));
  }
  if (DataType.isStruct(type)) {
    const fields = children.map((child, k) => [type.children[k]!.name as string, reader(child)] as const);
    return there((i) => Object.fromEntries(fields.map(([name, value]) => [name, value(i)])));
  }
  if (DataType.isDictionary(type)) {
    const words = wordsOf(piece.dictionary);
    return there((i) => words[Number((values as Int32Array)[i])]);
  }
  const vector = new Vector([piece]);
  return (i) => vector.get(i) as unknown;
}

/** Pieces of a column share their dictionary. */
const known = new WeakMap<Vector, ArrayLike<unknown>>();

function wordsOf(dictionary: Vector | undefined): ArrayLike<unknown> {
  if (!dictionary) return [];
  const words = known.get(dictionary) ?? valuesOf(dictionary.data, dictionary.length);
  known.set(dictionary, words);
  return words;
}

/** Types whose values point to nothing. Unions, maps, decimals and intervals are no modality's values. */
const readable = [
  DataType.isNull,
  DataType.isBool,
  DataType.isInt,
  DataType.isFloat,
  DataType.isDate,
  DataType.isTime,
  DataType.isTimestamp,
  DataType.isDuration,
  DataType.isFixedSizeBinary,
  DataType.isFixedSizeList,
  DataType.isStruct,
];

/**
 * Whether what the values point to is there: offsets into text and lists, indices into dictionaries.
 * @throws RangeError where it is not, or the type is not one that a modality can be
 */
function checkValues(piece: Data): void {
  const { type, length, values, children, valueOffsets } = piece;
  if (length === 0) return;
  if (
    DataType.isUtf8(type) ||
    DataType.isBinary(type) ||
    DataType.isLargeUtf8(type) ||
    DataType.isLargeBinary(type)
  )
    checkOffsets(valueOffsets, length, (values as Uint8Array).length);
  else if (DataType.isList(type) || DataType.isLargeList(type))
    checkOffsets(valueOffsets, length, children[0]!.length);
  else if (DataType.isUtf8View(type) || DataType.isBinaryView(type)) checkViews(piece);
  else if (DataType.isDictionary(type)) {
    const most = piece.dictionary?.length ?? 0;
    for (let i = 0; i < length; i++) {
      const index = Number((values as Int32Array)[i]);
      if (piece.getValid(i) && (index < 0 || index >= most))
        throw new RangeError(`row ${i} has the word ${index} of a dictionary of ${most}`);
    }
  } else if (!readable.some((is) => is(type)))
    throw new RangeError(
      `a column of the type ${String(type)} is not read: store numbers, text, bytes, or lists of them`,
    );
  for (const child of children) checkValues(child);
}

function checkOffsets(offsets: Int32Array | BigInt64Array, length: number, most: number): void {
  let before = length === 0 ? 0 : Number(offsets[0]);
  if (before < 0) throw new RangeError('it has text or lists that begin before the file');
  for (let i = 1; i <= length; i++) {
    const next = Number(offsets[i]);
    if (!(next >= before)) throw new RangeError(`its row ${i - 1} ends before it begins`);
    before = next;
  }
  if (before > most) throw new RangeError('it has text or lists beyond its end');
}

/** Sixteen bytes a value: its length, then itself or four bytes of it, the number of a buffer, and the place in it. */
function checkViews({ values, length, variadicBuffers }: Data): void {
  const bytes = values as Uint8Array;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < length; i++) {
    const size = view.getInt32(16 * i, true);
    const [buffer, offset] = [view.getInt32(16 * i + 8, true), view.getInt32(16 * i + 12, true)];
    if (size < 0 || (size > 12 && (offset < 0 || offset + size > (variadicBuffers[buffer]?.length ?? -1))))
      throw new RangeError(`its row ${i} has text beyond its end`);
  }
}
