/**
 * The judge: a classifier that is trained on the same rows as the models, tested on the held-out ones, and then says
 * which digit a generated picture shows.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sizeOf } from '../compiler/graph/ir.js';
import { formatSafetensors, parseSafetensors } from '../runtime/checkpoint/safetensors.js';
import type { Executor, Program } from '../runtime/executors/executor.js';
import { writeAtomic } from '../runtime/files/atomic.js';
import { Stream } from '../runtime/random/stream.js';
import { adamw, fit } from '../runtime/eval/networks/packed.js';
import { layout, readingGraph, trainingGraph, widths } from './judge-network.js';
import { agreement, largest, meanConfidence } from './metrics.js';
import { classes, heldOutRows, pixels, readDigits, side, trainRows, type Digits } from './mnist.js';

/** Everything that the judge's weights depend on besides the data. */
export const settings = {
  widths,
  adamw,
  trainRows,
  batch: 64,
  epochs: 12,
  /** Falls to zero along half a cosine. */
  rate: 2e-3,
  /** Largest shift of a training picture in either direction, in pixels. */
  shift: 2,
  seed: 20_240_717,
} as const;

/** Below this accuracy on held-out pictures a judge is not used. */
export const leastAccuracy = 0.97;

/** Standard deviation of the noise in the check of steadiness; pictures lie in [-1, 1]. */
const noise = 0.1;

export interface JudgeRecord {
  /** Share of held-out pictures read rightly. */
  readonly accuracy: number;
  /** Mean of the largest probability on held-out pictures. */
  readonly confidence: number;
  /** Share of held-out pictures that are read the same with Gaussian noise on them, and with a shift by one pixel. */
  readonly steady: { readonly noise: number; readonly shift: number };
  /** Seconds of its training. */
  readonly seconds: number;
  /** SHA-256 of settings and training data. */
  readonly settings: string;
}

export interface Reading {
  /** [n] */
  readonly classes: Int32Array;
  /** Mean of the largest probability. */
  readonly confidence: number;
}

export class Judge {
  private constructor(
    private readonly program: Program,
    private readonly parameters: Float32Array,
    readonly record: JudgeRecord,
  ) {}

  /**
   * The judge kept in `dir`, or a newly trained one, which is kept there.
   * @throws Error when it is too bad to judge anything
   */
  static async open(
    dir: string,
    data: string,
    executor: Executor,
    log: (line: string) => void,
  ): Promise<Judge> {
    const digits = readDigits(data, trainRows);
    const hash = settingsHash(digits);
    const file = join(dir, 'judge.safetensors');
    const kept = load(file, hash);
    const began = performance.now();
    const parameters = kept?.parameters ?? (await train(digits, executor, log));
    const seconds = kept?.seconds ?? (performance.now() - began) / 1000;
    const program = await executor.prepare(readingGraph(readBatch));
    const record = { ...(await examine(program, parameters, data)), seconds, settings: hash };
    log(
      `judge: ${(100 * record.accuracy).toFixed(2)} % of ${heldOutRows.to - heldOutRows.from} held-out digits`,
    );
    if (record.accuracy < leastAccuracy) {
      await program.dispose();
      throw new Error(`the judge reads only ${record.accuracy} of the held-out digits rightly`);
    }
    if (!kept) {
      mkdirSync(dir, { recursive: true });
      save(file, parameters, hash, seconds);
    }
    return new Judge(program, parameters, record);
  }

  /** @param images [n, 28, 28, 1] in [-1, 1] */
  async read(images: Float32Array): Promise<Reading> {
    const probabilities = await readAll(this.program, this.parameters, images);
    return { classes: largest(probabilities, classes), confidence: meanConfidence(probabilities, classes) };
  }

  async dispose(): Promise<void> {
    await this.program.dispose();
  }
}

/** Rows that are read together. */
const readBatch = 100;

async function readAll(
  program: Program,
  parameters: Float32Array,
  images: Float32Array,
): Promise<Float32Array> {
  const n = images.length / pixels;
  const out = new Float32Array(n * classes);
  const batch = new Float32Array(readBatch * pixels);
  for (let first = 0; first < n; first += readBatch) {
    const rows = Math.min(readBatch, n - first);
    batch.set(images.subarray(first * pixels, (first + rows) * pixels));
    const { probabilities } = await program.run({
      parameters: { data: parameters, shape: [layout.size] },
      images: { data: batch, shape: [readBatch, pixels] },
    });
    out.set(probabilities!.data.subarray(0, rows * classes), first * classes);
  }
  return out;
}

