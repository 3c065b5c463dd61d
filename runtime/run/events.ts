/**
 * What happened to a run besides its steps: `events.jsonl`, one JSON object a line. When it was started and on what,
 * which checkpoints were refused, warnings, why it stopped. Times are those of the wall clock, for people alone.
 *
 * @module
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const eventsFile = (dir: string): string => join(dir, 'events.jsonl');

export interface RunEvent {
  readonly event: 'start' | 'warning' | 'evaluation' | 'stop' | 'finish';
  readonly step: number;
  readonly text: string;
}

export interface ReadEvent extends RunEvent {
  /** ISO 8601. */
  readonly at: string;
}

/** Never throws: a run does not end because it could not say something. */
export function addEvent(dir: string, event: RunEvent): void {
  try {
    appendFileSync(eventsFile(dir), `${JSON.stringify({ at: new Date().toISOString(), ...event })}\n`);
  } catch {
    // The log's own writes report a full disk.
  }
}

/** The events of a run, without lines that are cut off or damaged. */
export function readEvents(dir: string): ReadEvent[] {
  if (!existsSync(eventsFile(dir))) return [];
  return readFileSync(eventsFile(dir), 'utf8')
    .split('\n')
    .flatMap((line): ReadEvent[] => {
      try {
        const value = JSON.parse(line) as Partial<ReadEvent> | null;
        return typeof value?.text === 'string' &&
          typeof value.event === 'string' &&
          typeof value.at === 'string'
          ? [value as ReadEvent]
          : [];
      } catch {
        return [];
      }
    });
}
