import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calibration } from '../../runtime/eval/metrics/calibration.js';
import { clipScore, cosines, retrieval } from '../../runtime/eval/metrics/embedding.js';
import { frechetDistance } from '../../runtime/eval/metrics/frechet.js';
import { kernelDistance, mmd2 } from '../../runtime/eval/metrics/kernel.js';
import { nearestCopies, precisionRecall } from '../../runtime/eval/metrics/manifold.js';
import { psnr } from '../../runtime/eval/metrics/pixels.js';
import { moments, points } from '../../runtime/eval/metrics/points.js';
import { Confusion } from '../../runtime/eval/metrics/segmentation.js';
import { Stream } from '../../runtime/random/stream.js';

const gaussian = (mean: number[], covariance: number[]) => ({
  d: mean.length,
  mean: Float64Array.from(mean),
  covariance: Float64Array.from(covariance),
});

const normals = (n: number, d: number, seed: number, shift = 0, scale = 1) => {
  const data = new Float32Array(n * d);
  new Stream(seed, 'test').normal(data);
  return points(
    data.map((x) => scale * x + shift),
    d,
  );
};

describe('the Fréchet distance', () => {
  it('has the values that the formula gives by hand', () => {
    const unit = [1, 0, 0, 1];
    expect(frechetDistance(gaussian([0, 0], unit), gaussian([3, 4], unit))).toBeCloseTo(25, 12);
    expect(frechetDistance(gaussian([0, 0], [1, 0, 0, 4]), gaussian([0, 0], [9, 0, 0, 16]))).toBeCloseTo(
      8,
      12,
    );
    expect(frechetDistance(gaussian([0, 0], [2, 1, 1, 2]), gaussian([1, 0], [1, 0, 0, 3]))).toBeCloseTo(
      1.5166852264521165,
      10,
    );
  });

  it('is a number for singular covariances', () => {
    const a = gaussian([0, 0], [1, 1, 1, 1]);
    const b = gaussian([0, 0], [0, 0, 0, 0]);
    expect(frechetDistance(a, a)).toBeCloseTo(0, 10);
    expect(frechetDistance(a, b)).toBeCloseTo(2, 10);
  });

  it('is symmetric, and zero on the same set', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(1000), (d, seed) => {
        const a = moments(normals(20, d, seed));
        const b = moments(normals(20, d, seed + 1, 0.5, 2));
        expect(frechetDistance(a, b)).toBeCloseTo(frechetDistance(b, a), 8);
        expect(frechetDistance(a, a)).toBeCloseTo(0, 8);
      }),
      { numRuns: 30 },
    );
  });

  it('takes covariances with n - 1', () => {
    expect([...moments(points([0, 2], 1)).covariance]).toEqual([2]);
  });
});

describe('the kernel distance', () => {
  const x = points([0, 0, 1, 0, 0, 1], 2);
  const shifted = points([1, 1, 2, 1, 1, 2], 2);

  it('has the values that the formula gives by hand', () => {
    expect(mmd2(x, shifted)).toBeCloseTo(13.194444444444445, 10);
    expect(mmd2(x, x)).toBeCloseTo(-1.0555555555555554, 10);
  });

  it('takes everything once where a subset is everything', () => {
    const random = new Stream(0, 'test');
    expect(kernelDistance(x, shifted, { subsets: 10, size: 100, random })).toMatchObject({
      subsets: 1,
      size: 3,
      deviation: 0,
    });
  });

  it('of random subsets is near that of everything', () => {
    const [a, b] = [normals(400, 3, 1), normals(400, 3, 2, 1)];
    const some = kernelDistance(a, b, { subsets: 40, size: 100, random: new Stream(3, 'test') });
    expect(some.size).toBe(100);
    expect(some.deviation).toBeGreaterThan(0);
    expect(Math.abs(some.value - mmd2(a, b))).toBeLessThan(3 * some.deviation);
  });
});

describe('precision and recall', () => {
  it('have the values counted by hand', () => {
    const real = points([0, 1, 2, 10], 1);
    expect(precisionRecall(real, points([0.5, 1.5, 5, 30], 1), 1)).toEqual({ precision: 0.75, recall: 1 });
    expect(precisionRecall(real, points([0, 0.1, 0.2, 0.3], 1), 1)).toEqual({ precision: 1, recall: 0.25 });
  });

  it('need more rows than neighbours', () => {
    expect(() => precisionRecall(points([1, 2], 1), points([1, 2], 1), 2)).toThrow(RangeError);
  });
});

describe('copies', () => {
  it('are all of them for a generator that repeats its training rows, and hardly any for a fresh one', () => {
    const train = normals(200, 2, 1);
    const held = normals(200, 2, 2);
    expect(nearestCopies(train, held, train).copied).toBe(1);
    expect(nearestCopies(train, held, normals(200, 2, 3)).copied).toBeLessThan(0.05);
  });
});

