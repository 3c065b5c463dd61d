import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { permuted, Shuffle } from '../../runtime/random/shuffle.js';

const order = (n: number, seed: number, epoch: number): number[] => {
  const shuffle = new Shuffle(n, seed, epoch);
  return Array.from({ length: n }, (_, i) => shuffle.at(i));
};

describe('Shuffle', () => {
  test('is a bijection of 0 .. n - 1 for every n, seed and epoch', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.maxSafeInteger(), fc.nat(1000), (n, seed, epoch) => {
        const seen = new Uint8Array(n);
        for (const row of order(n, seed, epoch)) seen[row]!++;
        expect(seen.every((count) => count === 1)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test('orders that must not change between releases or platforms', () => {
    expect(order(10, 42, 0)).toMatchInlineSnapshot(`
      [
        7,
        9,
        2,
        0,
        5,
        8,
        6,
        3,
        1,
        4,
      ]
    `);
    expect(order(10, 42, 1)).toMatchInlineSnapshot(`
      [
        7,
        2,
        8,
        1,
        6,
        9,
        0,
        3,
        4,
        5,
      ]
    `);
  });

  test('permuted is the same function', () => {
    const rows = order(37, 5, 2);
    expect(rows).toEqual(rows.map((_, i) => permuted(i, 37, 5, 2)));
  });

  test('all orders of few rows are about as likely', () => {
    const counts = new Map<string, number>();
    const trials = 24_000;
    for (let s = 0; s < trials; s++) {
      const key = order(5, s, 0).join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(120);
    let chi2 = 0;
    for (const c of counts.values()) chi2 += (c - trials / 120) ** 2 / (trials / 120);
    // 119 degrees of freedom: mean 119, standard deviation 15.4.
    expect(chi2).toBeLessThan(119 + 5 * 15.4);
  });

  test('epochs and seeds order rows independently; no row stays in its place more than by chance', () => {
    const n = 4096;
    const a = order(n, 1, 0);
    for (const b of [order(n, 1, 1), order(n, 2, 0), a.map((_, i) => i)]) {
      const same = a.filter((row, i) => row === b[i]).length;
      expect(same).toBeLessThan(9); // Poisson with mean 1
      let sum = 0;
      for (let i = 0; i < n; i++) sum += (a[i]! - (n - 1) / 2) * (b[i]! - (n - 1) / 2);
      expect(Math.abs(sum / n / ((n * n - 1) / 12))).toBeLessThan(5 / Math.sqrt(n));
    }
    // Neighbours: the mean distance of consecutive rows of a random order is (n + 1) / 3.
    let distance = 0;
    for (let i = 1; i < n; i++) distance += Math.abs(a[i]! - a[i - 1]!) / (n - 1);
    expect(Math.abs(distance / ((n + 1) / 3) - 1)).toBeLessThan(0.06);
  });

  test('works for the largest sets and refuses what is outside', () => {
    const huge = new Shuffle(2 ** 31, 3, 0);
    for (const i of [0, 1, 2 ** 31 - 1]) expect(huge.at(i)).toBeLessThan(2 ** 31);
    expect(new Shuffle(1, 3, 0).at(0)).toBe(0);
    expect(() => huge.at(2 ** 31)).toThrow(RangeError);
    expect(() => huge.at(-1)).toThrow(RangeError);
    expect(() => new Shuffle(0, 0, 0)).toThrow(RangeError);
    expect(() => new Shuffle(1.5, 0, 0)).toThrow(RangeError);
  });
});
