/**
 * What the transforms of derived modalities do to one row (see `compiler/model/transforms.ts` for their types). Random
 * ones draw from a stream of their own: the same row and draw give the same result on every machine.
 *
 * @module
 */
import type { DerivedInfo } from '../../compiler/model/info.js';
import { holeSides } from '../../compiler/model/transforms.js';
import type { Stream } from '../random/stream.js';

export type TransformNode = Extract<DerivedInfo, { op: 'transform' }>;

export interface TransformInput {
  readonly node: TransformNode;
  /** The row that comes in, C order; empty where the transform begins a chain. Discrete data are indices. */
  readonly input: Float32Array;
  /** Rows of modalities among the arguments, by parameter. */
  readonly rows: Readonly<Record<string, Float32Array>>;
  /** Numbers of its own; only where the transform is random. */
  readonly random: Stream | undefined;
}

/** Gives a new row, or changes `input` and gives it back. */
export type TransformKernel = (row: TransformInput) => Float32Array;

const number = (node: TransformNode, name: string): number => node.values[name] as number;

export const kernels: Readonly<Record<string, TransformKernel>> = {
  holes: ({ node, random }) => {
    const out = new Float32Array(node.shape[0] * node.shape[1]);
    drawHoles(node, random as Stream, (pixel) => (out[pixel] = 1));
    return out;
  },
  erase: ({ node, input, rows }) => {
    const { hole } = rows;
    for (let pixel = 0; pixel < hole.length; pixel++) if (hole[pixel] !== 0) hide(node, input, pixel);
    return input;
  },
  cutout: ({ node, input, random }) => {
    drawHoles(node, random as Stream, (pixel) => hide(node, input, pixel));
    return input;
  },
  noise: ({ node, input, random }) => {
    const sigma = number(node, 'sigma');
    const noise = (random as Stream).normal(input.length);
    for (let i = 0; i < input.length; i++) {
      const value = input[i] + sigma * noise[i];
      input[i] = node.type === 'image' ? Math.min(1, Math.max(-1, value)) : value;
    }
    return input;
  },
  grayscale: ({ input }) => {
    const out = new Float32Array(input.length / 3);
    for (let i = 0; i < out.length; i++)
      out[i] = 0.299 * input[3 * i] + 0.587 * input[3 * i + 1] + 0.114 * input[3 * i + 2];
    return out;
  },
  blur: ({ node, input }) => {
    const weights = gaussian(number(node, 'sigma'));
    const [h, w, c] = node.shape;
    // Separable: along the width, then along the height.
    const across = smooth(input, weights, w, c);
    return smooth(across, weights, h, c * w);
  },
  shrink: ({ node, input }) => {
    const factor = number(node, 'factor');
    const [h, w, c] = node.shape;
    const [oh, ow] = [h / factor, w / factor];
    const out = new Float32Array(oh * ow * c);
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++)
        for (let k = 0; k < c; k++)
          out[(Math.floor(y / factor) * ow + Math.floor(x / factor)) * c + k] += input[(y * w + x) * c + k];
    return out.map((sum) => sum / factor ** 2);
  },
  enlarge: ({ node, input }) => {
    const factor = number(node, 'factor');
    const [h, w, c] = node.shape;
    const out = new Float32Array(input.length * factor ** 2);
    for (let y = 0; y < h * factor; y++)
      for (let x = 0; x < w * factor; x++)
        for (let k = 0; k < c; k++)
          out[(y * w * factor + x) * c + k] =
            input[(Math.floor(y / factor) * w + Math.floor(x / factor)) * c + k];
    return out;
  },
  threshold: ({ node, input }) => {
    const level = number(node, 'level');
    return input.map((value) => Number(value > level));
  },
};

/** Calls `at` for every pixel of every hole; holes lie inside the image and may overlap. */
function drawHoles(node: TransformNode, random: Stream, at: (pixel: number) => void): void {
  const [height, width] = node.shape;
  // Nothing is drawn where there is nothing to draw: rows stay what they were before there was `most`.
  const position = node.values['most'] === null ? 0 : random.next();
  const [h, w] = holeSides(node.shape, node.values, position);
  for (let i = 0; i < number(node, 'count'); i++) {
    const top = random.below(height - h + 1);
    const left = random.below(width - w + 1);
    for (let y = top; y < top + h; y++) for (let x = left; x < left + w; x++) at(y * width + x);
  }
}

/** Takes a pixel away: an image gets the fill value, a mask no class. */
function hide(node: TransformNode, row: Float32Array, pixel: number): void {
  if (node.type === 'mask') {
    row[pixel] = -1;
    return;
  }
  const channels = node.shape[2];
  row.fill(number(node, 'fill'), pixel * channels, (pixel + 1) * channels);
}

/** Weights at distances 0, 1, ... up to three standard deviations. */
function gaussian(sigma: number): number[] {
  const reach = Math.max(1, Math.ceil(3 * sigma));
  return Array.from({ length: reach + 1 }, (_, d) => Math.exp(-0.5 * (d / sigma) ** 2));
}

/** Weighted means along one axis of `size` positions that are `stride` elements apart. */
function smooth(input: Float32Array, weights: readonly number[], size: number, stride: number): Float32Array {
  const out = new Float32Array(input.length);
  const reach = weights.length - 1;
  for (let i = 0; i < input.length; i++) {
    const position = Math.floor(i / stride) % size;
    let [sum, total] = [0, 0];
    for (let d = -Math.min(reach, position); d <= Math.min(reach, size - 1 - position); d++) {
      const weight = weights[Math.abs(d)];
      sum += weight * input[i + d * stride];
      total += weight;
    }
    out[i] = sum / total;
  }
  return out;
}
