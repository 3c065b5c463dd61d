/**
 * An evaluation with its provenance.
 *
 * @module
 */
import type { CompiledModel } from '../../compiler/driver.js';
import type { StoredTensor } from '../checkpoint/safetensors.js';
import type { OpenedParts } from '../data/open.js';
import type { Executor } from '../executors/executor.js';
import { ModelSampler } from '../sample/sampler.js';
import { version } from '../version.js';
import { evaluate, type EvaluateOptions } from './evaluate.js';
import { Lpips } from './lpips.js';
import type { Evaluation } from './model.js';

export interface MeasureOptions extends Omit<EvaluateOptions, 'executor' | 'lpips'> {
  /** File with the weights of LPIPS, if there is one. */
  readonly lpips: string | null;
  /** Steps behind the weights. */
  readonly trained: number;
  readonly data: string | null;
  /** The executor in a line. */
  readonly line: string;
  readonly encoders: OpenedParts['networks'];
}

/** An evaluation of averaged weights, with where it comes from. */
export async function measure(
  model: CompiledModel,
  weights: ReadonlyMap<string, StoredTensor>,
  executor: Executor,
  { trained, data, line, encoders, lpips: file, ...options }: MeasureOptions,
): Promise<Evaluation> {
  const { info } = model;
  const lpips = file === null ? undefined : await Lpips.open(file);
  const sampler = new ModelSampler(model, weights, executor);
  try {
    const { networks, ...measured } = await evaluate(model, sampler, {
      ...options,
      ...(lpips ? { lpips } : {}),
      executor,
    });
    const provenance = {
      model: info.name,
      spec: model.hash(),
      trained,
      weights: { ema: info.train.ema },
      seed: options.seed,
      rows: Math.min(options.rows, options.heldOut.rows),
      heldOut: options.heldOut.rows,
      data: data ?? `builtin:${String(info.data.set?.source.args.name)}`,
      networks,
      ...(lpips ? { lpips: lpips.record } : {}),
      encoders,
      executor: line,
      version: version(),
    };
    return { ...measured, provenance };
  } finally {
    await sampler.dispose();
    await lpips?.dispose();
  }
}
