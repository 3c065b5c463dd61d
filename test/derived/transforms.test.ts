/** What the transforms of derived modalities do to rows, and that they draw as a function of seed, row and step alone. */
import { describe, expect, it } from 'vitest';
import { transforms } from '../../compiler/model/transforms.js';
import { allocateBatch, fillBatch, fillRows } from '../../runtime/data/batches.js';
import { toColumn, type Column } from '../../runtime/data/column.js';
import { withDerived } from '../../runtime/data/derived.js';
import { Dataset } from '../../runtime/data/table.js';
import { kernels } from '../../runtime/data/transforms.js';
import { compileText } from '../model/support.js';

/** A model of images and what is derived from them. */
const spec = (derived: string, size = '8, 8, 1', seed = 0) => `import { MLP } from "std/backbones"

model M {
  modality image: image[${size}]
  ${derived}
  space z: f32[${size}]
  encoder image = image
  process { origin: image }
  backbone h = concat(z, given) |> MLP(t, width: 8, depth: 1)
  decoder z = h |> project(shape(z))
  ${[...derived.matchAll(/modality (\w+)/g)].map((m) => `decoder ${m[1]} = h |> project(shape_${m[1]})`).join('\n  ')}
  task generate: image
  train { seed: ${seed} }
}
`;

const shapes = (text: string) =>
  text.replaceAll(/project\(shape_(\w+)\)/g, (_, name: string) => {
    const type = new RegExp(`modality ${name}: \\w+(\\[[^\\]]*\\])`).exec(text)![1]!;
    return `project(${type})`;
  });

const n = 12;

/** Rows of the derived column `name`. */
function dataset(
  derived: string,
  size = [8, 8, 1],
  value = (i: number) => (i % 200) + 20,
  seed = 0,
): Dataset {
  const model = compileText(shapes(spec(derived, size.join(', '), seed)));
  const bytes = Uint8Array.from({ length: n * size.reduce((a, b) => a * b) }, (_, i) => value(i));
  const image = toColumn(
    'image',
    { file: 'image.npy', shape: [n, ...size], data: bytes },
    { kind: 'image', shape: size as [number, number, number] },
  );
  return new Dataset(withDerived(model.info, [image]));
}

function row(column: Column, index: number, draw?: { from: 'row' | 'step'; index: number }): Float32Array {
  const out = new Float32Array(column.shape.reduce((a, b) => a * b, 1));
  column.read(index, out, 0, draw);
  return out;
}

const hole = 'modality hole: binary[8, 8, 1] = holes(count: 2, size: 3)';
const masked = 'modality masked: image[8, 8, 1] = image |> erase(hole)';

