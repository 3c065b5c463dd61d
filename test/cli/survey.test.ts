/** `mmdc data`: what would be fed, and everything that is wrong with it, by row, before anything is trained. */
import { mkdirSync } from 'node:fs';
import * as path from 'node:path';
import { encode } from 'fast-png';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatNpy } from '../../runtime/data/npy.js';
import { folder, root } from './support.js';

const dir = folder();
const rows = 10;

/** A model of a picture, its mask, a label and an embedding, with the given sources. */
const spec = (data: string) => `import { MLP } from "std/backbones"
model Small {
  modality image: image[4, 4, 1]
  modality mask: mask[4, 4, 3]
  modality label: category[3]
  modality emb: vector[2]
  space z: f32[4, 4, 1]
  encoder image = image
  encoder mask = mask |> project(shape(z))
  encoder label = label |> project(shape(z))
  encoder emb = emb |> project(shape(z))
  process { steps: 20, origin: image }
  backbone h = concat(z, given) |> MLP(t, width: 8, depth: 1)
  decoder z = h |> project(shape(z))
  decoder mask = h |> project([4, 4, 3])
  decoder label = h |> linear(3)
  decoder emb = h |> linear(2)
  task generate: image, mask, label, emb
  data { ${data} }
  train { batch: 4, steps: 4 }
}
`;
const sources = {
  image: 'images("image")',
  mask: 'masks("mask")',
  label: 'npy("label.npy")',
  emb: 'npy("emb.npy")',
};
const block = (changed: Partial<typeof sources> = {}, more = '') =>
  Object.entries({ ...sources, ...changed })
    .map(([name, source]) => `${name}: ${source}`)
    .join(', ') + more;

const grey = (width: number, data: ArrayLike<number>) =>
  encode({ width, height: data.length / width, channels: 1, depth: 8, data: Uint8Array.from(data) });
const labels = (change: Record<number, number> = {}) =>
  formatNpy(
    Int32Array.from({ length: rows }, (_, i) => change[i] ?? i % 3),
    [rows],
  );
const vectors = (width: number, change: Record<number, number> = {}) =>
  formatNpy(
    Float32Array.from({ length: rows * width }, (_, i) => change[i] ?? i),
    [rows, width],
  );

beforeAll(() => {
  for (const place of ['image', 'mask', 'sizes', 'values'])
    mkdirSync(dir.at('data', place), { recursive: true });
  for (let i = 0; i < rows; i++) {
    const name = `${i}.png`;
    dir.write(
      `data/image/${name}`,
      grey(
        4,
        new Array<number>(16).fill(0).map((_, k) => 17 * k),
      ),
    );
    dir.write(
      `data/mask/${name}`,
      grey(
        4,
        new Array<number>(16).fill(0).map((_, k) => k % 3),
      ),
    );
    const odd = i === 4 || i === 8;
    dir.write(`data/sizes/${name}`, grey(odd ? 5 : 4, new Array<number>(odd ? 25 : 16).fill(7)));
    dir.write(`data/values/${name}`, grey(4, new Array<number>(16).fill(odd ? 9 : 1)));
  }
  dir.write('data/label.npy', labels());
  dir.write('data/bad-label.npy', labels({ 3: 7, 5: -1, 9: 3 }));
  dir.write('data/emb.npy', vectors(2));
  dir.write('data/wide.npy', vectors(3));
  const ragged = (i: number) => JSON.stringify({ emb: i === 3 || i === 7 ? [i, 1, 2] : [i, 1] });
  dir.write('data/ragged.jsonl', Array.from({ length: rows }, (_, i) => `${ragged(i)}\n`).join(''));
  dir.write('data/nan.npy', vectors(2, { 5: Number.NaN, 12: Infinity }));
  const lines = (ids: readonly number[]) => `file,label\n${ids.map((i) => `${i},${i % 3}`).join('\n')}\n`;
  dir.write('data/twice.csv', lines([0, 1, 2, 2, 4, 5, 5, 7, 8, 9]));
  dir.write('data/gone.csv', lines([0, 1, 2, 4, 5, 7, 8, 9]));
});

