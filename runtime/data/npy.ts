/**
 * NumPy's array format, versions 1.0, 2.0 and 3.0 (NEP 1 and `numpy.lib.format`): a magic string, a version, the
 * length of a header, the header as a Python dictionary literal, and the elements.
 *
 * @module
 */
import { writeAtomic } from '../files/atomic.js';
import type { ArrayData, FileArray } from './array.js';
import { DataFault } from './fault.js';
import { readBytes } from './files.js';

/** What is read and written: little-endian or single bytes, C order. */
const BYTES: Readonly<Record<string, number>> = {
  '<f4': 4,
  '<f8': 8,
  '<i4': 4,
  '<i8': 8,
  '|u1': 1,
  '|b1': 1,
};
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** NumPy itself refuses longer headers of untrusted files at 10,000 characters. */
const MOST_HEADER = 10_000;

export interface NpyHeader {
  readonly descr: string;
  readonly shape: readonly number[];
  /** Offset of the elements in the file. */
  readonly start: number;
}

/**
 * Reads a .npy file: `<f4`, `<f8`, `<i4`, `<i8`, `|u1` or `|b1` elements in C order. 64-bit integers come as 32-bit
 * ones, truth values as bytes.
 *
 * @throws DataFault for anything else, for truncated or longer files, and for integers beyond 32 bits.
 */
export function readNpy(file: string): FileArray {
  return parseNpy(file, readBytes(file));
}

/** {@link readNpy} on bytes that are already there. */
export function parseNpy(file: string, bytes: Uint8Array): FileArray {
  const { descr, shape, start } = parseNpyHeader(file, bytes);
  const width = BYTES[descr]!;
  const count = shape.reduce((n, d) => n * d, 1);
  const expected = start + count * width;
  if (bytes.length !== expected) {
    const what = bytes.length < expected ? 'is truncated' : 'has bytes after its elements';
    throw new DataFault(
      file,
      `${what}: ${shape.join(' x ')} elements of ${descr} need ${expected} bytes, found ${bytes.length}`,
    );
  }
  // A copy, so that the elements are aligned whatever the header's length is.
  const buffer = bytes.slice(start).buffer;
  return { file, shape, data: decode(file, descr, buffer, count / Math.max(1, shape[0] ?? 1)) };
}

function decode(file: string, descr: string, buffer: ArrayBufferLike, perRow: number): ArrayData {
  switch (descr) {
    case '<f4':
      return new Float32Array(buffer);
    case '<f8':
      return new Float64Array(buffer);
    case '<i4':
      return new Int32Array(buffer);
    case '<i8':
      return narrow(file, new BigInt64Array(buffer), perRow);
    default:
      return new Uint8Array(buffer);
  }
}

function narrow(file: string, wide: BigInt64Array, perRow: number): Int32Array {
  const out = new Int32Array(wide.length);
  for (let i = 0; i < wide.length; i++) {
    out[i] = Number(wide[i]);
    if (BigInt(out[i]!) !== wide[i]) {
      throw new DataFault(file, `${wide[i]} does not fit 32 bits`, { row: Math.floor(i / perRow) });
    }
  }
  return out;
}

/**
 * Parses and checks the header.
 *
 * @throws DataFault naming what is wrong or not supported, with the NumPy call that mends it.
 */
export function parseNpyHeader(file: string, bytes: Uint8Array): NpyHeader {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new DataFault(file, 'is not a .npy file', { help: "write it with numpy's save()" });
  }
  const version = bytes[6]!;
  if (version < 1 || version > 3 || bytes[7] !== 0) {
    throw new DataFault(file, `is .npy version ${version}.${bytes[7]}; 1.0, 2.0 and 3.0 are read`);
  }
  const prefix = version === 1 ? 10 : 12;
  if (bytes.length < prefix) throw new DataFault(file, 'is truncated in its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, prefix);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MOST_HEADER) throw new DataFault(file, `declares a header of ${length} bytes`);
  if (bytes.length < prefix + length) {
    throw new DataFault(
      file,
      `is truncated in its header: ${prefix + length} bytes needed, found ${bytes.length}`,
    );
  }
  const start = prefix + length;
  const text = new TextDecoder('latin1').decode(bytes.subarray(prefix, start));
  const { descr, fortran, shape } = parseDictionary(file, text);
  if (descr.includes('O')) {
    throw new DataFault(file, 'holds pickled Python objects, which are programs and never loaded', {
      help: "save a plain array, for example numpy.save(name, array.astype('float32'))",
    });
  }
  if (!(descr in BYTES)) {
    throw new DataFault(file, `has elements of type ${descr}; read are ${Object.keys(BYTES).join(', ')}`, {
      help: "convert it first, for example with array.astype('<f4')",
    });
  }
  if (fortran && shape.length > 1) {
    throw new DataFault(file, 'is in Fortran order', {
      help: 'convert it with numpy.ascontiguousarray(array)',
    });
  }
  return { descr, shape, start };
}

