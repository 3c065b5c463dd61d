/**
 * Which checkpoints stay: the newest few, every so-many-th step for good, and the best by a metric.
 *
 * @module
 */

export interface Retention {
  /** The newest ones to keep, the one just written included. */
  readonly keep: number;
  /** Steps that are multiples of this are kept for good; 0: none. */
  readonly every?: number;
  /** The checkpoint with the least value of this metric is kept. */
  readonly best?: string;
}

export interface Kept {
  readonly step: number;
  /** Means of loss terms since the checkpoint before; a value that is not finite was written as null. */
  readonly metrics: Readonly<Record<string, number | null>>;
}

/** The one with the least finite value of `metric`; of equals, the earliest. */
export function bestOf<T extends Kept>(checkpoints: readonly T[], metric: string): T | undefined {
  let best: T | undefined;
  for (const each of checkpoints.toSorted((a, b) => a.step - b.step)) {
    const value = each.metrics[metric];
    if (typeof value !== 'number' || !Number.isFinite(value)) continue;
    if (best === undefined || value < (best.metrics[metric] as number)) best = each;
  }
  return best;
}

/** The steps that may go, out of those that are there. */
export function expired(checkpoints: readonly Kept[], { keep, every = 0, best }: Retention): number[] {
  const newest = checkpoints.toSorted((a, b) => b.step - a.step).slice(0, keep);
  const stay = new Set(newest.map((c) => c.step));
  if (best !== undefined) stay.add(bestOf(checkpoints, best)?.step ?? -1);
  return checkpoints
    .map((c) => c.step)
    .filter((step) => !stay.has(step) && !(every > 0 && step > 0 && step % every === 0));
}
