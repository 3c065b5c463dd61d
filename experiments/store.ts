/**
 * Stages of experiments on disk, each in a folder named by what it depends on: nothing is done twice, and a stage that
 * was cut off at any moment goes on, or is done again.
 *
 *     DIR/KEY/           what a stage writes
 *     DIR/KEY/done.json  its record, written last and at once
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomic } from '../runtime/files/atomic.js';

/** Anything that JSON holds exactly. */
export type Ingredients = Readonly<Record<string, string | number | readonly string[]>>;

export interface Done {
  readonly key: string;
  readonly ingredients: Ingredients;
  readonly seconds: number;
  /** Code it was done with; null outside git. */
  readonly commit: string | null;
}

/** What a stage is named by: SHA-256 of its ingredients, whose order does not matter. */
export function keyOf(ingredients: Ingredients): string {
  const sorted = Object.entries(ingredients).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
}

export class Store {
  constructor(
    private readonly dir: string,
    private readonly commit: () => string | null,
  ) {}

  folder(ingredients: Ingredients): string {
    return join(this.dir, keyOf(ingredients));
  }

  /** The record of a stage that was finished. */
  find(ingredients: Ingredients): Done | undefined {
    const file = join(this.folder(ingredients), 'done.json');
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Done) : undefined;
  }

  /**
   * Does a stage unless it is done.
   * @param work gets the stage's folder, which may hold what an attempt before left there
   */
  async run(ingredients: Ingredients, work: (folder: string) => Promise<void>): Promise<Done> {
    const before = this.find(ingredients);
    if (before) return before;
    const folder = this.folder(ingredients);
    mkdirSync(folder, { recursive: true });
    const commit = this.commit();
    const began = performance.now();
    await work(folder);
    const seconds = (performance.now() - began) / 1000;
    const done: Done = { key: keyOf(ingredients), ingredients, seconds, commit };
    writeAtomic(join(folder, 'done.json'), `${JSON.stringify(done, undefined, 2)}\n`);
    return done;
  }
}
