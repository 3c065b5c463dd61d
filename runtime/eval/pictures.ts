/**
 * Metrics of generated pictures: distances of distributions over features of networks that are trained on the run's
 * own data, and, where a task has a wanted picture, distances of pairs.
 *
 * @module
 */
import { join } from 'node:path';
import type { ModalityInfo, ModelInfo } from '../../compiler/model/info.js';
import { isWanted } from '../../compiler/model/metrics.js';
import type { Dataset } from '../data/table.js';
import type { Executor } from '../executors/executor.js';
import { Stream } from '../random/stream.js';
import { rowsOf } from '../sample/given.js';
import type { Question } from '../sample/questions.js';
import type { Produced, Rows } from '../sample/sampler.js';
import { measureRise, type Rise } from './degrade.js';
import { frechetDistance } from './metrics/frechet.js';
import { kernelDistance } from './metrics/kernel.js';
import { nearestCopies, precisionRecall } from './metrics/manifold.js';
import { psnr } from './metrics/pixels.js';
import { moments, points, standardised, type Points } from './metrics/points.js';
import type { Lpips } from './lpips.js';
import type { Measure } from './model.js';
import { FeatureNetwork, type NetworkRecord } from './networks/network.js';
import { featureWidth } from './networks/trunk.js';

/** Neighbours of precision and recall, as in the paper. */
const neighbours = 3;
/** Subsets of KID and rows of each. */
const kid = { subsets: 100, size: 500 } as const;
/** Below this number of rows a side FID is biased by more than it usually says: the figure carries the mark `few`. */
const enough = 2000;
/** Training rows that the floor and the search for copies look at. */
const mostTrain = 4000;

type Figures = Record<string, Omit<Measure, 'task'>>;

export interface PictureOptions {
  readonly info: ModelInfo;
  readonly train: Dataset;
  readonly heldOut: Dataset;
  readonly executor: Executor;
  /** Folder that keeps the networks. */
  readonly dir: string;
  readonly seed: number;
  /** LPIPS with weights of the user, where there are any. */
  readonly lpips?: Lpips;
  readonly onProgress: (what: string, done: number, total: number) => void;
}

/** Networks and references of one modality of pictures, made when first asked for. */
export class PictureMetrics {
  private readonly networks = new Map<string, Promise<FeatureNetwork>>();
  private readonly references = new Map<string, Promise<Points>>();
  private rise: Promise<Rise> | undefined;
  /** What was used, for the provenance. */
  readonly records: Record<string, NetworkRecord & { accuracy?: number }> = {};
  readonly omitted: string[] = [];

  constructor(
    private readonly modality: ModalityInfo,
    private readonly options: PictureOptions,
  ) {}

  /**
   * @param all given and produced rows of the task by modality
   * @param real held-out rows of the pictures, row i belonging to row i of what was given
   * @param wanted metrics that are asked for; undefined for all. A network is trained only where one of its metrics is
   */
  async measure(
    task: Pick<Question, 'given' | 'known'>,
    made: Produced,
    real: Rows,
    all: ReadonlyMap<string, Rows>,
    wanted?: readonly string[],
  ): Promise<Figures> {
    const images = made.data as Float32Array;
    const asked = (...names: readonly string[]) => names.some((name) => isWanted(wanted, name));
    return {
      ...(asked('kid', 'fid', 'precision', 'recall', 'copied') ? await this.distribution(images) : {}),
      ...(asked('agreement') ? await this.labels(images, all) : {}),
      ...(asked('psnr', 'perceptual', 'lpips')
        ? await this.pairs(task, images, real.data as Float32Array, all, asked)
        : {}),
    };
  }

  async dispose(): Promise<void> {
    for (const network of this.networks.values()) await (await network).dispose();
  }

