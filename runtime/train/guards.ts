/**
 * What stops a run that has gone wrong, and what points at terms of the loss that do not move.
 *
 * @module
 */
import type { LogRecord } from '../report/model.js';
import { InputFault } from '../faults.js';

/** A step's loss, one of its terms or its gradient is no number any more. */
export class DivergedFault extends InputFault {
  constructor(step: number, terms: Readonly<Record<string, number>>, checkpoint: string | undefined) {
    const list = Object.entries(terms)
      .filter(([, value]) => !Number.isFinite(value))
      .map(([name, value]) => `${name} = ${value}`)
      .join(', ');
    const what = Number.isFinite(terms.loss) ? 'the gradient is' : 'the loss is';
    super(`${what} not finite at step ${step}: ${list}`, wayOut(checkpoint));
  }
}

/** Gradients have grown far beyond what was usual in the run, and stay there. */
export class ExplodedFault extends InputFault {
  constructor(step: number, norm: number, usual: number, steps: number, checkpoint: string | undefined) {
    super(
      `gradients explode: at step ${step} their norm is ${norm.toPrecision(3)}, usually it was ${usual.toPrecision(3)}, and it has been far above that for ${steps} steps`,
      wayOut(checkpoint),
    );
  }
}

function wayOut(checkpoint: string | undefined): string {
  return checkpoint === undefined
    ? 'there is no checkpoint yet; lower `train.rate`, warm up for longer or clip gradients (`train.clip`)'
    : `the last good checkpoint is ${checkpoint}; lower \`train.rate\` or clip gradients (\`train.clip\`) and start a new run: a run goes on only with the settings it was started with`;
}

/** What is remembered of the gradient's norm; part of a checkpoint, so that a resumed run stops at the same step. */
export interface NormState {
  /** Mean of ln |g|, forgetting at one part in a hundred a step. */
  readonly mean: number;
  readonly count: number;
  /** Steps in a row that were far above it. */
  readonly high: number;
}

export const freshNorm: NormState = { mean: 0, count: 0, high: 0 };

/** Steps before the usual norm counts as known, and steps in a row that are too many. */
const KNOWN = 50;
const MOST_HIGH = 10;

/**
 * Takes in the norm of a step. Steps far above the usual do not count towards it.
 * @param factor how many times the usual is far above it; 0: nothing is
 * @param floor a norm below it is never too high: what clipping leaves alone, say
 */
export function nextNorm(state: NormState, norm: number, factor: number, floor: number): NormState {
  const usual = Math.exp(state.mean);
  if (factor > 0 && state.count >= KNOWN && norm > Math.max(factor * usual, floor)) {
    return { ...state, high: state.high + 1 };
  }
  const log = Math.log(Math.max(norm, 1e-30));
  const keep = Math.min(0.99, state.count / (state.count + 1));
  return { mean: keep * state.mean + (1 - keep) * log, count: state.count + 1, high: 0 };
}

/** Whether the run is to stop. */
export function hasExploded({ high }: NormState): boolean {
  return high >= MOST_HIGH;
}

/** A term that does not move, and since which logged step. */
export interface Still {
  readonly term: string;
  readonly value: number;
  /** `constant`: the same number again and again; `unlearned`: noise around where it began. */
  readonly how: 'constant' | 'unlearned';
  readonly records: number;
}

/** Logged values that are looked at: fewer say nothing. */
const FEWEST = 20;

/**
 * Terms of L2, and simplified ones, that stand still in a log: a modality that nothing is learned about. A term is
 * constant where its last values agree to a part in 10^5, and unlearned where the mean of the last third is no lower
 * than that of the first third by more than two of its standard errors. A pure function of the log.
 */
export function stillTerms(log: readonly LogRecord[]): Still[] {
  if (log.length < FEWEST) return [];
  const names = new Set(log.flatMap((r) => Object.keys(r.L2)));
  return [...names].flatMap((name): Still[] => {
    const values = log.flatMap((r) => (Number.isFinite(r.L2[name]) ? [r.L2[name]] : []));
    if (values.length < FEWEST) return [];
    const term = `L2.${name}`;
    const recent = values.slice(-FEWEST);
    const [low, high] = [Math.min(...recent), Math.max(...recent)];
    const last = recent[recent.length - 1];
    if (high - low <= 1e-5 * Math.max(Math.abs(high), Math.abs(low)))
      return [{ term, value: last, how: 'constant', records: recent.length }];
    const third = Math.floor(values.length / 3);
    const [first, end] = [values.slice(0, third), values.slice(-third)].map(moments);
    const error = Math.sqrt((first.variance + end.variance) / third);
    if (first.mean - end.mean > 2 * error) return [];
    return [{ term, value: end.mean, how: 'unlearned', records: values.length }];
  });
}

function moments(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / Math.max(values.length - 1, 1);
  return { mean, variance };
}
