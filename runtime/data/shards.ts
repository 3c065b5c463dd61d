/**
 * WebDataset: samples as files in tar archives, those of one sample having one name up to its first dot. Archives are
 * indexed by their headers once and read row by row, so memory stays small. Nothing is ever extracted: names of entries
 * are only compared.
 *
 * @module
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { DataFault } from './fault.js';
import { asFault } from './files.js';

export interface ShardEntry {
  readonly file: string;
  readonly offset: number;
  readonly size: number;
}

export interface ShardRow {
  /** Name up to the first dot of its last part. */
  readonly key: string;
  /** By what follows the dot, lower case. */
  readonly entries: ReadonlyMap<string, ShardEntry>;
}

const BLOCK = 512;
/** Longest path that a pax or GNU header may bring. */
const MOST_PATH = 65_536;
/** An entry is read whole. */
const MOST_ENTRY = 2 ** 28;

/**
 * All samples of the archives, in their order.
 * @throws DataFault for archives that are damaged, and for samples that are spread over several places
 */
export function indexShards(files: readonly string[]): ShardRow[] {
  const rows: ShardRow[] = [];
  const seen = new Set<string>();
  for (const file of files) {
    let current: { key: string; entries: Map<string, ShardEntry> } | undefined;
    for (const { name, ...entry } of entriesOf(file)) {
      const slash = name.lastIndexOf('/');
      const dot = name.indexOf('.', slash + 1);
      if (dot <= slash + 1) continue;
      const [key, extension] = [name.slice(0, dot), name.slice(dot + 1).toLowerCase()];
      if (current?.key !== key) {
        if (seen.has(key))
          throw new DataFault(file, `the sample ${key} is in two places`, {
            help: 'files of one sample follow each other in a shard',
          });
        seen.add(key);
        current = { key, entries: new Map() };
        rows.push(current);
      }
      if (current.entries.has(extension)) throw new DataFault(file, `${name} is there twice`);
      current.entries.set(extension, { file, ...entry });
    }
  }
  return rows;
}

/** The bytes of an entry. @throws DataFault when the archive has changed since it was indexed */
export function readEntry({ file, offset, size }: ShardEntry): Uint8Array {
  if (size > MOST_ENTRY)
    throw new DataFault(file, `has an entry of ${size} bytes; at most ${MOST_ENTRY} are read`);
  const out = new Uint8Array(size);
  withFile(file, (fd) => {
    if (readSync(fd, out, 0, size, offset) !== size) throw new DataFault(file, 'is shorter than it was');
  });
  return out;
}

/** Regular files of an archive (POSIX.1-2001 ustar and pax, GNU long names). */
function entriesOf(file: string): { name: string; offset: number; size: number }[] {
  return withFile(file, (fd) => {
    const end = fstatSync(fd).size;
    const block = new Uint8Array(BLOCK);
    const out: { name: string; offset: number; size: number }[] = [];
    let at = 0;
    let longName: string | undefined;
    while (at + BLOCK <= end) {
      readSync(fd, block, 0, BLOCK, at);
      if (block.every((byte) => byte === 0)) return out;
      if (!checksumFits(block))
        throw new DataFault(file, `is not a tar archive, or is damaged at byte ${at}`);
      const size = numberAt(block, 124, 12);
      if (size === undefined || at + BLOCK + size > end)
        throw new DataFault(file, `is truncated: the entry at byte ${at} goes past its end`);
      const type = String.fromCharCode(block[156]!);
      if (type === 'L' || type === 'x') {
        if (size > MOST_PATH) throw new DataFault(file, `has a header of ${size} bytes at byte ${at}`);
        const bytes = new Uint8Array(size);
        readSync(fd, bytes, 0, size, at + BLOCK);
        longName = type === 'L' ? stringAt(bytes, 0, size) : (paxPath(bytes) ?? longName);
      } else {
        const prefix = stringAt(block, 257, 5) === 'ustar' ? stringAt(block, 345, 155) : '';
        const short = stringAt(block, 0, 100);
        const name = longName ?? (prefix === '' ? short : `${prefix}/${short}`);
        longName = undefined;
        if (type === '0' || type === '\0') out.push({ name, offset: at + BLOCK, size });
      }
      at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    }
    throw new DataFault(file, out.length === 0 ? 'is not a tar archive' : 'is truncated: its end is missing');
  });
}

function withFile<T>(file: string, use: (fd: number) => T): T {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    throw asFault(file, error);
  }
  try {
    return use(fd);
  } catch (error) {
    throw asFault(file, error);
  } finally {
    closeSync(fd);
  }
}

function stringAt(bytes: Uint8Array, from: number, length: number): string {
  const part = bytes.subarray(from, from + length);
  const end = part.indexOf(0);
  return new TextDecoder().decode(end < 0 ? part : part.subarray(0, end));
}

/** Octal digits, or GNU's base 256 where the first bit is set. */
function numberAt(block: Uint8Array, from: number, length: number): number | undefined {
  if (block[from]! & 0x80) {
    let value = block[from]! & 0x7f;
    for (let i = 1; i < length; i++) value = value * 256 + block[from + i]!;
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const text = stringAt(block, from, length).trim();
  return /^[0-7]+$/.test(text) ? parseInt(text, 8) : undefined;
}

/** The sum of all bytes of the header, its own field counted as spaces. */
function checksumFits(block: Uint8Array): boolean {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : block[i]!;
  return numberAt(block, 148, 8) === sum;
}

/** The record `length path=value\n` of a pax header. */
function paxPath(bytes: Uint8Array): string | undefined {
  let rest = new TextDecoder().decode(bytes);
  while (rest.length > 0) {
    const match = /^(\d{1,6}) ([^=\n]+)=/.exec(rest);
    if (!match) return undefined;
    const length = Number(match[1]);
    const value = rest.slice(match[0].length, length - 1);
    if (match[2] === 'path') return value;
    if (length <= match[0].length) return undefined;
    rest = rest.slice(length);
  }
  return undefined;
}
