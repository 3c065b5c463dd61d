/**
 * The executors that one suite runs over. Those that this machine has not are skipped, with the reason that `mmdc info`
 * gives.
 *
 * @module
 */
import { describe } from 'vitest';
import { available, choose, type ExecutorName } from '../../runtime/executors/index.js';
import type { Executor } from '../../runtime/executors/executor.js';

export interface Present {
  readonly name: ExecutorName;
  readonly create: () => Promise<Executor>;
}

const found = await available({ threads: 2 });

/** `describe` for every executor but those left out. */
export function describeExecutors(
  title: string,
  suite: (executor: Present) => void,
  without: readonly ExecutorName[] = [],
): void {
  for (const entry of found) {
    const name = entry.name as ExecutorName;
    if (without.includes(name)) continue;
    const why = entry.ok ? '' : ` (skipped: ${entry.reason})`;
    describe.skipIf(!entry.ok)(`${title} on ${name}${why}`, () =>
      suite({ name, create: () => choose(name, { threads: 2 }) }),
    );
  }
}

/** Names of the executors that are here. */
export const present: readonly ExecutorName[] = found
  .filter((entry) => entry.ok)
  .map((entry) => entry.name as ExecutorName);
