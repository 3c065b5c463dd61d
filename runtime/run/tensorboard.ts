/**
 * TensorBoard event files of a run, in `RUN/tensorboard`, written as it goes.
 *
 * @module
 */
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { eventFile, scalarEvent } from '../report/tensorboard.js';
import { readLog, type LogRecord } from './log.js';

export class EventWriter {
  private readonly handle: number;
  private readonly started: number;

  /**
   * Begins a file with what the log holds up to `step`; files of earlier starts, which may have steps that are done
   * again, go.
   * @param started ISO time at which the run began
   */
  constructor(dir: string, started: string, step: number) {
    this.started = Date.parse(started) / 1000;
    const folder = join(dir, 'tensorboard');
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) {
      if (/^events\.out\.tfevents\.\d+\.mmdc/.test(name)) rmSync(join(folder, name));
    }
    const name = `events.out.tfevents.${Math.floor(this.started)}.mmdc.${process.pid}.${step}`;
    this.handle = openSync(join(folder, name), 'w');
    this.put(
      eventFile(
        readLog(dir).filter((r) => r.step <= step),
        this.started,
      ),
    );
  }

  write(record: LogRecord): void {
    this.put(scalarEvent(record, this.started + record.seconds));
  }

  close(): void {
    closeSync(this.handle);
  }

  private put(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) done += writeSync(this.handle, bytes, done);
  }
}
