/**
 * Parquet files through `hyparquet`, whose loops go by counts in the file: runs that are longer than their page, lists
 * without end, pages that unpack to anything. So every count that a loop goes by is checked here first (Apache Parquet,
 * "File format", `parquet.thrift` and "Encodings").
 *
 * @module
 */
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { parquetMetadata, parquetRead, parquetSchema, type FileMetaData, type SchemaTree } from 'hyparquet';
import { compressors as others, decompressZstd } from 'hyparquet-compressors';
import { MOST_BYTES } from '../files.js';
import { readStruct, readVarint, type Struct } from './thrift.js';

export interface ParquetTable {
  readonly rows: number;
  readonly names: readonly string[];
  columns(wanted: readonly string[]): Promise<Map<string, ArrayLike<unknown>>>;
}

type Decompress = (packed: Uint8Array, length: number) => Uint8Array;
const native =
  (unpack: (packed: Uint8Array, options: { maxOutputLength: number }) => Uint8Array): Decompress =>
  (packed, length) =>
    unpack(packed, { maxOutputLength: Math.max(1, length) });

/** None unpacks to more than the length that is declared; what unpacks to nothing need not even be there. */
const compressors: Record<string, Decompress> = Object.fromEntries(
  Object.entries({
    ...(others as Record<string, Decompress>),
    GZIP: native(gunzipSync),
    BROTLI: native(brotliDecompressSync),
    ZSTD: (packed: Uint8Array, length: number) => decompressZstd(packed, new Uint8Array(length)),
  }).map(([codec, decompress]): [string, Decompress] => [
    codec,
    (packed, length) => (length === 0 ? new Uint8Array(0) : decompress(packed, length)),
  ]),
);

/** Runs make rows out of nothing: so many rows a byte are believed. */
const MOST_ROWS_A_BYTE = 1024;
/** What a byte can unpack to; Snappy has 21, LZ4 255, deflate 1032, Brotli and Zstandard more. */
const MOST_RATIO = 2 ** 15;
const NEVER_MORE = 2 ** 16;

/** @throws RangeError, or an error of the library, for a file that is damaged */
export function readParquet(bytes: Uint8Array): ParquetTable {
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const metadata = checkedMetadata(bytes);
  const tree = parquetSchema(metadata);
  const rows = Number(metadata.num_rows);
  return {
    rows,
    names: tree.children.map((child) => child.element.name),
    async columns(wanted) {
      const most = MOST_ROWS_A_BYTE * bytes.length + NEVER_MORE;
      if (rows > most) throw new RangeError(`it declares ${rows} rows, more than it has room for`);
      checkGroups(bytes, metadata, tree, wanted, most);
      const chunks = new Map(wanted.map((name) => [name, [] as { at: number; data: ArrayLike<unknown> }[]]));
      await parquetRead({
        file: buffer,
        metadata,
        compressors,
        columns: [...wanted],
        utf8: false,
        onChunk: ({ columnName, columnData, rowStart }) =>
          chunks.get(columnName)?.push({ at: rowStart, data: columnData }),
      });
      return new Map([...chunks].map(([name, pieces]) => [name, joined(name, pieces, rows)]));
    },
  };
}

/** Pieces one after the other, typed where there is one. */
function joined(
  name: string,
  pieces: { at: number; data: ArrayLike<unknown> }[],
  rows: number,
): ArrayLike<unknown> {
  const [first] = pieces;
  if (pieces.length === 1 && first!.at === 0 && first!.data.length === rows) return first!.data;
  const out: unknown[] = [];
  for (const { at, data } of pieces.toSorted((a, b) => a.at - b.at)) {
    if (at > out.length) throw new RangeError(`the column '${name}' lacks rows`);
    for (let i = out.length - at; i < data.length; i++) out.push(data[i]);
  }
  if (out.length !== rows) throw new RangeError(`the column '${name}' has ${out.length} of ${rows} rows`);
  return out;
}

/** The footer, after a walk through its structure. */
function checkedMetadata(bytes: Uint8Array): FileMetaData {
  const text = (at: number) => Buffer.from(bytes.subarray(at, at + 4)).toString('latin1');
  if (bytes.length < 12 || text(0) !== 'PAR1' || text(bytes.length - 4) !== 'PAR1')
    throw new RangeError('it does not begin and end with PAR1');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(bytes.length - 8, true);
  if (length > bytes.length - 12) throw new RangeError('its footer is longer than the file');
  const footer = bytes.subarray(bytes.length - 8 - length);
  readStruct(footer.subarray(0, length), 0);
  const metadata = parquetMetadata(footer, { geoparquet: false });
  const groups = metadata.row_groups.map((group) => Number(group.num_rows));
  const rows = Number(metadata.num_rows);
  if (!(rows >= 0) || groups.some((n) => !(n >= 0)) || groups.reduce((a, b) => a + b, 0) !== rows)
    throw new RangeError('its numbers of rows do not agree');
  return metadata;
}

