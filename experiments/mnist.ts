/**
 * The handwritten digits (Y. LeCun, C. Cortes, C. Burges, "The MNIST database"), the 10,000 of its test set: the first
 * 8,000 are trained on and the last 2,000 held out, by judge and models alike.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { rowSize, toColumn, type Column } from '../runtime/data/column.js';
import { readIdx } from '../runtime/data/idx.js';
import { InputFault } from '../runtime/faults.js';

export const classes = 10;
export const side = 28;
export const pixels = side * side;

/** Half-open ranges of rows, as in the specs. */
export const trainRows = { from: 0, to: 8000 } as const;
export const heldOutRows = { from: 8000, to: 10_000 } as const;

export interface Digits {
  /** [n, 28, 28] in [-1, 1]. */
  readonly images: Float32Array;
  /** [n] */
  readonly labels: Int32Array;
}

const files = { images: 't10k-images-idx3-ubyte.gz', labels: 't10k-labels-idx1-ubyte.gz' } as const;

/** Whether `dir` holds both files. */
export function hasDigits(dir: string): boolean {
  return Object.values(files).every((name) => existsSync(join(dir, name)));
}

/** @throws InputFault when a file is missing, DataFault when one cannot be read */
export function readDigits(dir: string, rows: { readonly from: number; readonly to: number }): Digits {
  if (!hasDigits(dir)) {
    throw new InputFault(
      `${dir} does not hold the digits`,
      `put ${files.images} and ${files.labels} there, or name their folder with --data`,
    );
  }
  const images = toColumn('image', readIdx(join(dir, files.images)), {
    kind: 'image',
    shape: [side, side, 1],
  });
  const labels = toColumn('label', readIdx(join(dir, files.labels)), { kind: 'category', classes });
  const n = rows.to - rows.from;
  return {
    images: fill(images, new Float32Array(n * pixels), rows.from),
    labels: fill(labels, new Int32Array(n), rows.from),
  };
}

function fill<T extends Float32Array | Int32Array>(column: Column, out: T, from: number): T {
  const size = rowSize(column);
  for (let i = 0; i * size < out.length; i++) column.read(from + i, out, i * size);
  return out;
}
