/**
 * Batches as a pure function of (seed, step): nothing is remembered between steps, so a resumed run sees the rows
 * that the interrupted one would have seen.
 *
 * @module
 */
import { Shuffle } from '../random/shuffle.js';
import { rowSize, type Draw } from './column.js';
import type { Dataset } from './table.js';

export interface BatchOptions {
  readonly seed: number | bigint;
  /** Counted from 0. */
  readonly step: number;
  /** Rows a batch. */
  readonly batch: number;
}

export interface BatchArray {
  /** f32 for `real` columns, i32 for `index` ones. */
  readonly data: Float32Array | Int32Array;
  /** [B, ...row shape] */
  readonly shape: readonly number[];
}

/** Arrays for batches of the data set, by column name. */
export function allocateBatch(dataset: Dataset, batch: number): Record<string, BatchArray> {
  const arrays: Record<string, BatchArray> = {};
  for (const column of dataset.columns.values()) {
    const length = batch * rowSize(column);
    arrays[column.name] = {
      data: column.kind === 'real' ? new Float32Array(length) : new Int32Array(length),
      shape: [batch, ...column.shape],
    };
  }
  return arrays;
}

/**
 * The rows of a step's batch out of `rows`: the steps read the epochs' orders one after the other, so every row is
 * seen once before any is seen again, and a batch may lie across the end of an epoch.
 */
export function batchRows(rows: number, { seed, step, batch }: BatchOptions): Int32Array {
  const out = new Int32Array(batch);
  let shuffle: Shuffle | undefined;
  let epoch = -1;
  for (let i = 0; i < batch; i++) {
    const position = step * batch + i;
    const at = Math.floor(position / rows);
    if (shuffle === undefined || at !== epoch) {
      epoch = at;
      shuffle = new Shuffle(rows, seed, epoch);
    }
    out[i] = shuffle.at(position % rows);
  }
  return out;
}

/** Fills `into` (see {@link allocateBatch}) with the step's rows and returns their numbers. */
export function fillBatch(
  dataset: Dataset,
  options: BatchOptions,
  into: Readonly<Record<string, BatchArray>>,
): Int32Array {
  const rows = batchRows(dataset.rows, options);
  fillRows(dataset, rows, into, (i) => ({ from: 'step', index: options.step * options.batch + i }));
  return rows;
}

/**
 * Fills `into` with the given rows, in their order.
 * @param draw which version of the i-th of them, where rows are derived by chance
 */
export function fillRows(
  dataset: Dataset,
  rows: ArrayLike<number>,
  into: Readonly<Record<string, BatchArray>>,
  draw?: (i: number) => Draw,
): void {
  for (const column of dataset.columns.values()) {
    const array = into[column.name];
    if (array === undefined) throw new RangeError(`no array for column '${column.name}'`);
    const size = rowSize(column);
    for (let i = 0; i < rows.length; i++) column.read(rows[i]!, array.data, i * size, draw?.(i));
  }
}
