/** LPIPS by small made weights, against the definition in plain loops; and by a model that is an ONNX file itself. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeModel, type OnnxNode } from '../../compiler/targets/onnx/proto.js';
import { formatSafetensors, type StoredTensor } from '../../runtime/checkpoint/safetensors.js';
import { Lpips } from '../../runtime/eval/lpips.js';
import { lpipsModel } from '../../runtime/eval/lpips-model.js';
import { Stream } from '../../runtime/random/stream.js';

const dir = mkdtempSync(join(tmpdir(), 'mmdc-lpips-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Convolutions by slice: number, kernel, stride, padding; and the pooling before a slice. */
const networks = {
  alex: {
    pool: 3,
    slices: [[[0, 11, 4, 2]], [[3, 5, 1, 2]], [[6, 3, 1, 1]], [[8, 3, 1, 1]], [[10, 3, 1, 1]]],
    pooled: [1, 2],
    size: 47,
  },
  vgg: {
    pool: 2,
    slices: [
      [
        [0, 3, 1, 1],
        [2, 3, 1, 1],
      ],
      [
        [5, 3, 1, 1],
        [7, 3, 1, 1],
      ],
      [
        [10, 3, 1, 1],
        [12, 3, 1, 1],
        [14, 3, 1, 1],
      ],
      [
        [17, 3, 1, 1],
        [19, 3, 1, 1],
        [21, 3, 1, 1],
      ],
      [
        [24, 3, 1, 1],
        [26, 3, 1, 1],
        [28, 3, 1, 1],
      ],
    ],
    pooled: [1, 2, 3, 4],
    size: 18,
  },
} as const;

/** Widths are small; the published ones have 64 to 512. */
function made(kind: keyof typeof networks, torchvision = false): Map<string, StoredTensor> {
  const out = new Map<string, StoredTensor>();
  let channels = 3;
  networks[kind].slices.forEach((layers, slice) => {
    for (const [at, kernel] of layers) {
      const width = 3 + slice;
      const name = torchvision ? `features.${at}` : `net.slice${slice + 1}.${at}`;
      const random = new Stream(7, kind, at);
      const weight = random
        .normal(width * channels * kernel * kernel)
        .map((x) => x / Math.sqrt(channels * kernel));
      out.set(`${name}.weight`, { shape: [width, channels, kernel, kernel], data: weight });
      out.set(`${name}.bias`, { shape: [width], data: random.normal(width).map((x) => 0.1 * x) });
      channels = width;
    }
    const lin = new Stream(8, kind, slice).uniform(channels);
    out.set(torchvision ? `lins.${slice}.model.1.weight` : `lin${slice}.model.1.weight`, {
      shape: [1, channels, 1, 1],
      data: lin,
    });
  });
  return out;
}

type Grid = { readonly data: Float64Array; readonly c: number; readonly h: number; readonly w: number };

function conv(x: Grid, weight: StoredTensor, bias: StoredTensor, stride: number, pad: number): Grid {
  const [out, , k] = weight.shape as [number, number, number];
  const [h, w] = [x.h, x.w].map((n) => Math.floor((n + 2 * pad - k) / stride) + 1) as [number, number];
  const data = new Float64Array(out * h * w);
  for (let o = 0; o < out; o++)
    for (let y = 0; y < h; y++)
      for (let z = 0; z < w; z++) {
        let sum = Number(bias.data[o]);
        for (let c = 0; c < x.c; c++)
          for (let i = 0; i < k; i++)
            for (let j = 0; j < k; j++) {
              const [r, s] = [y * stride - pad + i, z * stride - pad + j];
              if (r < 0 || s < 0 || r >= x.h || s >= x.w) continue;
              sum += x.data[(c * x.h + r) * x.w + s]! * Number(weight.data[((o * x.c + c) * k + i) * k + j]);
            }
        data[(o * h + y) * w + z] = Math.max(0, sum);
      }
  return { data, c: out, h, w };
}

