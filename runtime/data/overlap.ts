/**
 * Rows of one split that are also in another: exact copies by a hash, near ones by a small picture of the row.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { allocateBatch, fillRows } from './batches.js';
import { rowSize } from './column.js';
import type { Dataset } from './table.js';

export interface Overlap {
  /** Rows of the first set that are, in every column, a row of the second. */
  readonly exact: readonly number[];
  /** Rows of the first that are nearly a row of the second, exact ones not counted. */
  readonly near: number;
  /** Rows of both sets that were compared. */
  readonly compared: number;
}

/** A row with fewer real numbers than this says too little: equal rows are then no copies. */
const FEWEST_VALUES = 16;
/** Rows whose distance is less than this share of the row's own spread are near. */
const NEAR = 0.05;
/** Values that are compared, at most: about a second's work. */
const MOST_VALUES = 4e8;
const GRID = 64;

/**
 * Compares the training rows with those of the evaluation. Rows of classes and short vectors alone are not compared:
 * there, equal rows are different things.
 */
export function overlap(training: Dataset, evaluation: Dataset): Overlap {
  const real = [...evaluation.columns.values()].filter((c) => c.kind === 'real');
  const values = [...evaluation.columns.values()].reduce((n, c) => n + rowSize(c), 0);
  if (real.reduce((n, c) => n + rowSize(c), 0) < FEWEST_VALUES) return { exact: [], near: 0, compared: 0 };
  const most = Math.max(1, Math.floor(MOST_VALUES / values / 2));
  const [rows, others] = [training, evaluation].map((set) => Math.min(set.rows, most));
  const batch = allocateBatch(evaluation, 1);
  const there = new Set<string>();
  const pictures = new Map<string, number[]>();
  const largest = real.reduce((a, b) => (rowSize(b) > rowSize(a) ? b : a)).name;
  for (let row = 0; row < others; row++) {
    fillRows(evaluation, [row], batch);
    there.add(hashOf(batch));
    for (const key of keysOf(pictureOf(batch[largest].data))) {
      const list = pictures.get(key) ?? [];
      if (list.length < 32) pictures.set(key, [...list, row]);
    }
  }
  const exact: number[] = [];
  let near = 0;
  const other = allocateBatch(evaluation, 1);
  for (let row = 0; row < rows; row++) {
    fillRows(training, [row], batch);
    if (there.has(hashOf(batch))) {
      exact.push(row);
      continue;
    }
    const mine = batch[largest].data;
    const candidates = new Set(keysOf(pictureOf(mine)).flatMap((key) => pictures.get(key) ?? []));
    for (const candidate of candidates) {
      fillRows(evaluation, [candidate], other);
      if (distance(mine, other[largest].data) < NEAR) {
        near++;
        break;
      }
    }
  }
  return { exact, near, compared: rows + others };
}

function hashOf(row: Readonly<Record<string, { readonly data: Float32Array | Int32Array }>>): string {
  const hash = createHash('sha1');
  for (const { data } of Object.values(row))
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest('base64');
}

/** 64 bits: whether the mean of each stretch of the row is above the mean of all. */
function pictureOf(data: ArrayLike<number>): Uint8Array {
  const bits = new Uint8Array(GRID);
  const sums = new Float64Array(GRID);
  const counts = new Uint32Array(GRID);
  let total = 0;
  for (let i = 0; i < data.length; i++) {
    const cell = Math.floor((i * GRID) / data.length);
    sums[cell] += data[i];
    counts[cell]++;
    total += data[i];
  }
  const mean = total / data.length;
  for (let i = 0; i < GRID; i++) bits[i] = counts[i] > 0 && sums[i] / counts[i] > mean ? 1 : 0;
  return bits;
}

/** Four keys of 16 bits: pictures that differ in up to three bits share one. */
function keysOf(bits: Uint8Array): string[] {
  return [0, 1, 2, 3].map((part) => `${part}${bits.subarray(16 * part, 16 * part + 16).join('')}`);
}

/** |a - b| over the spread of a, |a - mean a|. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [sum, apart, spread] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) sum += a[i];
  const mean = sum / a.length;
  for (let i = 0; i < a.length; i++) {
    apart += (a[i] - b[i]) ** 2;
    spread += (a[i] - mean) ** 2;
  }
  return Math.sqrt(apart / Math.max(spread, 1e-12));
}
