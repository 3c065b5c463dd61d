/**
 * Sampling a declared task, with what is given taken from the held-out data.
 *
 * @module
 */
import { join } from 'node:path';
import type { CompiledModel } from '../../compiler/driver.js';
import type { TaskInfo } from '../../compiler/model/info.js';
import type { Dataset } from '../data/table.js';
import { rowsOf } from './given.js';
import { describe, type ModelSampler, type Rows, type SampleHooks } from './sampler.js';
import { writeSamples } from './write.js';

export interface TaskSampleOptions {
  readonly rows: number;
  readonly seed: number;
  readonly trained: number;
  /** Where the given rows come from. */
  readonly data: Dataset;
}

/** Modalities whose data a task needs: what is given, what is known in part, and the regions that say where. */
export function neededBy({ given, known }: Pick<TaskInfo, 'given' | 'known'>): string[] {
  return [...new Set([...given, ...known.flatMap((part) => [part.modality, part.region])])];
}

/** Samples every task of the model into `dir/TASK`. */
export async function sampleTasks(
  model: CompiledModel,
  sampler: ModelSampler,
  dir: string,
  options: TaskSampleOptions,
  progress: (task: TaskInfo) => SampleHooks = () => ({}),
): Promise<void> {
  const { info } = model;
  for (const task of info.tasks) {
    const rows = Math.min(options.rows, options.data.rows);
    const picked = Array.from({ length: rows }, (_, i) => i);
    const given = new Map<string, Rows>(
      neededBy(task).map((name) => [name, rowsOf(options.data.column(name), picked)]),
    );
    const produced = await sampler.sample({ ...task, rows, seed: options.seed, data: given }, progress(task));
    writeSamples(join(dir, task.name), info, new Map<string, Rows>([...given, ...produced]), {
      task: task.name,
      given: task.given,
      produced: task.produced,
      known: task.known,
      values: [`${describe(task.given, task.produced).replaceAll('`', '')}: held-out rows 0:${rows}`],
      n: rows,
      seed: options.seed,
      steps: task.steps,
      sampler: task.sampler.form,
      eta: task.sampler.form === 'ddim' ? task.sampler.eta : null,
      guidance: task.guidance,
      readout: task.readout.form,
      calls: task.readout.form === 'terminal' ? task.readout.calls : null,
      spec: model.hash(),
      trained: options.trained,
    });
  }
}
