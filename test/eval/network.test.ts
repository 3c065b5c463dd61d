import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measureRise } from '../../runtime/eval/degrade.js';
import { FeatureNetwork } from '../../runtime/eval/networks/network.js';
import { choose, type Executor } from '../../runtime/executors/index.js';
import { Stream } from '../../runtime/random/stream.js';

const dir = mkdtempSync(join(tmpdir(), 'mmdc-eval-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const side = 12;
/** Discs (0) and horizontal bars (1), anywhere, 12 x 12. */
function pictures(n: number, seed: number) {
  const random = new Stream(seed, 'pictures');
  const data = new Float32Array(n * side * side).fill(-1);
  const labels = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const label = (labels[i] = random.below(2));
    const [cx, cy] = [3 + 6 * random.next(), 3 + 6 * random.next()];
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const inside =
          label === 0 ? Math.hypot(x - cx, y - cy) < 3 : Math.abs(y - cy) < 1 && Math.abs(x - cx) < 5;
        if (inside) data[(i * side + y) * side + x] = 1;
      }
  }
  return { images: { data, shape: [n, side, side, 1] }, labels };
}

const train = pictures(300, 1);
const held = pictures(100, 2);
let executor: Executor;
beforeAll(async () => {
  executor = await choose('ort', { threads: 1 });
});

describe('a network without labels', () => {
  it('is kept, and read back where data and settings are the same', async () => {
    const file = join(dir, 'auto.safetensors');
    const steps: number[] = [];
    const open = () =>
      FeatureNetwork.open({
        file,
        executor,
        images: train.images,
        steps: 150,
        onProgress: (step) => steps.push(step),
      });
    const first = await open();
    const features = (await first.read(held.images.data)).features;
    expect(steps).toHaveLength(150);
    const again = await open();
    expect(steps).toHaveLength(150);
    expect((await again.read(held.images.data)).features).toEqual(features);
    expect(features).toHaveLength(100 * 64);
    expect(new Set(features).size).toBeGreaterThan(1000);
    // A damaged file is made again, the same.
    writeFileSync(file, 'damaged');
    const third = await open();
    expect(steps).toHaveLength(300);
    expect((await third.read(held.images.data)).features).toEqual(features);
    expect(third.record).toEqual(first.record);
    for (const network of [first, again, third]) await network.dispose();
  });

  it('gives a distance that rises under blur, noise and shift, and only counts what a mask counts', async () => {
    const network = await FeatureNetwork.open({
      file: join(dir, 'rise.safetensors'),
      executor,
      images: train.images,
      steps: 150,
    });
    const rise = await measureRise(network, held.images.data.slice(0, 40 * side * side));
    expect(rise.rises, JSON.stringify(rise)).toBe(true);
    const [a, b] = [held.images.data.slice(0, side * side), held.images.data.slice(0, side * side)];
    expect((await network.distances(a, b))[0]).toBeCloseTo(0, 5);
    // Damage in the lower right, and masks that count only the upper left, or everything.
    for (let y = 9; y < side; y++) for (let x = 9; x < side; x++) b[y * side + x] = -b[y * side + x]!;
    const corner = Float32Array.from({ length: side * side }, (_, p) => Number(p % side < 2 && p < 2 * side));
    const everything = new Float32Array(side * side).fill(1);
    const [far] = await network.distances(a, b, corner);
    const [whole] = await network.distances(a, b, everything);
    expect(whole).toBeCloseTo((await network.distances(a, b))[0]!, 10);
    expect(far!).toBeLessThan(0.5 * whole!);
    await network.dispose();
  });
});

describe('a classifier', () => {
  it('tells held-out pictures apart', async () => {
    const network = await FeatureNetwork.open({
      file: join(dir, 'classes.safetensors'),
      executor,
      images: train.images,
      labels: { data: train.labels, classes: 2 },
      steps: 150,
    });
    const probabilities = (await network.read(held.images.data)).probabilities!;
    const right = held.labels.filter((k, i) => probabilities[2 * i + k]! > 0.5).length;
    expect(right).toBeGreaterThan(95);
    await network.dispose();
  });
});