function maxPool(x: Grid, k: number): Grid {
  const [h, w] = [x.h, x.w].map((n) => Math.floor((n - k) / 2) + 1) as [number, number];
  const data = new Float64Array(x.c * h * w);
  for (let c = 0; c < x.c; c++)
    for (let y = 0; y < h; y++)
      for (let z = 0; z < w; z++) {
        let most = -Infinity;
        for (let i = 0; i < k; i++)
          for (let j = 0; j < k; j++) most = Math.max(most, x.data[(c * x.h + 2 * y + i) * x.w + 2 * z + j]!);
        data[(c * h + y) * w + z] = most;
      }
  return { data, c: x.c, h, w };
}

/** By the definition: metrics of version 0.1, one row. */
function plain(kind: keyof typeof networks, a: Float32Array, b: Float32Array, C: number): number {
  const { pool, slices, pooled, size } = networks[kind];
  const tensors = made(kind);
  const [shift, deviation] = [
    [-0.03, -0.088, -0.188],
    [0.458, 0.448, 0.45],
  ];
  let states = [a, b].map((image): Grid => ({
    data: Float64Array.from({ length: 3 * size * size }, (_, i) => {
      const c = Math.floor(i / (size * size));
      return (image[(i % (size * size)) * C + (C === 3 ? c : 0)]! - shift[c]!) / deviation[c]!;
    }),
    c: 3,
    h: size,
    w: size,
  }));
  let total = 0;
  slices.forEach((layers, slice) => {
    if ((pooled as readonly number[]).includes(slice)) states = states.map((x) => maxPool(x, pool));
    for (const [at, , stride, pad] of layers) {
      const name = `net.slice${slice + 1}.${at}`;
      states = states.map((x) =>
        conv(x, tensors.get(`${name}.weight`)!, tensors.get(`${name}.bias`)!, stride, pad),
      );
    }
    const [x, y] = states as [Grid, Grid];
    const lin = tensors.get(`lin${slice}.model.1.weight`)!;
    const positions = x.h * x.w;
    for (let p = 0; p < positions; p++) {
      const norm = (g: Grid) => {
        let sum = 0;
        for (let c = 0; c < g.c; c++) sum += g.data[c * positions + p]! ** 2;
        return Math.sqrt(sum) + 1e-10;
      };
      const [nx, ny] = [norm(x), norm(y)];
      for (let c = 0; c < x.c; c++) {
        const d = x.data[c * positions + p]! / nx - y.data[c * positions + p]! / ny;
        total += (Number(lin.data[c]) * d * d) / positions;
      }
    }
  });
  return total;
}

const pictures = (n: number, size: number, C: number, seed: number) =>
  new Stream(seed, 'pictures').uniform(n * size * size * C).map((x) => 2 * x - 1);

describe.each([
  ['alex', 3],
  ['alex', 1],
  ['vgg', 3],
] as const)('LPIPS by made weights of %s, pictures of %i channels', (kind, C) => {
  const { size } = networks[kind];
  const picture = [size, size, C] as const;
  const [a, b] = [pictures(3, size, C, 1), pictures(3, size, C, 2)];

  it('has the value of its definition, is zero for equal pictures, and symmetric', async () => {
    const file = join(dir, `${kind}.safetensors`);
    writeFileSync(file, Buffer.concat(formatSafetensors([...made(kind)])));
    const lpips = await Lpips.open(file);
    const found = await lpips.distances(a, b, [...picture]);
    const row = size * size * C;
    for (let i = 0; i < 3; i++) {
      const wanted = plain(kind, a.subarray(i * row, (i + 1) * row), b.subarray(i * row, (i + 1) * row), C);
      expect(wanted).toBeGreaterThan(0.05);
      expect(found[i]).toBeCloseTo(wanted, 4);
    }
    expect(Math.max(...(await lpips.distances(a, a, [...picture])))).toBeLessThan(1e-9);
    const back = await lpips.distances(b, a, [...picture]);
    back.forEach((x, i) => expect(x).toBeCloseTo(found[i]!, 6));
    expect(lpips.record).toMatchObject({ network: kind, file: `${kind}.safetensors` });
    expect(lpips.record.hash).toMatch(/^[0-9a-f]{64}$/);
    await lpips.dispose();
  });

  it('is the same under the names of torchvision, and as an ONNX file', async () => {
    const file = join(dir, `${kind}.onnx`);
    writeFileSync(file, lpipsModel(made(kind, true)).model);
    const lpips = await Lpips.open(file);
    const [found] = await lpips.distances(a, b, [...picture]);
    expect(found).toBeCloseTo(plain(kind, a.subarray(0, a.length / 3), b.subarray(0, b.length / 3), C), 4);
    expect(lpips.record.network).toBe('onnx');
    await lpips.dispose();
  });
});

