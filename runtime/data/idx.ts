/**
 * The IDX format of the MNIST files (Y. LeCun, C. Cortes, C. Burges, "The MNIST database"): two zero bytes, a type
 * byte, the number of dimensions, their sizes as big-endian 32-bit integers, then the elements in C order,
 * big-endian. Plain or gzip-compressed.
 *
 * @module
 */
import { constants, gunzipSync } from 'node:zlib';
import type { ArrayData, FileArray } from './array.js';
import { DataFault } from './fault.js';
import { MOST_BYTES, readBytes } from './files.js';

interface Type {
  readonly name: string;
  readonly bytes: number;
  readonly make: (view: DataView, count: number) => ArrayData;
}

function decoder<T extends ArrayData>(
  make: new (count: number) => T,
  bytes: number,
  get: (view: DataView, offset: number) => number,
): (view: DataView, count: number) => T {
  return (view, count) => {
    const out = new make(count);
    for (let i = 0; i < count; i++) out[i] = get(view, i * bytes);
    return out;
  };
}

const TYPES: ReadonlyMap<number, Type> = new Map([
  [
    0x08,
    {
      name: 'u8',
      bytes: 1,
      // A copy, so that a compressed file's buffer does not live on behind a view.
      make: (view, count) => new Uint8Array(view.buffer, view.byteOffset, count).slice(),
    },
  ],
  [0x09, { name: 'i8', bytes: 1, make: decoder(Int8Array, 1, (v, o) => v.getInt8(o)) }],
  [0x0b, { name: 'i16', bytes: 2, make: decoder(Int16Array, 2, (v, o) => v.getInt16(o)) }],
  [0x0c, { name: 'i32', bytes: 4, make: decoder(Int32Array, 4, (v, o) => v.getInt32(o)) }],
  [0x0d, { name: 'f32', bytes: 4, make: decoder(Float32Array, 4, (v, o) => v.getFloat32(o)) }],
  [0x0e, { name: 'f64', bytes: 8, make: decoder(Float64Array, 8, (v, o) => v.getFloat64(o)) }],
]);

interface Header {
  readonly type: Type;
  readonly shape: readonly number[];
  /** Bytes before the elements, and in the whole uncompressed file. */
  readonly start: number;
  readonly total: number;
}

/** The largest header: four bytes and 255 sizes. */
const MOST_HEADER = 4 + 4 * 255;
/** Deflate cannot shrink data by more than about 1032 to 1 (zlib's technical details). */
const MOST_RATIO = 1032;

/**
 * Reads an IDX file.
 *
 * @throws DataFault when the file is missing or unreadable, not IDX, corrupt, truncated, or followed by further
 * bytes. Declared sizes are checked against the bytes there are before anything of that size is allocated.
 */
export function readIdx(file: string): FileArray {
  const raw = readBytes(file);
  const compressed = raw[0] === 0x1f && raw[1] === 0x8b;
  const header = parseHeader(file, compressed ? inflateStart(file, raw) : raw);
  if (header.total > (compressed ? Math.min(MOST_BYTES, (raw.length + 1) * MOST_RATIO) : MOST_BYTES)) {
    throw new DataFault(file, `declares ${sizes(header)}, far more than its ${raw.length} bytes can hold`);
  }
  const bytes = compressed ? inflate(file, raw, header) : raw;
  if (bytes.length < header.total) {
    throw new DataFault(
      file,
      `is truncated: ${sizes(header)} need ${header.total} bytes, found ${bytes.length}`,
    );
  }
  if (bytes.length > header.total) {
    throw new DataFault(
      file,
      `has ${bytes.length - header.total} bytes after its ${sizes(header)} (expected ${header.total}, found ${bytes.length})`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + header.start, header.total - header.start);
  const count = (header.total - header.start) / header.type.bytes;
  return { file, shape: header.shape, data: header.type.make(view, count) };
}

function parseHeader(file: string, bytes: Uint8Array): Header {
  if (bytes.length < 4) {
    throw new DataFault(file, `is truncated: an IDX header needs at least 4 bytes, found ${bytes.length}`);
  }
  const type = TYPES.get(bytes[2]!);
  if (bytes[0] !== 0 || bytes[1] !== 0 || type === undefined || bytes[3] === 0) {
    const start = [...bytes.subarray(0, 4)].map((b) => b.toString(16).padStart(2, '0')).join(' ');
    throw new DataFault(file, `is not an IDX file: it starts with ${start}`, {
      help: 'an IDX file starts with 00 00, a type (08, 09, 0b to 0e) and the number of dimensions',
    });
  }
  const start = 4 + 4 * bytes[3]!;
  if (bytes.length < start) {
    throw new DataFault(file, `is truncated: its header needs ${start} bytes, found ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, start);
  const shape: number[] = [];
  let total = type.bytes;
  for (let i = 0; i < bytes[3]!; i++) {
    shape.push(view.getUint32(4 + 4 * i));
    total *= shape[i]!;
  }
  return { type, shape, start, total: start + total };
}

/** As much of the uncompressed file as the header can need. */
function inflateStart(file: string, raw: Uint8Array): Uint8Array {
  try {
    // The small piece of input ends in the middle of the stream, which a sync flush does not mind.
    return gunzipSync(raw.subarray(0, 4 * MOST_HEADER), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    throw corrupt(file, error);
  }
}

function inflate(file: string, raw: Uint8Array, header: Header): Uint8Array {
  try {
    return gunzipSync(raw, { maxOutputLength: header.total });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw new DataFault(file, `has more than the ${header.total} bytes of its ${sizes(header)}`, {
        cause: error,
      });
    }
    throw corrupt(file, error);
  }
}

function corrupt(file: string, cause: unknown): DataFault {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new DataFault(file, `is not a complete gzip file (${detail})`, {
    help: 'the file is damaged or was not copied to its end: fetch it again',
    cause,
  });
}

function sizes(header: Header): string {
  return `${header.shape.join(' x ')} ${header.type.name} elements`;
}
