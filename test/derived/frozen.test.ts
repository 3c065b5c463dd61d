/** Frozen networks from ONNX files: small ones, written here, whose answers are known. */
import { copyFileSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeModel, type OnnxNode, type ValueInfo } from '../../compiler/targets/onnx/proto.js';
import { readNpy } from '../../runtime/data/npy.js';
import { openParts } from '../../runtime/data/open.js';
import type { SpecFault } from '../../runtime/faults.js';
import { rowsOf } from '../../runtime/sample/given.js';
import { folder, idx } from '../cli/support.js';
import { compile } from '../lower/support.js';

const dir = folder();

const f32 = (values: readonly number[], dims: readonly number[]) => ({
  type: 'f32' as const,
  dims,
  raw: new Uint8Array(Float32Array.from(values).buffer),
});

/** Weights of a picture's elements, [16 C, 3], and a bias: known, and different everywhere. */
const weight = (size: number) => Array.from({ length: size * 3 }, (_, i) => Math.sin(1 + i));
const bias = [0.5, -1, 2];

/** y = flatten(x) W + b, by an ONNX file. */
function network(
  input: readonly (number | string)[],
  size: number,
  more: readonly string[] = [],
): Uint8Array {
  const node = (op: string, inputs: string[], output: string, attributes: OnnxNode['attributes'] = {}) => ({
    name: output,
    op,
    domain: '',
    inputs,
    outputs: [output],
    attributes,
  });
  const out = (name: string): ValueInfo => ({ name, type: 'f32', dims: [input[0]!, 3] });
  return encodeModel({
    irVersion: 8,
    opsets: { '': 17 },
    producer: 'test',
    graph: {
      name: 'features',
      nodes: [
        node('Flatten', ['x'], 'flat', { axis: { i: 1 } }),
        node('Gemm', ['flat', 'w', 'b'], 'y'),
        ...more.map((name) => node('Neg', ['y'], name)),
      ],
      initializers: new Map([
        ['w', f32(weight(size), [size, 3])],
        ['b', f32(bias, [3])],
      ]),
      inputs: [{ name: 'x', type: 'f32', dims: input }],
      outputs: [...more.map(out), out('y')],
    },
  });
}

const spec = (derived: string, size = 3, image = 'image[4, 4, 1]') => `import { MLP } from "std/backbones"

model Embedded {
  modality image: ${image}
  modality emb: vector[${size}] = ${derived}
  space z: f32[24]
  encoder image = image |> reshape([16]) |> into(z, channels: 0..16)
  encoder emb = emb |> linear(8) |> into(z, channels: 16..24)
  process { steps: 20 }
  backbone h = concat(z, given) |> MLP(t, width: 8, depth: 1)
  decoder image = h |> project([4, 4, 1])
  decoder emb = h |> linear(${size})
  task generate: image, emb
  task embed: image -> emb
  task imagine: emb -> image
  data { image: idx("image.idx"), rows: 0..20 }
  eval { rows: 20..30, metrics { image: clip, emb: [cosine, rank] } }
  train { batch: 4, steps: 4 }
}
`;

const pixels = Array.from({ length: 30 * 16 }, (_, i) => (i * 7919) % 256);
/** What the network says of a row, computed here. */
const answer = (row: number, scale = (x: number) => x / 127.5 - 1): number[] =>
  bias.map((b, k) =>
    pixels.slice(row * 16, (row + 1) * 16).reduce((sum, x, i) => sum + scale(x) * weight(16)[i * 3 + k]!, b),
  );

beforeAll(() => {
  dir.write('image.idx', idx([30, 4, 4], pixels));
  mkdirSync(dir.at('nets'));
  dir.write('nets/features.onnx', network(['n', 1, 4, 4], 16, ['first']));
  dir.write('nets/last.onnx', network([7, 4, 4, 1], 16));
  dir.write('nets/flat.onnx', network(['n', 16], 16));
  dir.write('nets/open.onnx', network(['n', 'a', 'b', 'c'], 16));
  dir.write('nets/colour.onnx', network(['n', 3, 4, 4], 48));
  dir.write('nets/no.onnx', 'not a model');
  dir.write('mmd.json', '{}');
});

