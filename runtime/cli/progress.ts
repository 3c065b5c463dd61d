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

export function startProgress(what: string, total: number, from = 0): Progress {
  return process.stderr.isTTY ? bar(what, total, from) : lines(what, total, from);
}

function bar(what: string, total: number, from: number): Progress {
  const progress = new cliProgress.SingleBar({
    format: `${what} {bar} {value}/{total} | {time} left | {detail}`,
    hideCursor: true,
    stream: process.stderr,
    barsize: 24,
  });
  progress.start(total, from, { detail: '', time: '?' });
  const left = timer(total, from);
  return {
    update: (done, detail) => progress.update(done, { detail, time: left(done) }),
    end: () => progress.stop(),
  };
}

function lines(what: string, total: number, from: number): Progress {
  const left = timer(total, from);
  let last = 0;
  return {
    update(done, detail) {
      const now = performance.now() / 1000;
      if (now - last < interval && done < total) return;
      last = now;
      note(`${what} ${done}/${total}, ${left(done)} left${detail === '' ? '' : `, ${detail}`}`);
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
