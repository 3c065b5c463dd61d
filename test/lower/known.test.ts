/** Inpainting: what is known takes the place of what is predicted, at every step, by the process's own posterior. */
import { beforeAll, describe, expect, it } from 'vitest';
import { knownInput, sampleInputs } from '../../compiler/lower/sampling.js';
import type { KnownInfo } from '../../compiler/model/info.js';
import { deployOnnx } from '../../compiler/targets/onnx/index.js';
import { posterior } from '../../compiler/process/tables.js';
import type { Executor } from '../../runtime/executors/executor.js';
import { loadEngine, sessionOptions } from '../../runtime/executors/ort/engine.js';
import { OrtExecutor } from '../../runtime/executors/ort/executor.js';
import { Stream } from '../../runtime/random/stream.js';
import { ModelSampler, type Rows, type SampleRequest } from '../../runtime/sample/sampler.js';
import { initialState, modelTensors } from '../../runtime/train/state.js';
import { Random } from '../graph/random.js';
import { compile, run, vector } from './support.js';

const spec = `import { MLP } from "std/backbones"

model Parts {
  modality image: image[4, 4, 2]
  modality mask: mask[4, 4, 3]
  modality hole: binary[4, 4, 1]
  modality label: category[3]
  space z: f32[4, 4, 4]
  encoder image = image |> into(z, channels: 0..2)
  encoder mask = mask |> conv(1) |> into(z, channels: 2..3)
  encoder label = label |> project([4, 4, 1]) |> into(z, channels: 3..4)
  process { steps: 50 }
  backbone h = concat(z, given) |> MLP(t, width: 24, depth: 1)
  decoder image = h |> project([4, 4, 2])
  decoder mask = h |> project([4, 4, 3])
  decoder label = h |> linear(3)
  task generate: image, mask, label
  task fill: image, mask, label { known: outside(hole) }
}
`;
const model = compile(spec);
const { info } = model;
const seedState = initialState(model.layout, 5);
const weights = new Map(Object.entries(modelTensors(model.layout, seedState)));
// A network that says something: its last layers begin at zero.
const random = new Random(3);
for (const { data } of weights.values())
  if (data instanceof Float32Array && data.every((x) => x === 0))
    data.set(random.uniform(data.length, -0.4, 0.4));

const rows = 5;
const stream = new Stream(8, 'parts');
const data: Record<string, Rows> = {
  image: { data: stream.uniform(rows * 32).map((x) => 2 * x - 1), shape: [rows, 4, 4, 2] },
  // Some pixels have no class.
  mask: { data: stream.integers(rows * 16, 4).map((k) => k - 1), shape: [rows, 4, 4] },
  hole: { data: stream.uniform(rows * 16).map((u) => Number(u < 0.4)), shape: [rows, 4, 4, 1] },
  label: { data: stream.integers(rows, 3), shape: [rows] },
};
const parts = (where: KnownInfo['where']): KnownInfo[] =>
  ['image', 'mask'].map((modality) => ({ modality, region: 'hole', where }));
const request = (more: Partial<SampleRequest> = {}): SampleRequest => ({
  given: [],
  produced: ['image', 'mask', 'label'],
  guidance: 1,
  sampler: { form: 'ddim', eta: 0 },
  steps: 10,
  readout: { form: 'chain' },
  rows,
  seed: 4,
  data: new Map(Object.entries(data)),
  ...more,
});

let executor: Executor;
beforeAll(async () => {
  executor = await OrtExecutor.create({ backend: 'native', threads: 1 });
});
const sample = (more: Partial<SampleRequest> = {}) =>
  new ModelSampler(model, weights, executor, 3).sample(request(more));

describe('a part that is known', () => {
  it.each([
    ['ddim', { sampler: { form: 'ddim', eta: 0 } }],
    ['ddpm', { sampler: { form: 'ddpm' } }],
    ['dpmpp', { sampler: { form: 'dpmpp' } }],
    ['terminal', { readout: { form: 'terminal', calls: 3 } }],
    ['guided', { given: ['label'], produced: ['image', 'mask'], guidance: 2 }],
  ] as const)('is bit for bit in the result, and the rest is not it: %s', async (_, more) => {
    for (const where of ['outside', 'inside'] as const) {
      const made = await sample({ ...more, known: parts(where) });
      const [image, mask] = [made.get('image')!, made.get('mask')!];
      let [kept, other] = [0, 0];
      for (let pixel = 0; pixel < rows * 16; pixel++) {
        const known = (data.hole!.data[pixel] === 1) === (where === 'inside');
        for (const c of [0, 1]) {
          const same = image.data[2 * pixel + c] === data.image!.data[2 * pixel + c];
          if (known) expect(same).toBe(true);
          else other += Number(!same);
        }
        kept += Number(known);
        if (!known || data.mask!.data[pixel]! < 0) continue;
        expect(mask.data[pixel]).toBe(data.mask!.data[pixel]);
        expect([...mask.mean.subarray(3 * pixel, 3 * pixel + 3)]).toEqual(
          [0, 1, 2].map((k) => Number(k === data.mask!.data[pixel])),
        );
      }
      // Every pixel of the hole was made, in every row.
      expect(other).toBe(2 * (rows * 16 - kept));
      expect(mask.data.every((k) => k >= 0 && k < 3)).toBe(true);
    }
  });

  it('changes what is made beside it: the network has seen it', async () => {
    const free = await sample();
    const made = await sample({ known: parts('outside') });
    const holes = (rowsOf: Rows) =>
      [...rowsOf.data].filter((_, i) => data.hole!.data[Math.floor(i / 2)] === 1);
    expect(holes(made.get('image')!)).not.toEqual(holes(free.get('image')!));
    expect(made.get('label')!.mean).not.toEqual(free.get('label')!.mean);
  });

  it('does not change what is made of other rows, or with other batches', async () => {
    const whole = await new ModelSampler(model, weights, executor, 64).sample(
      request({ known: parts('outside'), sampler: { form: 'ddpm' } }),
    );
    const made = await sample({ known: parts('outside'), sampler: { form: 'ddpm' } });
    const [a, b] = [made.get('image')!.data, whole.get('image')!.data];
    a.forEach((x, i) => expect(x).toBeCloseTo(b[i]!, 5));
  });
});

