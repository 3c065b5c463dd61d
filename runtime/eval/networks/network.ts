/**
 * A feature network of one modality of pictures: trained on the run's own training rows, kept beside the run, and the
 * same for everyone with the same data and settings.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { formatSafetensors, parseSafetensors } from '../../checkpoint/safetensors.js';
import type { Executor, Program } from '../../executors/executor.js';
import { writeAtomic } from '../../files/atomic.js';
import { Stream } from '../../random/stream.js';
import type { Rows } from '../../sample/sampler.js';
import { adamw, fit, type Layout } from './packed.js';
import {
  featureWidth,
  fittingGraph,
  networkLayout,
  readingGraph,
  type Kind,
  type PictureShape,
} from './trunk.js';

/** Everything that the weights depend on besides the data. */
const settings = {
  trunk: 'conv 16/32/64/64, dense 64',
  adamw,
  batch: 64,
  steps: 600,
  rate: 2e-3,
  /** Standard deviation of the noise that the autoencoder removes; pictures lie in [-1, 1]. */
  noise: 0.3,
  /** Largest shift of a classifier's training picture in either direction, in pixels. */
  shift: 2,
  seed: 20_250_301,
} as const;

/** Rows that are read together. */
const readBatch = 100;

export interface NetworkRecord {
  /** `denoising-autoencoder`, or `classifier`. */
  readonly name: string;
  /** SHA-256 of settings and training data. */
  readonly hash: string;
  readonly features: number;
  readonly rows: number;
  readonly steps: number;
}

export interface NetworkOptions {
  /** File that keeps the weights. */
  readonly file: string;
  readonly executor: Executor;
  /** Pictures to train on, [n, H, W, C] in [-1, 1]. */
  readonly images: Rows;
  /** Classes of the pictures and how many there are: then it is a classifier, otherwise an autoencoder. */
  readonly labels?: { readonly data: Int32Array; readonly classes: number };
  /** Training steps, in place of the usual number. */
  readonly steps?: number;
  readonly onProgress?: (step: number, total: number) => void;
}

export interface Reading {
  /** [n, 64] */
  readonly features: Float32Array;
  /** [n, K] of a classifier. */
  readonly probabilities?: Float32Array;
}

export class FeatureNetwork {
  private constructor(
    private readonly program: Program,
    private readonly parameters: Float32Array,
    readonly picture: PictureShape,
    readonly record: NetworkRecord,
  ) {}

  /** The network kept in the file where it fits data and settings, or a newly trained one, which is then kept. */
  static async open(options: NetworkOptions): Promise<FeatureNetwork> {
    const { file, executor, images, labels } = options;
    const picture = images.shape.slice(1) as unknown as PictureShape;
    const kind: Kind = labels?.classes ?? 'autoencoder';
    const layout = networkLayout(picture, kind);
    const steps = options.steps ?? settings.steps;
    const hash = hashOf(images, labels, steps);
    let parameters = load(file, hash, layout);
    if (!parameters) {
      parameters = await train({ ...options, steps }, picture, kind, layout);
      mkdirSync(dirname(file), { recursive: true });
      save(file, parameters, hash, layout);
    }
    const program = await executor.prepare(readingGraph(picture, kind, readBatch));
    return new FeatureNetwork(program, parameters, picture, {
      name: labels ? 'classifier' : 'denoising-autoencoder',
      hash,
      features: featureWidth,
      rows: images.shape[0]!,
      steps,
    });
  }

  /** @param images [n, H, W, C] in [-1, 1] */
  async read(images: Float32Array): Promise<Reading> {
    const features: number[] = [];
    const probabilities: number[] = [];
    await this.batches(images, (outputs, rows) => {
      push(features, outputs.features!.data, rows * featureWidth);
      const read = outputs.probabilities;
      if (read) push(probabilities, read.data, rows * read.shape[1]!);
    });
    const read = { features: Float32Array.from(features) };
    return probabilities.length > 0 ? { ...read, probabilities: Float32Array.from(probabilities) } : read;
  }

