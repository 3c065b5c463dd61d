/**
 * What an evaluation says: figures by `modality.metric`, and everything needed to make them again.
 *
 * @module
 */
import type { LpipsRecord } from './lpips.js';
import type { NetworkRecord } from './networks/network.js';

export interface Measure {
  readonly value: number;
  /** Rows (or pixels, where it says so) behind the value. */
  readonly count: number;
  /** The task that was asked. */
  readonly task: string;
  /** What else belongs to the figure: its spread, its floor, the accuracy of the network that judged. */
  readonly [detail: string]: unknown;
}

/** By `modality.metric`. */
export type Measures = Readonly<Record<string, Measure>>;

export interface Provenance {
  /** Model and SHA-256 of its spec. */
  readonly model: string;
  readonly spec: string;
  /** Steps of training; the weights are their moving average with this decay. */
  readonly trained: number;
  readonly weights: { readonly ema: number };
  readonly seed: number;
  /** Rows asked for every task, of how many held-out ones, from where. */
  readonly rows: number;
  readonly heldOut: number;
  readonly data: string;
  /** Networks that features come from, by what they are used for. */
  readonly networks: Readonly<Record<string, NetworkRecord & { readonly accuracy?: number }>>;
  /** What LPIPS was computed with. */
  readonly lpips?: LpipsRecord;
  /** SHA-256 of the frozen networks that rows went through, by path. */
  readonly encoders?: Readonly<Record<string, string>>;
  readonly executor: string;
  readonly version: string;
}

export interface Evaluation {
  /** Every metric once: of the first task that has it. */
  readonly metrics: Measures;
  /** Every metric of every task. */
  readonly tasks: Readonly<Record<string, Measures>>;
  /** What was not measured, and why. */
  readonly omitted: readonly string[];
  readonly provenance: Provenance;
}

/** Puts tasks together: the first that has a metric is the one that the plain name means. */
export function merge(tasks: Readonly<Record<string, Measures>>): Measures {
  const out: Record<string, Measure> = {};
  for (const measures of Object.values(tasks)) {
    for (const [name, measure] of Object.entries(measures)) out[name] ??= measure;
  }
  return out;
}
