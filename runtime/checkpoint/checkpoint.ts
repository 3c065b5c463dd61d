/**
 * Checkpoints of a run: `RUN/checkpoints/step-00001000.safetensors` with the arrays and, beside it, a `.json` with
 * the step, the SHA-256 of the arrays' file and whatever else the run must know to go on. A checkpoint counts once
 * its `.json` is there and the hash agrees; both files are written atomically, arrays first.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import * as nodeFs from 'node:fs';
import * as path from 'node:path';
import { removeLeftovers, writeAtomic, type FileSystem } from '../files/atomic.js';
import { formatSafetensors, parseSafetensors, type ReadTensor, type StoredTensor } from './safetensors.js';

export const CHECKPOINT_FOLDER = 'checkpoints';
const FORMAT = 1;

/** Values that survive a round trip through JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface Snapshot {
  /** Steps done. */
  readonly step: number;
  readonly arrays: Readonly<Record<string, StoredTensor>>;
  readonly meta: Json;
}

export interface Checkpoint {
  /** The `.safetensors` file. */
  readonly file: string;
  readonly step: number;
  readonly arrays: ReadonlyMap<string, ReadTensor>;
  readonly meta: Json;
  /** Of the `.safetensors` file, hexadecimal. */
  readonly sha256: string;
}

export interface SaveOptions {
  /** How many checkpoints to keep, the new one included; default 2. */
  readonly keep?: number;
  readonly fs?: FileSystem & Pick<typeof nodeFs, 'readFileSync' | 'mkdirSync'>;
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
 * Writes a checkpoint of the run in `dir`, reads it back, and only when the hash agrees removes the oldest ones
 * beyond `keep`. If anything fails, the checkpoints that were there are still there. Call it holding the run's lock.
 *
 * @returns the `.safetensors` file.
 * @throws CheckpointFault when what was read back is not what was written; errors of the file system.
 */
export function save(dir: string, { step, arrays, meta }: Snapshot, options: SaveOptions = {}): string {
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
  const description = { format: FORMAT, step, sha256, bytes, meta };
  writeAtomic(jsonOf(file), `${JSON.stringify(description, undefined, 2)}\n`, fs);

  const back = createHash('sha256').update(fs.readFileSync(file)).digest('hex');
  if (back !== sha256) throw new CheckpointFault(file, 'what was read back is not what was written');
  // Later steps, left by a run that was resumed from before them, neither count nor are touched.
  for (const old of filesIn(folder, fs, step).slice(keep)) {
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

/** Looks for the newest usable checkpoint of the run in `dir`. */
export function latest(dir: string): Latest {
  const folder = path.join(dir, CHECKPOINT_FOLDER);
  const rejected: { file: string; reason: string }[] = [];
  let files: string[];
  try {
    files = filesIn(folder, nodeFs);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { rejected };
    throw error;
  }
  for (const file of files) {
    try {
      return { checkpoint: load(file), rejected };
    } catch (error) {
      if (!(error instanceof CheckpointFault)) throw error;
      rejected.push({ file: error.file, reason: error.reason });
    }
  }
  return { rejected };
}

/**
 * Reads one checkpoint, given its `.safetensors` file.
 *
 * @throws CheckpointFault when a part is missing, the hash does not agree, or a file is malformed.
 */
export function load(file: string): Checkpoint {
  const description = readDescription(jsonOf(file));
  let bytes: Uint8Array;
  try {
    bytes = nodeFs.readFileSync(file);
  } catch (error) {
    throw new CheckpointFault(file, codeOf(error) === 'ENOENT' ? 'is missing' : messageOf(error), {
      cause: error,
    });
  }
  if (bytes.length !== description.bytes) {
    throw new CheckpointFault(file, `has ${bytes.length} bytes; ${description.bytes} were written`);
  }
  if (createHash('sha256').update(bytes).digest('hex') !== description.sha256) {
    throw new CheckpointFault(file, 'is damaged: its SHA-256 is not the one that was written down');
  }
  try {
    const { tensors } = parseSafetensors(bytes);
    const { step, meta, sha256 } = description;
    return { file, step, arrays: tensors, meta, sha256 };
  } catch (error) {
    throw new CheckpointFault(file, messageOf(error), { cause: error });
  }
}

interface Description {
  readonly step: number;
  readonly sha256: string;
  readonly bytes: number;
  readonly meta: Json;
}

function readDescription(file: string): Description {
  let value: unknown;
  try {
    value = JSON.parse(nodeFs.readFileSync(file, 'utf8'));
  } catch (error) {
    const reason =
      codeOf(error) === 'ENOENT'
        ? 'is missing: the checkpoint was not finished'
        : error instanceof SyntaxError
          ? 'is not JSON'
          : messageOf(error);
    throw new CheckpointFault(file, reason, { cause: error });
  }
  if (typeof value !== 'object' || value === null)
    throw new CheckpointFault(file, 'does not describe a checkpoint');
  const { format, step, sha256, bytes, meta } = value as Record<string, unknown>;
  if (format !== FORMAT)
    throw new CheckpointFault(file, `has format ${String(format)}; this version reads ${FORMAT}`);
  if (
    typeof step !== 'number' ||
    !Number.isSafeInteger(step) ||
    typeof sha256 !== 'string' ||
    typeof bytes !== 'number' ||
    meta === undefined
  ) {
    throw new CheckpointFault(file, 'does not describe a checkpoint');
  }
  // It came from JSON.parse, so it is JSON.
  return { step, sha256, bytes, meta: meta as Json };
}

const NAME = /^step-([0-9]{8,})\.(?:safetensors|json)$/;

function nameOf(step: number): string {
  return `step-${String(step).padStart(8, '0')}.safetensors`;
}

function jsonOf(file: string): string {
  return file.replace(/\.safetensors$/, '.json');
}

/** The `.safetensors` file of every checkpoint that has left at least one of its two files, newest first. */
function filesIn(folder: string, fs: Pick<FileSystem, 'readdirSync'>, upTo = Infinity): string[] {
  const steps = new Set<number>();
  for (const name of fs.readdirSync(folder)) {
    const match = NAME.exec(name);
    if (match !== null && Number(match[1]) <= upTo) steps.add(Number(match[1]));
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
