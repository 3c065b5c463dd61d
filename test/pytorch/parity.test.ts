import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CompiledModel } from '../../compiler/driver.js';
import { trainCarry } from '../../compiler/lower/training.js';
import { packageName } from '../../compiler/targets/pytorch/index.js';
import { parseSafetensors } from '../../runtime/checkpoint/safetensors.js';
import { formatNpy } from '../../runtime/data/npy.js';
import { openData } from '../../runtime/data/open.js';

import { choose } from '../../runtime/executors/index.js';
import { BatchFeeds } from '../../runtime/train/feeds.js';
import { initialState, stateNames } from '../../runtime/train/state.js';
import { Stream } from '../../runtime/random/stream.js';
import { compileSpec, emit, needsPython, python, relative, runPython } from './support.js';

type Numbers = ArrayLike<number>;

/** Digits that are noise: the files' form is what matters. */
export function digitFiles(folder: string, rows: number): void {
  mkdirSync(folder, { recursive: true });
  const idx = (dims: number[], bytes: Uint8Array) => {
    const header = Buffer.alloc(4 + 4 * dims.length);
    header.set([0, 0, 8, dims.length]);
    dims.forEach((d, i) => header.writeUInt32BE(d, 4 + 4 * i));
    return Buffer.concat([header, bytes]);
  };
  const random = new Stream(1, 'digits');
  const pixels = Uint8Array.from(random.integers(rows * 784, 256));
  const labels = Uint8Array.from(random.integers(rows, 10));
  writeFileSync(join(folder, 't10k-images-idx3-ubyte.gz'), idx([rows, 28, 28], pixels));
  writeFileSync(join(folder, 't10k-labels-idx1-ubyte.gz'), idx([rows], labels));
}

/** Steps 1 and 2 here and there. */
async function compare(
  model: CompiledModel,
  data: string | undefined,
  folder: string,
  batch: number,
): Promise<void> {
  const script = new URL('step.py', import.meta.url).pathname;
  const out = join(folder, 'step.safetensors');
  const ran = runPython(folder, [script, packageName(model.info.name), data ?? '-', String(batch), out]);
  expect(ran.error.replace(/^.*Warning[^\n]*\n.*\n/gm, '')).toBe('');
  const theirs = parseSafetensors(readFileSync(out)).tensors;
  const at = (name: string): Numbers => {
    const found = theirs.get(name);
    if (!found) throw new Error(`${name} is missing`);
    return found.data as unknown as Numbers;
  };
  const step = model.trainingStep(batch);
  const executor = await choose('auto');
  const program = await executor.prepare(step.graph, {
    carry: Object.fromEntries(
      Object.entries(trainCarry).filter(([name]) =>
        step.graph.nodes.some((n) => n.op === 'input' && n.attrs.name === name),
      ),
    ),
  });
  const { layout } = model;
  const state = initialState(layout, model.info.train.seed);
  for (const name of stateNames)
    if (state[name].length > 0) program.write(name, { data: state[name], shape: [state[name].length] });
  const feeds = new BatchFeeds(
    model,
    step,
    await openData(model.info, data, 'train'),
    model.info.train.seed,
    model.info.train,
    batch,
  );
  let moment: Float32Array = new Float32Array(layout.size);
  for (const n of [1, 2]) {
    const inputs = await feeds.at(n);
    for (const [name, tensor] of Object.entries(inputs)) {
      if (name === 'schedule') continue;
      const key = name.startsWith('x.') ? `${n}.data/${name.slice(2)}` : `${n}.batch/${name}`;
      expect([name, Array.from(at(key), Number)]).toEqual([name, Array.from(tensor.data)]);
    }
    const outputs = await program.run(inputs);
    expect(relative(at(`${n}.loss`), outputs.loss.data)).toBeLessThan(1e-5);
    step.terms.forEach((term, i) => {
      if (!theirs.has(`${n}.terms/${term}`)) throw new Error(`the term ${term} is missing`);
      const [a, b] = [at(`${n}.terms/${term}`)[0], outputs.terms.data[i]];
      expect([term, Math.abs(a - b) <= 2e-5 * Math.abs(b) + 1e-6]).toEqual([term, true]);
    });
    expect(relative(at(`${n}.norm`), outputs.grad_norm.data)).toBeLessThan(1e-4);
    // The first moment tells the clipped gradient.
    const { beta1 } = model.info.train.optimizer;
    const after = Float32Array.from((await program.read('moment1')).data);
    const gradient = after.map((m, i) => (m - beta1 * moment[i]) / (1 - beta1));
    const there = new Float32Array(layout.size);
    const packed = (kind: string) => {
      const all = new Float32Array(layout.size);
      for (const slot of layout.trainable)
        all.set(at(`${n}.${kind}/${slot.name}`) as Float32Array, slot.offset);
      return all;
    };
    there.set(packed('gradient'));
    const clip = model.info.train.clip;
    const factor = clip > 0 ? Math.min(clip / (outputs.grad_norm.data[0] + 1e-6), 1) : 1;
    expect(
      relative(
        there.map((g) => g * factor),
        gradient,
      ),
    ).toBeLessThan(1e-4);
    moment = after;
    const parameters = Float32Array.from((await program.read('parameters')).data);
    expect(relative(packed('parameters'), parameters)).toBeLessThan(1e-4);
    expect(relative(packed('ema'), Float32Array.from((await program.read('ema')).data))).toBeLessThan(1e-4);
    // Mean and scale of an encoder together: a mean near zero is exact to the scale, not to itself.
    if (layout.statistics.length === 0) continue;
    const kept = Float32Array.from((await program.read('statistics')).data);
    for (const encoder of new Set(layout.statistics.map(({ name }) => name.replace(/\.[^.]*$/, '')))) {
      const slots = layout.statistics.filter(({ name }) => name.startsWith(`${encoder}.`));
      expect(
        relative(
          slots.flatMap(({ name }) => Array.from(at(`${n}.statistics/${name}`))),
          slots.flatMap(({ offset, size }) => Array.from(kept.subarray(offset, offset + size))),
        ),
      ).toBeLessThan(1e-4);
    }
  }
  await program.dispose();
}

