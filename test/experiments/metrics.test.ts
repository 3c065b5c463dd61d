import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  agreement,
  agreementByClass,
  classShares,
  largest,
  meanConfidence,
  spreadWithinClasses,
  summarise,
} from '../../experiments/metrics.js';

const labels = (n: number) => fc.array(fc.nat(4), { minLength: n, maxLength: 60 });

describe('agreement', () => {
  it('counts equal rows', () => {
    expect(agreement([1, 2, 3, 4], [1, 2, 0, 0])).toBe(0.5);
    expect(agreement([7], [7])).toBe(1);
  });

  it('refuses rows that do not pair up', () => {
    expect(() => agreement([1], [1, 2])).toThrow(RangeError);
    expect(() => agreement([], [])).toThrow(RangeError);
  });

  it('is taken among the rows of each wanted class', () => {
    // Class 0: one of two; class 1: none of one; class 2 has no rows.
    expect(agreementByClass([0, 1, 2], [0, 0, 1], 3)).toEqual([0.5, 0, null]);
  });

  it('is the mean of the shares by class, weighted by their rows', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { minLength: 1 }), (pairs) => {
        const read = pairs.map(([a]) => a);
        const wanted = pairs.map(([, b]) => b);
        const shares = classShares(wanted, 5);
        const mean = agreementByClass(read, wanted, 5).reduce<number>(
          (s, a, k) => s + (a ?? 0) * shares[k]!,
          0,
        );
        expect(mean).toBeCloseTo(agreement(read, wanted), 12);
      }),
    );
  });
});

describe('shares of classes', () => {
  it('count every label', () => {
    expect(classShares([0, 0, 2, 0], 3)).toEqual([0.75, 0, 0.25]);
  });

  it('add up to one', () => {
    fc.assert(
      fc.property(labels(1), (list) => {
        expect(classShares(list, 5).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
      }),
    );
  });

  it.each([[-1], [3], [0.5], [NaN]])('refuse %d of three classes', (label) => {
    expect(() => classShares([0, label], 3)).toThrow(/row 1/);
  });
});

describe('spread within classes', () => {
  it('is the unbiased variance within each class, averaged over values and classes', () => {
    // Class 0 has (0, 1) and (2, 1): variances 2 and 0. Class 1 has (5, 5) twice: 0 and 0.
    expect(spreadWithinClasses([0, 1, 5, 5, 2, 1, 5, 5], [0, 1, 0, 1], 2)).toBeCloseTo((1 + 0) / 2, 12);
  });

  it('is zero for one picture a class, however far apart the classes are', () => {
    expect(spreadWithinClasses([3, 100, 3, 100], [0, 1, 0, 1], 2)).toBe(0);
  });

  it('scales with the square of the values and ignores what is added to a class', () => {
    const row = fc.tuple(fc.nat(1), fc.integer({ min: -8, max: 8 }), fc.integer({ min: -8, max: 8 }));
    fc.assert(
      fc.property(fc.array(row, { minLength: 3, maxLength: 30 }), fc.constantFrom(2, -3), (rows, scale) => {
        const ks = rows.map(([k]) => k);
        const plain = spreadWithinClasses(
          rows.flatMap(([, a, b]) => [a, b]),
          ks,
          2,
        );
        const moved = spreadWithinClasses(
          rows.flatMap(([k, a, b]) => [scale * a + 10 * k, scale * b - k]),
          ks,
          2,
        );
        expect(moved).toBeCloseTo(scale ** 2 * plain, 6);
      }),
    );
  });

  it('refuses values that are not whole rows, and classes of one row', () => {
    expect(() => spreadWithinClasses([1, 2, 3], [0, 0], 1)).toThrow(RangeError);
    expect(() => spreadWithinClasses([1, 2], [0, 1], 2)).toThrow('no class has two rows');
  });
});

describe('reading probabilities', () => {
  const rows = [0.1, 0.7, 0.2, 0.5, 0.5, 0];

  it('takes the first of the largest', () => {
    expect([...largest(rows, 3)]).toEqual([1, 0]);
  });

  it('averages the largest', () => {
    expect(meanConfidence(rows, 3)).toBeCloseTo(0.6, 12);
  });
});

describe('summary', () => {
  it('has mean and range', () => {
    expect(summarise([3, 1, 2])).toEqual({ mean: 2, min: 1, max: 3 });
    expect(() => summarise([])).toThrow(RangeError);
  });
});
