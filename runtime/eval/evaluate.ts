/**
 * Asks a trained model its tasks on held-out rows and measures the answers.
 *
 * @module
 */
import type { CompiledModel } from '../../compiler/driver.js';
import { isWanted } from '../../compiler/model/metrics.js';
import type { Dataset } from '../data/table.js';
import type { Executor } from '../executors/executor.js';
import { rowsOf } from '../sample/given.js';
import type { Question } from '../sample/questions.js';
import { neededBy } from '../sample/tasks.js';
import type { ModelSampler, Rows } from '../sample/sampler.js';
import { clipScores } from './clip.js';
import type { Lpips } from './lpips.js';
import { merge, type Evaluation, type Measure, type Measures } from './model.js';
import { PictureMetrics } from './pictures.js';
import { rowFigures } from './rows.js';

export interface EvaluateOptions {
  /** What to ask, by name. */
  readonly tasks: ReadonlyMap<string, Question>;
  /** Rows to ask of every task, at most as many as are held out where rows are given. */
  readonly rows: number;
  readonly seed: number;
  readonly train: Dataset;
  readonly heldOut: Dataset;
  readonly executor: Executor;
  /** Folder that keeps the networks that measure. */
  readonly networks: string;
  /** Folder in which frozen networks of the spec lie. */
  readonly project: string;
  readonly lpips?: Lpips;
  readonly onProgress: (what: string, done: number, total: number) => void;
}

/** Everything but the provenance that only the caller knows. */
export type Measured = Pick<Evaluation, 'metrics' | 'tasks' | 'omitted'> & {
  readonly networks: Evaluation['provenance']['networks'];
};

export async function evaluate(
  model: CompiledModel,
  sampler: ModelSampler,
  options: EvaluateOptions,
): Promise<Measured> {
  const { info } = model;
  const { heldOut, onProgress } = options;
  const pictures = new Map(
    info.modalities
      .filter((m) => m.type === 'image')
      .map((m) => [m.name, new PictureMetrics(m, { ...options, info, dir: options.networks })]),
  );
  const tasks: Record<string, Measures> = {};
  try {
    for (const [asked, task] of options.tasks) {
      const rows = Math.min(options.rows, heldOut.rows);
      const picked = Array.from({ length: rows }, (_, i) => i);
      const held = (name: string): Rows => rowsOf(heldOut.column(name), picked);
      const given = new Map(neededBy(task).map((name) => [name, held(name)]));
      const produced = await sampler.sample(
        { ...task, rows, seed: options.seed, data: given },
        { onProgress: (done, total) => onProgress(asked, done, total) },
      );
      const all = new Map<string, Rows>([...given, ...produced]);
      const measures: Record<string, Measure> = {};
      for (const [name, made] of produced) {
        const modality = info.modalities.find((m) => m.name === name)!;
        const real = held(name);
        const wanted = info.metrics?.get(name);
        // Networks that measure pictures take a minute to train.
        const seen = wanted?.length === 0 ? undefined : pictures.get(name);
        const figures = {
          ...rowFigures(modality, made, real, given.size > 0),
          ...(await seen?.measure(task, made, real, all, wanted)),
          ...(seen && isWanted(wanted, 'clip')
            ? await clipScores(info, name, made, all, options.project)
            : {}),
        };
        for (const [metric, figure] of Object.entries(figures))
          if (isWanted(wanted, metric)) measures[`${name}.${metric}`] = { ...figure, task: asked } as Measure;
      }
      tasks[asked] = measures;
    }
  } finally {
    for (const picture of pictures.values()) await picture.dispose();
  }
  return {
    metrics: merge(tasks),
    tasks,
    omitted: [...pictures.values()].flatMap((p) => p.omitted),
    networks: Object.assign({}, ...[...pictures.values()].map((p) => p.records)),
  };
}
