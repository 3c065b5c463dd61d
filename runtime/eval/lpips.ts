/**
 * LPIPS with weights that the user gives (Zhang et al., "The unreasonable effectiveness of deep features as a perceptual
 * metric", 2018, version 0.1): an ONNX file that computes it from two pictures, or the published weights as safetensors,
 * from which the same model is made here.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseSafetensors, SafetensorsFault } from '../checkpoint/safetensors.js';
import type { Ort, Session } from '../executors/ort/engine.js';
import { InputFault } from '../faults.js';
import { lpipsModel } from './lpips-model.js';

/** Rows that are compared together, where the model leaves it open. */
const batchRows = 16;

export interface LpipsRecord {
  /** `alex`, `vgg`, or `onnx` where the file is the model itself. */
  readonly network: string;
  readonly file: string;
  /** SHA-256 of the file. */
  readonly hash: string;
}

export class Lpips {
  private constructor(
    private readonly session: Session,
    private readonly ort: Ort,
    readonly record: LpipsRecord,
  ) {}

  /** @throws InputFault where the file cannot be read, or is no such model */
  static async open(file: string): Promise<Lpips> {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(file);
    } catch (error) {
      throw new InputFault(`--lpips ${file}: ${(error as Error).message}`);
    }
    const hash = createHash('sha256').update(bytes).digest('hex');
    const made = file.endsWith('.onnx') ? { network: 'onnx', model: bytes } : fromWeights(file, bytes);
    const { loadEngine, sessionOptions, firstLine } = await import('../executors/ort/engine.js');
    const engine = await loadEngine('native').catch(() => loadEngine('wasm'));
    const session = await engine.ort.InferenceSession.create(
      made.model,
      sessionOptions(engine, engine.threads),
    ).catch((error: unknown) => {
      throw new InputFault(`--lpips ${file}: onnxruntime does not load it (${firstLine(error)})`);
    });
    const { inputMetadata: inputs } = session;
    if (
      inputs.length !== 2 ||
      !inputs.every((input) => input.isTensor && input.type === 'float32' && input.shape.length === 4)
    ) {
      await session.release();
      throw new InputFault(
        `--lpips ${file}: it is no model of two pictures`,
        'it takes two inputs [n, 3, H, W] of 32-bit floats in [-1, 1], and gives a number for each row',
      );
    }
    return new Lpips(session, engine.ort, { network: made.network, file: basename(file), hash });
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }

  /** Why pictures of this size cannot be compared; undefined where they can. */
  unfit([H, W, C]: readonly [number, number, number]): string | undefined {
    if (C !== 1 && C !== 3) return `it compares pictures of 1 or 3 channels, and these have ${C}`;
    const declared = this.session.inputMetadata[0];
    const [, channels, h, w] = declared?.isTensor ? declared.shape : [];
    const fits = (d: number | string | undefined, size: number) => typeof d !== 'number' || d === size;
    if (!fits(channels, 3) || !fits(h, H) || !fits(w, W))
      return `it compares pictures of ${String(h)} x ${String(w)}, and these are ${H} x ${W}`;
    const least = { alex: 35, vgg: 16 }[this.record.network] ?? 1;
    return Math.min(H, W) < least
      ? `\`${this.record.network}\` needs pictures of ${least} x ${least} at least, and these are ${H} x ${W}`
      : undefined;
  }

  /**
   * The distance of every pair of rows.
   * @param picture height, width and channels; one channel counts as three that are equal
   * @param a,b [n, H, W, C] in [-1, 1]
   * @throws InputFault where the model fails, or gives something else than a number for each row
   */
  async distances(
    a: Float32Array,
    b: Float32Array,
    picture: readonly [number, number, number],
  ): Promise<Float64Array> {
    const [H, W, C] = picture;
    const size = H * W * C;
    const n = a.length / size;
    if (a.length !== b.length || !Number.isInteger(n))
      throw new RangeError(`${a.length} and ${b.length} values are not pairs of pictures of ${size}`);
    const out = new Float64Array(n);
    const declared = this.session.inputMetadata[0];
    const first = declared?.isTensor ? declared.shape[0] : undefined;
    const batch = typeof first === 'number' && first > 0 ? first : batchRows;
    const { inputNames, outputNames } = this.session;
    for (let from = 0; from < n; from += batch) {
      const rows = Math.min(batch, n - from);
      const fed = typeof first === 'number' && first > 0 ? batch : rows;
      const tensor = (images: Float32Array) =>
        new this.ort.Tensor('float32', channelsFirst(images, from, rows, fed, picture), [fed, 3, H, W]);
      const results = await this.session
        .run({ [inputNames[0]!]: tensor(a), [inputNames[1]!]: tensor(b) })
        .catch((error: unknown) => {
          throw new InputFault(`LPIPS by ${this.record.file} fails: ${(error as Error).message}`);
        });
      const { data } = results[outputNames[0]!]!;
      if (!(data instanceof Float32Array) || data.length !== fed)
        throw new InputFault(`${this.record.file} gives no single number for each pair of pictures`);
      for (let i = 0; i < rows; i++) out[from + i] = data[i]!;
    }
    return out;
  }
}

/** Rows of pictures as [fed, 3, H, W]; rows past the end are zeros. */
function channelsFirst(
  images: Float32Array,
  from: number,
  rows: number,
  fed: number,
  [H, W, C]: readonly [number, number, number],
): Float32Array {
  const pixels = H * W;
  const out = new Float32Array(fed * 3 * pixels);
  for (let i = 0; i < rows; i++)
    for (let c = 0; c < 3; c++)
      for (let p = 0; p < pixels; p++)
        out[(i * 3 + c) * pixels + p] = images[((from + i) * pixels + p) * C + (C === 3 ? c : 0)]!;
  return out;
}

function fromWeights(file: string, bytes: Uint8Array): { network: string; model: Uint8Array } {
  try {
    return lpipsModel(parseSafetensors(bytes).tensors);
  } catch (error) {
    if (error instanceof SafetensorsFault) throw new InputFault(`--lpips ${file}: ${error.message}`);
    if (error instanceof InputFault) throw new InputFault(`--lpips ${file}: ${error.message}`, error.help);
    throw error;
  }
}
