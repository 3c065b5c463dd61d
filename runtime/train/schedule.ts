/**
 * Scalars that change with the step: learning rate, Adam's corrections, decay of the moving average.
 *
 * @module
 */
import type { TrainInfo } from '../../compiler/model/info.js';

/** Learning rate of step n = 1..steps: linear warm-up, then constant or half a cosine down to the floor. */
export function rateAt({ rate, steps }: TrainInfo, n: number): number {
  if (n <= rate.warmup) return (rate.peak * n) / rate.warmup;
  if (rate.form === 'constant') return rate.peak;
  const done = Math.min((n - rate.warmup) / Math.max(steps - rate.warmup, 1), 1);
  return rate.floor + 0.5 * (rate.peak - rate.floor) * (1 + Math.cos(Math.PI * done));
}

/** Decay of the moving average, which warms up as min(d, (1 + n)/(10 + n)). */
export function emaAt({ ema }: TrainInfo, n: number): number {
  return Math.min(ema, (1 + n) / (10 + n));
}

/** The `schedule` input of a training step: rate, 1/(1 - beta1^n), 1/(1 - beta2^n), decay of the average. */
export function scheduleAt(train: TrainInfo, n: number): Float32Array {
  const { beta1, beta2 } = train.optimizer;
  return Float32Array.of(rateAt(train, n), 1 / (1 - beta1 ** n), 1 / (1 - beta2 ** n), emaAt(train, n));
}
