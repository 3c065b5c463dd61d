/** A model of masked images, through the program: trained, sampled, with rows and files given. */
import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readNpy } from '../../runtime/data/npy.js';
import { folder, type Result } from '../cli/support.js';

const dir = folder();
dir.write(
  'restore.mmd',
  `import { UNet } from "std/backbones"

/// Scenes with holes, whose places are known, and the whole pictures.
model Restore {
  modality image: image[32, 32, 3]
  modality hole: binary[32, 32, 1] = holes(count: 2, size: 10)
  modality masked: image[32, 32, 3] = image |> erase(hole)
  space z: f32[32, 32, 7]

  encoder image = image |> into(z, channels: 0..3)
  encoder masked = masked |> into(z, channels: 3..6)
  encoder hole = hole |> into(z, channels: 6..7)
  process { steps: 50 }
  backbone h = concat(z, given) |> fold(4) |> UNet(t, widths: [16])
  decoder image = h |> conv(48) |> unfold(4)

  task restore: masked, hole -> image { steps: 4 }
  train { batch: 8, steps: 12, rate: cosine(2e-3, warmup: 4) }
  data { source: builtin("scenes") }
}
`,
);

let trained: Result;
beforeAll(async () => {
  trained = await dir.run('train', 'restore.mmd', '--threads', '1', '--out', 'run');
});

describe('a restore task', () => {
  it('trains without a source for what is derived, and samples with held-out rows', () => {
    expect(trained.err).toContain('restore');
    expect(trained.code).toBe(0);
    const [image, hole, masked] = ['image', 'hole', 'masked'].map((name) =>
      readNpy(dir.at('run', 'samples', 'restore', `${name}.npy`)),
    );
    expect([image!.shape, hole!.shape, masked!.shape].map((s) => s.slice(1))).toEqual([
      [32, 32, 3],
      [32, 32, 1],
      [32, 32, 3],
    ]);
    const pixels = hole!.data.length;
    let hidden = 0;
    for (let p = 0; p < pixels; p++) {
      if (hole!.data[p] !== 1) continue;
      hidden++;
      expect([...masked!.data.slice(3 * p, 3 * p + 3)]).toEqual([0, 0, 0]);
    }
    expect(hidden / pixels).toBeGreaterThan(0.09);
    expect(existsSync(dir.at('run', 'report.html'))).toBe(true);
  });

  it('takes rows of the data, derived alike however they are asked for', async () => {
    const given = ['--given', 'masked=builtin:scenes#2:5', '--given', 'hole=builtin:scenes#2:5'];
    const { code, err } = await dir.run(
      'sample',
      'run',
      '--threads',
      '1',
      '--out',
      's',
      ...given,
      '--produce',
      'image',
    );
    expect(err).not.toContain('error');
    expect(code).toBe(0);
    const all = readNpy(dir.at('run', 'samples', 'restore', 'masked.npy'));
    const some = readNpy(dir.at('s', 'masked.npy'));
    expect(some.shape).toEqual([3, 32, 32, 3]);
    expect([...some.data]).toEqual([...all.data.slice(2 * 3072, 5 * 3072)]);
  });
});
