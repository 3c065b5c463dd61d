import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  bestFile,
  CheckpointFault,
  latest,
  load,
  save,
  type Snapshot,
} from '../../runtime/checkpoint/checkpoint.js';
import { fullDisk, temporaryFolder } from './support.js';

const snapshot = (step: number): Snapshot => ({
  step,
  arrays: {
    weights: { shape: [2, 3], data: Float32Array.from({ length: 6 }, (_, i) => step + i / 7) },
    count: { shape: [1], data: Int32Array.of(step) },
  },
  meta: { seed: 7, spec: 'abc', list: [1, null, true] },
});
const names = (dir: string): string[] => fs.readdirSync(path.join(dir, 'checkpoints')).sort();
const of = (dir: string, step: number, kind = 'safetensors'): string =>
  path.join(dir, 'checkpoints', `step-${String(step).padStart(8, '0')}.${kind}`);

function flip(file: string, at: number): void {
  const bytes = fs.readFileSync(file);
  bytes[at]! ^= 1;
  fs.writeFileSync(file, bytes);
}

describe('checkpoints', () => {
  test('what is saved is loaded', () => {
    const dir = temporaryFolder();
    const file = save(dir, snapshot(1000));
    expect(names(dir)).toEqual(['step-00001000.json', 'step-00001000.safetensors']);
    const { checkpoint, rejected } = latest(dir);
    expect(rejected).toEqual([]);
    expect(checkpoint).toMatchObject({ file, step: 1000, meta: snapshot(1000).meta });
    expect(checkpoint!.arrays.get('weights')).toEqual({ dtype: 'F32', ...snapshot(1000).arrays['weights'] });
    expect(checkpoint!.arrays.get('count')).toEqual({ dtype: 'I32', ...snapshot(1000).arrays['count'] });
    expect(checkpoint!.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test('the same snapshot gives the same bytes', () => {
    const [a, b] = [temporaryFolder(), temporaryFolder()];
    for (const dir of [a, b]) save(dir, snapshot(5));
    for (const kind of ['json', 'safetensors']) {
      expect(fs.readFileSync(of(a, 5, kind))).toEqual(fs.readFileSync(of(b, 5, kind)));
    }
  });

  test('keeps the newest', () => {
    const dir = temporaryFolder();
    for (const step of [1, 2, 3, 4]) save(dir, snapshot(step));
    expect(names(dir)).toHaveLength(4);
    expect(latest(dir).checkpoint?.step).toBe(4);
    for (const step of [5, 6, 7]) save(dir, snapshot(step), { keep: 3 });
    expect(names(dir).filter((name) => name.endsWith('.json'))).toHaveLength(3);
    expect(load(of(dir, 5)).step).toBe(5);
  });

  test('steps beyond eight digits still sort as numbers', () => {
    const dir = temporaryFolder();
    save(dir, snapshot(99_999_999));
    save(dir, snapshot(100_000_000));
    expect(latest(dir).checkpoint?.step).toBe(100_000_000);
  });

  test('nothing there: no folder, an empty one, other files', () => {
    const dir = temporaryFolder();
    expect(latest(dir)).toEqual({ rejected: [] });
    fs.mkdirSync(path.join(dir, 'checkpoints'));
    fs.writeFileSync(path.join(dir, 'checkpoints', 'notes.txt'), '');
    expect(latest(dir)).toEqual({ rejected: [] });
  });

  test.each<[string, (dir: string) => void, RegExp]>([
    ['a flipped bit in the header', (dir) => flip(of(dir, 2), 20), /SHA-256/],
    ['a flipped bit in the data', (dir) => flip(of(dir, 2), fs.statSync(of(dir, 2)).size - 1), /SHA-256/],
    ['truncated arrays', (dir) => fs.truncateSync(of(dir, 2), 30), /has 30 bytes; \d+ were written/],
    ['empty arrays', (dir) => fs.truncateSync(of(dir, 2), 0), /has 0 bytes/],
    ['missing arrays', (dir) => fs.rmSync(of(dir, 2)), /is missing/],
    ['a missing description', (dir) => fs.rmSync(of(dir, 2, 'json')), /was not finished/],
    ['a truncated description', (dir) => fs.truncateSync(of(dir, 2, 'json'), 30), /not JSON/],
    ['another format', (dir) => fs.writeFileSync(of(dir, 2, 'json'), '{"format":9}'), /format 9/],
    [
      'an empty description',
      (dir) => fs.writeFileSync(of(dir, 2, 'json'), '{"format":2}'),
      /does not describe/,
    ],
    ['a list', (dir) => fs.writeFileSync(of(dir, 2, 'json'), 'null'), /does not describe/],
  ])('%s: the one before is used and the damage is told', (_, damage, reason) => {
    const dir = temporaryFolder();
    save(dir, snapshot(1));
    save(dir, snapshot(2));
    damage(dir);
    const { checkpoint, rejected } = latest(dir);
    expect(checkpoint?.step).toBe(1);
    expect(rejected).toEqual([
      { file: expect.stringContaining('step-00000002'), reason: expect.stringMatching(reason) },
    ]);
    expect(() => load(of(dir, 2))).toThrow(CheckpointFault);
  });

  test('a full disk, at whatever byte: the earlier checkpoints stay, nothing half-written is left', () => {
    const dir = temporaryFolder();
    save(dir, snapshot(1));
    save(dir, snapshot(2));
    const kept = names(dir);
    const disk = fullDisk(1e6);
    save(temporaryFolder(), snapshot(3), { fs: disk });
    const needed = 1e6 - disk.left();
    for (const room of [0, 10, 100, Math.floor(needed / 2), needed - 1]) {
      expect(() => save(dir, snapshot(3), { fs: fullDisk(room) })).toThrow(/ENOSPC/);
      expect(latest(dir).checkpoint?.step).toBe(2);
      expect(names(dir)).toEqual(expect.arrayContaining(kept));
      expect(names(dir).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    }
    save(dir, snapshot(3), { fs: fullDisk(needed) });
    expect(latest(dir)).toMatchObject({ checkpoint: { step: 3 }, rejected: [] });
  });

  test.each<[string, Partial<typeof fs>]>([
    [
      'its description',
      {
        readFileSync: ((file: fs.PathOrFileDescriptor) => {
          const bytes = fs.readFileSync(file);
          bytes[40]! ^= 1;
          return bytes;
        }) as typeof fs.readFileSync,
      },
    ],
    [
      'its arrays',
      {
        readSync: ((handle: number, into: Uint8Array, offset: number, length: number, position: number) => {
          const count = fs.readSync(handle, into, offset, length, position);
          if (position === 0) into[offset + count - 1]! ^= 1;
          return count;
        }) as typeof fs.readSync,
      },
    ],
    [
      'what the disk holds, though it said that all was written',
      {
        renameSync: (from: fs.PathLike, to: fs.PathLike) => {
          fs.renameSync(from, to);
          if (String(to).endsWith('.safetensors')) flip(String(to), 50);
        },
      },
    ],
  ])(
    'older ones are only removed after the new one was read back and agreed: a bit of %s differs',
    (_, lie) => {
      const dir = temporaryFolder();
      save(dir, snapshot(1));
      save(dir, snapshot(2));
      expect(() => save(dir, snapshot(3), { fs: { ...fs, ...lie } })).toThrow(/not what was written/);
      expect(load(of(dir, 1)).step).toBe(1);
      expect(load(of(dir, 2)).step).toBe(2);
      // Without the lie it is the third that stays, and the first that goes.
      save(dir, snapshot(3));
      expect(names(dir)).toEqual(
        [2, 3].flatMap((step) => [`step-0000000${step}.json`, `step-0000000${step}.safetensors`]),
      );
    },
  );

  test('nothing is removed before the new one is read back', () => {
    const dir = temporaryFolder();
    save(dir, snapshot(1));
    save(dir, snapshot(2));
    const order: string[] = [];
    const watched = {
      ...fs,
      renameSync: (from: fs.PathLike, to: fs.PathLike) => {
        order.push('write');
        fs.renameSync(from, to);
      },
      readSync: ((...args: Parameters<typeof fs.readSync>) => {
        order.push('read');
        return fs.readSync(...args);
      }) as typeof fs.readSync,
      readFileSync: ((...args: Parameters<typeof fs.readFileSync>) => {
        order.push('read');
        return fs.readFileSync(...args);
      }) as typeof fs.readFileSync,
      unlinkSync: (file: fs.PathLike) => {
        order.push('remove');
        fs.unlinkSync(file);
      },
    };
    save(dir, snapshot(3), { fs: watched });
    expect(order.join(' ')).toBe('write write read read remove remove');
  });

  test('after going back to an earlier one, later damaged ones do not crowd out good ones', () => {
    const dir = temporaryFolder();
    for (const step of [10, 20, 30, 40]) save(dir, snapshot(step), { keep: 4 });
    for (const step of [30, 40]) flip(of(dir, step), 50);
    expect(latest(dir).rejected).toHaveLength(2);
    expect(latest(dir).checkpoint?.step).toBe(20);
    save(dir, snapshot(25));
    expect(latest(dir).checkpoint?.step).toBe(25);
    expect(load(of(dir, 20)).step).toBe(20);
  });

  test('temporary files of a crash are cleared by the next save', () => {
    const dir = temporaryFolder();
    save(dir, snapshot(1));
    fs.writeFileSync(path.join(dir, 'checkpoints', '.step-00000002.safetensors.77.0.tmp'), 'half');
    save(dir, snapshot(2));
    expect(names(dir).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('keeps the best by a metric and every so-many-th for good', () => {
    const dir = temporaryFolder();
    const losses = [5, 3, 1, 2, 4, NaN, 1];
    losses.forEach((loss, i) =>
      save(dir, { ...snapshot(i + 1), metrics: { loss } }, { keep: 2, every: 2, best: 'loss' }),
    );
    const left = names(dir).filter((name) => name.endsWith('.json'));
    expect(left.map((name) => Number(name.slice(5, 13)))).toEqual([2, 3, 4, 6, 7]);
    expect(bestFile(dir, 'loss')).toBe(of(dir, 3));
    expect(bestFile(dir, 'other')).toBeUndefined();
  });

  test('what is expected of a checkpoint is asked after its hash and before its arrays', () => {
    const dir = temporaryFolder();
    const file = save(dir, snapshot(3));
    const seen: unknown[] = [];
    load(file, (name, entries, { meta }) =>
      seen.push(
        name,
        entries.map((e) => [e.name, e.dtype, e.shape]),
        meta,
      ),
    );
    expect(seen).toEqual([
      file,
      [
        ['count', 'I32', [1]],
        ['weights', 'F32', [2, 3]],
      ],
      snapshot(3).meta,
    ]);
    const refuse = () => {
      throw new RangeError('another spec');
    };
    // It is no damage: the one before is not silently taken instead.
    save(dir, snapshot(4));
    expect(() => latest(dir, refuse)).toThrow(RangeError);
    flip(file, 60);
    flip(of(dir, 4), 60);
    expect(latest(dir, refuse).rejected).toHaveLength(2);
  });

  test('refuses what is not a step or a number to keep', () => {
    const dir = temporaryFolder();
    expect(() => save(dir, snapshot(-1))).toThrow(RangeError);
    expect(() => save(dir, snapshot(1.5))).toThrow(RangeError);
    expect(() => save(dir, snapshot(1), { keep: 0 })).toThrow(RangeError);
  });
});
