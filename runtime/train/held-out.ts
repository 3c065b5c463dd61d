/**
 * The loss over rows that are not trained on, with the averaged parameters: always the same rows, roles, times and
 * noise, so that two measurements differ by the parameters alone.
 *
 * @module
 */
import type { CompiledModel } from '../../compiler/driver.js';
import type { Dataset } from '../data/table.js';
import type { Executor, Program } from '../executors/executor.js';
import { BatchFeeds } from './feeds.js';
import { frozenFeed, type State } from './state.js';

/** Rows that are looked at, at most. */
const MOST_ROWS = 512;

export class HeldOut {
  private constructor(
    private readonly program: Program,
    private readonly feeds: BatchFeeds,
    private readonly batches: number,
    private readonly names: readonly string[],
  ) {}

  /** @throws RunFault when the executor refuses the graph */
  static async prepare(
    model: CompiledModel,
    rows: Dataset,
    executor: Executor,
    seed: number,
    names: readonly string[],
  ): Promise<HeldOut> {
    const { train } = model.info;
    const graph = model.lossStep(train.batch);
    const program = await executor.prepare(graph);
    const batches = Math.max(1, Math.floor(Math.min(rows.rows, MOST_ROWS) / train.batch));
    return new HeldOut(program, new BatchFeeds(model, { graph }, rows, seed, train), batches, names);
  }

  /** Means of `loss` and of every term, by name. */
  async measure(state: Pick<State, 'ema' | 'frozen'>): Promise<Record<string, number>> {
    const sums: Record<string, number> = {};
    const parameters = { data: state.ema, shape: [state.ema.length] };
    for (let n = 1; n <= this.batches; n++) {
      const { loss, terms } = await this.program.run({
        ...this.feeds.at(n),
        parameters,
        ...frozenFeed(state.frozen),
      });
      const figures = {
        loss: loss.data[0],
        ...Object.fromEntries(this.names.map((name, i) => [name, terms.data[i]])),
      };
      for (const [name, value] of Object.entries(figures))
        sums[name] = (sums[name] ?? 0) + value / this.batches;
    }
    return sums;
  }

  dispose(): Promise<void> {
    return this.program.dispose();
  }
}