describe('one step with a known part', () => {
  it('is a draw of the posterior given the known pixels: mu_t of the true encoding, whatever is predicted', () => {
    const graph = model.samplingStep(rows, false, { known: ['image'] });
    const [t, s] = [30, 20];
    const { fromZ, fromY, variance } = posterior(info.tables, t, s);
    const count = info.modalities.length;
    const J = info.tables.components.length;
    const z = random.uniform(rows * 64, -1.5, 1.5);
    const noise = random.uniform(rows * 64, -1.5, 1.5);
    const known = Float64Array.from(data.hole!.data, (x) => 1 - x);
    const produced = info.modalities.map((m) => Number(m.name !== 'hole'));
    const outputs = run(
      graph,
      {
        [sampleInputs.given]: { data: new Float64Array(rows * count), shape: [rows, count] },
        [sampleInputs.produced]: {
          data: Float64Array.from({ length: rows * count }, (_, i) => produced[i % count]!),
          shape: [rows, count],
        },
        [sampleInputs.t]: { data: new Int32Array(rows).fill(t), shape: [rows] },
        [sampleInputs.z]: { data: z, shape: [rows, 4, 4, 4] },
        [sampleInputs.start]: vector(Float64Array.of(0)),
        [sampleInputs.noise]: { data: noise, shape: [rows, 4, 4, 4] },
        [sampleInputs.previous]: { data: new Float64Array(J * rows * 64), shape: [J, rows, 4, 4, 4] },
        [sampleInputs.update]: vector(
          Float64Array.of(fromZ, Math.sqrt(variance), ...fromY, ...fromY.map(() => 0)),
        ),
        [knownInput('image')]: { data: known, shape: [rows, 4, 4, 1] },
        'x.image': { data: Float64Array.from(data.image!.data), shape: [rows, 4, 4, 2] },
        'x.mask': { data: new Int32Array(rows * 16).fill(-1), shape: [rows, 4, 4] },
        'x.label': { data: new Int32Array(rows).fill(-1), shape: [rows] },
        'x.hole': { data: new Float64Array(rows * 16), shape: [rows, 4, 4, 1] },
      },
      new Map([...weights].map(([name, w]) => [name, Float64Array.from(w.data as Float32Array)])),
    );
    const j = info.tables.components.findIndex((c) => c.name === 'image');
    let [inside, far] = [0, 0];
    for (let pixel = 0; pixel < rows * 16; pixel++) {
      for (const c of [0, 1]) {
        const at = 4 * pixel + c;
        const wanted =
          fromZ * z[at]! + fromY[j]! * data.image!.data[2 * pixel + c]! + Math.sqrt(variance) * noise[at]!;
        const error = Math.abs(outputs.z!.data[at]! - wanted);
        if (known[pixel] === 1) {
          expect(error).toBeLessThan(1e-9);
          inside++;
        } else far = Math.max(far, error);
      }
    }
    expect(inside).toBeGreaterThan(20);
    // Elsewhere it is the prediction's.
    expect(far).toBeGreaterThan(1e-3);
  });
});

describe('a task that inpaints, as an ONNX model', () => {
  it('takes picture and region, and gives the known pixels back bit for bit', async () => {
    const values = new Map(
      [...weights].map(([name, { shape, data: own }]) => [name, { shape, data: own as Float32Array }]),
    );
    const bytes = deployOnnx(model, values).get('task.fill.onnx')!;
    const engine = await loadEngine('native');
    const session = await engine.ort.InferenceSession.create(bytes, sessionOptions(engine, 1));
    const noise = session.inputMetadata.find((input) => input.name === 'noise')!;
    const draws = Number(noise.isTensor && noise.shape[0]);
    const f32 = (values: Float32Array, dims: readonly number[]) =>
      new engine.ort.Tensor('float32', values, [...dims]);
    const known = Float32Array.from(data.hole!.data, (x) => 1 - x);
    const feeds = {
      'x.image': f32(data.image!.data as Float32Array, [rows, 4, 4, 2]),
      'x.mask': new engine.ort.Tensor('int32', data.mask!.data as Int32Array, [rows, 4, 4]),
      'known.image': f32(known, [rows, 4, 4, 1]),
      'known.mask': f32(known, [rows, 4, 4, 1]),
      noise: f32(new Stream(3, 'noise').normal(draws * rows * 64), [draws, rows, 4, 4, 4]),
    };
    expect([...session.inputNames].sort()).toEqual(Object.keys(feeds).sort());
    const outputs = await session.run(feeds);
    const image = outputs[session.outputNames.find((name) => name.includes('image'))!]!.data as Float32Array;
    let made = 0;
    for (let i = 0; i < image.length; i++) {
      const same = image[i] === data.image!.data[i];
      if (known[i >> 1] === 1) expect(same).toBe(true);
      else made += Number(!same);
    }
    expect(made).toBe(2 * known.filter((x) => x === 0).length);
    await session.release();
  });
});
