/** A task that inpaints, from the command line: known pixels come out as they went in, and metrics are of the hole alone. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeModel, type OnnxNode } from '../../compiler/targets/onnx/proto.js';
import type { Evaluation } from '../../runtime/eval/model.js';
import { formatNpy, readNpy } from '../../runtime/data/npy.js';
import { folder, idx } from './support.js';

const dir = folder();
const spec = `import { MLP } from "std/backbones"

model Fill {
  modality image: image[4, 4, 1]
  modality hole: binary[4, 4, 1] = holes(count: 1, size: 2)
  space z: f32[4, 4, 1]
  encoder image = image
  process { steps: 50, origin: image }
  backbone h = concat(z, given) |> MLP(t, width: 24, depth: 1)
  decoder z = h |> project(shape(z))
  task generate: image
  task fill: image { known: outside(hole), sampler: ddpm }
  data { image: idx("image.idx"), rows: 0..40 }
  eval { rows: 40..60, metrics { image: [psnr, lpips] } }
  train { batch: 8, steps: 30, ema: 0.9 }
}
`;
const pixels = Array.from({ length: 60 * 16 }, (_, i) => (i * 7919) % 256);

beforeAll(async () => {
  dir.write('fill.mmd', spec);
  dir.write('image.idx', idx([60, 4, 4], pixels));
  const { code, err } = await dir.run('train', 'fill.mmd', '--data', '.', '--out', 'run', '--threads', '1');
  expect([code, err]).toEqual([0, err]);
});

interface Filled {
  readonly image: Float32Array;
  readonly hole: Float32Array;
  readonly said: { readonly known: unknown; readonly produced: readonly string[] };
}
const filled = (name: string): Filled => ({
  image: readNpy(dir.at(name, 'image.npy')).data as Float32Array,
  hole: readNpy(dir.at(name, 'hole.npy')).data as Float32Array,
  said: JSON.parse(dir.read(`${name}/samples.json`)) as Filled['said'],
});

/** How many pixels are other than the wanted ones, in holes and out of them. */
function changed({ image, hole }: Filled, wanted: ArrayLike<number>) {
  let [inside, outside] = [0, 0];
  for (let i = 0; i < image.length; i++) {
    const other = Number(image[i] !== wanted[i]);
    if (hole[i] === 1) inside += other;
    else outside += other;
  }
  return { inside, outside, holes: hole.filter((x) => x === 1).length };
}

describe('mmdc sample of a task that inpaints', () => {
  it('takes held-out pictures and their holes where nothing is said', async () => {
    const { code } = await dir.run('sample', 'run', '--task', 'fill', '-n', '6', '--out', 'held');
    expect(code).toBe(0);
    const held = filled('held');
    const wanted = Float32Array.from(pixels.slice(40 * 16, 46 * 16), (x) => x / 127.5 - 1);
    expect(held.said).toMatchObject({
      produced: ['image'],
      known: [{ modality: 'image', region: 'hole', where: 'outside' }],
    });
    const { inside, outside, holes } = changed(held, wanted);
    expect([outside, holes, inside]).toEqual([0, 6 * 4, 6 * 4]);
  });

  it('takes a picture and a hole of the user, for as many samples as are asked for', async () => {
    const image = Float32Array.from({ length: 16 }, (_, i) => Math.sin(i + 0.1));
    const hole = Float32Array.from({ length: 16 }, (_, i) => Number(i % 4 === 1));
    dir.write('photo.npy', formatNpy(image, [1, 4, 4, 1]));
    dir.write('hole.npy', formatNpy(hole, [1, 4, 4, 1]));
    const given = ['--given', 'image=photo.npy', '--given', 'hole=hole.npy'];
    const { code } = await dir.run('sample', 'run', '--task', 'fill', ...given, '-n', '5', '--out', 'own');
    expect(code).toBe(0);
    const own = filled('own');
    const five = Float32Array.from({ length: 80 }, (_, i) => image[i % 16]!);
    expect(changed(own, five)).toEqual({ inside: 20, outside: 0, holes: 20 });
    // Five samples are five answers.
    expect(new Set([0, 1, 2, 3, 4].map((row) => own.image[row * 16 + 1])).size).toBe(5);
  });

  it('refuses a hole without such a task, and one of another size', async () => {
    const region = ['--given', 'hole=hole.npy', '--produce', 'image'];
    const adhoc = await dir.run('sample', 'run', ...region, '--out', 'no');
    expect([adhoc.code, adhoc.out]).toEqual([1, '']);
    expect(adhoc.err).toContain('`hole` cannot be given');
    dir.write('large.npy', formatNpy(new Float32Array(25), [1, 5, 5, 1]));
    const large = await dir.run(
      'sample',
      'run',
      '--task',
      'fill',
      '--given',
      'hole=large.npy',
      '--out',
      'no',
    );
    expect(large.code).toBe(1);
    expect(large.err).toContain('[5, 5, 1]');
    expect(dir.has('no')).toBe(false);
  });
});