async function train(digits: Digits, executor: Executor, log: (line: string) => void): Promise<Float32Array> {
  const { batch, epochs, seed, rate } = settings;
  const rows = digits.labels.length;
  const perEpoch = Math.floor(rows / batch);
  const images = new Float32Array(batch * pixels);
  const labels = new Int32Array(batch);
  const began = performance.now();
  let order = new Int32Array(rows);
  let sum = 0;
  const steps = epochs * perEpoch;
  return fit({
    executor,
    graph: trainingGraph(batch),
    layout,
    seed,
    steps,
    rate,
    feeds: (n) => {
      const [epoch, k] = [Math.floor((n - 1) / perEpoch), (n - 1) % perEpoch];
      if (k === 0) order = new Stream(seed, 'order', epoch).permutation(rows) as Int32Array<ArrayBuffer>;
      const random = new Stream(seed, 'shift', n);
      for (let i = 0; i < batch; i++) {
        const row = order[k * batch + i]!;
        const [dx, dy] = [0, 1].map(() => random.below(2 * settings.shift + 1) - settings.shift) as [
          number,
          number,
        ];
        labels[i] = digits.labels[row]!;
        shiftInto(images, i, digits.images.subarray(row * pixels, (row + 1) * pixels), dx, dy);
      }
      return {
        images: { data: images, shape: [batch, pixels] },
        labels: { data: labels, shape: [batch] },
      };
    },
    onStep: (n, loss) => {
      sum += loss / perEpoch;
      if (n % perEpoch !== 0) return;
      const left = ((performance.now() - began) / 1000 / n) * (steps - n);
      log(`judge: epoch ${n / perEpoch}/${epochs}, loss ${sum.toFixed(4)}, ${Math.round(left)} s left`);
      sum = 0;
    },
  });
}

/** Row `i` of `out` becomes the picture moved right by dx and down by dy; what comes in is background, -1. */
export function shiftInto(out: Float32Array, i: number, image: Float32Array, dx: number, dy: number): void {
  const to = out.subarray(i * pixels, (i + 1) * pixels).fill(-1);
  for (let y = Math.max(0, dy); y < Math.min(side, side + dy); y++) {
    const from = (y - dy) * side;
    const [first, last] = [Math.max(0, -dx), Math.min(side, side - dx)];
    to.set(image.subarray(from + first, from + last), y * side + first + dx);
  }
}

async function examine(
  program: Program,
  parameters: Float32Array,
  data: string,
): Promise<Pick<JudgeRecord, 'accuracy' | 'confidence' | 'steady'>> {
  const { images, labels } = readDigits(data, heldOutRows);
  const read = (pictures: Float32Array) => readAll(program, parameters, pictures);
  const probabilities = await read(images);
  const plain = largest(probabilities, classes);
  const noisy = new Float32Array(images.length);
  new Stream(settings.seed, 'noise').normal(noisy);
  for (let i = 0; i < noisy.length; i++) noisy[i] = images[i]! + noise * noisy[i]!;
  const shifted = new Float32Array(images.length);
  for (let i = 0; i < labels.length; i++)
    shiftInto(shifted, i, images.subarray(i * pixels, (i + 1) * pixels), 1, 1);
  return {
    accuracy: agreement(plain, labels),
    confidence: meanConfidence(probabilities, classes),
    steady: {
      noise: agreement(largest(await read(noisy), classes), plain),
      shift: agreement(largest(await read(shifted), classes), plain),
    },
  };
}

function settingsHash(digits: Digits): string {
  return createHash('sha256')
    .update(JSON.stringify(settings))
    .update(new Uint8Array(digits.images.buffer))
    .update(new Uint8Array(digits.labels.buffer))
    .digest('hex');
}

function save(file: string, parameters: Float32Array, hash: string, seconds: number): void {
  const tensors = layout.slots.map(
    ({ name, shape, offset }) =>
      [name, { shape, data: parameters.subarray(offset, offset + sizeOf(shape)) }] as const,
  );
  writeAtomic(file, formatSafetensors(tensors, { settings: hash, seconds: String(seconds) }));
}

/** The kept parameters, if they were trained with these settings on this data. */
function load(file: string, hash: string): { parameters: Float32Array; seconds: number } | undefined {
  if (!existsSync(file)) return undefined;
  const { tensors, metadata } = parseSafetensors(readFileSync(file));
  if (metadata.settings !== hash) return undefined;
  const parameters = new Float32Array(layout.size);
  for (const { name, offset } of layout.slots) {
    const tensor = tensors.get(name);
    if (!(tensor?.data instanceof Float32Array)) throw new Error(`${file} has no tensor '${name}'`);
    parameters.set(tensor.data, offset);
  }
  return { parameters, seconds: Number(metadata.seconds) };
}
