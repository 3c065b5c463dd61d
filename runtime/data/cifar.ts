/**
 * The binary form of CIFAR-10 and CIFAR-100 (Krizhevsky, "Learning multiple layers of features from tiny images", 2009):
 * rows of one or two label bytes and 3,072 pixels, one plane of 32 x 32 a colour.
 *
 * @module
 */
import type { FileArray } from './array.js';
import { DataFault } from './fault.js';
import { readBytes } from './files.js';

const SIDE = 32;
const PIXELS = SIDE * SIDE;

export interface Cifar {
  /** [n, 32, 32, 3] */
  readonly images: FileArray;
  /** [n]; of CIFAR-100 the fine ones. */
  readonly labels: FileArray;
}

/**
 * @param labelBytes 1 for CIFAR-10, 2 for CIFAR-100
 * @throws DataFault when a file does not hold whole rows
 */
export function readCifar(files: readonly string[], labelBytes: 1 | 2): Cifar {
  const row = labelBytes + 3 * PIXELS;
  const all = files.map((file) => {
    const bytes = readBytes(file);
    if (bytes.length === 0 || bytes.length % row !== 0)
      throw new DataFault(file, `has ${bytes.length} bytes, which are not whole rows of ${row}`, {
        help:
          labelBytes === 1
            ? 'CIFAR-100 has two label bytes a row: `cifar("train.bin", labels: 2)`'
            : 'CIFAR-10 has one label byte a row: `cifar("data_batch_*.bin")`',
      });
    return bytes;
  });
  const n = all.reduce((sum, bytes) => sum + bytes.length / row, 0);
  const images = new Uint8Array(n * 3 * PIXELS);
  const labels = new Uint8Array(n);
  let at = 0;
  for (const bytes of all) {
    for (let start = 0; start < bytes.length; start += row, at++) {
      labels[at] = bytes[start + labelBytes - 1]!;
      for (let c = 0; c < 3; c++) {
        const plane = start + labelBytes + c * PIXELS;
        for (let p = 0, to = at * PIXELS * 3 + c; p < PIXELS; p++, to += 3) images[to] = bytes[plane + p]!;
      }
    }
  }
  const file = files.join(', ');
  return {
    images: { file, shape: [n, SIDE, SIDE, 3], data: images },
    labels: { file, shape: [n], data: labels },
  };
}
