/**
 * Restoring measured inside holes of given sizes: known pixels are pasted back for every method, and the read-outs are
 * fixed beforehand, since one sample of the posterior lies 3 dB under its mean: a single sample for the perceptual distance
 * and a PSNR of its own, the mean of several for the PSNR that is held against a regression.
 *
 * @module
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { compileFile } from '../runtime/cli/source.js';
import { formatNpy, readNpy } from '../runtime/data/npy.js';
import { kernels, type TransformNode } from '../runtime/data/transforms.js';
import { psnr } from '../runtime/eval/metrics/pixels.js';
import type { Measures } from '../runtime/eval/model.js';
import { FeatureNetwork } from '../runtime/eval/networks/network.js';
import { choose } from '../runtime/executors/index.js';
import { writeAtomic } from '../runtime/files/atomic.js';
import { Stream } from '../runtime/random/stream.js';
import type { Arm } from './arms.js';
import { mmdc } from './command.js';
import { heldOutRows, pixels, readDigits, side, trainRows } from './mnist.js';

/** Shares of a picture that are hidden, in per cent. */
export const areas = [10, 25, 50, 75] as const;
/** What the figures of an area are filed under, as those of a task are. */
export const taskOf = (area: number): string => `fill ${area} %`;

export interface HolesOptions {
  /** Held-out pictures to restore, and samples of each. */
  readonly rows: number;
  readonly calls: number;
}

const repeat = (data: Float32Array, calls: number): Float32Array => {
  const out = new Float32Array(data.length * calls);
  for (let call = 0; call < calls; call++) out.set(data, call * data.length);
  return out;
};
const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, x) => sum + x, 0) / values.length;

/** Holes of one size at places that every model is asked about, [n, 28, 28] with 1 where nothing is known. */
export function holesOf(node: TransformNode, area: number, n: number): Float32Array {
  const out = new Float32Array(n * pixels);
  const own = { ...node, values: { count: 1, size: null, area: area / 100, most: null } };
  for (let row = 0; row < n; row++) {
    const random = new Stream(0, 'holes', area, row);
    out.set(kernels.holes({ node: own, input: new Float32Array(0), rows: {}, random }), row * pixels);
  }
  return out;
}

/** What is known of pictures: 0 in the holes. */
export const maskedOf = (images: Float32Array, holes: Float32Array): Float32Array =>
  images.map((x, i) => (holes[i] === 0 ? x : 0));

/** What was made inside the holes, what is known outside. */
export const paste = (made: ArrayLike<number>, images: Float32Array, holes: Float32Array): Float32Array =>
  images.map((x, i) => (holes[i] === 0 ? x : Math.min(1, Math.max(-1, made[i]!))));

/**
 * Asks a trained model to restore, and measures what comes.
 *
 * @param folder keeps what is given and what is made
 * @param networks folder of the networks that measure
 */
export async function measureHoles(
  arm: Arm,
  run: string,
  folder: string,
  networks: string,
  { rows, calls }: HolesOptions,
): Promise<Record<string, Measures>> {
  const { model } = compileFile(arm.spec, [], arm.model, 'never');
  const derived = model.info.modalities.find((m) => m.name === 'holes')?.derived;
  if (derived?.op !== 'transform' || derived.name !== 'holes' || arm.data === undefined)
    throw new Error(`${arm.spec} has no modality \`holes\` that is made by \`holes\``);
  const images = readDigits(arm.data, {
    from: heldOutRows.from,
    to: Math.min(heldOutRows.to, heldOutRows.from + rows),
  }).images;
  const n = images.length / pixels;
  const executor = await choose('auto');
  const network = await FeatureNetwork.open({
    file: join(networks, 'image-unsupervised.safetensors'),
    executor,
    images: {
      data: readDigits(arm.data, trainRows).images,
      shape: [trainRows.to - trainRows.from, side, side, 1],
    },
  });
  const figures: Record<string, Measures> = {};
  try {
    for (const area of areas) {
      const holes = holesOf(derived, area, n);
      const made = await restore(run, join(folder, `area-${area}`), calls, holes, maskedOf(images, holes));
      const [one, all] = [paste(made[0]!, images, holes), paste(average(made), images, holes)];
      const task = taskOf(area);
      const measure = (value: number, samples: number) => ({ value, count: n, task, samples, area });
      const perceptual = mean(await network.distances(one, images, holes));
      figures[task] = {
        'image.perceptual': { ...measure(perceptual, 1), features: network.record.name },
        'image.psnr': measure(mean(psnr(one, images, n, 1, holes)), 1),
        'image.psnr_mean': measure(mean(psnr(all, images, n, 1, holes)), calls),
      };
    }
  } finally {
    await network.dispose();
  }
  return figures;
}

/** Several samples of every picture, each [n, 28, 28]. */
async function restore(
  run: string,
  folder: string,
  calls: number,
  holes: Float32Array,
  masked: Float32Array,
): Promise<Float32Array[]> {
  const n = holes.length / pixels;
  const shape = [n * calls, side, side, 1];
  const out = join(folder, 'samples');
  const file = join(out, 'image.npy');
  const given = { masked: join(folder, 'masked.npy'), holes: join(folder, 'holes.npy') };
  mkdirSync(folder, { recursive: true });
  writeAtomic(given.masked, formatNpy(repeat(masked, calls), shape));
  writeAtomic(given.holes, formatNpy(repeat(holes, calls), shape));
  if (!existsSync(file)) {
    await mmdc([
      ...['sample', run, '--task', 'fill', '-n', String(n * calls), '--out', out],
      ...Object.entries(given).flatMap(([name, path]) => ['--given', `${name}=${path}`]),
    ]);
  }
  const { data } = readNpy(file);
  return Array.from({ length: calls }, (_, call) =>
    Float32Array.from(data.subarray(call * n * pixels, (call + 1) * n * pixels)),
  );
}

function average(samples: readonly Float32Array[]): Float64Array {
  const out = new Float64Array(samples[0]!.length);
  for (const sample of samples) for (let i = 0; i < out.length; i++) out[i]! += sample[i]! / samples.length;
  return out;
}
