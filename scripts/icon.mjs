/** Draws the extension's icon: noise that becomes order from left to right. `node scripts/icon.mjs` writes it. */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encode } from 'fast-png';

const [size, cells] = [256, 8];
const data = new Uint8Array(size * size * 4);
let state = 7;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const palette = [
  [86, 180, 233],
  [230, 159, 0],
  [0, 158, 115],
  [204, 121, 167],
];
const cell = size / cells;
const noise = Array.from({ length: cells * cells }, () => palette.map(() => 40 + 200 * random()));
for (let y = 0; y < size; y++) {
  for (let x = 0; x < size; x++) {
    const [i, j] = [Math.floor(x / cell), Math.floor(y / cell)];
    const order = Math.min(1, Math.max(0, (i - 1) / (cells - 3)));
    const colour = palette[Math.floor(j / 2) % palette.length];
    const [dx, dy] = [x - (i + 0.5) * cell, y - (j + 0.5) * cell];
    // Half covered at the edge of a dot.
    const ink = Math.min(1, Math.max(0, 0.4 * cell - Math.hypot(dx, dy) + 0.5));
    const corner = Math.hypot(
      Math.max(0, Math.abs(x - size / 2) - size / 2 + 40),
      Math.max(0, Math.abs(y - size / 2) - size / 2 + 40),
    );
    const at = 4 * (y * size + x);
    for (let c = 0; c < 3; c++) {
      const dot = order * colour[c] + (1 - order) * noise[j * cells + i][c];
      data[at + c] = Math.round(ink * dot + (1 - ink) * [22, 27, 46][c]);
    }
    data[at + 3] = Math.round(255 * Math.min(1, Math.max(0, 40.5 - corner)));
  }
}
const path = join(dirname(fileURLToPath(import.meta.url)), '..', 'editors', 'vscode', 'icon.png');
writeFileSync(path, encode({ width: size, height: size, data, channels: 4 }));