describe('mmdc data', () => {
  it('gives shapes, ranges and classes', async () => {
    dir.write('good.mmd', spec(block()));
    const { code, out } = await dir.run(
      'data',
      'good.mmd',
      '--data',
      'data',
      '--format',
      'json',
      '-o',
      'page.html',
    );
    expect(code).toBe(0);
    const found = JSON.parse(out) as {
      rows: Record<string, number>;
      modalities: { modality: string; shape: number[]; values?: Record<string, number>; classes?: unknown }[];
      problems: unknown[];
    };
    expect(found.rows).toEqual({ training: rows });
    expect(found.problems).toEqual([]);
    const [image, mask, label, emb] = found.modalities;
    expect(image).toMatchObject({ modality: 'image', shape: [4, 4, 1], missing: 0, damaged: 0 });
    // 0, 17, ... 255 scaled to [-1, 1]: symmetric, of variance (16^2 - 1) / 12 steps of 2 / 15.
    expect(image!.values).toMatchObject({ least: -1, most: 1 });
    expect(image!.values!.mean).toBeCloseTo(0, 6);
    expect(image!.values!.deviation).toBeCloseTo(Math.sqrt(255 / 12) * (2 / 15), 6);
    expect(mask!.classes).toEqual({ counts: [6 * rows, 5 * rows, 5 * rows], ignored: 0 });
    expect(label!.classes).toEqual({ counts: [4, 3, 3], ignored: 0 });
    expect(emb!.values).toMatchObject({ least: 0, most: 19, mean: 9.5 });
    const page = dir.read('page.html');
    expect(page).toContain('data:image/png;base64,');
    expect(page).toContain('label 2, row 8');
    expect(page).not.toContain('<script');
  });

  it('reads an embedded set without a folder', async () => {
    const { code, out } = await dir.run('data', path.join(root, 'examples', 'scenes.mmd'));
    expect(code).toBe(0);
    expect(out).toMatch(/mask +4096 +0 +0 +\[32, 32\] +6 of 6 classes/);
  });

  it.each([
    ['images of other sizes', { image: 'images("sizes")' }, /4\.png`: row 4: .*row 8 \(8\.png\)/],
    ['masks with values out of range', { mask: 'masks("values")' }, /row 4: [\s\S]*row 8: [\s\S]*/],
    ['embeddings of another width', { emb: 'npy("wide.npy")' }, /rows of shape \[3\]/],
    [
      'rows of another width',
      { emb: 'jsonl("ragged.jsonl", column: "emb")' },
      /row 3: has 3 numbers for 'emb', which takes 2; row 7 is wrong too/,
    ],
    ['values that are not finite', { emb: 'npy("nan.npy")' }, /row 2: has the value NaN; row 6 is wrong too/],
    [
      'labels outside the set',
      { label: 'npy("bad-label.npy")' },
      /row 3: has the value 7[\s\S]*rows 5, 9 are wrong too/,
    ],
  ])('lists %s by row', async (name, changed, report) => {
    const file = `${name.replaceAll(' ', '-')}.mmd`;
    dir.write(file, spec(block(changed)));
    const shown = await dir.run('data', file, '--data', 'data');
    expect(shown.err).toMatch(report);
    expect(shown.code).toBe(1);
    // The training finds them too, before it starts.
    const trained = await dir.run('train', file, '--data', 'data', '--out', `run-${file}`);
    expect(trained.code).toBe(1);
    expect(trained.err).toMatch(/MMD0901/);
    expect(trained.err).not.toContain('steps of');
  });

  it.each([
    ['twice', 'twice.csv', /ids are there twice: '2' in the rows 2 and 3, '5' in the rows 5 and 6/],
    ['missing', 'gone.csv', /has no 'label' for '3', '6', which .*image has/],
  ])('lists ids that are there %s', async (name, table, report) => {
    const file = `${name}.mmd`;
    dir.write(
      file,
      spec(
        block({ label: `csv("${table}", column: "label", id: "file")` }, '\n join: id').replace(
          ', emb: npy("emb.npy")',
          '',
        ),
      )
        .replace('  modality emb: vector[2]\n', '')
        .replace(/ {2}encoder emb.*\n/, '')
        .replace(/ {2}decoder emb.*\n/, '')
        .replace(', emb\n', '\n'),
    );
    const { code, err } = await dir.run('data', file, '--data', 'data');
    expect(err).toMatch(report);
    expect(err).toMatch(/MMD0901/);
    expect(code).toBe(1);
    const trained = await dir.run('train', file, '--data', 'data', '--out', `run-${file}`);
    expect(trained.code).toBe(1);
    expect(trained.err).toMatch(report);
    expect(trained.err).not.toContain('steps of');
    expect(dir.has(`run-${file}`)).toBe(false);
  });

  it('refuses what it cannot write', async () => {
    const { code, err } = await dir.run('data', 'good.mmd', '--data', 'data', '-o', 'page.pdf');
    expect(code).toBe(2);
    expect(err).toContain('.html');
  });
});
