/**
 * Pictures as plain arrays. PNG is read by fast-png, JPEG and WebP by libjpeg-turbo and libwebp compiled to WebAssembly,
 * which are loaded when a file of theirs is first met.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { convertIndexedToRgb, decode, type DecodedPng } from 'fast-png';
import { DataFault } from '../fault.js';
import { pictureHeader } from './header.js';
import { tamePng } from './png.js';

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** 1 is grey, 3 is RGB. An alpha channel was opaque and is gone. */
  readonly channels: 1 | 3;
  /** [H, W, C]: 0 .. 255, or floats in [-1, 1] of files with 16 bits a channel. */
  readonly data: Uint8Array | Float32Array;
  /** What a mask says: grey values or palette indices of at most 8 bits, [H, W]; absent for other pictures. */
  readonly indices?: Uint8Array;
}

const require = createRequire(import.meta.url);

/** Every scan of a JPEG goes over all pixels, however few bytes it has. Pictures have ten or so. */
const MOST_SCANNED = 2 ** 30;
/** Decoders keep the memory of what they gave up on: after so many damaged files they are loaded afresh. */
const RENEWED = 32;
let failures = 0;

interface Decoder {
  decode(source: Uint8Array): { width: number; height: number; data: Uint8ClampedArray };
}

/** @throws DataFault for damaged, unsupported and transparent pictures */
export function decodePicture(file: string, bytes: Uint8Array): Picture {
  const { format, width, height } = pictureHeader(file, bytes);
  if (format === 'png') return fromPng(file, readPng(file, bytes, width, height));
  // Their decoders fill what is missing of a cut file with grey, and say nothing.
  if (format === 'jpeg' && !endsWhole(bytes)) throw new DataFault(file, 'is a truncated JPEG file');
  if (format === 'jpeg' && scansOf(bytes) * width * height > MOST_SCANNED)
    throw new DataFault(file, `declares ${width} x ${height} pixels, in more passes than pictures have`);
  let pixels: Uint8ClampedArray;
  const decoder = format === 'jpeg' ? '@cwasm/jpeg-turbo' : '@cwasm/webp';
  try {
    const image = (require(decoder) as Decoder).decode(bytes);
    if (image.width !== width || image.height !== height) throw new Error('its size is not the declared one');
    pixels = image.data;
  } catch (error) {
    if (++failures % RENEWED === 0) Reflect.deleteProperty(require.cache, require.resolve(decoder));
    const detail = error instanceof Error ? error.message : String(error);
    const name = format === 'jpeg' ? 'JPEG' : 'WebP';
    throw new DataFault(file, `is a damaged or unsupported ${name} file (${detail})`, { cause: error });
  }
  return { width, height, ...fromRgba(file, pixels) };
}

/** Scans that a JPEG file has; one inside a preview counts too. */
function scansOf(bytes: Uint8Array): number {
  let scans = 0;
  for (let at = bytes.indexOf(0xff); at >= 0; at = bytes.indexOf(0xff, at + 1))
    if (bytes[at + 1] === 0xda) scans++;
  return scans;
}

/** End of image, perhaps with bytes after it that cameras add. */
function endsWhole(bytes: Uint8Array): boolean {
  for (let i = bytes.length - 2; i >= 2; i--) if (bytes[i] === 0xff && bytes[i + 1] === 0xd9) return true;
  return false;
}

function fromRgba(file: string, rgba: Uint8ClampedArray): Pick<Picture, 'channels' | 'data'> {
  const pixels = rgba.length / 4;
  let grey = true;
  for (let i = 0; i < pixels; i++) {
    if (rgba[4 * i + 3] !== 255) throw transparent(file);
    grey &&= rgba[4 * i] === rgba[4 * i + 1] && rgba[4 * i] === rgba[4 * i + 2];
  }
  const channels = grey ? 1 : 3;
  const data = new Uint8Array(pixels * channels);
  for (let i = 0; i < pixels; i++)
    for (let c = 0; c < channels; c++) data[i * channels + c] = rgba[4 * i + c]!;
  return { channels, data };
}

function transparent(file: string): DataFault {
  return new DataFault(file, 'has transparent pixels', { help: 'flatten it onto a background first' });
}

function readPng(file: string, bytes: Uint8Array, width: number, height: number): DecodedPng {
  try {
    const png = decode(tamePng(bytes));
    const expected = Math.ceil((width * png.channels * png.depth) / 8) * height;
    if (png.data.byteLength !== expected) throw new Error('too few pixels');
    return png;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new DataFault(file, `is a damaged or unsupported PNG file (${detail})`, { cause: error });
  }
}

function fromPng(file: string, png: DecodedPng): Picture {
  const { width, height, depth } = png;
  const pixels = width * height;
  const most = 2 ** depth - 1;
  const palette = png.palette !== undefined;
  const channels = palette || png.channels > 2 ? 3 : 1;
  const source = palette ? convertIndexedToRgb(png) : unpack(png);
  const stride = source.length / pixels;
  const opaque = palette ? 255 : most;
  if (stride !== channels)
    for (let i = 0; i < pixels; i++) if (source[i * stride + channels] !== opaque) throw transparent(file);
  const data = depth === 16 ? new Float32Array(pixels * channels) : new Uint8Array(pixels * channels);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < channels; c++) {
      const value = source[i * stride + c]!;
      data[i * channels + c] =
        depth === 16 ? value / (most / 2) - 1 : depth < 8 && !palette ? (value * 255) / most : value;
    }
  }
  const indices = png.channels === 1 && depth <= 8 ? { indices: unpack(png) as Uint8Array } : {};
  return { width, height, channels, data, ...indices };
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