describe('mmdc eval of a task that inpaints', () => {
  it('has LPIPS where its weights are given, of whole pictures, and names them', async () => {
    const node = (op: string, inputs: string[], output: string, attributes: OnnxNode['attributes'] = {}) => ({
      name: output,
      op,
      domain: '',
      inputs,
      outputs: [output],
      attributes,
    });
    const model = encodeModel({
      irVersion: 8,
      opsets: { '': 17 },
      producer: 'test',
      graph: {
        name: 'distance',
        nodes: [
          node('Sub', ['a', 'b'], 'd'),
          node('Abs', ['d'], 'e'),
          node('ReduceMean', ['e'], 'y', { axes: { ints: [1, 2, 3] }, keepdims: { i: 0 } }),
        ],
        initializers: new Map(),
        inputs: ['a', 'b'].map((name) => ({ name, type: 'f32', dims: ['n', 3, 'H', 'W'] })),
        outputs: [{ name: 'y', type: 'f32', dims: ['n'] }],
      },
    });
    dir.write('distance.onnx', model);
    const asked = ['--data', '.', '--task', 'fill', '--lpips', 'distance.onnx', '--out', 'lpips.json'];
    const { code, err } = await dir.run('eval', 'run', ...asked);
    expect([code, err]).toEqual([0, err]);
    const { metrics, provenance } = JSON.parse(dir.read('lpips.json')) as Evaluation;
    await dir.run('sample', 'run', '--task', 'fill', '-n', '20', '--out', 'pairs');
    const { image } = filled('pairs');
    const wanted = Float32Array.from(pixels.slice(40 * 16), (x) => x / 127.5 - 1);
    const mean = image.reduce((sum, x, i) => sum + Math.abs(x - wanted[i]!), 0) / image.length;
    const hash = createHash('sha256').update(model).digest('hex');
    expect(metrics['image.lpips']).toMatchObject({ count: 20, network: 'onnx', weights: hash });
    expect(metrics['image.lpips']!.value).toBeCloseTo(mean, 5);
    expect(provenance.lpips).toEqual({ network: 'onnx', file: 'distance.onnx', hash });
    const none = await dir.run('eval', 'run', '--data', '.', '--lpips', 'none.onnx', '--out', 'no.json');
    expect([none.code, dir.has('no.json')]).toEqual([1, false]);
    expect(none.err).toContain('none.onnx');
  });

  it('measures the hole alone', async () => {
    const { code } = await dir.run(
      'eval',
      'run',
      '--data',
      '.',
      '--task',
      'fill',
      '--out',
      'eval.json',
      '--seed',
      '3',
    );
    expect(code).toBe(0);
    const figure = (
      JSON.parse(dir.read('eval.json')) as { metrics: Record<string, { value: number; within: string }> }
    ).metrics['image.psnr']!;
    expect(figure.within).toBe('hole');
    // Over all pixels three quarters of which are exact, it would be 6 dB more: 10 log10 4.
    const { code: again } = await dir.run(
      'sample',
      'run',
      '--task',
      'fill',
      '-n',
      '20',
      '--seed',
      '3',
      '--out',
      'all',
    );
    expect(again).toBe(0);
    const { image, hole } = filled('all');
    const wanted = Float32Array.from(pixels.slice(40 * 16), (x) => x / 127.5 - 1);
    const rows = Array.from({ length: 20 }, (_, row) => {
      const errors = Array.from({ length: 16 }, (__, i) => row * 16 + i).filter((i) => hole[i] === 1);
      return (
        10 * Math.log10(4 / (errors.reduce((s, i) => s + (image[i]! - wanted[i]!) ** 2, 0) / errors.length))
      );
    });
    expect(figure.value).toBeCloseTo(rows.reduce((a, b) => a + b, 0) / 20, 4);
  });
});
