/**
 * Sampling: a chain of model calls from t = T to 0, or the averaged prediction at t = T. Row r draws its noise from a
 * stream of its own, so results do not depend on how rows are put into batches.
 *
 * @module
 */
import type { CompiledModel } from '../../compiler/driver.js';
import { sizeOf, type Shape } from '../../compiler/graph/ir.js';
import { dataInput, type Roles } from '../../compiler/lower/forward.js';
import { bindParameters, knownInput, sampleInputs } from '../../compiler/lower/sampling.js';
import { canGuide } from '../../compiler/model/modalities.js';
import type { KnownInfo, ModalityInfo, TaskInfo } from '../../compiler/model/info.js';
import { timesteps, updates, type Update } from '../../compiler/process/samplers.js';
import type { StoredTensor } from '../checkpoint/safetensors.js';
import type { Executor, Program, Tensor } from '../executors/executor.js';
import { inputNames, pickFeeds } from '../executors/feeds.js';
import { InputFault } from '../faults.js';
import { Stream } from '../random/stream.js';
import { isTrained, rolesOf } from '../train/roles.js';

/** Rows of one modality as data: f32, or i32 classes. */
export interface Rows {
  readonly data: Float32Array | Int32Array;
  /** [n, ...data shape] */
  readonly shape: Shape;
}

export interface SampleRequest extends Pick<
  TaskInfo,
  'given' | 'produced' | 'guidance' | 'sampler' | 'steps' | 'readout'
> {
  readonly rows: number;
  readonly seed: number;
  /** Parts of what is produced that are known: they stay as they are, at every step and in the result. */
  readonly known?: readonly KnownInfo[];
  /** Data of the given modalities, of those that are known in part and of their regions, `rows` rows each. */
  readonly data: ReadonlyMap<string, Rows>;
}

export interface Produced extends Rows {
  /** Probabilities where the modality is discrete, [n, ...shape]; otherwise the values themselves. */
  readonly mean: Float32Array;
}

export interface SampleHooks {
  /** Model calls done, of the total. */
  onProgress?(done: number, total: number): void;
}

/** A model with its weights on an executor. */
export class ModelSampler {
  private readonly programs = new Map<string, Promise<Prepared>>();

  /** @param weights by parameter name, statistics of learned encoders included */
  constructor(
    private readonly model: CompiledModel,
    private readonly weights: ReadonlyMap<string, StoredTensor>,
    private readonly executor: Executor,
    /** Rows that go through the model together. */
    private readonly batch = 64,
  ) {}

  /**
   * @throws InputFault when the roles were never trained
   */
  async sample(request: SampleRequest, hooks: SampleHooks = {}): Promise<Map<string, Produced>> {
    const { info } = this.model;
    const roles = rolesOf(info, request.given, request.produced);
    if (!isTrained(info, roles)) {
      throw new InputFault(
        `${describe(request.given, request.produced)} was never trained`,
        'train with `roles { any: 0.1 }`, or declare a task for it',
      );
    }
    const guided =
      request.guidance !== 1 &&
      canGuide(
        request.given,
        request.produced.map((name) => this.modality(name)),
      );
    const batch = Math.min(this.batch, request.rows);
    const program = await this.program(batch, guided, request);
    const means = new Map(
      request.produced.map((name) => [
        name,
        new Float32Array(request.rows * sizeOf(this.modality(name).shape)),
      ]),
    );
    const chain = updates(info.tables, request.sampler, timesteps(info.tables.steps, request.steps));
    const calls = request.readout.form === 'terminal' ? request.readout.calls : chain.length;
    const total = Math.ceil(request.rows / batch) * calls;
    let done = 0;
    for (let first = 0; first < request.rows; first += batch) {
      const run = new BatchRun(this.model, program, request, first, batch, guided);
      const tick = () => hooks.onProgress?.(++done, total);
      const result =
        request.readout.form === 'terminal' ? await run.terminal(calls, tick) : await run.chain(chain, tick);
      for (const [name, values] of result) {
        const out = means.get(name) as Float32Array;
        const size = sizeOf(this.modality(name).shape);
        out.set(values.subarray(0, Math.min(batch, request.rows - first) * size), first * size);
      }
    }
    return new Map(
      [...means].map(([name, mean]) => {
        const made = toData(this.modality(name), mean, request.rows);
        const part = request.known?.find((k) => k.modality === name);
        return [name, part ? pasteKnown(this.modality(name), part, made, request) : made];
      }),
    );
  }

  async dispose(): Promise<void> {
    for (const prepared of this.programs.values()) await (await prepared).program.dispose();
    this.programs.clear();
  }

  private modality(name: string): ModalityInfo {
    return this.model.info.modalities.find((m) => m.name === name) as ModalityInfo;
  }

