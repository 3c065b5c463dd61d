/**
 * The inputs of training steps: data, roles, times and noise, each a pure function of seed and step.
 *
 * @module
 */
import type { CompiledModel } from '../../compiler/driver.js';
import { sizeOf } from '../../compiler/graph/ir.js';
import { dataInput } from '../../compiler/lower/forward.js';
import { trainInputs, type TrainingStep } from '../../compiler/lower/training.js';
import { allocateBatch, fillBatch, type BatchArray } from '../data/batches.js';
import type { Dataset } from '../data/table.js';
import type { Tensor } from '../executors/executor.js';
import { inputNames, pickFeeds } from '../executors/feeds.js';
import { Stream } from '../random/stream.js';
import { drawTimesteps, RoleSampler } from './roles.js';
import { scheduleAt } from './schedule.js';

/** The inputs of every step, in buffers that are used again. */
export class BatchFeeds {
  private readonly columns: Record<string, BatchArray>;
  private readonly roles: RoleSampler;
  private readonly noise: Float32Array;
  private readonly given: Float32Array;
  private readonly produced: Float32Array;
  private readonly t: Int32Array;
  private readonly inverse: Float32Array;
  private readonly wanted: ReadonlySet<string>;

  constructor(
    private readonly model: CompiledModel,
    step: Pick<TrainingStep, 'graph'>,
    private readonly dataset: Dataset,
    private readonly seed: number,
    private readonly train = model.info.train,
    private readonly batch = train.batch,
  ) {
    const { info } = model;
    this.columns = allocateBatch(dataset, batch);
    this.roles = new RoleSampler(info);
    this.noise = new Float32Array(batch * sizeOf(info.space.shape));
    this.given = new Float32Array(batch * info.modalities.length);
    this.produced = new Float32Array(batch * info.modalities.length);
    this.t = new Int32Array(batch);
    this.inverse = new Float32Array(batch);
    // A graph may have no use for an input (the time weights of a loss term with weight 0, say).
    this.wanted = inputNames(step.graph);
  }

  /** Inputs of step n = 1, 2, ... */
  at(n: number): Record<string, Tensor> {
    const { info } = this.model;
    const { batch, seed } = this;
    const count = info.modalities.length;
    fillBatch(this.dataset, { seed, step: n - 1, batch }, this.columns);
    const random = new Stream(seed, 'roles', n);
    const rows = Array.from({ length: batch }, () => this.roles.draw(random));
    rows.forEach((roles, i) =>
      roles.forEach((role, m) => {
        this.given[i * count + m] = Number(role === 'given');
        this.produced[i * count + m] = Number(role === 'produced');
      }),
    );
    drawTimesteps(info, rows, new Stream(seed, 'time', n)).forEach(({ t, inverseProbability }, i) => {
      this.t[i] = t;
      this.inverse[i] = inverseProbability;
    });
    new Stream(seed, 'noise', n).normal(this.noise);
    const feeds: Record<string, Tensor> = {
      [trainInputs.given]: { data: this.given, shape: [batch, count] },
      [trainInputs.produced]: { data: this.produced, shape: [batch, count] },
      [trainInputs.t]: { data: this.t, shape: [batch] },
      [trainInputs.inverseProbability]: { data: this.inverse, shape: [batch] },
      [trainInputs.noise]: { data: this.noise, shape: [batch, ...info.space.shape] },
      [trainInputs.schedule]: { data: scheduleAt(this.train, n), shape: [4] },
    };
    for (const modality of info.modalities) feeds[dataInput(modality.name)] = this.columns[modality.name];
    return pickFeeds(feeds, this.wanted);
  }
}