/** Rows of `emb` as they are read for training. */
async function embeddings(derived: string): Promise<Float32Array> {
  const { info } = compile(spec(derived));
  const { dataset } = (await openParts(info, dir.path, { project: dir.path })).part('all');
  return rowsOf(
    dataset.column('emb'),
    Array.from({ length: 30 }, (_, i) => i),
  ).data as Float32Array;
}

const expectRows = (found: Float32Array, wanted: (row: number) => number[]) => {
  expect(found.length).toBe(90);
  for (let row = 0; row < 30; row++)
    wanted(row).forEach((x, k) => expect(found[row * 3 + k], `row ${row}`).toBeCloseTo(x, 3));
};

describe('a modality that a frozen network says', () => {
  it.each([
    ['plain', 'image |> onnx("nets/features.onnx", output: "y")', (row: number) => answer(row)],
    // The first output is the negative.
    ['first', 'image |> onnx("nets/features.onnx")', (row: number) => answer(row).map((x) => -x)],
    // A batch of its own, which 30 rows do not fill; channels last.
    ['last', 'image |> onnx("nets/last.onnx")', (row: number) => answer(row)],
    ['flat', 'onnx(image, "nets/flat.onnx", range: unit)', (row: number) => answer(row, (x) => x / 255)],
    [
      'open',
      'image |> onnx("nets/open.onnx", layout: nchw, range: bytes)',
      (row: number) => answer(row, (x) => x),
    ],
  ])('has its answers, row for row: %s', async (_, derived, wanted) => {
    expectRows(await embeddings(derived), wanted);
  });

  it('is trained on and asked for like any other', async () => {
    dir.write('plain.mmd', spec('image |> onnx("nets/features.onnx", output: "y")'));
    const trained = await dir.run('train', 'plain.mmd', '--data', '.', '--out', 'plain', '--threads', '1');
    expect([trained.code, trained.err]).toEqual([0, trained.err]);
    const given = ['--given', 'emb=.#0:30', '--produce', 'image', '--steps', '2'];
    const { code, err } = await dir.run('sample', 'plain', ...given, '--out', 'plain-out');
    expect([code, err]).toEqual([0, err]);
    expectRows(readNpy(dir.at('plain-out', 'emb.npy')).data as Float32Array, (row) => answer(row));
  });

  it('is written into checkpoints by its hash, and a run goes on with the same network alone', async () => {
    const bytes = network(['n', 1, 4, 4], 16, ['first']);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const meta = JSON.parse(dir.read('plain/checkpoints/step-00000004.json')) as {
      meta: { networks: Record<string, string> };
    };
    expect(meta.meta.networks).toEqual({ 'nets/features.onnx': sha256 });
    renameSync(dir.at('nets/features.onnx'), dir.at('nets/kept.onnx'));
    copyFileSync(dir.at('nets/flat.onnx'), dir.at('nets/features.onnx'));
    const other = await dir.run(
      'train',
      'plain.mmd',
      '--data',
      '.',
      '--out',
      'plain',
      '--resume',
      '--steps',
      '6',
    );
    renameSync(dir.at('nets/kept.onnx'), dir.at('nets/features.onnx'));
    expect(other.code).toBe(1);
    expect(other.err).toContain('was trained with another network nets/features.onnx');
    expect(other.err).toContain(sha256);
  });

  it('is in the run: it is evaluated and sampled where the project is gone, with its hash in the provenance', async () => {
    renameSync(dir.at('nets'), dir.at('gone'));
    const { code, err } = await dir.run('eval', 'plain', '--data', '.', '--out', 'eval.json');
    renameSync(dir.at('gone'), dir.at('nets'));
    expect([code, err]).toEqual([0, err]);
    const { provenance, tasks } = JSON.parse(dir.read('eval.json')) as {
      provenance: { encoders: Record<string, string> };
      tasks: Record<string, Record<string, { value: number }>>;
    };
    expect(Object.keys(provenance.encoders)).toEqual(['nets/features.onnx']);
    // The CLIP score with this network as its backbone: what it says of the generated pictures against what was given.
    const clip = tasks.imagine!['image.clip_emb']!;
    expect(clip).toMatchObject({
      backbone: 'nets/features.onnx',
      hash: Object.values(provenance.encoders)[0],
    });
    await dir.run('sample', 'plain', '--task', 'imagine', '--given', 'emb=.#20:30', '--out', 'imagined');
    const images = readNpy(dir.at('imagined', 'image.npy')).data as Float32Array;
    const scores = Array.from({ length: 10 }, (_, row) => {
      const said = bias.map((b, k) =>
        images.subarray(row * 16, (row + 1) * 16).reduce((sum, x, i) => sum + x * weight(16)[i * 3 + k]!, b),
      );
      const given = answer(20 + row);
      const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
      return Math.max(0, (100 * dot(said, given)) / Math.sqrt(dot(said, said) * dot(given, given)));
    });
    expect(clip.value).toBeCloseTo(scores.reduce((a, b) => a + b, 0) / 10, 2);
    expect(tasks.embed!['emb.cosine']!.value).toBeLessThanOrEqual(1);
    expect(tasks.embed!['emb.rank']!.value).toBeGreaterThanOrEqual(1);
  });
});

