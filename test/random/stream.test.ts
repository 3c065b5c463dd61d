import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Stream } from '../../runtime/random/stream.js';

function moments(x: ArrayLike<number>): { mean: number; variance: number; skew: number; kurtosis: number } {
  const n = x.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += x[i]! / n;
  let m2 = 0;
  let m3 = 0;
  let m4 = 0;
  for (let i = 0; i < n; i++) {
    const d = x[i]! - mean;
    m2 += d ** 2 / n;
    m3 += d ** 3 / n;
    m4 += d ** 4 / n;
  }
  return { mean, variance: m2, skew: m3 / m2 ** 1.5, kurtosis: m4 / m2 ** 2 };
}

function correlation(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const a = moments(x);
  const b = moments(y);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i]! - a.mean) * (y[i]! - b.mean);
  return sum / x.length / Math.sqrt(a.variance * b.variance);
}

/** The error function by its power series, for arguments of moderate size. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

describe('Stream', () => {
  test('depends on the seed and the path alone', () => {
    const draw = (s: Stream): number[] => [...s.normal(7), s.next(), s.below(10), ...s.integers(5, 3)];
    expect(draw(new Stream(5, 'noise', 3))).toEqual(draw(new Stream(5n, 'noise', 3)));
    expect(draw(new Stream(-1))).toEqual(draw(new Stream(2n ** 64n - 1n)));
  });

  test('numbers that must not change between releases or platforms', () => {
    const stream = new Stream(42, 'golden', 7);
    expect(stream.word()).toMatchInlineSnapshot(`26792325`);
    expect([...stream.uniform(3)]).toMatchInlineSnapshot(`
      [
        0.09586679935455322,
        0.4127955436706543,
        0.8110072612762451,
      ]
    `);
    expect([...stream.normal(5)]).toMatchInlineSnapshot(`
      [
        -1.196128487586975,
        1.206433892250061,
        0.5083246827125549,
        1.2328381538391113,
        0.22024333477020264,
      ]
    `);
    expect([...stream.permutation(8)]).toMatchInlineSnapshot(`
      [
        6,
        5,
        7,
        4,
        2,
        1,
        3,
        0,
      ]
    `);
  });

  test('different seeds and paths are different streams', () => {
    const streams = [
      new Stream(0),
      new Stream(1),
      new Stream(2 ** 32),
      new Stream(0, 0),
      new Stream(0, 0, 0),
      new Stream(0, ''),
      new Stream(0, '\0'),
      new Stream(0, '0'),
      new Stream(0, 'a', 1),
      new Stream(0, 'a', '1'),
      new Stream(0, 'a1'),
      new Stream(0, 'a', 1, 2),
      new Stream(0, 'a', 2, 1),
      new Stream(0, 'a', 12),
      new Stream(0, 'abcd'),
      new Stream(0, 'abcd', ''),
      new Stream(0, 'ab', 'cd'),
    ];
    const drawn = streams.map((s) => s.normal(20_000));
    for (let i = 0; i < drawn.length; i++) {
      for (let j = 0; j < i; j++) {
        // 136 pairs of correlations with standard deviation 0.007.
        expect(Math.abs(correlation(drawn[i]!, drawn[j]!))).toBeLessThan(0.035);
      }
    }
  });

  test('neighbouring numbers and streams of neighbouring steps are uncorrelated', () => {
    const x = new Stream(9).normal(200_000);
    for (const lag of [1, 2, 3, 4, 1024]) {
      expect(Math.abs(correlation(x.subarray(0, x.length - lag), x.subarray(lag)))).toBeLessThan(0.01);
    }
    const firsts = Array.from({ length: 5000 }, (_, step) => new Stream(9, 'step', step).next());
    expect(Math.abs(correlation(firsts.slice(1), firsts.slice(0, -1)))).toBeLessThan(0.06);
    const { mean, variance } = moments(firsts);
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.006);
  });

  test('uniform numbers: range, moments, 24 exact bits', () => {
    const x = new Stream(1, 'u').uniform(new Float32Array(200_000));
    expect(x.every((v) => v >= 0 && v < 1 && Number.isInteger(v * 2 ** 24))).toBe(true);
    const m = moments(x);
    expect(Math.abs(m.mean - 0.5)).toBeLessThan(0.003);
    expect(Math.abs(m.variance - 1 / 12)).toBeLessThan(0.001);
    expect(Math.abs(m.kurtosis - 1.8)).toBeLessThan(0.02);
  });

  test('normal numbers: moments and distribution function', () => {
    const x = new Stream(2, 'n').normal(new Float32Array(400_001));
    const m = moments(x);
    expect(Math.abs(m.mean)).toBeLessThan(0.008);
    expect(Math.abs(m.variance - 1)).toBeLessThan(0.012);
    expect(Math.abs(m.skew)).toBeLessThan(0.02);
    expect(Math.abs(m.kurtosis - 3)).toBeLessThan(0.04);
    // Kolmogorov and Smirnov's distance: 1.95 / sqrt(n) is exceeded once in a thousand samples.
    const sorted = Float32Array.from(x).sort();
    let distance = 0;
    for (let i = 0; i < sorted.length; i += 97) {
      const cdf = (1 + erf(sorted[i]! / Math.SQRT2)) / 2;
      distance = Math.max(distance, Math.abs(cdf - i / sorted.length));
    }
    expect(distance).toBeLessThan(1.95 / Math.sqrt(sorted.length));
  });

  test('normal numbers are the Box-Muller transform of the words, by Math.log, cos and sin', () => {
    const words = new Stream(3, 'bm');
    const x = new Stream(3, 'bm').normal(4000);
    for (let i = 0; i < x.length; i += 2) {
      const a = words.word();
      const b = words.word();
      const radius = Math.sqrt(-2 * Math.log((a + 1) / 2 ** 32));
      const angle = (((b & 0x3fffffff) + 0.5) / 2 ** 30) * (Math.PI / 2);
      const first = radius * Math.cos(angle) * (b >>> 31 === 1 ? -1 : 1);
      const second = radius * Math.sin(angle) * ((b >>> 30) & 1 ? -1 : 1);
      expect(Math.abs(x[i]! - first)).toBeLessThan(3e-7 * Math.max(1, Math.abs(first)));
      expect(Math.abs(x[i + 1]! - second)).toBeLessThan(3e-7 * Math.max(1, Math.abs(second)));
    }
  });

  test('integers are unbiased, also where the bound does not divide 2^32', () => {
    const counts = [0, 0, 0];
    // With plain modulo of a bound of 3 * 2^30, the first third would come up half of the time.
    const bound = 3 * 2 ** 30;
    const stream = new Stream(4);
    for (let i = 0; i < 30_000; i++) counts[Math.floor(stream.below(bound) / 2 ** 30)]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(350);
    const small = new Stream(4).integers(60_000, 6);
    const faces = [0, 0, 0, 0, 0, 0];
    for (const v of small) faces[v]!++;
    const chi2 = faces.reduce((sum, c) => sum + (c - 10_000) ** 2 / 10_000, 0);
    expect(chi2).toBeLessThan(20.5); // 99.9 % of chi-squared with 5 degrees
  });

  test('permutation is one, and every order is as likely', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.integer(), (n, seed) => {
        const order = new Stream(seed).permutation(n);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
      { numRuns: 50 },
    );
    const counts = new Map<string, number>();
    for (let s = 0; s < 12_000; s++) {
      const order = new Stream(s, 'p').permutation(3).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const c of counts.values()) expect(Math.abs(c - 2000)).toBeLessThan(180);
  });

  test('refuses what is not an integer', () => {
    expect(() => new Stream(0.5)).toThrow(RangeError);
    expect(() => new Stream(0, NaN)).toThrow(RangeError);
    for (const bound of [0, -1, 1.5, NaN, 2 ** 33]) {
      expect(() => new Stream(0).below(bound)).toThrow(RangeError);
    }
    expect(() => new Stream(0).integers(1, 2 ** 32)).toThrow(RangeError);
  });
});