  private program(batch: number, guided: boolean, request: SampleRequest): Promise<Prepared> {
    const roles = { given: [...request.given], produced: [...request.produced] };
    const known = (request.known ?? []).map((part) => part.modality);
    const key = JSON.stringify([batch, guided, roles, known]);
    let prepared = this.programs.get(key);
    if (!prepared) this.programs.set(key, (prepared = this.prepare(batch, guided, { roles, known })));
    return prepared;
  }

  private async prepare(
    batch: number,
    guided: boolean,
    options: { readonly roles: Roles; readonly known: readonly string[] },
  ): Promise<Prepared> {
    const values = new Map([...this.weights].map(([name, tensor]) => [name, tensor.data as Float32Array]));
    const graph = bindParameters(this.model.samplingStep(batch, guided, options), values);
    return { program: await this.executor.prepare(graph), inputs: inputNames(graph) };
  }
}

interface Prepared {
  readonly program: Program;
  readonly inputs: ReadonlySet<string>;
}

/** One batch of rows on its way. */
class BatchRun {
  private readonly feeds: Record<string, Tensor> = {};
  private readonly streams: Stream[];
  private readonly size: number;
  private readonly noise: Float32Array;

  constructor(
    private readonly model: CompiledModel,
    private readonly prepared: Prepared,
    private readonly request: SampleRequest,
    first: number,
    private readonly batch: number,
    guided: boolean,
  ) {
    const { info } = model;
    const count = info.modalities.length;
    this.size = sizeOf(info.space.shape);
    this.streams = Array.from({ length: batch }, (_, i) => new Stream(request.seed, 'sample', first + i));
    this.noise = new Float32Array(batch * this.size);
    const flags = (names: readonly string[]): Tensor => ({
      data: Float32Array.from({ length: batch * count }, (_, i) =>
        Number(names.includes(info.modalities[i % count].name)),
      ),
      shape: [batch, count],
    });
    this.feeds[sampleInputs.given] = flags(request.given);
    this.feeds[sampleInputs.produced] = flags(request.produced);
    if (guided) this.feeds[sampleInputs.guidance] = { data: Float32Array.of(request.guidance), shape: [1] };
    for (const modality of info.modalities) {
      // The data of a region are no input of their own, unless it is given.
      const fed = request.given.includes(modality.name) || knownOf(request, modality.name);
      const rows = fed ? request.data.get(modality.name) : undefined;
      this.feeds[dataInput(modality.name)] = rowsAt(modality, rows, first, batch);
      const part = knownOf(request, modality.name);
      if (!part) continue;
      const region = info.modalities.find((m) => m.name === part.region) as ModalityInfo;
      const { data, shape } = rowsAt(region, request.data.get(part.region), first, batch);
      const inside = part.where === 'inside';
      this.feeds[knownInput(modality.name)] = {
        data: Float32Array.from(data, (x) => Number(x >= 0.5 === inside)),
        shape,
      };
    }
  }

  /** The reverse chain; what the last call predicts is the result. */
  async chain(chain: readonly Update[], tick: () => void): Promise<Map<string, Float32Array>> {
    const { tables } = this.model.info;
    let z = this.draw(tables.sigma[tables.steps]).slice();
    let previous = new Float32Array(tables.components.length * this.batch * this.size);
    let outputs: Record<string, Tensor> = {};
    for (const [i, update] of chain.entries()) {
      const noise = update.noise === 0 ? this.noise.fill(0) : this.draw(1);
      outputs = await this.call(update, z, i === 0, noise, previous);
      z = outputs.z.data as Float32Array<ArrayBuffer>;
      previous = outputs.components.data as Float32Array<ArrayBuffer>;
      tick();
    }
    return this.predictions(outputs);
  }

  /** Mean prediction over `calls` draws of z_T. */
  async terminal(calls: number, tick: () => void): Promise<Map<string, Float32Array>> {
    const { tables } = this.model.info;
    const none = tables.components.map(() => 0);
    const update: Update = { t: tables.steps, s: 0, z: 0, y: none, previous: none, noise: 0 };
    const previous = new Float32Array(tables.components.length * this.batch * this.size);
    const zero = new Float32Array(this.batch * this.size);
    const sums = new Map<string, Float32Array>();
    for (let k = 0; k < calls; k++) {
      const outputs = await this.call(update, this.draw(tables.sigma[tables.steps]), true, zero, previous);
      for (const [name, values] of this.predictions(outputs)) {
        const sum = sums.get(name);
        if (!sum)
          sums.set(
            name,
            values.map((v) => v / calls),
          );
        else for (let i = 0; i < sum.length; i++) sum[i] += values[i] / calls;
      }
      tick();
    }
    return sums;
  }

