import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, expect } from 'vitest';
import { formatNpy } from '../../runtime/data/npy.js';
import { Stream } from '../../runtime/random/stream.js';
import { compare, digitFiles } from './compare.js';
import { compileSpec, emit, needsPython, python, runPython } from './support.js';

describe.skipIf(!python)(`training steps in PyTorch${needsPython}`, () => {
  it.each(['digits', 'digits-reinjected', 'masked'])(
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