  /**
   * Perceptual distance of every pair of rows: LPIPS's computation (Zhang et al., "The unreasonable effectiveness of deep
   * features as a perceptual metric", 2018, eq. 1, with all weights 1) over this network's four convolutions. Channels are
   * scaled to unit length, squared differences averaged over positions and summed over layers.
   * @param mask [n, H, W]: where given, positions count by the share of their pixels that are 1
   * @throws RangeError when the two differ in length
   */
  async distances(a: Float32Array, b: Float32Array, mask?: ArrayLike<number>): Promise<Float64Array> {
    if (a.length !== b.length) throw new RangeError(`${a.length} values do not pair with ${b.length}`);
    const [H, W, C] = this.picture;
    const n = a.length / (H * W * C);
    const out = new Float64Array(n);
    const left: Layers[] = [];
    await this.batches(a, (outputs) => void left.push(layersOf(outputs)));
    let batch = 0;
    await this.batches(b, (outputs, rows, first) => {
      const [x, y] = [left[batch++]!, layersOf(outputs)];
      for (let i = 0; i < rows; i++) {
        const own = mask && Array.from({ length: H * W }, (_, p) => mask[(first + i) * H * W + p]!);
        for (const [k, layer] of x.entries()) out[first + i]! += layerDistance(layer, y[k]!, i, own, H, W);
      }
    });
    return out;
  }

  async dispose(): Promise<void> {
    await this.program.dispose();
  }

  private async batches(
    images: Float32Array,
    use: (
      outputs: Readonly<
        Record<string, { readonly data: ArrayLike<number>; readonly shape: readonly number[] }>
      >,
      rows: number,
      first: number,
    ) => void,
  ): Promise<void> {
    const size = this.picture[0] * this.picture[1] * this.picture[2];
    const n = images.length / size;
    if (!Number.isInteger(n)) throw new RangeError(`${images.length} values are not pictures of ${size}`);
    const batch = new Float32Array(readBatch * size);
    for (let first = 0; first < n; first += readBatch) {
      const rows = Math.min(readBatch, n - first);
      batch.set(images.subarray(first * size, (first + rows) * size));
      const outputs = await this.program.run({
        parameters: { data: this.parameters, shape: [this.parameters.length] },
        images: { data: batch, shape: [readBatch, ...this.picture] },
      });
      use(outputs, rows, first);
    }
  }
}

interface Layer {
  /** [batch, C, h, w] */
  readonly data: Float32Array;
  readonly shape: readonly number[];
}
type Layers = readonly Layer[];

function layersOf(
  outputs: Readonly<Record<string, { readonly data: ArrayLike<number>; readonly shape: readonly number[] }>>,
): Layers {
  return [0, 1, 2, 3].map((i) => {
    const { data, shape } = outputs[`layer${i}`]!;
    return { data: Float32Array.from(data), shape };
  });
}

/** Mean over positions of the squared difference of unit vectors over channels, for row i. */
function layerDistance(
  a: Layer,
  b: Layer,
  i: number,
  mask: number[] | undefined,
  H: number,
  W: number,
): number {
  const [, C, h, w] = a.shape as [number, number, number, number];
  let total = 0;
  let weights = 0;
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const weight = mask ? coverage(mask, H, W, y, x, h, w) : 1;
      if (weight === 0) continue;
      let aa = 1e-20;
      let bb = 1e-20;
      let ab = 0;
      for (let c = 0; c < C; c++) {
        const at = ((i * C + c) * h + y) * w + x;
        const [p, q] = [a.data[at]!, b.data[at]!];
        aa += p * p;
        bb += q * q;
        ab += p * q;
      }
      // |a/|a| - b/|b||^2, where a zero vector stays zero.
      const [na, nb] = [aa > 1e-19 ? 1 : 0, bb > 1e-19 ? 1 : 0];
      total += weight * Math.max(0, na + nb - (2 * ab) / Math.sqrt(aa * bb));
      weights += weight;
    }
  }
  return weights === 0 ? 0 : total / weights;
}