/** The pages of every column that is read. */
function checkGroups(
  bytes: Uint8Array,
  { row_groups: groups }: FileMetaData,
  tree: SchemaTree,
  wanted: readonly string[],
  most: number,
): void {
  let unpacked = 0;
  for (const { columns } of groups)
    for (const { meta_data: meta } of columns) {
      if (!meta) throw new RangeError('a column lacks its description');
      if (!wanted.includes(meta.path_in_schema[0]!)) continue;
      const leaf = leafAt(tree, meta.path_in_schema);
      const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
      const end = start + Number(meta.total_compressed_size);
      if (!(start >= 4 && end >= start && end <= bytes.length - 8))
        throw new RangeError('a column lies beyond the end');
      unpacked += checkPages(bytes.subarray(start, end), { ...leaf, codec: meta.codec, most });
      if (unpacked > MOST_BYTES) throw new RangeError(`it unpacks to more than ${MOST_BYTES} bytes`);
    }
}

interface Leaf {
  readonly type: string | undefined;
  readonly width: number;
  /** How deep values can be repeated, and be absent. */
  readonly repetition: number;
  readonly definition: number;
}

function leafAt(tree: SchemaTree, path: readonly string[]): Leaf {
  let node = tree;
  let [repetition, definition] = [0, 0];
  for (const name of path) {
    const child = node.children.find((c) => c.element.name === name);
    if (!child) throw new RangeError('a column is not in the schema');
    if (child.element.repetition_type !== 'REQUIRED') definition++;
    if (child.element.repetition_type === 'REPEATED') repetition++;
    if (['VARIANT', 'GEOMETRY', 'GEOGRAPHY'].includes(child.element.logical_type?.type ?? ''))
      throw new RangeError(`columns of the type ${child.element.logical_type!.type} are not read`);
    node = child;
  }
  return { type: node.element.type, width: node.element.type_length ?? 0, repetition, definition };
}

type Context = Leaf & { readonly codec: string; readonly most: number };

/** @returns bytes that the pages unpack to */
function checkPages(chunk: Uint8Array, context: Context): number {
  let [at, values, unpacked] = [0, 0, 0];
  while (at < chunk.length - 1) {
    const { value: header, end } = readStruct(chunk, at);
    const [type, unpackedSize, size] = [1, 2, 3].map((field) => numberIn(header, field)) as [
      number,
      number,
      number,
    ];
    if (end + size > chunk.length) throw new RangeError('a page lies beyond the end of its column');
    if (unpackedSize > MOST_RATIO * size + NEVER_MORE)
      throw new RangeError(`a page of ${size} bytes would unpack to ${unpackedSize}`);
    const described = header.get(type === 0 ? 5 : type === 2 ? 7 : 8);
    if (![0, 2, 3].includes(type) || !(described instanceof Map))
      throw new RangeError('a page is of no known kind');
    const count = numberIn(described as Struct, 1);
    values += count;
    unpacked += unpackedSize;
    if (values > context.most)
      throw new RangeError(`it declares ${values} values, more than it has room for`);
    const page = chunk.subarray(end, end + size);
    if (type === 0) checkPage(page, unpackedSize, described as Struct, count, context);
    if (type === 3) checkPageV2(page, unpackedSize, described as Struct, count, context);
    at = end + size;
  }
  return unpacked;
}

function checkPage(packed: Uint8Array, size: number, header: Struct, count: number, context: Context): void {
  const page = unpack(packed, size, context.codec);
  let at = 0;
  for (const level of [context.repetition, context.definition]) {
    if (level === 0) continue;
    const end = at + 4 + lengthAt(page, at);
    if (end > page.length || checkRuns(page, at + 4, end, bitsFor(level), count) < count)
      throw new RangeError('a page has fewer values than it declares');
    at = end;
  }
  checkValues(page, at, numberIn(header, 2), count, context);
}

function checkPageV2(
  packed: Uint8Array,
  size: number,
  header: Struct,
  count: number,
  context: Context,
): void {
  const [definition, repetition] = [numberIn(header, 5), numberIn(header, 6)];
  if (numberIn(header, 2) > count || definition + repetition > Math.min(packed.length, size))
    throw new RangeError('a page has more levels than bytes');
  const levels = packed.subarray(0, definition + repetition);
  for (const [level, from, to] of [
    [context.repetition, 0, repetition],
    [context.definition, repetition, repetition + definition],
  ] as const)
    if (level > 0 && checkRuns(levels, from, to, bitsFor(level), count) < count)
      throw new RangeError('a page has fewer values than it declares');
  const rest = packed.subarray(levels.length);
  const isPacked = header.get(7) !== 0;
  const page = isPacked ? unpack(rest, size - levels.length, context.codec) : rest;
  checkValues(page, 0, numberIn(header, 4), count, context);
}