describe('a network that cannot be used is told at its call, before training', () => {
  it.each([
    ['image |> onnx("nets/none.onnx")', 3, 'MMD0970', 'there is no such file'],
    ['image |> onnx("nets")', 3, 'MMD0970', 'it is a folder'],
    ['image |> onnx("nets/no.onnx")', 3, 'MMD0970', 'onnxruntime does not load it'],
    ['image |> onnx("../out.onnx")', 3, 'MMD0970', 'it lies outside the project'],
    ['image |> onnx("nets/link.onnx")', 3, 'MMD0970', 'a link leads out of the project'],
    ['image |> onnx("nets/features.onnx", output: "z")', 3, 'MMD0970', 'there are first, y'],
    ['image |> onnx("nets/features.onnx")', 5, 'MMD0972', 'gives [n, 3], and [n, 5] is needed for `emb`'],
    [
      'image |> onnx("nets/colour.onnx")',
      3,
      'MMD0972',
      'takes [n, 3, 4, 4], and [n, 1, 4, 4] or [n, 4, 4, 1]',
    ],
    ['image |> onnx("nets/features.onnx", layout: nhwc)', 3, 'MMD0972', 'and [n, 4, 4, 1] is needed'],
  ])('%s for vector[%i]: %s', async (derived, size, code, says) => {
    if (derived.includes('link')) {
      symlinkSync('/etc/hostname', dir.at('nets/link.onnx'));
    }
    const { info } = compile(spec(derived, size));
    const error: unknown = await openParts(info, dir.path, { project: dir.path }).catch((e: unknown) => e);
    const [found] = (error as SpecFault).diagnostics;
    expect(found!.code).toBe(code);
    expect(found!.message).toContain(says);
    const { text } = info.module;
    expect(text.slice(found!.range.start, found!.range.end)).toMatch(/^onnx\(/);
  });

  it('through the program, which writes nothing', async () => {
    dir.write('bad.mmd', spec('image |> onnx("nets/features.onnx")', 5));
    const { code, out, err } = await dir.run('train', 'bad.mmd', '--data', '.', '--out', 'no');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(
      'error[MMD0972]: the network `nets/features.onnx` gives [n, 3], and [n, 5] is needed',
    );
    expect(err).toMatch(/bad\.mmd:5:38/);
    expect(dir.has('no')).toBe(false);
  });

  it('mmdc data tells it too', async () => {
    dir.write('data.mmd', spec('image |> onnx("nets/none.onnx")'));
    const { code, err } = await dir.run('data', 'data.mmd', '--data', '.');
    expect(code).toBe(1);
    expect(err).toContain('MMD0970');
  });
});
