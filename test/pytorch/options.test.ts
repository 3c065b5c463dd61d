import { writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { packageName } from '../../compiler/targets/pytorch/index.js';
import { formatNpy } from '../../runtime/data/npy.js';
import { Stream } from '../../runtime/random/stream.js';
import { compileSpec, emit, needsPython, python, root, runPython } from './support.js';

/** Encoders that are not learned: their statistics would be those of each part of a batch. */
const spec = `
import { UNet } from "std/backbones"

/// Two pictures of the same thing.
model Pair {
  modality image: image[8, 8, 1]
  modality depth: image[8, 8, 1]
  space z: f32[8, 8, 2]
  encoder image = image |> into(z, channels: 0..1)
  encoder depth = depth |> into(z, channels: 1..2)
  process { steps: 50, retention: cosine, origin: zero, weights: nested }
  backbone h = concat(z, given) |> UNet(t, widths: [8, 16], heads: 2)
  decoder image = h |> conv(1)
  decoder depth = h |> conv(1)
  task generate: image, depth
  task draw: depth -> image
  loss { L2 { image: 0.1, depth: 0.1 } }
  train { optimizer: adamw(epsilon: 1e-4), rate: 1e-3, batch: 16, steps: 20 }
  data { image: npy("image.npy"), depth: npy("depth.npy") }
}
`;

interface Result {
  runs: number;
  types: string[];
  accumulate: { loss: number; gradient: number };
  recompute: { gradient: number; runs: number };
  bf16: { gradient: number; types: string[] };
  compile?: { gradient: number };
  ema: { apart: number; moved: number };
}

describe.skipIf(!python)(`options of training in PyTorch${needsPython}`, () => {
  const long = Boolean(process.env.MMDC_LONG);
  let result: Result;

  beforeAll(() => {
    const model = compileSpec(spec);
    const folder = emit(model);
    const data = join(folder, 'data');
    mkdirSync(data);
    const random = new Stream(5, 'pair');
    for (const name of ['image', 'depth'])
      writeFileSync(
        join(data, `${name}.npy`),
        formatNpy(Uint8Array.from(random.integers(64 * 64, 256)), [64, 8, 8, 1]),
      );
    const script = join(root, 'test', 'pytorch', 'options.py');
    const ran = runPython(folder, [script, packageName(model.info.name), data, long ? 'compile' : 'eager']);
    if (ran.status !== 0) throw new Error(ran.error.slice(-4000));
    result = JSON.parse(ran.out.trim().split('\n').at(-1) ?? '') as Result;
    if (long) console.info(JSON.stringify(result));
  }, 240_000);

  it('accumulation over four parts gives the gradients of the whole batch', () => {
    expect(result.accumulate.loss).toBeLessThan(1e-5);
    expect(result.accumulate.gradient).toBeLessThan(1e-5);
  });

  it('recomputation runs blocks again, and gives the same gradients', () => {
    expect(result.recompute.runs).toBe(2 * result.runs);
    expect(result.recompute.gradient).toBeLessThan(1e-6);
  });

  it('bf16: networks compute in it, and gradients are near', () => {
    expect(result.types).not.toContain('torch.bfloat16');
    expect(result.bf16.types).toContain('torch.bfloat16');
    expect(result.bf16.gradient).toBeGreaterThan(0);
    expect(result.bf16.gradient).toBeLessThan(0.05);
  });

  it('the moving average is that of its definition, and not the parameters', () => {
    expect(result.ema.apart).toBeLessThan(1e-6);
    expect(result.ema.moved).toBeGreaterThan(0);
  });

  it.skipIf(!long)(`torch.compile: the same gradients${long ? '' : ' (skipped: set MMDC_LONG)'}`, () => {
    expect(result.compile?.gradient).toBeLessThan(1e-4);
  });
});