/** Share of the pixels under position (y, x) of an h x w grid that the mask counts. */
function coverage(mask: number[], H: number, W: number, y: number, x: number, h: number, w: number): number {
  const [y0, y1] = [
    Math.floor((y * H) / h),
    Math.max(Math.floor(((y + 1) * H) / h), Math.floor((y * H) / h) + 1),
  ];
  const [x0, x1] = [
    Math.floor((x * W) / w),
    Math.max(Math.floor(((x + 1) * W) / w), Math.floor((x * W) / w) + 1),
  ];
  let sum = 0;
  for (let r = y0; r < y1; r++) for (let c = x0; c < x1; c++) sum += mask[r * W + c]!;
  return sum / ((y1 - y0) * (x1 - x0));
}

function push(out: number[], data: ArrayLike<number>, count: number): void {
  for (let i = 0; i < count; i++) out.push(data[i]!);
}

async function train(
  { executor, images, labels, steps, onProgress }: NetworkOptions & { readonly steps: number },
  picture: PictureShape,
  kind: Kind,
  layout: Layout,
): Promise<Float32Array> {
  const { batch, rate, seed, noise, shift } = settings;
  const [H, W, C] = picture;
  const size = H * W * C;
  const n = images.shape[0]!;
  const clean = new Float32Array(batch * size);
  const fed = new Float32Array(batch * size);
  const classes = new Int32Array(batch);
  const shape = [batch, ...picture];
  return fit({
    executor,
    graph: fittingGraph(picture, kind, batch),
    layout,
    seed,
    steps,
    rate,
    feeds: (step) => {
      const random = new Stream(seed, 'rows', step);
      for (let i = 0; i < batch; i++) {
        const row = random.below(n);
        const image = images.data.subarray(row * size, (row + 1) * size) as Float32Array;
        if (labels) {
          classes[i] = labels.data[row]!;
          const [dx, dy] = [0, 1].map(() => random.below(2 * shift + 1) - shift) as [number, number];
          shiftInto(fed.subarray(i * size, (i + 1) * size), image, picture, dx, dy);
        } else clean.set(image, i * size);
      }
      if (labels) return { images: { data: fed, shape }, wanted: { data: classes, shape: [batch] } };
      new Stream(seed, 'noise', step).normal(fed);
      for (let i = 0; i < fed.length; i++) fed[i] = clean[i]! + noise * fed[i]!;
      return { images: { data: fed, shape }, wanted: { data: clean, shape } };
    },
    onStep: (step) => onProgress?.(step, steps),
  });
}

/** The picture moved right by dx and down by dy; pixels of the edge are repeated. */
export function shiftInto(
  out: Float32Array,
  image: Float32Array,
  [H, W, C]: PictureShape,
  dx: number,
  dy: number,
) {
  for (let y = 0; y < H; y++) {
    const from = Math.min(H - 1, Math.max(0, y - dy));
    for (let x = 0; x < W; x++) {
      const at = (from * W + Math.min(W - 1, Math.max(0, x - dx))) * C;
      for (let c = 0; c < C; c++) out[(y * W + x) * C + c] = image[at + c]!;
    }
  }
}

function hashOf(images: Rows, labels: NetworkOptions['labels'], steps: number): string {
  const hash = createHash('sha256').update(
    JSON.stringify([settings, steps, images.shape, labels?.classes ?? 0]),
  );
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array | Int32Array) =>
    new Uint8Array(buffer, byteOffset, byteLength);
  hash.update(bytes(images.data));
  if (labels) hash.update(bytes(labels.data));
  return hash.digest('hex');
}

function save(file: string, parameters: Float32Array, hash: string, { size }: Layout): void {
  writeAtomic(
    file,
    formatSafetensors([['parameters', { shape: [size], data: parameters }]], { settings: hash }),
  );
}

function load(file: string, hash: string, { size }: Layout): Float32Array | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const { tensors, metadata } = parseSafetensors(readFileSync(file));
    const data = tensors.get('parameters')?.data;
    return metadata.settings === hash && data instanceof Float32Array && data.length === size
      ? data
      : undefined;
  } catch {
    // A damaged file is made again.
    return undefined;
  }
}
