import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SCENE_CLASSES, SCENE_LABELS, scenes, type SceneSplit } from '../../runtime/data/scenes.js';
import type { Dataset } from '../../runtime/data/table.js';
import { readRow } from './support.js';

const N = 600;
const PIXELS = 32 * 32;
const data = scenes('train', { rows: N });
const labels = Array.from({ length: N }, (_, row) => readRow(data.column('label'), row)[0]!);
const masks = Array.from({ length: N }, (_, row) => readRow(data.column('mask'), row));
const images = Array.from({ length: N }, (_, row) => readRow(data.column('image'), row));
const embs = Array.from({ length: N }, (_, row) => readRow(data.column('emb'), row));

const everything = (set: Dataset, row: number): number[] =>
  [...set.columns.values()].flatMap((column) => readRow(column, row));

describe('builtin:scenes', () => {
  test('four columns of the documented shapes and ranges', () => {
    expect([...data.columns.keys()]).toEqual(['image', 'mask', 'label', 'emb']);
    expect(data.column('image')).toMatchObject({ kind: 'real', shape: [32, 32, 3] });
    expect(data.column('mask')).toMatchObject({
      kind: 'index',
      shape: [32, 32],
      classes: 6,
      labels: SCENE_CLASSES,
    });
    expect(data.column('label')).toMatchObject({
      kind: 'index',
      shape: [],
      classes: 6,
      labels: SCENE_LABELS,
    });
    expect(data.column('emb')).toMatchObject({ kind: 'real', shape: [16] });
    expect(images.every((image) => image.every((v) => v >= -1 && v <= 1))).toBe(true);
    for (const emb of embs) expect(Math.hypot(...emb)).toBeCloseTo(1, 6);
    expect([scenes('train').rows, scenes('val').rows, scenes('test').rows]).toEqual([4096, 512, 512]);
    expect(() => scenes('train', { rows: 0 })).toThrow(RangeError);
  });

  test('a row is a pure function of seed, split and index', () => {
    const backwards = scenes('train', { rows: 20 });
    for (let row = 19; row >= 0; row--) expect(everything(backwards, row)).toEqual(everything(data, row));
    const first = (split: SceneSplit, seed: number): string => everything(scenes(split, { seed }), 0).join();
    const different = [
      first('train', 0),
      first('val', 0),
      first('test', 0),
      first('train', 1),
      first('val', 1),
    ];
    expect(new Set(different).size).toBe(different.length);
  });

  test('rows that must not change between releases or platforms', () => {
    const hash = createHash('sha256');
    for (let row = 0; row < 16; row++) hash.update(Float32Array.from(everything(data, row)));
    expect(hash.digest('hex')).toMatchInlineSnapshot(
      `"0f5d42ff60458009a9ce75f1d09a405353d6941316ed5096bb77c65dde47ad3b"`,
    );
  });

  test('every class is there, labels about equally often', () => {
    const counts = SCENE_LABELS.map((_, k) => labels.filter((label) => label === k).length);
    for (const count of counts) expect(Math.abs(count - N / 6)).toBeLessThan(40);
    const seen = new Set(masks.flat());
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('the mask shows the labelled object: its largest connected object is built of the right parts', () => {
    for (let row = 0; row < N; row++) {
      const { round, block, wedge, height, width } = largestObject(masks[row]!);
      const found =
        round > 0 && block > 0
          ? 'tree'
          : block > 0 && wedge > 0
            ? 'house'
            : block > 0
              ? 'box'
              : wedge > 0
                ? 'pyramid'
                : height > 1.25 * width
                  ? 'snowman'
                  : 'ball';
      expect(found, `row ${row}`).toBe(SCENE_LABELS[labels[row]!]);
    }
  });

  test('the mean colour does not tell the label', () => {
    const means = images.map((image) => [0, 1, 2].map((c) => mean(image.filter((_, i) => i % 3 === c))));
    // By chance 1/6; nine neighbours.
    expect(neighbourAccuracy(means, 9)).toBeLessThan(0.28);
  });

  test('a colour does not tell the class of a pixel', () => {
    const bin = (image: number[], p: number): number =>
      [0, 1, 2].reduce((key, c) => key * 8 + Math.min(7, Math.floor((image[3 * p + c]! + 1) * 4)), 0);
    const votes = new Map<number, number[]>();
    for (let row = 0; row < N / 2; row++) {
      for (let p = 0; p < PIXELS; p++) {
        const key = bin(images[row]!, p);
        const counts = votes.get(key) ?? [0, 0, 0, 0, 0, 0];
        counts[masks[row]![p]!]!++;
        votes.set(key, counts);
      }
    }
    const right = [0, 0, 0, 0, 0, 0];
    const total = [0, 0, 0, 0, 0, 0];
    for (let row = N / 2; row < N; row++) {
      for (let p = 0; p < PIXELS; p++) {
        const truth = masks[row]![p]!;
        const counts = votes.get(bin(images[row]!, p)) ?? [1, 0, 0, 0, 0, 0];
        total[truth]!++;
        if (counts.indexOf(Math.max(...counts)) === truth) right[truth]!++;
      }
    }
    expect(mean(right.map((r, k) => r / total[k]!))).toBeLessThan(0.5);
  });

  test('the embedding tells much of the label and of the colours', () => {
    expect(neighbourAccuracy(embs, 9)).toBeGreaterThan(0.45);
    // Scenes alike in the embedding are alike in colour, more than any two are.
    const skies = images.map((image) => image.slice(0, 3));
    let near = 0;
    let any = 0;
    for (let i = 0; i < N; i++) {
      const order = nearest(embs, i);
      near += distance(skies[i]!, skies[order[0]!]!) / N;
      any += distance(skies[i]!, skies[(i + 1) % N]!) / N;
    }
    expect(near).toBeLessThan(0.85 * any);
  });
});

function mean(x: readonly number[]): number {
  return x.reduce((sum, v) => sum + v, 0) / x.length;
}

function distance(a: readonly number[], b: readonly number[]): number {
  return Math.sqrt(a.reduce((sum, v, i) => sum + (v - b[i]!) ** 2, 0));
}

/** The other points, nearest first. */
function nearest(points: readonly number[][], of: number): number[] {
  return points
    .map((point, i) => ({ i, d: i === of ? Infinity : distance(point, points[of]!) }))
    .sort((a, b) => a.d - b.d)
    .map(({ i }) => i);
}

/** Leave-one-out accuracy of the vote of the k nearest neighbours. */
function neighbourAccuracy(points: readonly number[][], k: number): number {
  let right = 0;
  for (let i = 0; i < N; i++) {
    const votes = [0, 0, 0, 0, 0, 0];
    for (const j of nearest(points, i).slice(0, k)) votes[labels[j]!]!++;
    if (votes.indexOf(Math.max(...votes)) === labels[i]) right++;
  }
  return right / N;
}

/** Pixels of each part class, and the extent, of the largest 4-connected region of parts. */
function largestObject(
  mask: readonly number[],
): Record<'round' | 'block' | 'wedge' | 'height' | 'width', number> {
  const seen = new Uint8Array(PIXELS);
  let best: number[] = [];
  const isPart = (p: number): boolean => mask[p]! >= 2 && mask[p]! <= 4;
  for (let start = 0; start < PIXELS; start++) {
    if (seen[start] === 1 || !isPart(start)) continue;
    const region = [start];
    seen[start] = 1;
    for (let i = 0; i < region.length; i++) {
      const p = region[i]!;
      const x = p % 32;
      const around = [p - 32, p + 32, ...(x > 0 ? [p - 1] : []), ...(x < 31 ? [p + 1] : [])];
      for (const q of around) {
        if (q >= 0 && q < PIXELS && seen[q] === 0 && isPart(q)) {
          seen[q] = 1;
          region.push(q);
        }
      }
    }
    if (region.length > best.length) best = region;
  }
  const xs = best.map((p) => p % 32);
  const ys = best.map((p) => Math.floor(p / 32));
  const count = (k: number): number => best.filter((p) => mask[p] === k).length;
  return {
    round: count(2),
    block: count(3),
    wedge: count(4),
    height: Math.max(...ys) - Math.min(...ys) + 1,
    width: Math.max(...xs) - Math.min(...xs) + 1,
  };
}
