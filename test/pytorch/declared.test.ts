/** What a model declares beside its networks: derived modalities, weights from files, frozen ones; and the largest example. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageName } from '../../compiler/targets/pytorch/index.js';
import { latest } from '../../runtime/checkpoint/checkpoint.js';
import { formatSafetensors, type StoredTensor } from '../../runtime/checkpoint/safetensors.js';
import { formatNpy } from '../../runtime/data/npy.js';
import { Stream } from '../../runtime/random/stream.js';
import { readSpecWeights } from '../../runtime/train/load.js';
import { fromTensors, initialState } from '../../runtime/train/state.js';
import { loadWeights } from '../../runtime/train/weights.js';
import { compare, compareTotals } from './compare.js';
import { compileSpec, emit, needsPython, python, root, runPython } from './support.js';

const long = Boolean(process.env.MMDC_LONG);
const adm = 'examples/adm-imagenet64.mmd';

/**
 * The ADM example with its four levels and every kind of block, in widths and sizes that a test can run. Groups of
 * normalisation have several channels, as in the whole model: a variance over a few pixels makes gradients of f32 noise.
 */
const reduced = [
  ...['side=32', 'classes=7', 'widths=[6, 12, 18, 24]', 'attended=[16, 8, 4]', 'head=6'],
  // Directions without a gradient (the bias of attention's keys) would else move by rounding alone.
  'train.optimizer=adamw(decay: 0.05, epsilon: 1e-4)',
];

/** Random pictures and classes of a model's sizes. */
function labelled(folder: string, rows: number, side: number, classes: number): string {
  const data = join(folder, 'data');
  mkdirSync(data);
  const random = new Stream(9, 'labelled');
  const pixels = Uint8Array.from(random.integers(rows * side * side * 3, 256));
  writeFileSync(join(data, 'image.npy'), formatNpy(pixels, [rows, side, side, 3]));
  writeFileSync(join(data, 'label.npy'), formatNpy(random.integers(rows, classes), [rows]));
  return data;
}