  /**
   * Of what is generated against as many held-out rows, over features with the mean and deviation of training rows taken
   * out, so that KID does not depend on the scale of a network that nothing else fixes. The floor is training rows against
   * the same held-out ones.
   */
  private async distribution(images: Float32Array): Promise<Figures> {
    const network = await this.network('unsupervised');
    const read = points((await network.read(images)).features, featureWidth);
    const scale = moments(await this.reference('train'));
    const [made, held, train] = [
      standardised(read, scale),
      standardised(await this.reference('eval'), scale),
      standardised(await this.reference('train'), scale),
    ];
    const count = Math.min(made.n, held.n);
    if (count <= neighbours) {
      this.omit(`${this.modality.name}: distances of distributions need more than ${neighbours} rows`);
      return {};
    }
    const [a, b] = [head(made, count), head(held, count)];
    const floor = head(train, Math.min(count, train.n));
    const random = () => new Stream(this.options.seed, 'kid');
    const distance = kernelDistance(a, b, { ...kid, random: random() });
    const quality = precisionRecall(b, a, neighbours);
    const copies = nearestCopies(train, held, made);
    const few = count < enough ? { few: true } : {};
    const features = { features: network.record.name };
    return {
      kid: {
        value: distance.value,
        count,
        deviation: distance.deviation,
        floor: kernelDistance(floor, b, { ...kid, random: random() }).value,
        ...features,
      },
      fid: {
        value: frechetDistance(moments(a), moments(b)),
        count,
        floor: frechetDistance(moments(floor), moments(b)),
        ...few,
        ...features,
      },
      precision: { value: quality.precision, count, neighbours, ...features },
      recall: { value: quality.recall, count, neighbours, ...features },
      copied: {
        value: copies.copied,
        count: made.n,
        nearest: copies.generated,
        nearest_held_out: copies.heldOut,
        ...features,
      },
    };
  }

  /** Whether a classifier reads in the picture the class that was given or generated with it. */
  private async labels(images: Float32Array, all: ReadonlyMap<string, Rows>): Promise<Figures> {
    const out: Figures = {};
    for (const category of this.options.info.modalities) {
      const rows = all.get(category.name);
      if (category.type !== 'category' || !rows) continue;
      const network = await this.network(category.name);
      const read = await this.classesOf(network, images, category.classes);
      const right = read.filter((k, i) => k === rows.data[i]).length;
      out[`agreement_${category.name}`] = {
        value: right / read.length,
        count: read.length,
        judge_accuracy: this.records[this.key(category.name)]?.accuracy,
      };
    }
    return out;
  }

  /**
   * Distances to the wanted pictures, where another picture of the same size is given, or a part of this one is known:
   * then only what is not known counts.
   */
  private async pairs(
    task: Pick<Question, 'given' | 'known'>,
    images: Float32Array,
    real: Float32Array,
    all: ReadonlyMap<string, Rows>,
    asked: (name: string) => boolean,
  ): Promise<Figures> {
    const { info } = this.options;
    const { shape } = this.modality;
    const pictured = task.given.some((name) => {
      const given = info.modalities.find((m) => m.name === name);
      return given?.type === 'image' && given.shape.slice(0, 2).join() === shape.slice(0, 2).join();
    });
    const part = task.known.find((known) => known.modality === this.modality.name);
    if (!pictured && !part) return {};
    const hole =
      part &&
      Float32Array.from((all.get(part.region) as Rows).data, (x) =>
        Number(x >= 0.5 === (part.where === 'outside')),
      );
    const within = part ? { within: part.where === 'outside' ? part.region : `not ${part.region}` } : {};
    const n = images.length / (shape[0]! * shape[1]! * shape[2]!);
    // A perfect row would make the mean infinite.
    const each = psnr(images, real, n, shape[2]!, hole).map((x) => Math.min(x, 100));
    const out: Figures = { psnr: { value: mean(each), count: each.length, ...within } };
    const { lpips } = this.options;
    if (lpips && asked('lpips')) Object.assign(out, await this.lpips(lpips, images, real));
    if (!asked('perceptual')) return out;
    const network = await this.network('unsupervised');
    this.rise ??= measureRise(
      network,
      rowsOf(this.options.heldOut.column(this.modality.name), first(Math.min(64, this.options.heldOut.rows)))
        .data as Float32Array,
    );
    const rise = await this.rise;
    if (!rise.rises) {
      this.omit(
        `${this.modality.name}.perceptual: it does not rise under blur, noise and shift on these pictures`,
      );
      return out;
    }
    const distances = await network.distances(images, real, hole);
    out.perceptual = {
      value: mean([...distances]),
      count: n,
      features: network.record.name,
      rise,
      ...within,
    };
    return out;
  }

