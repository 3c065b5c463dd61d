/**
 * Pictures and masks that are files: one row a file, in the order of their names (by code unit, so the same everywhere).
 * Small sets are decoded when they are opened; large ones row by row when they are read, so that memory stays bounded.
 *
 * @module
 */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { isDynamicPattern, globSync } from 'tinyglobby';
import type { ArrayData, FileArray } from './array.js';
import { DataFault } from './fault.js';
import { asFault, readBytes } from './files.js';
import { decodePicture } from './pictures/decode.js';
import { fitMask, fitPicture, type Fit } from './pictures/fit.js';
import { pictureHeader, PICTURE_NAME } from './pictures/header.js';

/** A picture that can be had again: a file, an entry of an archive, bytes of a table. */
export interface PictureSource {
  /** For messages. */
  readonly file: string;
  /** What joins it with others. */
  readonly name: string;
  bytes(): Uint8Array;
  /** The first bytes, enough for a header. */
  head(): Uint8Array;
}

/** Rows that are pictures; `row` decodes one. */
export interface PictureRows {
  readonly file: string;
  /** [H, W, C] or, of masks, [H, W] */
  readonly shape: readonly number[];
  readonly rowNames: readonly string[];
  row(row: number): ArrayData;
}

/** Rows that are files, decoded. */
export interface FolderArray extends FileArray {
  readonly rowNames: readonly string[];
}
/** A header lies in this many bytes, unless a JPEG carries a large profile: then the whole file is read. */
const HEAD = 65_536;

export interface PictureOptions {
  readonly fit?: Fit;
}

/**
 * Images, [n, H, W, C] as bytes, or floats in [-1, 1] of files with 16 bits a channel. Grey files serve three channels;
 * coloured ones do not serve one.
 *
 * @param place a folder, or a pattern such as `train/*.jpg`
 * @param shape [H, W, C]; by default the first file's
 * @throws DataFault naming the file that is unreadable, of another size, or has transparent pixels
 */
export function readImages(
  place: string,
  shape?: readonly [number, number, number],
  options: PictureOptions = {},
): FolderArray {
  return decodeAll(openImages(place, pictureFiles(place), shape, options));
}

/** {@link readImages} on pictures from anywhere. */
export function openImages(
  place: string,
  sources: readonly PictureSource[],
  shape: readonly [number, number, number] | undefined,
  { fit = 'none' }: PictureOptions,
): PictureRows {
  const size = shape ?? firstShape(sources[0]!);
  const [H, W, C] = size;
  checkHeaders(sources, H, W, fit);
  const row = (i: number): ArrayData => {
    const { file, bytes } = sources[i]!;
    const picture = decodePicture(file, bytes());
    if (picture.channels > C)
      throw new DataFault(file, `has ${picture.channels} colour channels; expected are ${C}`);
    const wide = picture.channels === C ? picture.data : repeated(picture.data, C);
    return fitPicture(wide, [picture.height, picture.width], [H, W], C, fit);
  };
  return { file: place, shape: size, rowNames: sources.map((s) => s.name), row };
}

/**
 * Masks, [n, H, W] as bytes: the grey values or palette indices of PNG files with 8 bits or fewer.
 *
 * @param shape [H, W]; by default the first file's
 * @throws DataFault naming the file that is unreadable, of another size, or coloured
 */
export function readMasks(
  place: string,
  shape?: readonly [number, number],
  options: PictureOptions = {},
): FolderArray {
  return decodeAll(openMasks(place, pictureFiles(place), shape, options));
}

/** {@link readMasks} on pictures from anywhere. */
export function openMasks(
  place: string,
  sources: readonly PictureSource[],
  shape: readonly [number, number] | undefined,
  { fit = 'none' }: PictureOptions,
): PictureRows {
  const size = shape ?? (firstShape(sources[0]!).slice(0, 2) as unknown as [number, number]);
  checkHeaders(sources, size[0], size[1], fit);
  const row = (i: number): ArrayData => {
    const { file, bytes } = sources[i]!;
    const { indices, width, height, channels } = decodePicture(file, bytes());
    if (!indices)
      throw new DataFault(file, `is not a mask: it has ${channels} channels or more than 8 bits`, {
        help: 'a mask is a grey or palette PNG of at most 8 bits whose values are classes',
      });
    return fitMask(indices, [height, width], size, fit);
  };
  return { file: place, shape: size, rowNames: sources.map((s) => s.name), row };
}