  private async call(
    update: Update,
    z: Float32Array,
    start: boolean,
    noise: Float32Array,
    previous: Float32Array,
  ) {
    const { info } = this.model;
    const shape = [this.batch, ...info.space.shape];
    const coefficients = Float32Array.of(update.z, update.noise, ...update.y, ...update.previous);
    const feeds: Record<string, Tensor> = {
      ...this.feeds,
      [sampleInputs.t]: { data: new Int32Array(this.batch).fill(update.t), shape: [this.batch] },
      [sampleInputs.z]: { data: z, shape },
      [sampleInputs.start]: { data: Float32Array.of(Number(start)), shape: [1] },
      [sampleInputs.noise]: { data: noise, shape },
      [sampleInputs.previous]: { data: previous, shape: [info.tables.components.length, ...shape] },
      [sampleInputs.update]: { data: coefficients, shape: [coefficients.length] },
    };
    return this.prepared.program.run(pickFeeds(feeds, this.prepared.inputs));
  }

  private predictions(outputs: Readonly<Record<string, Tensor>>): Map<string, Float32Array> {
    return new Map(
      this.request.produced.map((name) => [name, Float32Array.from(outputs[`prediction.${name}`].data)]),
    );
  }

  /** `scale` times standard normal noise, each row from its own stream. The buffer is used again. */
  private draw(scale: number): Float32Array<ArrayBuffer> {
    this.streams.forEach((stream, i) =>
      stream.normal(this.noise.subarray(i * this.size, (i + 1) * this.size)),
    );
    if (scale !== 1) for (let i = 0; i < this.noise.length; i++) this.noise[i] *= scale;
    return this.noise as Float32Array<ArrayBuffer>;
  }
}

const knownOf = ({ known }: SampleRequest, modality: string): KnownInfo | undefined =>
  known?.find((part) => part.modality === modality);

/** Puts the data back where they are known, bit for bit: a mean over calls at t = T rounds, and may round them too. */
function pasteKnown(
  modality: ModalityInfo,
  part: KnownInfo,
  made: Produced,
  { rows, data: all }: SampleRequest,
): Produced {
  const given = all.get(modality.name);
  const region = all.get(part.region);
  if (!given || !region) throw new Error(`the data of '${modality.name}' and '${part.region}' are needed`);
  const pixels = modality.shape[0] * modality.shape[1];
  const width = sizeOf(modality.dataShape) / pixels;
  const classes = sizeOf(modality.shape) / pixels;
  const [data, mean] = [made.data.slice(), made.mean.slice()];
  for (let pixel = 0; pixel < rows * pixels; pixel++) {
    const inside = region.data[pixel] >= 0.5;
    if (inside !== (part.where === 'inside')) continue;
    if (modality.discrete) {
      const k = given.data[pixel];
      // A pixel without a class is not known.
      if (k < 0) continue;
      mean.fill(0, pixel * classes, (pixel + 1) * classes);
      mean[pixel * classes + k] = 1;
    } else mean.set(given.data.subarray(pixel * width, (pixel + 1) * width), pixel * width);
    data.set(given.data.subarray(pixel * width, (pixel + 1) * width), pixel * width);
  }
  return { data, mean, shape: made.shape };
}

/** The rows first..first + batch of a given modality; past the end the last row, for others zeros (or no class). */
function rowsAt(modality: ModalityInfo, rows: Rows | undefined, first: number, batch: number): Tensor {
  const size = sizeOf(modality.dataShape);
  const shape = [batch, ...modality.dataShape];
  const data = modality.discrete
    ? new Int32Array(batch * size).fill(rows ? 0 : -1)
    : new Float32Array(batch * size);
  if (rows) {
    const last = rows.shape[0] - 1;
    for (let i = 0; i < batch; i++) {
      const row = Math.min(first + i, last);
      data.set(rows.data.subarray(row * size, (row + 1) * size), i * size);
    }
  }
  return { data, shape };
}

/** Classes from probabilities; vectors of a cosine likelihood back to unit length after averaging. */
function toData(modality: ModalityInfo, mean: Float32Array, rows: number): Produced {
  const shape = [rows, ...modality.dataShape];
  if (modality.discrete) {
    const K = modality.classes;
    const data = new Int32Array(mean.length / K);
    for (let i = 0; i < data.length; i++) {
      let best = 0;
      for (let k = 1; k < K; k++) if (mean[i * K + k] > mean[i * K + best]) best = k;
      data[i] = best;
    }
    return { data, shape, mean };
  }
  if (modality.likelihood.form === 'cosine') {
    const D = modality.shape[modality.shape.length - 1];
    for (let i = 0; i < mean.length; i += D) {
      const row = mean.subarray(i, i + D);
      const norm = Math.hypot(...row) || 1;
      for (let k = 0; k < D; k++) row[k] /= norm;
    }
  }
  return { data: mean, shape, mean };
}

/** `label -> image`, or `image, label` where nothing is given. */
export function describe(given: readonly string[], produced: readonly string[]): string {
  return `\`${given.length > 0 ? `${given.join(', ')} -> ` : ''}${produced.join(', ')}\``;
}