describe('transforms', () => {
  it('all have a meaning, and every meaning a type', () => {
    // A network, which is computed once for all rows, is tested in frozen.test.ts.
    expect(Object.keys(kernels).sort()).toEqual(
      [...transforms.values()]
        .filter((t) => !t.once)
        .map((t) => t.name)
        .sort(),
    );
  });

  it('cut squares of the size that is said, inside the image, filled as is said', () => {
    const data = dataset('modality masked: image[8, 8, 1] = image |> cutout(size: 3, fill: 1)');
    for (let i = 0; i < n; i++) {
      const [before, after] = [row(data.column('image'), i), row(data.column('masked'), i)];
      const changed = [...after.keys()].filter((p) => after[p] !== before[p]);
      expect(changed).toHaveLength(9);
      expect(changed.every((p) => after[p] === 1)).toBe(true);
      const [rows, columns] = [changed.map((p) => p >> 3), changed.map((p) => p % 8)];
      expect(Math.max(...rows) - Math.min(...rows)).toBe(2);
      expect(Math.max(...columns) - Math.min(...columns)).toBe(2);
    }
  });

  it('hide the share of the image that is said', () => {
    const data = dataset('modality hole: binary[8, 8, 1] = holes(area: 0.25)');
    for (let i = 0; i < n; i++) expect(row(data.column('hole'), i).reduce((a, b) => a + b)).toBe(16);
  });

  it('hide a share of its own in every row', () => {
    const data = dataset('modality hole: binary[8, 8, 1] = holes(area: 0.1, most: 0.8)');
    const hidden = Array.from({ length: n }, (_, i) => row(data.column('hole'), i).reduce((a, b) => a + b));
    // Sides of 2.5 to 7.2 pixels, rounded.
    expect(hidden.every((count) => [4, 9, 16, 25, 36, 49].includes(count))).toBe(true);
    expect(new Set(hidden).size).toBeGreaterThan(2);
  });

  it('know the same hole in every modality derived from it', () => {
    const data = dataset(`${hole}\n  ${masked}`);
    const draws = [undefined, { from: 'step', index: 5 }] as const;
    for (const draw of draws) {
      for (let i = 0; i < n; i++) {
        const [x, h, y] = ['image', 'hole', 'masked'].map((name) => row(data.column(name), i, draw));
        expect([...y!]).toEqual([...x!].map((v, p) => (h![p] === 1 ? 0 : v)));
        expect(h!.reduce((a, b) => a + b)).toBeGreaterThanOrEqual(9);
      }
    }
  });

  it('average, repeat, grey, blur and cut at a level', () => {
    const ramp = dataset('modality small: image[4, 4, 1] = image |> shrink(2)');
    const [x, s] = [row(ramp.column('image'), 3), row(ramp.column('small'), 3)];
    expect(s[5]).toBeCloseTo((x[18]! + x[19]! + x[26]! + x[27]!) / 4, 6);
    const same = dataset('modality low: image[8, 8, 1] = image |> shrink(2) |> enlarge(2)');
    const low = row(same.column('low'), 3);
    expect([low[18], low[19], low[26], low[27]].map((v) => v!.toFixed(5))).toEqual(
      Array(4).fill(s[5]!.toFixed(5)),
    );
    const grey = dataset('modality grey: image[2, 2, 1] = image |> grayscale', [2, 2, 3]);
    const [c, g] = [row(grey.column('image'), 1), row(grey.column('grey'), 1)];
    expect(g[2]).toBeCloseTo(0.299 * c[6]! + 0.587 * c[7]! + 0.114 * c[8]!, 6);
    const bits = dataset('modality bits: binary[8, 8, 1] = image |> threshold(-0.5)');
    expect([...row(bits.column('bits'), 2)]).toEqual(
      [...row(bits.column('image'), 2)].map((v) => Number(v > -0.5)),
    );
    // A constant image is its own blur, border included; a blur keeps means in between.
    const flat = dataset('modality soft: image[8, 8, 1] = image |> blur(1.5)', [8, 8, 1], () => 200);
    for (const v of row(flat.column('soft'), 0)) expect(v).toBeCloseTo(200 / 127.5 - 1, 5);
    const spot = dataset('modality soft: image[8, 8, 1] = image |> blur(1)', [8, 8, 1], (i) =>
      i % 64 === 27 ? 255 : 0,
    );
    const soft = row(spot.column('soft'), 0);
    expect(soft[28]! - -1).toBeCloseTo((soft[27]! - -1) * Math.exp(-0.5), 5);
    expect(soft[36]! - -1).toBeCloseTo((soft[27]! - -1) * Math.exp(-1), 5);
  });

  it('add noise of the width that is said, within the range of images', () => {
    const data = dataset('modality noisy: image[8, 8, 1] = image |> noise(0.2)', [8, 8, 1], () => 128);
    const values = Array.from({ length: n }, (_, i) => [...row(data.column('noisy'), i)]).flat();
    const mean = values.reduce((a, b) => a + b) / values.length;
    const deviation = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length);
    expect(deviation).toBeGreaterThan(0.17);
    expect(deviation).toBeLessThan(0.23);
    const strong = dataset('modality noisy: image[8, 8, 1] = image |> noise(5)');
    for (const v of row(strong.column('noisy'), 0)) expect(Math.abs(v)).toBeLessThanOrEqual(1);
  });
});

describe('what they draw', () => {
  const derived = `${hole}\n  ${masked}`;

  it('is the same for a row outside training, however often and with whatever beside it that it is read', () => {
    const [a, b] = [dataset(derived), dataset(derived)];
    const [all, one] = [allocateBatch(a, n), allocateBatch(b, 1)];
    fillRows(
      a,
      Array.from({ length: n }, (_, i) => i),
      all,
    );
    fillRows(b.take({ start: 7, end: 9 }), [0], one);
    expect([...all['masked']!.data.slice(7 * 64, 8 * 64)]).toEqual([...one['masked']!.data]);
  });

  it('is new in every step of training, and the same when a run goes on', () => {
    const data = dataset(derived);
    const at = (step: number) => {
      const into = allocateBatch(data, 4);
      fillBatch(data, { seed: 3, step, batch: 4 }, into);
      return [...into['hole']!.data];
    };
    expect(at(5)).toEqual(at(5));
    expect(at(5)).not.toEqual(at(6));
    // Rows of one batch differ too.
    expect(at(5).slice(0, 64)).not.toEqual(at(5).slice(64, 128));
  });

  it('depends on the seed', () => {
    const [a, b] = [0, 1].map((seed) => row(dataset(hole, [8, 8, 1], undefined, seed).column('hole'), 0));
    expect([...a!]).not.toEqual([...b!]);
  });
});
