/**
 * The log of a run: one JSON object a line (`schema/log.schema.json`). It is only ever appended to; a process that was
 * killed leaves at most one line unfinished, and whatever is cut off or damaged, the other lines are still read.
 *
 * @module
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { LogRecord } from '../report/model.js';

export type { LogRecord };

export const logFile = (dir: string): string => join(dir, 'log.jsonl');

/** A longer line is damage: it is passed over without being held. */
const MOST_LINE = 2 ** 20;

interface Line {
  /** undefined: no record can be made of it. */
  readonly record: LogRecord | undefined;
  /** Bytes from the start of the file. */
  readonly start: number;
  /** Whether it ends with a newline. */
  readonly whole: boolean;
}

/** The records of a log, without the lines that are cut off or damaged. Memory is that of the records. */
export function readLog(dir: string): LogRecord[] {
  const file = logFile(dir);
  if (!existsSync(file)) return [];
  const handle = openSync(file, 'r');
  try {
    return [...lines(handle)].flatMap(({ record }) => record ?? []);
  } finally {
    closeSync(handle);
  }
}

/** The lines of an open log, one at a time. */
function* lines(handle: number): Generator<Line> {
  const buffer = Buffer.alloc(2 ** 16);
  let pending: Buffer[] = [];
  let [length, start, position] = [0, 0, 0];
  const finish = (whole: boolean): Line => {
    const record = length <= MOST_LINE ? parseRecord(Buffer.concat(pending).toString('utf8')) : undefined;
    pending = [];
    return { record, start, whole };
  };
  for (;;) {
    const count = readSync(handle, buffer, 0, buffer.length, position);
    if (count === 0) break;
    let from = 0;
    for (let end = buffer.indexOf(10); end >= 0 && end < count; end = buffer.indexOf(10, from)) {
      if (length + end - from <= MOST_LINE) pending.push(Buffer.from(buffer.subarray(from, end)));
      length += end - from;
      yield finish(true);
      from = end + 1;
      start = position + from;
      length = 0;
    }
    length += count - from;
    if (length <= MOST_LINE) pending.push(Buffer.from(buffer.subarray(from, count)));
    else pending = [];
    position += count;
  }
  if (length > 0) yield finish(false);
}

/** A record from a line, or undefined where it is none. Values that were not finite were written as null. */
export function parseRecord(line: string): LogRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { step, L2, simplified, balance, held_out: heldOut } = value;
  if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) return undefined;
  const [read2, readSimplified] = [figures(L2), figures(simplified)];
  if (!read2 || !readSimplified) return undefined;
  const rest: Record<string, number> = {};
  for (const name of ['loss', 'L0', 'L1', 'L3', 'rate', 'grad_norm', 'seconds'] as const) {
    const read = figure(value[name]);
    if (read === undefined) return undefined;
    rest[name] = read;
  }
  const readBalance = balance === undefined ? undefined : figures(balance);
  const readHeldOut = heldOut === undefined ? undefined : figures(heldOut);
  return {
    step,
    ...(rest as Pick<LogRecord, 'loss' | 'L0' | 'L1' | 'L3' | 'rate' | 'grad_norm' | 'seconds'>),
    L2: read2,
    simplified: readSimplified,
    ...(readBalance ? { balance: readBalance } : {}),
    ...(readHeldOut ? { held_out: readHeldOut } : {}),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function figure(value: unknown): number | undefined {
  return value === null ? NaN : typeof value === 'number' ? value : undefined;
}

function figures(value: unknown): Record<string, number> | undefined {
  if (!isObject(value)) return undefined;
  const read = Object.entries(value).map(([name, v]) => [name, figure(v)] as const);
  return read.every(([, v]) => v !== undefined)
    ? (Object.fromEntries(read) as Record<string, number>)
    : undefined;
}

export class LogWriter {
  private readonly handle: number;
  private position: number;

  /** Opens the log for appending; records past `step` are of work that is done again, and go. */
  constructor(dir: string, step: number) {
    const file = logFile(dir);
    this.handle = openSync(file, existsSync(file) ? 'r+' : 'wx+');
    try {
      this.position = endOf(this.handle, step);
      ftruncateSync(this.handle, this.position);
    } catch (error) {
      closeSync(this.handle);
      throw error;
    }
  }

  write(record: LogRecord): void {
    const bytes = Buffer.from(`${JSON.stringify(record)}\n`);
    for (let done = 0; done < bytes.length;) {
      const count = writeSync(this.handle, bytes, done, bytes.length - done, this.position);
      done += count;
      this.position += count;
    }
  }

  /** Flushes to the disk, so that a checkpoint never knows more than the log. */
  sync(): void {
    fsyncSync(this.handle);
  }

  close(): void {
    closeSync(this.handle);
  }
}

/** The byte at which the first line begins that is of later work, or that was never finished; or the end. */
function endOf(handle: number, step: number): number {
  for (const { record, start, whole } of lines(handle)) {
    if (!whole || (record && record.step > step)) return start;
  }
  return fstatSync(handle).size;
}

/** Makes a record of the named terms of a training step: averages over the steps since the last record. */
export function toRecord(
  step: number,
  loss: number,
  names: readonly string[],
  values: ArrayLike<number>,
  rest: Pick<LogRecord, 'rate' | 'grad_norm' | 'seconds' | 'held_out'>,
): LogRecord {
  const all = Object.fromEntries(names.map((name, i) => [name, values[i]]));
  const L2 = Object.fromEntries(names.filter((n) => n.startsWith('L2.')).map((n) => [n.slice(3), all[n]]));
  const under = 'balance.';
  const known = ['L0', 'L1', 'L3'];
  const simplified = Object.fromEntries(
    names
      .filter((n) => !known.includes(n) && !n.startsWith('L2.') && !n.startsWith(under))
      .map((n) => [n, all[n]]),
  );
  const factors = names
    .filter((n) => n.startsWith(under))
    .map((n) => [n.slice(under.length), all[n]] as const);
  const balance = factors.length > 0 ? { balance: Object.fromEntries(factors) } : {};
  return { step, loss, L0: all.L0, L1: all.L1, L2, L3: all.L3, simplified, ...balance, ...rest };
}
