import { describe, expect, it } from 'vitest';
import { paired, verdict } from '../../experiments/statistics.js';

describe('paired seeds', () => {
  it('has the one-sided bound of a t-test', () => {
    // Differences 1, 2, 3: mean 2, deviation 1; scipy.stats.t.ppf(0.95, 2) = 2.919986.
    const result = paired([2, 4, 6], [1, 2, 3], 'higher');
    expect(result.gain).toBeCloseTo(2, 12);
    expect(result.bound).toBeCloseTo(2 - 2.919986 / Math.sqrt(3), 4);
  });

  it('takes out what seeds have in common', () => {
    const { bound } = paired([10.1, 55.1, -3.9], [10, 55, -4], 'higher');
    expect(bound).toBeCloseTo(0.1, 10);
  });

  it('turns around where lower is better', () => {
    expect(paired([1, 2], [2, 4], 'lower').gain).toBeCloseTo(1.5, 12);
    expect(paired([1, 2], [2, 4], 'higher').gain).toBeCloseTo(-1.5, 12);
  });

  it('says nothing about spread with one seed, and refuses what does not pair up', () => {
    expect(paired([3], [1], 'higher')).toEqual({ seeds: 1, gain: 2, bound: null });
    expect(() => paired([1, 2], [1], 'higher')).toThrow(RangeError);
    expect(() => paired([], [], 'higher')).toThrow(RangeError);
  });
});

describe('verdict', () => {
  it.each([
    [0, -0.01, 'within'],
    [0, -0.03, 'undecided'],
    [-0.03, -0.05, 'below'],
    [-0.5, null, 'no claim'],
  ] as const)('gain %d with bound %d', (gain, bound, expected) => {
    expect(verdict({ seeds: 3, gain, bound }, 0.02)).toBe(expected);
  });
});
