/** Rows that are decoded when they are read are not kept, however many there are. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { encode } from 'fast-png';
import { expect, test } from 'vitest';
import type { ModalityInfo, SourceInfo } from '../../compiler/model/info.js';
import { columnType } from '../../runtime/data/open.js';
import { openSource } from '../../runtime/data/sources.js';
import { temporaryFolder } from './support.js';

test('memory does not grow with the number of rows that are read', async () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const folder = temporaryFolder();
  const [side, files, passes] = [128, 60, 5];
  const values = side * side * 3;
  for (let i = 0; i < files; i++) {
    const data = new Uint8Array(values).fill(i);
    writeFileSync(
      join(folder, `${String(i).padStart(3, '0')}.png`),
      encode({ width: side, height: side, channels: 3, depth: 8, data }),
    );
  }
  const shape = [side, side, 3];
  const modality = {
    name: 'x',
    type: 'image',
    shape,
    dataShape: shape,
    classes: 0,
  } as unknown as ModalityInfo;
  const source = { source: { form: 'images', args: { path: '.', fit: null } } } as unknown as SourceInfo;
  const column = await openSource(modality, columnType(modality), source, folder, { lazy: true });
  expect([column.rows, column.lazy]).toEqual([files, true]);
  const out = new Float32Array(values);
  const held = () => {
    gc();
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    return arrayBuffers + heapUsed;
  };
  column.read(0, out, 0);
  const before = held();
  for (let pass = 0; pass < passes; pass++)
    for (let row = 0; row < column.rows; row++) {
      column.read(row, out, 0);
      expect(out[7]).toBe(Math.fround(row / 127.5 - 1));
    }
  // 300 rows of 49 kB as bytes are 15 MB.
  expect(held() - before).toBeLessThan(4 * 2 ** 20);
});