describe('masks', () => {
  it('are measured by one confusion matrix, without void and empty classes', () => {
    const confusion = new Confusion(3);
    confusion.add([0, 0, 1, 1, 255], [0, 1, 1, 1, 0]);
    const { miou, accuracy, classes, pixels } = confusion.measure();
    expect(miou).toBeCloseTo(0.583333, 6);
    expect(accuracy).toBe(0.75);
    expect(classes).toEqual([0.5, 2 / 3, null]);
    expect(pixels).toBe(4);
  });

  it('are the same counted whole or in parts', () => {
    const row = fc.array(fc.tuple(fc.integer({ min: -1, max: 3 }), fc.nat(3)), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(row, row, (a, b) => {
        fc.pre([...a, ...b].some(([want]) => want >= 0));
        const [whole, parts] = [new Confusion(4), new Confusion(4)];
        const add = (c: Confusion, pairs: [number, number][]) =>
          c.add(
            pairs.map(([want]) => want),
            pairs.map(([, read]) => read),
          );
        add(whole, [...a, ...b]);
        add(parts, a);
        add(parts, b);
        expect(parts.measure()).toEqual(whole.measure());
      }),
    );
  });
});

describe('embeddings', () => {
  it('are compared by cosine', () => {
    const [cos] = cosines(points([1, 0], 2), points([0.6, 0.8], 2));
    expect(cos).toBeCloseTo(0.6, 12);
    expect(clipScore(cos!)).toBeCloseTo(60, 10);
    expect(clipScore(-0.2)).toBe(0);
  });

  it('find their own row', () => {
    const wanted = normals(50, 8, 4);
    expect(retrieval(wanted, wanted)).toMatchObject({ top1: 1, meanRank: 1, medianRank: 1 });
    const constant = points(new Float32Array(50 * 8).fill(1), 8);
    // The rank of guessing among 50.
    expect(retrieval(constant, wanted).meanRank).toBeCloseTo(25.5, 9);
    expect(retrieval(constant, constant).meanRank).toBe(25.5);
  });
});

describe('PSNR', () => {
  it('is 10 log10(4 / MSE) on [-1, 1]', () => {
    expect(psnr([0, 0], [0.2, 0.2], 1, 1)[0]).toBeCloseTo(20, 10);
    expect(psnr([1], [1], 1, 1)).toEqual([Infinity]);
  });

  it('counts the pixels of a mask only, and leaves rows without one out', () => {
    const made = [0, 0, 5, 5, 0, 0, 0, 0];
    const wanted = [0.2, 0.2, 0, 0, 0, 0, 0, 0];
    // Two rows of two pixels with two channels; of the first row the first pixel counts, of the second none.
    expect(psnr(made, wanted, 2, 2, [1, 0, 0, 0])).toHaveLength(1);
    expect(psnr(made, wanted, 2, 2, [1, 0, 0, 0])[0]).toBeCloseTo(20, 10);
  });
});

describe('calibration', () => {
  it('has the value counted by hand', () => {
    // Confidences 0.9 (right), 0.7 (wrong), 0.65 (right) and 0.62 (right): with ten bins the last three share one, whose
    // accuracy is 2/3 and mean confidence 0.6567; the first has 1 and 0.9. (3 |2/3 - 0.6567| + |1 - 0.9|) / 4 = 0.0325.
    const probabilities = [0.9, 0.1, 0.3, 0.7, 0.65, 0.35, 0.38, 0.62];
    const found = calibration(probabilities, [0, 0, 0, 1], 2, 10);
    expect(found.error).toBeCloseTo(0.0325, 12);
    expect(found).toMatchObject({ accuracy: 0.75, count: 4 });
    expect(found.confidence).toBeCloseTo(0.7175, 12);
    // In one bin, right and wrong cancel: |0.75 - 0.7175|.
    expect(calibration(probabilities, [0, 0, 0, 1], 2, 1).error).toBeCloseTo(0.0325, 12);
    expect(calibration(probabilities, [1, 0, 0, 1], 2, 10).error).toBeCloseTo(
      (3 * (2 / 3 - 1.97 / 3) + 0.9) / 4,
      12,
    );
  });

  it('is zero for the truth, one for the sure and wrong, and leaves rows without a class out', () => {
    expect(calibration([1, 0, 0, 1], [0, 1], 2).error).toBe(0);
    expect(calibration([1, 0, 0, 1], [1, 0], 2).error).toBe(1);
    expect(calibration([1, 0, 0, 1], [1, -1], 2)).toMatchObject({ error: 1, count: 1 });
    expect(() => calibration([1, 0], [1, 0], 2)).toThrow(RangeError);
  });

  it('comes near zero for probabilities that are drawn by', () => {
    const random = new Stream(3, 'calibration');
    const n = 20_000;
    const p = Float64Array.from(random.uniform(n));
    const classes = Array.from(p, (x) => Number(random.next() >= x));
    const both = Float64Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? p[i >> 1]! : 1 - p[i >> 1]!));
    expect(calibration(both, classes, 2).error).toBeLessThan(0.015);
  });
});