interface Dictionary {
  readonly descr: string;
  readonly fortran: boolean;
  readonly shape: readonly number[];
}

/** One token of the literal: a string, a word or integer, or a single bracket, comma or colon. */
const TOKEN = /\s*(?:'([^'\\]*)'|"([^"\\]*)"|([A-Za-z]+|[0-9]+)L?|([{}()[\],:]))/y;

type Token = { readonly text: string; readonly quoted: boolean };

/** `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`: exactly these three keys, in any order. */
function parseDictionary(file: string, text: string): Dictionary {
  const malformed = (): DataFault =>
    new DataFault(file, `has a malformed header: ${text.trim().slice(0, 200)}`);
  const tokens: Token[] = [];
  const body = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < body.length) {
    const match = TOKEN.exec(body);
    if (match === null) throw malformed();
    const quoted = match[1] ?? match[2];
    tokens.push({ text: quoted ?? match[3] ?? match[4]!, quoted: quoted !== undefined });
  }
  let at = 0;
  const is = (word: string): boolean => tokens[at]?.text === word && !tokens[at]!.quoted;
  const accept = (word: string): boolean => is(word) && ++at > 0;
  const expect = (word: string): void => {
    if (!accept(word)) throw malformed();
  };
  const next = (quoted: boolean): string => {
    const token = tokens[at++];
    if (token === undefined || token.quoted !== quoted) throw malformed();
    return token.text;
  };

  let descr: string | undefined;
  let fortran: boolean | undefined;
  let shape: number[] | undefined;
  expect('{');
  while (!is('}')) {
    const key = next(true);
    expect(':');
    if (key === 'descr' && descr === undefined) {
      if (is('['))
        throw new DataFault(file, 'has records of several fields', { help: 'save each field on its own' });
      descr = next(true);
    } else if (key === 'fortran_order' && fortran === undefined) {
      const word = next(false);
      if (word !== 'True' && word !== 'False') throw malformed();
      fortran = word === 'True';
    } else if (key === 'shape' && shape === undefined) {
      shape = [];
      expect('(');
      while (!is(')')) {
        const size = next(false);
        if (!/^[0-9]{1,15}$/.test(size)) throw malformed();
        shape.push(Number(size));
        if (!accept(',')) break;
      }
      expect(')');
    } else throw malformed();
    if (!accept(',')) break;
  }
  expect('}');
  if (at !== tokens.length || descr === undefined || fortran === undefined || shape === undefined)
    throw malformed();
  return { descr, fortran, shape };
}

export type NpyData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

/**
 * The bytes of a .npy file, version 1.0, C order, elements aligned to 64 bytes as NumPy does.
 *
 * @throws RangeError when the data does not have the shape's number of elements.
 */
export function formatNpy(data: NpyData, shape: readonly number[]): Uint8Array {
  const count = shape.reduce((n, d) => n * d, 1);
  if (count !== data.length) throw new RangeError(`${data.length} elements do not have the shape [${shape}]`);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const literal = `{'descr': '${descrOf(data)}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const start = Math.ceil((10 + literal.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + data.byteLength);
  bytes.set(MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, start - 10, true);
  bytes.set(new TextEncoder().encode(`${literal.padEnd(start - 11)}\n`), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return bytes;
}

/** Writes {@link formatNpy}'s bytes, whole or not at all. */
export function writeNpy(file: string, data: NpyData, shape: readonly number[]): void {
  writeAtomic(file, formatNpy(data, shape));
}

function descrOf(data: NpyData): string {
  if (data instanceof Float32Array) return '<f4';
  if (data instanceof Float64Array) return '<f8';
  if (data instanceof Int32Array) return '<i4';
  if (data instanceof BigInt64Array) return '<i8';
  return '|u1';
}
