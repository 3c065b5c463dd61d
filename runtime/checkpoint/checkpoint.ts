/**
 * Checkpoints of a run: `RUN/checkpoints/step-00001000.safetensors` with the arrays and, beside it, a `.json` with
 * the step, the SHA-256 of the arrays' file, metrics, and whatever else the run must know to go on. A checkpoint
 * counts once its `.json` is there and the hash agrees; both files are written atomically, arrays first.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import * as nodeFs from 'node:fs';
import * as path from 'node:path';
import { removeLeftovers, writeAtomic, type FileSystem } from '../files/atomic.js';
import { bestOf, expired, type Kept, type Retention } from './retention.js';
import {
  formatSafetensors,
  readHeader,
  readTensor,
  type Entry,
  type ReadAt,
  type ReadTensor,
  type StoredTensor,
} from './safetensors.js';

export const CHECKPOINT_FOLDER = 'checkpoints';
const FORMAT = 2;
/** A description is a spec, its settings and a few numbers: more bytes than this are not one. */
const MOST_DESCRIPTION = 64 * 2 ** 20;

/** Values that survive a round trip through JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface Snapshot {
  /** Steps done. */
  readonly step: number;
  readonly arrays: Readonly<Record<string, StoredTensor>>;
  /** What retention may go by. */
  readonly metrics?: Kept['metrics'];
  readonly meta: Json;
}

/** What the `.json` says. */
export interface Description extends Kept {
  readonly sha256: string;
  readonly bytes: number;
  readonly meta: Json;
}

export interface Checkpoint extends Description {
  /** The `.safetensors` file. */
  readonly file: string;
  readonly arrays: ReadonlyMap<string, ReadTensor>;
}

export interface SaveOptions extends Partial<Retention> {
  readonly fs?: FileSystem & Pick<typeof nodeFs, 'readSync' | 'readFileSync' | 'mkdirSync'>;
}

/** A checkpoint that cannot be used, and why. */
export class CheckpointFault extends Error {
  override readonly name = 'CheckpointFault';
  readonly file: string;
  readonly reason: string;

  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`${file}: ${reason}`, options);
    this.file = file;
    this.reason = reason;
  }
}

/**
 * Writes a checkpoint of the run in `dir`, reads both files back, and only when they agree removes those that the
 * retention policy lets go (`keep` is 2 unless given). If anything fails, the checkpoints that were there are still
 * there. Call it holding the run's lock.
 *
 * @returns the `.safetensors` file.
 * @throws CheckpointFault when what was read back is not what was written; errors of the file system.
 */
export function save(
  dir: string,
  { step, arrays, metrics = {}, meta }: Snapshot,
  options: SaveOptions = {},
): string {
  const { keep = 2, fs = nodeFs } = options;
  if (!Number.isSafeInteger(step) || step < 0) throw new RangeError(`${step} is not a number of steps`);
  if (!Number.isSafeInteger(keep) || keep < 1) throw new RangeError(`${keep} checkpoints cannot be kept`);
  const folder = path.join(dir, CHECKPOINT_FOLDER);
  fs.mkdirSync(folder, { recursive: true });
  removeLeftovers(folder, fs);

  const pieces = formatSafetensors(Object.entries(arrays), { format: `mmdc ${FORMAT}`, step: String(step) });
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  const sha256 = hash.digest('hex');
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);

  const file = path.join(folder, nameOf(step));
  writeAtomic(file, pieces, fs);
  const text = `${JSON.stringify({ format: FORMAT, step, sha256, bytes, metrics, meta }, undefined, 2)}\n`;
  writeAtomic(jsonOf(file), text, fs);

  if (hashOf(file, bytes, fs) !== sha256 || fs.readFileSync(jsonOf(file), 'utf8') !== text) {
    throw new CheckpointFault(file, 'what was read back is not what was written');
  }
  // Later steps, left by a run that was resumed from before them, neither count nor are touched.
  const there = filesIn(folder, fs, step).map((each) => ({
    step: stepOf(each),
    metrics: metricsOf(each),
  }));
  for (const gone of expired(there, { ...options, keep })) {
    const old = path.join(folder, nameOf(gone));
    // Without its description an arrays' file no longer counts, so that goes first.
    for (const part of [jsonOf(old), old]) removeIfThere(part, fs);
  }
  return file;
}

