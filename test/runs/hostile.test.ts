/** Damaged and hostile files of runs and data, a few of the many cases of `scripts/hostile.mjs`; and what is no safetensors file. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSafetensors } from '../../runtime/checkpoint/safetensors.js';
import { temporaryFolder } from '../checkpoint/support.js';
import { root } from '../cli/support.js';

type Counts = Record<string, { readonly read: number; readonly refused: number }>;
interface Script {
  hostile(options: { cases: number; seed: number; folder: string }): Promise<Counts>;
}
const { watchPaths } = (await import(join(root, 'scripts', 'hostile-watch.mjs'))) as {
  watchPaths(allowed: string[]): { outside: Set<string>; stop(): void };
};
const { hostile } = (await import(join(root, 'scripts', 'hostile.mjs'))) as Script;

describe('hostile files', () => {
  const data = ['npy', 'npz', 'idx', 'cifar', 'tensors', 'tar', 'png', 'jpeg', 'webp', 'sidecars', 'csv', 'jsonl', 'parquet', 'arrow'];

  it('are read or refused, and nothing else is touched: specs, graphs, run folders, logs, checkpoints, and data of every format', async () => {
    const counts = await hostile({ cases: 1600, seed: 3, folder: temporaryFolder() });
    for (const kind of ['safetensors', 'checkpoint', 'log', 'run', 'graph', 'spec', ...data])
      expect(counts[kind].read, kind).toBeGreaterThan(0);
    for (const kind of ['safetensors', 'checkpoint', 'run', 'graph', ...data])
      expect(counts[kind].refused, kind).toBeGreaterThan(0);
  });

  it('are watched: a path outside of the folder is noted', () => {
    const [inside, outside] = [temporaryFolder(), temporaryFolder()];
    const watch = watchPaths([inside]);
    writeFileSync(join(inside, 'a'), 'x');
    readFileSync(join(inside, 'b', '..', 'a'));
    expect([...watch.outside]).toEqual([]);
    writeFileSync(join(inside, '..', basename(outside), 'escape'), 'x');
    existsSync('/etc/escape');
    watch.stop();
    expect([...watch.outside]).toEqual([join(outside, 'escape'), '/etc/escape']);
  });

  it.each([
    ['a pickle', [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20], /it is a pickle, .*can run any program.*save_file/],
    ['a .pt file', [0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0], /zip archive: a .pt file of PyTorch is a pickle in one/],
    ['an HDF5 file', [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0], /HDF5/],
  ])('%s is refused with an explanation', (_, bytes, message) => {
    expect(() => parseSafetensors(Uint8Array.from(bytes))).toThrow(message);
  });
});