describe.skipIf(!python)(`training steps in PyTorch${needsPython}`, () => {
  it.each(['digits', 'digits-reinjected'])(
    'has the same batches, losses, gradients and parameters: %s',
    async (name) => {
      const model = compileSpec(`examples/${name}.mmd`);
      const folder = emit(model);
      const data = join(folder, 'data');
      digitFiles(data, 10_000);
      await compare(model, data, folder, 16);
    },
    120_000,
  );

  it.each(['scenes', 'embeddings'])(
    'has the same batches, losses, gradients and parameters: %s',
    async (name) => {
      const model = compileSpec(`examples/${name}.mmd`);
      await compare(model, undefined, emit(model), 8);
    },
    120_000,
  );

  it('has the same batches, losses, gradients and parameters: streets, from folders of pictures and masks', async () => {
    const model = compileSpec('examples/streets.mmd');
    const folder = emit(model);
    const data = join(folder, 'data');
    // Classes 0 to 10, and 11 where there is none.
    const drawn = `
import sys, numpy as np
from pathlib import Path
from PIL import Image
r = np.random.default_rng(6)
for kind, shape, top in (("image", (48, 64, 3), 256), ("mask", (48, 64), 12)):
    folder = Path(sys.argv[1], "train", kind)
    folder.mkdir(parents=True)
    for i in range(12):
        Image.fromarray(r.integers(0, top, shape, dtype=np.uint8)).save(folder / f"{i:03d}.png")
`;
    expect(runPython(folder, ['-c', drawn, data])).toMatchObject({ status: 0 });
    await compare(model, data, folder, 4);
  }, 120_000);

  it('has the same batches, losses, gradients and parameters: names that Python uses itself', async () => {
    const model = compileSpec(oddSpec);
    const folder = emit(model);
    const data = join(folder, 'data');
    mkdirSync(data);
    const random = new Stream(4, 'odd');
    writeFileSync(join(data, 'a.npy'), formatNpy(random.normal(32 * 6), [32, 6]));
    writeFileSync(join(data, 'b.npy'), formatNpy(random.integers(32, 3), [32]));
    writeFileSync(join(data, 'c.npy'), formatNpy(random.normal(32 * 6), [32, 6]));
    await compare(model, data, folder, 8);
  }, 120_000);

  it('has the same batches, losses, gradients and parameters: names of the package, and such as differ by case or an underscore', async () => {
    const model = compileSpec('test/pytorch/names.mmd');
    const folder = emit(model);
    const data = join(folder, 'data');
    mkdirSync(data);
    const random = new Stream(5, 'names');
    for (const { modality, source } of model.info.data.columns) {
      const shape = model.info.modalities.find((m) => m.name === modality)?.dataShape ?? [];
      const size = 16 * shape.reduce((a, b) => a * b, 1);
      const values = modality === 'type' ? random.integers(size, 3) : random.normal(size).map(Math.tanh);
      writeFileSync(join(data, String(source.args.path)), formatNpy(values, [16, ...shape]));
    }
    await compare(model, data, folder, 4);
  }, 120_000);
});

/** Keywords, builtins, attributes of modules and names of the package's own, wherever a spec has a name. */
const oddSpec = `
network lambda(self: f32[None, F], torch: f32[math], print: int = F) -> f32[None, print] {
  let (list, forward) = torch |> linear(2 * F) |> split(2)
  let training = self * (list + 1) + forward
  let linear_1 = training |> layer_norm |> linear(print) |> silu
  let len = print
  linear_1 |> repeat(2) { Tensor(torch) } |> reshape([None, len])
}
network Tensor(x: f32[C, type], nn: f32[E]) -> f32[C, type] {
  let class = nn |> linear(type)
  x + class
}
network __init__(x: f32[...S]) -> f32[...S] { x |> sin }
model None {
  modality lambda: vector[6]
  modality type: category["self", "it's", "a\\"b"]
  modality register_buffer: vector[6]
  space origin: f32[2, 6]
  encoder lambda = concat(lambda |> reshape([1, 6]) |> permute([1, 0]), lambda |> reshape([6, 1])) |> permute([1, 0])
  encoder type = type |> linear(4) |> project(shape(origin))
  encoder register_buffer = register_buffer |> project(shape(origin))
  process { steps: 20, origin: type, weights { lambda: nested, register_buffer: marginal(cosine(0.8)) } }
  backbone math = concat(origin, given) |> lambda(t |> reshape([1]), 8) |> __init__
  decoder origin = math |> linear(6)
  decoder type = math |> pool |> linear(3)
  decoder lambda = math |> pool |> linear(6)
  decoder register_buffer = math |> pool |> linear(6)
  task import_: lambda, type, register_buffer
  task class: lambda -> type { guidance: 2 }
  loss { L1: simplified(snr: p2(k: 0.5, gamma: 1.5)), L2 { type: 0.2 } }
  train { optimizer: adamw(epsilon: 1e-4), batch: 8, steps: 10 }
  data { lambda: npy("a.npy"), type: npy("b.npy"), register_buffer: npy("c.npy") }
}
`;