export interface Latest {
  /** The newest checkpoint that verifies; undefined when there is none. */
  readonly checkpoint?: Checkpoint;
  /** Newer ones that do not. */
  readonly rejected: readonly { readonly file: string; readonly reason: string }[];
}

/** Looks at a checkpoint's header before any array is read; it throws where the arrays are not those that are wanted. */
export type Expect = (file: string, entries: readonly Entry[], description: Description) => void;

/**
 * Looks for the newest usable checkpoint of the run in `dir`.
 * @throws what `expect` throws: that is no damage
 */
export function latest(dir: string, expect?: Expect): Latest {
  const rejected: { file: string; reason: string }[] = [];
  for (const file of checkpointFiles(dir)) {
    try {
      return { checkpoint: load(file, expect), rejected };
    } catch (error) {
      if (!(error instanceof CheckpointFault)) throw error;
      rejected.push({ file: error.file, reason: error.reason });
    }
  }
  return { rejected };
}

/** The `.safetensors` files of the checkpoints in a run's folder, finished or not, newest first. */
export function checkpointFiles(dir: string): string[] {
  try {
    return filesIn(path.join(dir, CHECKPOINT_FOLDER), nodeFs);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The file of the checkpoint with the least value of `metric`, among those whose description can be read. */
export function bestFile(dir: string, metric: string): string | undefined {
  const described = checkpointFiles(dir).flatMap((file) => {
    try {
      return [{ file, ...describe(file) }];
    } catch (error) {
      if (error instanceof CheckpointFault) return [];
      throw error;
    }
  });
  return bestOf(described, metric)?.file;
}

/**
 * Reads one checkpoint, given its `.safetensors` file. Size, hash and header are verified, and `expect` is asked,
 * before memory for the arrays is allocated; until then a fixed buffer and the header are all that is held.
 *
 * @throws CheckpointFault when a part is missing, the hash does not agree, or a file is malformed; what `expect` throws.
 */
export function load(file: string, expect?: Expect): Checkpoint {
  const description = describe(file);
  let handle: number;
  try {
    handle = nodeFs.openSync(file, 'r');
  } catch (error) {
    const reason = codeOf(error) === 'ENOENT' ? 'is missing' : messageOf(error);
    throw new CheckpointFault(file, reason, { cause: error });
  }
  try {
    const { size } = nodeFs.fstatSync(handle);
    if (size !== description.bytes) {
      throw new CheckpointFault(file, `has ${size} bytes; ${description.bytes} were written`);
    }
    if (hashHandle(handle, size, nodeFs) !== description.sha256) {
      throw new CheckpointFault(file, 'is damaged: its SHA-256 is not the one that was written down');
    }
    const read: ReadAt = (into, position) => readFully(handle, into, position, nodeFs);
    const { entries, start } = headerOf(file, read, size);
    expect?.(file, entries, description);
    const arrays = new Map(entries.map((entry) => [entry.name, readTensor(read, start, entry)]));
    return { ...description, file, arrays };
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    throw new CheckpointFault(file, messageOf(error), { cause: error });
  } finally {
    nodeFs.closeSync(handle);
  }
}

function headerOf(file: string, read: ReadAt, size: number): ReturnType<typeof readHeader> {
  try {
    return readHeader(read, size);
  } catch (error) {
    throw new CheckpointFault(file, messageOf(error), { cause: error });
  }
}

type Reader = Pick<typeof nodeFs, 'openSync' | 'closeSync' | 'readSync'>;

/** Fills `into`. @throws an error with a code where the file ends before */
function readFully(handle: number, into: Uint8Array, position: number, fs: Pick<Reader, 'readSync'>): void {
  let done = 0;
  while (done < into.length) {
    const count = fs.readSync(handle, into, done, Math.min(into.length - done, 0x40000000), position + done);
    if (count === 0) throw Object.assign(new Error('it ended while it was read'), { code: 'EOF' });
    done += count;
  }
}

function hashHandle(handle: number, size: number, fs: Pick<Reader, 'readSync'>): string {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(Math.min(size, 2 ** 20));
  for (let at = 0; at < size; at += buffer.length) {
    const piece = buffer.subarray(0, Math.min(buffer.length, size - at));
    readFully(handle, piece, at, fs);
    hash.update(piece);
  }
  return hash.digest('hex');
}

function hashOf(file: string, bytes: number, fs: Reader): string {
  const handle = fs.openSync(file, 'r');
  try {
    return hashHandle(handle, bytes, fs);
  } finally {
    fs.closeSync(handle);
  }
}

/**
 * What the `.json` beside a checkpoint's arrays says.
 * @param file the `.safetensors` file
 * @throws CheckpointFault
 */
export function describe(file: string): Description {
  const json = jsonOf(file);
  const value = parse(json);
  if (typeof value !== 'object' || value === null)
    throw new CheckpointFault(json, 'does not describe a checkpoint');
  const { format, step, sha256, bytes, metrics, meta } = value as Record<string, unknown>;
  if (format !== FORMAT) {
    const shown = JSON.stringify(format)?.slice(0, 40) ?? 'none';
    throw new CheckpointFault(json, `has format ${shown}; this version reads ${FORMAT}`);
  }
  if (
    typeof step !== 'number' ||
    !Number.isSafeInteger(step) ||
    step !== stepOf(file) ||
    typeof sha256 !== 'string' ||
    typeof bytes !== 'number' ||
    !isMetrics(metrics) ||
    meta === undefined
  ) {
    throw new CheckpointFault(json, 'does not describe a checkpoint');
  }
  // It came from JSON.parse, so it is JSON.
  return { step, sha256, bytes, metrics, meta: meta as Json };
}

function parse(json: string): unknown {
  try {
    const { size } = nodeFs.statSync(json);
    if (size > MOST_DESCRIPTION)
      throw new CheckpointFault(json, `has ${size} bytes: no description has so many`);
    return JSON.parse(nodeFs.readFileSync(json, 'utf8'));
  } catch (error) {
    if (error instanceof CheckpointFault) throw error;
    const reason =
      codeOf(error) === 'ENOENT'
        ? 'is missing: the checkpoint was not finished'
        : error instanceof SyntaxError
          ? 'is not JSON'
          : messageOf(error);
    throw new CheckpointFault(json, reason, { cause: error });
  }
}

function isMetrics(value: unknown): value is Kept['metrics'] {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((v) => v === null || typeof v === 'number')
  );
}

/** For retention: a checkpoint without a readable description is never the best. */
function metricsOf(file: string): Kept['metrics'] {
  try {
    return describe(file).metrics;
  } catch (error) {
    if (error instanceof CheckpointFault) return {};
    throw error;
  }
}

const NAME = /^step-([0-9]{8,})\.(?:safetensors|json)$/;

function nameOf(step: number): string {
  return `step-${String(step).padStart(8, '0')}.safetensors`;
}

function stepOf(file: string): number {
  return Number(NAME.exec(path.basename(file))?.[1] ?? NaN);
}

function jsonOf(file: string): string {
  return file.replace(/\.safetensors$/, '.json');
}

/** The `.safetensors` file of every checkpoint that has left at least one of its two files, newest first. */
function filesIn(folder: string, fs: Pick<FileSystem, 'readdirSync'>, upTo = Infinity): string[] {
  const steps = new Set<number>();
  for (const name of fs.readdirSync(folder)) {
    const step = stepOf(name);
    if (Number.isSafeInteger(step) && step <= upTo) steps.add(step);
  }
  return [...steps].sort((a, b) => b - a).map((step) => path.join(folder, nameOf(step)));
}

function removeIfThere(file: string, fs: Pick<FileSystem, 'unlinkSync'>): void {
  try {
    fs.unlinkSync(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
