/**
 * Street scenes come as two folders, `train` and `val`; a spec names rows of one. This lays both side by side in a third.
 *
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomic } from '../runtime/files/atomic.js';

/**
 * Copies `SPLIT/image` and `SPLIT/mask` of both splits to `to/image` and `to/mask`, all of `train` before all of `val` in
 * the order of names.
 * @returns `to`
 */
export function joinSplits(from: string, to: string): string {
  for (const kind of ['image', 'mask']) {
    mkdirSync(join(to, kind), { recursive: true });
    for (const [prefix, split] of [
      ['a', 'train'],
      ['b', 'val'],
    ] as const)
      for (const name of readdirSync(join(from, split, kind))) {
        const target = join(to, kind, `${prefix}-${name}`);
        if (!existsSync(target)) writeAtomic(target, readFileSync(join(from, split, kind, name)));
      }
  }
  return to;
}
