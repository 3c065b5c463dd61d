/**
 * Progress of long work: a bar on a terminal, plain lines otherwise. Both go to standard error.
 *
 * @module
 */
import cliProgress from 'cli-progress';
import { note } from './output.js';

export interface Progress {
  /** `detail` is a short text such as the loss. */
  update(done: number, detail: string): void;
  end(): void;
}

/** Seconds between plain lines. */
const interval = 5;

/** @param unit what is counted, where its speed is to be shown: `steps` */
export function startProgress(what: string, total: number, from = 0, unit = ''): Progress {
  return process.stderr.isTTY ? bar(what, total, from, unit) : lines(what, total, from, unit);
}

function bar(what: string, total: number, from: number, unit: string): Progress {
  const progress = new cliProgress.SingleBar({
    format: `${what} {bar} {value}/{total} | {speed}{time} left | {detail}`,
    hideCursor: true,
    stream: process.stderr,
    barsize: 24,
  });
  progress.start(total, from, { detail: '', time: '?', speed: '' });
  const left = timer(total, from);
  const speed = speedometer(from, unit);
  return {
    update: (done, detail) => progress.update(done, { detail, time: left(done), speed: speed(done) }),
    end: () => progress.stop(),
  };
}

function lines(what: string, total: number, from: number, unit: string): Progress {
  const left = timer(total, from);
  const speed = speedometer(from, unit);
  let last = 0;
  return {
    update(done, detail) {
      const now = performance.now() / 1000;
      if (now - last < interval && done < total) return;
      last = now;
      note(
        `${what} ${done}/${total}, ${speed(done).replace(' | ', ', ')}${left(done)} left${detail === '' ? '' : `, ${detail}`}`,
      );
    },
    end: () => undefined,
  };
}

function timer(total: number, from: number): (done: number) => string {
  const start = performance.now() / 1000;
  return (done) => {
    if (done <= from) return '?';
    const seconds = Math.round(((performance.now() / 1000 - start) / (done - from)) * (total - done));
    const minutes = Math.floor(seconds / 60);
    const hours = Math.floor(minutes / 60);
    if (hours > 0) return `${hours} h ${minutes % 60} min`;
    return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
  };
}

/** `12.3 steps/s | `, over the last ten seconds or so. */
function speedometer(from: number, unit: string): (done: number) => string {
  const seen: { at: number; done: number }[] = [{ at: performance.now(), done: from }];
  return (done) => {
    if (unit === '') return '';
    const at = performance.now();
    seen.push({ at, done });
    while (seen.length > 2 && at - seen[1].at > 10_000) seen.shift();
    const rate = (1000 * (done - seen[0].done)) / Math.max(at - seen[0].at, 1);
    return `${rate.toPrecision(3)} ${unit}/s | `;
  };
}
