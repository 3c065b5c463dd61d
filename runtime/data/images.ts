/**
 * Folders of PNG files: one row a file, in the order of their names (by code unit, so the same everywhere).
 *
 * @module
 */
import { readdirSync } from 'node:fs';
import * as path from 'node:path';
import { convertIndexedToRgb, decode, type DecodedPng } from 'fast-png';
import type { FileArray } from './array.js';
import { DataFault } from './fault.js';
import { asFault, MOST_BYTES, readBytes } from './files.js';

/** Rows that are files. */
export interface FolderArray extends FileArray {
  readonly rowNames: readonly string[];
}

/**
 * Images as [n, H, W, C] bytes, or floats in [-1, 1] where the files have 16 bits a channel. C is 1 for grey files
 * and 3 for coloured ones (palettes included); an alpha channel is dropped where it is opaque.
 *
 * @param shape [H, W, C] that every file must have; by default the first file's.
 * @throws DataFault naming the file that is unreadable, of another size, or has transparent pixels.
 */
export function readImages(folder: string, shape?: readonly [number, number, number]): FolderArray {
  const names = pngNames(folder);
  const first = readPng(path.join(folder, names[0]!));
  const channels = shape?.[2] ?? colours(first);
  const size = shape ?? [first.height, first.width, channels];
  const count = checkSize(folder, names.length, size);
  const deep = first.depth === 16;
  const data = deep ? new Float32Array(names.length * count) : new Uint8Array(names.length * count);
  names.forEach((name, row) => {
    const file = path.join(folder, name);
    const png = row === 0 ? first : readPng(file);
    checkDimensions(file, png, size[0], size[1]);
    if ((png.depth === 16) !== deep) {
      throw new DataFault(file, `has ${png.depth} bits a channel, and ${names[0]} ${first.depth}`);
    }
    if (colours(png) !== channels) {
      throw new DataFault(file, `has ${colours(png)} colour channels; expected are ${channels}`);
    }
    copyColours(file, png, channels, data, row * count);
  });
  return { file: folder, shape: [names.length, ...size], data, rowNames: names };
}

/**
 * Masks as [n, H, W] bytes: the grey values or palette indices of the files, 8 bits or fewer.
 *
 * @param shape [H, W] that every file must have; by default the first file's.
 * @throws DataFault naming the file that is unreadable, of another size, or coloured.
 */
export function readMasks(folder: string, shape?: readonly [number, number]): FolderArray {
  const names = pngNames(folder);
  const first = readPng(path.join(folder, names[0]!));
  const size = shape ?? [first.height, first.width];
  const count = checkSize(folder, names.length, size);
  const data = new Uint8Array(names.length * count);
  names.forEach((name, row) => {
    const file = path.join(folder, name);
    const png = row === 0 ? first : readPng(file);
    checkDimensions(file, png, size[0], size[1]);
    if (png.channels !== 1 || png.depth === 16) {
      throw new DataFault(file, `is not a mask: it has ${png.channels} channels of ${png.depth} bits`, {
        help: 'a mask is a grey or palette PNG of at most 8 bits whose values are classes',
      });
    }
    data.set(unpack(png), row * count);
  });
  return { file: folder, shape: [names.length, ...size], data, rowNames: names };
}

function pngNames(folder: string): string[] {
  let entries: string[];
  try {
    entries = readdirSync(folder);
  } catch (error) {
    throw asFault(folder, error);
  }
  const names = entries.filter((name) => /\.png$/i.test(name) && !name.startsWith('.')).sort();
  if (names.length === 0) {
    const others = entries.find((name) => /\.(jpe?g|webp|gif|bmp|tiff?)$/i.test(name));
    throw new DataFault(folder, 'holds no PNG files', {
      help:
        others === undefined
          ? 'name the folder that the PNG files are in'
          : `convert ${others} and its like to PNG`,
    });
  }
  return names;
}

/** Signature, then the IHDR chunk: sizes are known, and checked, before anything is decoded. */
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const MOST_PIXELS = 2 ** 26;

function readPng(file: string): DecodedPng {
  const bytes = readBytes(file);
  if (bytes.length < 33 || SIGNATURE.some((byte, i) => bytes[i] !== byte)) {
    throw new DataFault(file, 'is not a PNG file');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  if (width === 0 || height === 0 || width * height > MOST_PIXELS) {
    throw new DataFault(file, `declares ${width} x ${height} pixels; at most ${MOST_PIXELS} are read`);
  }
  try {
    const png = decode(bytes, { checkCrc: true });
    const expected = Math.ceil((width * png.channels * png.depth) / 8) * height;
    if (png.data.byteLength !== expected) throw new Error('too few pixels');
    return png;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new DataFault(file, `is a damaged or unsupported PNG file (${detail})`, { cause: error });
  }
}

function checkSize(folder: string, rows: number, size: readonly number[]): number {
  const count = size.reduce((n, d) => n * d, 1);
  if (rows * count > MOST_BYTES) {
    throw new DataFault(folder, `holds ${rows} files of ${size.join(' x ')}, more than ${MOST_BYTES} values`);
  }
  return count;
}

function checkDimensions(file: string, png: DecodedPng, height: number, width: number): void {
  if (png.height === height && png.width === width) return;
  throw new DataFault(
    file,
    `is ${png.width} pixels wide and ${png.height} high; expected are ${width} and ${height}`,
    {
      help: 'images are not resized: bring them to the size of the modality first',
    },
  );
}

function colours(png: DecodedPng): number {
  return png.palette !== undefined || png.channels > 2 ? 3 : 1;
}

/** One value a channel, where several share a byte. */
function unpack(png: DecodedPng): DecodedPng['data'] {
  const { width, height, depth, data } = png;
  if (depth >= 8) return data;
  const stride = Math.ceil((width * depth) / 8);
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const byte = data[y * stride + (bit >> 3)]!;
      out[y * width + x] = (byte >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
    }
  }
  return out;
}

function copyColours(
  file: string,
  png: DecodedPng,
  channels: number,
  out: Uint8Array | Float32Array,
  offset: number,
): void {
  const most = 2 ** png.depth - 1;
  const source = png.palette === undefined ? unpack(png) : convertIndexedToRgb(png);
  const pixels = png.width * png.height;
  const stride = source.length / pixels;
  const opaque = png.palette === undefined ? most : 255;
  if (stride !== channels) {
    for (let i = 0; i < pixels; i++) {
      if (source[i * stride + channels] !== opaque) {
        throw new DataFault(file, 'has transparent pixels', { help: 'flatten it onto a background first' });
      }
    }
  }
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < channels; c++) {
      const value = source[i * stride + c]!;
      out[offset + i * channels + c] =
        out instanceof Float32Array
          ? value / (most / 2) - 1
          : png.depth < 8 && !png.palette
            ? (value * 255) / most
            : value;
    }
  }
}
