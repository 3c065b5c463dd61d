/**
 * A perceptual distance is used only where it can tell more damage from less: it must rise under blur, noise and shift.
 *
 * @module
 */
import { Stream } from '../random/stream.js';
import type { FeatureNetwork } from './networks/network.js';
import { shiftInto } from './networks/network.js';
import type { PictureShape } from './networks/trunk.js';

export interface Rise {
  /** Mean distances to the clean pictures at three growing strengths. */
  readonly blur: readonly number[];
  readonly noise: readonly number[];
  readonly shift: readonly number[];
  /** Whether all three rise. */
  readonly rises: boolean;
}

/** @param images [n, H, W, C] in [-1, 1] */
export async function measureRise(network: FeatureNetwork, images: Float32Array): Promise<Rise> {
  const mean = async (damaged: Float32Array) => {
    const distances = await network.distances(images, damaged);
    return distances.reduce((sum, x) => sum + x, 0) / distances.length;
  };
  const series = async (damage: (strength: number) => Float32Array) => [
    await mean(damage(1)),
    await mean(damage(2)),
    await mean(damage(3)),
  ];
  const blur = await series((strength) => blurred(images, network.picture, strength));
  const noise = await series((strength) => noised(images, 0.1 * strength));
  const shift = await series((strength) => shifted(images, network.picture, strength));
  const rises = [blur, noise, shift].every(([a, b, c]) => 0 < a! && a! < b! && b! < c!);
  return { blur, noise, shift, rises };
}

function each(
  images: Float32Array,
  [H, W, C]: PictureShape,
  change: (out: Float32Array, image: Float32Array) => void,
): Float32Array {
  const size = H * W * C;
  const out = new Float32Array(images.length);
  for (let at = 0; at < images.length; at += size)
    change(out.subarray(at, at + size), images.subarray(at, at + size));
  return out;
}

/** The mean of 3 x 3 pixels, `times` times. */
function blurred(images: Float32Array, picture: PictureShape, times: number): Float32Array {
  const [H, W, C] = picture;
  let now = images;
  for (let k = 0; k < times; k++) {
    now = each(now, picture, (out, image) => {
      for (let y = 0; y < H; y++)
        for (let x = 0; x < W; x++)
          for (let c = 0; c < C; c++) {
            let sum = 0;
            let count = 0;
            for (let v = Math.max(0, y - 1); v <= Math.min(H - 1, y + 1); v++)
              for (let u = Math.max(0, x - 1); u <= Math.min(W - 1, x + 1); u++) {
                sum += image[(v * W + u) * C + c]!;
                count++;
              }
            out[(y * W + x) * C + c] = sum / count;
          }
    });
  }
  return now;
}

/** The same noise at every strength, so that only the strength differs. */
function noised(images: Float32Array, sigma: number): Float32Array {
  const noise = new Float32Array(images.length);
  new Stream(0, 'degrade').normal(noise);
  return images.map((x, i) => x + sigma * noise[i]!);
}

function shifted(images: Float32Array, picture: PictureShape, by: number): Float32Array {
  return each(images, picture, (out, image) => shiftInto(out, image, picture, by, by));
}
