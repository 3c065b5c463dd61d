/** What stops a run, what is pointed out, what a run needs: plain functions over logs and numbers. */
import { describe, expect, it } from 'vitest';
import { hasExploded, freshNorm, nextNorm, stillTerms } from '../../runtime/train/guards.js';
import { bytes, holdAgainst } from '../../runtime/train/estimate.js';
import { overlap } from '../../runtime/data/overlap.js';
import { toColumn } from '../../runtime/data/column.js';
import { Dataset } from '../../runtime/data/table.js';
import { Stream } from '../../runtime/random/stream.js';
import type { LogRecord } from '../../runtime/run/log.js';

const record = (step: number, L2: Record<string, number>): LogRecord => ({
  step,
  loss: 1,
  L0: 0,
  L1: 1,
  L2,
  L3: 0,
  simplified: {},
  rate: 1,
  grad_norm: 1,
  seconds: step,
});

describe('gradients that explode', () => {
  /** Steps until the run stops, or undefined. */
  const stopsAfter = (norms: readonly number[], factor = 1000, floor = 1): number | undefined => {
    let state = freshNorm;
    const at = norms.findIndex((norm) => hasExploded((state = nextNorm(state, norm, factor, floor))));
    return at < 0 ? undefined : at + 1;
  };
  const usual = Array.from({ length: 100 }, (_, i) => 2 + Math.sin(i));

  it('stop the run at the tenth step in a row', () => {
    expect(stopsAfter([...usual, ...new Array<number>(20).fill(1e6)])).toBe(110);
  });

  it('do not where single batches are bad, the growth is slow, nothing is usual yet, or it is switched off', () => {
    const spikes = Array.from({ length: 500 }, (_, i) => (i % 7 === 0 ? 1e9 : 3));
    expect(stopsAfter([...usual, ...spikes])).toBeUndefined();
    expect(stopsAfter(Array.from({ length: 5000 }, (_, i) => 1.005 ** i))).toBeUndefined();
    expect(stopsAfter([1, ...new Array<number>(49).fill(1e9)])).toBeUndefined();
    expect(stopsAfter([...usual, ...new Array<number>(99).fill(1e9)], 0)).toBeUndefined();
  });

  it('do not where clipping would leave them alone', () => {
    const tiny = new Array<number>(100).fill(1e-9);
    expect(stopsAfter([...tiny, ...new Array<number>(20).fill(0.5)])).toBeUndefined();
    expect(stopsAfter([...tiny, ...new Array<number>(20).fill(1.5)])).toBe(110);
  });
});

describe('terms that stand still', () => {
  const noise = new Stream(1, 'noise').normal(new Float32Array(400));
  const log = (value: (i: number, noise: number) => number, n = 60) =>
    Array.from({ length: n }, (_, i) => record(10 * (i + 1), { a: value(i, noise[i]), b: 5 - i / 20 }));

  it('are told: the same number again and again, or noise around the start', () => {
    expect(stillTerms(log(() => 2.302585))).toMatchObject([{ term: 'L2.a', how: 'constant', value: 2.302585 }]);
    expect(stillTerms(log((_, e) => 2.3 + 0.1 * e))).toMatchObject([{ term: 'L2.a', how: 'unlearned' }]);
    expect(stillTerms(log((i, e) => 2.3 + i / 100 + 0.1 * e))).toMatchObject([{ term: 'L2.a', how: 'unlearned' }]);
  });

  it('are not those that fall, once fell, or are too young to say', () => {
    expect(stillTerms(log((i, e) => 2.3 - i / 50 + 0.1 * e))).toEqual([]);
    expect(stillTerms(log((i, e) => 2 * Math.exp(-i / 5) + 0.05 * Math.abs(e) + 0.1))).toEqual([]);
    expect(stillTerms(log(() => 2.3, 19))).toEqual([]);
    expect(stillTerms([])).toEqual([]);
  });
});

describe('estimates', () => {
  const has = { memory: 8e9, freeMemory: 4e9, freeDisk: 1e9 };
  const need = { memory: 1e9, checkpoint: 1e8, disk: 5e8 };

  it('refuse what cannot go well, with a way out, and warn of what is tight', () => {
    expect(holdAgainst(need, has, 64, 'run')).toEqual([]);
    expect(() => holdAgainst({ ...need, memory: 16e9 }, has, 64, 'run')).toThrow('16.0 GB of memory, and there are 8.00 GB');
    expect(() => holdAgainst({ ...need, checkpoint: 6e8 }, has, 64, 'run')).toThrow('two checkpoints need 1.20 GB');
    expect(holdAgainst({ ...need, memory: 5e9, disk: 2e9 }, has, 64, 'run')).toEqual([
      expect.stringContaining('4.00 GB are free now'),
      expect.stringContaining('it will stop when the disk is full'),
    ]);
    expect([0, 999, 1e3, 1.5e6, 2e15].map(bytes)).toEqual(['0 bytes', '999 bytes', '1.00 kB', '1.50 MB', '2.00e+3 TB']);
  });
});

describe('rows in two splits', () => {
  const size = 64;
  const set = (rows: readonly (readonly number[])[]) =>
    new Dataset([
      toColumn('x', { file: 'x', shape: [rows.length, size], data: Float32Array.from(rows.flat()) }, { kind: 'vector', shape: [size] }),
      toColumn('label', { file: 'l', shape: [rows.length], data: new Int32Array(rows.length) }, { kind: 'category', classes: 2 }),
    ]);
  const row = (seed: number) => [...new Stream(seed, 'row').normal(new Float32Array(size))];
  const rows = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => row(from + i));

  it('are found, and near ones counted', () => {
    const near = row(1000).map((x, i) => x + 0.01 * Math.cos(i));
    const training = set([...rows(0, 50), row(1002), near, row(1001)]);
    expect(overlap(training, set(rows(1000, 1020)))).toEqual({ exact: [50, 52], near: 1, compared: 73 });
    expect(overlap(set(rows(0, 50)), set(rows(1000, 1020)))).toMatchObject({ exact: [], near: 0 });
  });

  it('are not looked for where equal rows are different things', () => {
    const labels = new Dataset([
      toColumn('label', { file: 'l', shape: [9], data: new Int32Array(9) }, { kind: 'category', classes: 2 }),
    ]);
    expect(overlap(labels, labels)).toEqual({ exact: [], near: 0, compared: 0 });
  });
});
