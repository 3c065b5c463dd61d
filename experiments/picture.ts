/**
 * A picture of what a model draws: a row of samples for every label.
 *
 * @module
 */
import { imageGrid } from '../runtime/files/png.js';
import { classes, pixels, side } from './mnist.js';

/**
 * A grid with one row a class, the first `columns` pictures of each.
 * @param images [n, 28, 28, 1] in [-1, 1]
 * @param labels [n]
 * @returns bytes of a PNG file
 * @throws RangeError when a class has fewer pictures
 */
export function gridByClass(images: Float32Array, labels: ArrayLike<number>, columns: number): Uint8Array {
  const picked = new Float32Array(classes * columns * pixels);
  for (let k = 0; k < classes; k++) {
    let found = 0;
    for (let i = 0; i < labels.length && found < columns; i++) {
      if (labels[i] !== k) continue;
      picked.set(images.subarray(i * pixels, (i + 1) * pixels), (k * columns + found) * pixels);
      found++;
    }
    if (found < columns) throw new RangeError(`class ${k} has ${found} pictures, not ${columns}`);
  }
  return imageGrid(picked, [classes * columns, side, side, 1], { columns, gap: 1 });
}