/** All rows in memory. @throws DataFault as reading a row does, or where some have 16 bits and some 8 */
export function decodeAll(rows: PictureRows): FolderArray {
  const { file, shape, rowNames } = rows;
  const size = shape.reduce((n, d) => n * d, 1);
  const first = rows.row(0);
  const deep = first instanceof Float32Array;
  const data = deep ? new Float32Array(rowNames.length * size) : new Uint8Array(rowNames.length * size);
  rowNames.forEach((name, i) => {
    const row = i === 0 ? first : rows.row(i);
    if (row instanceof Float32Array !== deep)
      throw new DataFault(
        file,
        `${name} has ${deep ? 8 : 16} bits a channel, and ${rowNames[0]} ${deep ? 16 : 8}`,
      );
    data.set(row, i * size);
  });
  return { file, shape: [rowNames.length, ...shape], data, rowNames };
}

function firstShape(source: PictureSource): [number, number, number] {
  const { width, height, channels } = decodePicture(source.file, source.bytes());
  return [height, width, channels];
}

function headerOf(source: PictureSource): ReturnType<typeof pictureHeader> | undefined {
  for (const part of ['head', 'bytes'] as const) {
    try {
      return pictureHeader(source.file, source[part]());
    } catch (error) {
      if (!(error instanceof DataFault)) throw error;
    }
  }
  return undefined;
}

/** Rows that are named where several are of another size. */
const mostNamed = 20;

/** Every size is known before any picture is decoded. */
function checkHeaders(sources: readonly PictureSource[], H: number, W: number, fit: Fit): void {
  const wrong: { row: number; file: string; size: string }[] = [];
  for (const [row, source] of sources.entries()) {
    const { file } = source;
    const header = headerOf(source);
    // What is no picture at all is told when its row is read, and may be left out.
    if (header === undefined) continue;
    const { width, height } = header;
    if (fit !== 'none' || (height === H && width === W)) continue;
    wrong.push({ row, file, size: `${width} pixels wide and ${height} high` });
  }
  const [first, ...others] = wrong;
  if (first === undefined) return;
  const named = others.slice(0, mostNamed).map((w) => `row ${w.row} (${path.basename(w.file)})`);
  const more = others.length > mostNamed ? ` and ${others.length - mostNamed} more` : '';
  const too = named.length === 0 ? '' : `; other sizes too: ${named.join(', ')}${more}`;
  throw new DataFault(first.file, `is ${first.size}; expected are ${W} and ${H}${too}`, {
    row: first.row,
    help: 'pictures are resized where the source says so: `fit: crop` keeps the aspect, `fit: stretch` does not',
  });
}

function repeated(grey: Uint8Array | Float32Array, channels: number): Uint8Array | Float32Array {
  const out =
    grey instanceof Float32Array
      ? new Float32Array(grey.length * channels)
      : new Uint8Array(grey.length * channels);
  for (let i = 0; i < out.length; i++) out[i] = grey[Math.floor(i / channels)]!;
  return out;
}

/** Files of a folder, or that a pattern matches, by name. @throws DataFault where there are none */
export function filesAt(place: string, wanted: RegExp, kind: string): { file: string; name: string }[] {
  let names: string[];
  let base = '';
  if (isDynamicPattern(place)) {
    names = globSync(place.replaceAll('\\', '/'), {
      absolute: true,
      onlyFiles: true,
      expandDirectories: false,
    }).filter((name) => wanted.test(name));
  } else {
    base = place;
    try {
      names = statSync(place).isDirectory()
        ? readdirSync(place).filter((name) => wanted.test(name) && !name.startsWith('.'))
        : [''];
    } catch (error) {
      throw asFault(place, error);
    }
  }
  if (names.length === 0)
    throw new DataFault(place, `holds no ${kind} files`, {
      help: `name the folder that the ${kind} files are in`,
    });
  return names.sort().map((name) => {
    const file = base === '' ? name : name === '' ? base : path.join(base, name);
    return { file, name: path.basename(file) };
  });
}

/** The pictures of a folder, or that a pattern matches. @throws DataFault where there are none */
export function pictureFiles(place: string): PictureSource[] {
  return filesAt(place, PICTURE_NAME, 'PNG, JPEG or WebP').map(({ file, name }) => ({
    file,
    name,
    bytes: () => readBytes(file),
    head: () => headOf(file),
  }));
}

function headOf(file: string): Uint8Array {
  try {
    const fd = openSync(file, 'r');
    try {
      const bytes = new Uint8Array(HEAD);
      return bytes.subarray(0, readSync(fd, bytes, 0, HEAD, 0));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw asFault(file, error);
  }
}