/** @param at where the values begin, after the levels */
function checkValues(
  page: Uint8Array,
  at: number,
  encoding: number,
  count: number,
  { type, width }: Context,
): void {
  if (width < 0 || width > Math.max(64, page.length))
    throw new RangeError('its values are larger than their page');
  if (encoding === 2 || encoding === 8 || (encoding === 3 && type !== 'BOOLEAN'))
    checkRuns(page, at + 1, page.length, at < page.length ? page[at]! : 0, count);
  else if (encoding === 3) checkRuns(page, at + 4, page.length, 1, count);
  else if (encoding === 5 || encoding === 6) deltas(page, at, 0);
  else if (encoding === 7) {
    // Every value begins with so many bytes of the one before, which are written out.
    const shared = deltas(page, at, count);
    const own = deltas(page, shared.end, count);
    if (shared.sum + own.sum > MOST_RATIO * page.length)
      throw new RangeError('its text is larger than its page can hold');
  } else if (encoding === 9) {
    if (count * Math.max(width, 8) > MOST_RATIO * page.length + NEVER_MORE)
      throw new RangeError('a page has fewer values than it declares');
  } else if (encoding !== 0)
    throw new RangeError(`its values are in the encoding ${encoding}, which is not read`);
}

/**
 * The hybrid of runs and packed bits: no run may be longer than the page.
 * @returns values that the runs make up
 */
function checkRuns(page: Uint8Array, from: number, to: number, width: number, count: number): number {
  if (width > 32) throw new RangeError('a page has indices of more than 32 bits');
  let seen = 0;
  for (let at = from; at < to;) {
    const { value, end } = readVarint(page, at);
    const packed = value % 2 === 1;
    const run = packed ? 8 * ((value - 1) / 2) : value / 2;
    if (run > count + 7) throw new RangeError('a page has a run that is longer than the page');
    seen += run;
    at = end + (packed ? (run / 8) * width : (width + 7) >> 3);
  }
  return seen;
}

/**
 * Differences in blocks, of which the head is checked, and of lengths the sum is taken (`most` values at most).
 * @returns where they end, unless `most` is 0
 */
function deltas(page: Uint8Array, start: number, most: number): { sum: number; end: number } {
  let at = start;
  const varint = () => {
    const { value, end } = readVarint(page, at);
    at = end;
    return value;
  };
  const signed = () => {
    const zigzag = varint();
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  };
  const [size, parts, declared] = [varint(), varint(), varint()];
  const each = size / parts;
  if (!Number.isInteger(each) || each < 1 || each % 8 !== 0 || size > 2 ** 20 || parts > page.length)
    throw new RangeError('a page has a block of differences of no size');
  let value = signed();
  let sum = value;
  const count = Math.min(declared, most);
  for (let done = 1; done < count;) {
    const least = signed();
    const widths = page.subarray(at, (at += parts));
    for (const width of widths) {
      if (done >= count) break;
      if (width > 32 || at + (each * width) / 8 > page.length) throw new RangeError('a page is cut off');
      for (let i = 0; i < each && done < count; i++, done++) {
        let more = 0;
        for (let bit = 0; bit < width; bit++) {
          const place = i * width + bit;
          if ((page[at + (place >> 3)]! >> (place & 7)) & 1) more += 2 ** bit;
        }
        value += least + more;
        if (value < 0) throw new RangeError('a page has a length below zero');
        sum += value;
      }
      at += (each * width) / 8;
    }
  }
  return { sum, end: at };
}

function unpack(packed: Uint8Array, size: number, codec: string): Uint8Array {
  if (codec === 'UNCOMPRESSED') return packed;
  const decompress = compressors[codec];
  if (!decompress) throw new RangeError(`it is packed with ${codec}, which is not read`);
  const page = decompress(packed, size);
  if (page.length !== size) throw new RangeError('a page unpacks to another size than it declares');
  return page;
}

function lengthAt(page: Uint8Array, at: number): number {
  if (at + 4 > page.length) throw new RangeError('a page is cut off');
  return new DataView(page.buffer, page.byteOffset + at, 4).getUint32(0, true);
}

function numberIn(struct: Struct, field: number): number {
  const value = struct.get(field);
  if (typeof value !== 'number' || value < 0) throw new RangeError('a header lacks a number');
  return value;
}

function bitsFor(level: number): number {
  return 32 - Math.clz32(level);
}