describe.skipIf(!python)(`what a model declares, in PyTorch${needsPython}`, () => {
  it('every transform of derived modalities gives the same rows, losses, gradients and parameters', async () => {
    const model = compileSpec('test/good/model/derived.mmd');
    const folder = emit(model);
    const data = join(folder, 'data');
    mkdirSync(data);
    const random = new Stream(7, 'views');
    writeFileSync(
      join(data, 'images.npy'),
      formatNpy(Uint8Array.from(random.integers(20 * 768, 256)), [20, 16, 16, 3]),
    );
    writeFileSync(
      join(data, 'masks.npy'),
      formatNpy(Uint8Array.from(random.integers(20 * 256, 5)), [20, 16, 16]),
    );
    await compare(model, data, folder, 8);
  }, 120_000);

  it('weights from files, and frozen ones: the same losses, gradients and parameters, and what is frozen stays', async () => {
    const random = new Stream(8, 'loaded');
    const tensor = (...shape: number[]): StoredTensor => ({
      shape,
      data: Float32Array.from(random.normal(shape.reduce((a, b) => a * b, 1)), (x) => 0.3 * x),
    });
    const made = emit(compileSpec('examples/embeddings.mmd'));
    const file = (name: string, tensors: Record<string, StoredTensor>): string => {
      const path = join(made, name);
      writeFileSync(path, Buffer.concat([...formatSafetensors(Object.entries(tensors), {})]));
      return JSON.stringify(path);
    };
    const vae = file('vae.safetensors', {
      'vae.conv_1.weight': tensor(6, 1, 3, 3),
      'vae.conv_1.bias': tensor(6),
      'vae.conv_2.weight': tensor(2, 6, 3, 3),
      'vae.conv_2.bias': tensor(2),
    });
    const head = file('head.safetensors', { 'linear_1.weight': tensor(3, 4), 'linear_1.bias': tensor(3) });
    const model = compileSpec(`
model Loaded {
  modality image: image[6, 6, 1]
  modality label: category[3]
  space z: f32[6, 6, 4]
  encoder image = image |> conv(6) |> conv(2) |> into(z, channels: 0..2) { load: ${vae}, prefix: "vae.", frozen: true }
  encoder label = label |> linear(4) |> project([6, 6, 2]) |> into(z, channels: 2..4)
  process { steps: 20 }
  backbone h = concat(z, given) |> conv(8) |> silu |> conv(4)
  decoder image = h |> conv(1)
  decoder label = h |> pool |> linear(3) { load: ${head}, frozen: true }
  task generate: image, label
  task draw: label -> image
  train { optimizer: adamw(epsilon: 1e-4), batch: 8, steps: 10 }
  data { image: npy("image.npy"), label: npy("label.npy") }
}
`);
    expect(model.layout.frozen.map(({ name }) => name).sort()).toEqual([
      ...['decoder.label.linear_1.bias', 'decoder.label.linear_1.weight'],
      ...['encoder.image.conv_1.bias', 'encoder.image.conv_1.weight'],
      ...['encoder.image.conv_2.bias', 'encoder.image.conv_2.weight'],
    ]);
    const folder = emit(model);
    const data = join(folder, 'data');
    mkdirSync(data);
    writeFileSync(
      join(data, 'image.npy'),
      formatNpy(Uint8Array.from(random.integers(24 * 36, 256)), [24, 6, 6]),
    );
    writeFileSync(join(data, 'label.npy'), formatNpy(random.integers(24, 3), [24]));
    await compare(model, data, folder, 8);
    // A run there hands them on, and can be gone on with here.
    const run = join(folder, 'run');
    const name = packageName(model.info.name);
    const args = ['--data', data, '--out', run, '--steps', '2', '--export-checkpoint', '--device', 'cpu'];
    const ran = runPython(folder, ['-m', `${name}.train`, ...args]);
    expect([ran.status, ran.status === 0 ? '' : ran.error]).toEqual([0, '']);
    const { checkpoint } = latest(run);
    const state = fromTensors(model.layout, checkpoint!.arrays, run);
    const start = initialState(model.layout, model.info.train.seed, readSpecWeights(model, root));
    expect(state.frozen).toEqual(start.frozen);
    expect(state.parameters).not.toEqual(start.parameters);
    const { weights } = loadWeights(run, model);
    for (const { name, offset, size } of model.layout.frozen)
      expect(weights.get(name)!.data).toEqual(start.frozen.slice(offset, offset + size));
  }, 120_000);

  it('ADM for ImageNet: as many parameters, and under the same names', () => {
    const model = compileSpec(adm);
    const name = packageName(model.info.name);
    const code = `
import json, torch
from ${name} import SPEC, Model
with torch.device("meta"):
    model = Model()
print(json.dumps({SPEC.renamed.get(n, n): list(p.shape) for n, p in model.named_parameters()}))
`;
    const ran = runPython(emit(model), ['-c', code]);
    expect([ran.status, ran.error]).toEqual([0, '']);
    const there = JSON.parse(ran.out) as Record<string, number[]>;
    expect(there).toEqual(Object.fromEntries(model.layout.trainable.map(({ name, shape }) => [name, shape])));
    const count = Object.values(there).reduce((n, shape) => n + shape.reduce((a, b) => a * b, 1), 0);
    expect(count).toBe(model.layout.size);
  }, 60_000);

  it('ADM for ImageNet, reduced: the same losses, gradients and parameters', async () => {
    const model = compileSpec(adm, undefined, reduced);
    const folder = emit(model);
    await compare(model, labelled(folder, 16, 32, 7), folder, 4);
  }, 120_000);

  // The whole training step takes more than 20 GB here; its losses, and the step on a reduced model above, do not.
  const gradients = totalmem() >= 64 * 2 ** 30;
  const fits = totalmem() >= 20 * 2 ** 30;
  const why = !long ? ' (skipped: set MMDC_LONG)' : fits ? '' : ' (skipped: needs 20 GB of memory)';
  it.skipIf(!long || !fits)(
    `ADM for ImageNet, whole: the same losses${gradients ? ', gradients and parameters' : ''}${why}`,
    async () => {
      const model = compileSpec(adm);
      const folder = emit(model);
      await compareTotals(model, labelled(folder, 4, 64, 1000), folder, 1, gradients);
    },
    3_600_000,
  );
});