describe('weights that do not fit', () => {
  it.each([
    [
      'a missing layer',
      (t: Map<string, StoredTensor>) => void t.delete('net.slice3.6.bias'),
      /slice3\.6\.bias` is missing/,
    ],
    [
      'a missing weighing',
      (t: Map<string, StoredTensor>) => void t.delete('lin4.model.1.weight'),
      /lin4\.model\.1\.weight` is missing/,
    ],
    [
      'another width',
      (t: Map<string, StoredTensor>) =>
        void t.set('lin0.model.1.weight', { shape: [1, 9, 1, 1], data: new Float32Array(9) }),
      /lin0\.model\.1\.weight` is \[1, 9, 1, 1\]/,
    ],
  ])('are named: %s', async (_, change, says) => {
    const tensors = made('alex');
    change(tensors);
    const file = join(dir, 'bad.safetensors');
    writeFileSync(file, Buffer.concat(formatSafetensors([...tensors])));
    await expect(Lpips.open(file)).rejects.toThrow(says);
  });

  it('and so are files that are none, and pictures that are too small', async () => {
    writeFileSync(join(dir, 'text.safetensors'), 'text');
    writeFileSync(join(dir, 'text.onnx'), 'text');
    await expect(Lpips.open(join(dir, 'text.safetensors'))).rejects.toThrow('--lpips');
    await expect(Lpips.open(join(dir, 'text.onnx'))).rejects.toThrow('does not load');
    await expect(Lpips.open(join(dir, 'none.onnx'))).rejects.toThrow('no such file');
    writeFileSync(join(dir, 'small.safetensors'), Buffer.concat(formatSafetensors([...made('alex')])));
    const lpips = await Lpips.open(join(dir, 'small.safetensors'));
    expect(lpips.unfit([28, 28, 1])).toContain('35 x 35 at least');
    expect(lpips.unfit([64, 64, 2])).toContain('channels');
    expect(lpips.unfit([35, 35, 3])).toBeUndefined();
    await lpips.dispose();
  });
});

describe('a model of the user', () => {
  /** Mean of |a - b| over a picture, for one pair at a time. */
  const model = (inputs: number) => {
    const node = (op: string, from: string[], output: string, attributes: OnnxNode['attributes'] = {}) => ({
      name: output,
      op,
      domain: '',
      inputs: from,
      outputs: [output],
      attributes,
    });
    return encodeModel({
      irVersion: 8,
      opsets: { '': 17 },
      producer: 'test',
      graph: {
        name: 'distance',
        nodes: [
          ...(inputs === 2 ? [node('Sub', ['a', 'b'], 'd')] : [node('Neg', ['a'], 'd')]),
          node('Abs', ['d'], 'e'),
          node('ReduceMean', ['e'], 'y', { axes: { ints: [1, 2, 3] }, keepdims: { i: 1 } }),
        ],
        initializers: new Map(),
        inputs: ['a', 'b'].slice(0, inputs).map((name) => ({ name, type: 'f32', dims: [1, 3, 8, 8] })),
        outputs: [{ name: 'y', type: 'f32', dims: [1, 1, 1, 1] }],
      },
    });
  };

  it('is fed as it declares, and what it gives is taken', async () => {
    const file = join(dir, 'own.onnx');
    writeFileSync(file, model(2));
    const lpips = await Lpips.open(file);
    const [a, b] = [pictures(5, 8, 3, 3), pictures(5, 8, 3, 4)];
    const found = await lpips.distances(a, b, [8, 8, 3]);
    for (let i = 0; i < 5; i++) {
      let sum = 0;
      for (let k = i * 192; k < (i + 1) * 192; k++) sum += Math.abs(a[k]! - b[k]!);
      expect(found[i]).toBeCloseTo(sum / 192, 5);
    }
    expect(lpips.unfit([9, 9, 3])).toContain('8 x 8');
    await lpips.dispose();
    writeFileSync(file, model(1));
    await expect(Lpips.open(file)).rejects.toThrow('no model of two pictures');
  });
});