  /** Of whole pictures, as it is defined. */
  private async lpips(lpips: Lpips, images: Float32Array, real: Float32Array): Promise<Figures> {
    const picture = this.modality.shape as unknown as [number, number, number];
    const unfit = lpips.unfit(picture);
    if (unfit !== undefined) {
      this.omit(`${this.modality.name}.lpips: ${unfit}`);
      return {};
    }
    const distances = await lpips.distances(images, real, picture);
    const { network, hash } = lpips.record;
    return { lpips: { value: mean([...distances]), count: distances.length, network, weights: hash } };
  }

  private omit(reason: string): void {
    if (!this.omitted.includes(reason)) this.omitted.push(reason);
  }

  private key(what: string): string {
    return `${this.modality.name}.${what}`;
  }

  /** `unsupervised`, or a classifier of the named modality. */
  private network(what: string): Promise<FeatureNetwork> {
    let network = this.networks.get(what);
    if (!network) this.networks.set(what, (network = this.openNetwork(what)));
    return network;
  }

  private async openNetwork(what: string): Promise<FeatureNetwork> {
    const { train, heldOut, executor, dir, onProgress, info } = this.options;
    const name = this.modality.name;
    const category = info.modalities.find((m) => m.name === what);
    const rows = first(train.rows);
    const labels = category && {
      data: rowsOf(train.column(what), rows).data as Int32Array,
      classes: category.classes,
    };
    const network = await FeatureNetwork.open({
      file: join(dir, `${name}-${what}.safetensors`),
      executor,
      images: rowsOf(train.column(name), rows),
      ...(labels ? { labels } : {}),
      onProgress: (done, total) => onProgress(`a network of ${name} (${what})`, done, total),
    });
    let accuracy: number | undefined;
    if (category) {
      const held = first(heldOut.rows);
      const wanted = rowsOf(heldOut.column(what), held).data;
      const images = rowsOf(heldOut.column(name), held).data as Float32Array;
      const read = await this.classesOf(network, images, category.classes);
      accuracy = read.filter((k, i) => k === wanted[i]).length / read.length;
    }
    this.records[this.key(what)] = { ...network.record, ...(accuracy === undefined ? {} : { accuracy }) };
    return network;
  }

  private async classesOf(network: FeatureNetwork, images: Float32Array, K: number): Promise<Int32Array> {
    const probabilities = (await network.read(images)).probabilities as Float32Array;
    return Int32Array.from({ length: probabilities.length / K }, (_, i) => {
      const row = probabilities.subarray(i * K, (i + 1) * K);
      return row.indexOf(Math.max(...row));
    });
  }

  /** Features of real rows by the unsupervised network. */
  private reference(part: 'train' | 'eval'): Promise<Points> {
    let reference = this.references.get(part);
    if (!reference) this.references.set(part, (reference = this.readReference(part)));
    return reference;
  }

  private async readReference(part: 'train' | 'eval'): Promise<Points> {
    const data = part === 'train' ? this.options.train : this.options.heldOut;
    const network = await this.network('unsupervised');
    const rows = rowsOf(data.column(this.modality.name), first(Math.min(mostTrain, data.rows)));
    return points((await network.read(rows.data as Float32Array)).features, featureWidth);
  }
}

const first = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

function head({ data, d }: Points, n: number): Points {
  return points(Array.prototype.slice.call(data, 0, n * d) as number[], d);
}
