/**
 * The log of a run: one JSON object a line.
 *
 * @module
 */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomic } from '../files/atomic.js';
import type { LogRecord } from '../report/model.js';

export type { LogRecord };

export const logFile = (dir: string): string => join(dir, 'log.jsonl');

/** The records of a log; a last line that was cut off is left out. */
export function readLog(dir: string): LogRecord[] {
  const file = logFile(dir);
  if (!existsSync(file)) return [];
  const records: LogRecord[] = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue;
    try {
      records.push(JSON.parse(line) as LogRecord);
    } catch {
      // A process that was killed leaves at most one line unfinished.
      break;
    }
  }
  return records;
}

export class LogWriter {
  private readonly handle: number;

  /** Opens the log for appending; records past `step` are of work that is done again, and go. */
  constructor(dir: string, step: number) {
    const kept = readLog(dir).filter((record) => record.step <= step);
    writeAtomic(logFile(dir), kept.map((record) => `${JSON.stringify(record)}\n`).join(''));
    this.handle = openSync(logFile(dir), 'a');
  }

  write(record: LogRecord): void {
    writeSync(this.handle, `${JSON.stringify(record)}\n`);
  }

  close(): void {
    closeSync(this.handle);
  }
}

/** Makes a record of the named terms of a training step: averages over the steps since the last record. */
export function toRecord(
  step: number,
  loss: number,
  names: readonly string[],
  values: ArrayLike<number>,
  rest: Pick<LogRecord, 'rate' | 'grad_norm' | 'seconds'>,
): LogRecord {
  const all = Object.fromEntries(names.map((name, i) => [name, values[i]]));
  const L2 = Object.fromEntries(names.filter((n) => n.startsWith('L2.')).map((n) => [n.slice(3), all[n]]));
  const known = ['L0', 'L1', 'L3'];
  const simplified = Object.fromEntries(
    names.filter((n) => !known.includes(n) && !n.startsWith('L2.')).map((n) => [n, all[n]]),
  );
  return { step, loss, L0: all.L0, L1: all.L1, L2, L3: all.L3, simplified, ...rest };
}
