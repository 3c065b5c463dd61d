import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { encode } from 'fast-png';
import { describe, expect, test } from 'vitest';
import { toColumn } from '../../runtime/data/column.js';
import { readImages, readMasks } from '../../runtime/data/images.js';
import { Dataset } from '../../runtime/data/table.js';
import { fault, hasRealData, rawPng, readRow, realData, temporaryFolder } from './support.js';

const root = temporaryFolder();
let count = 0;

function folderOf(files: Record<string, Uint8Array>): string {
  const folder = path.join(root, String(count++));
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(path.join(folder, name), bytes);
  return folder;
}
const rgb = (width: number, height: number, data: number[]): Uint8Array =>
  encode({ width, height, channels: 3, depth: 8, data: Uint8Array.from(data) });
const grey = (width: number, height: number, data: number[]): Uint8Array =>
  encode({ width, height, channels: 1, depth: 8, data: Uint8Array.from(data) });

describe('folders of images', () => {
  test('in the order of their names, scaled to [-1, 1]', () => {
    const folder = folderOf({
      'b.png': rgb(2, 1, [0, 0, 0, 255, 255, 255]),
      'a.PNG': rgb(2, 1, [255, 0, 51, 0, 255, 0]),
      'c10.png': rgb(2, 1, [1, 2, 3, 4, 5, 6]),
      'notes.txt': Uint8Array.of(1),
    });
    const array = readImages(folder);
    expect(array.rowNames).toEqual(['a.PNG', 'b.png', 'c10.png']);
    expect(array.shape).toEqual([3, 1, 2, 3]);
    const column = toColumn('image', array, { kind: 'image', shape: [1, 2, 3] });
    expect(readRow(column, 0)).toEqual([1, -1, Math.fround(-0.6), -1, 1, -1]);
    expect(readRow(column, 1)).toEqual([-1, -1, -1, 1, 1, 1]);
  });

  test('palettes, few bits, 16 bits, opaque alpha', () => {
    const palette: [string, number[]] = ['PLTE', [255, 0, 0, 0, 255, 0, 0, 0, 255]];
    const paletted = readImages(folderOf({ 'a.png': rawPng(3, 1, 2, 3, [[0b00_01_10_00]], [palette]) }));
    expect([...paletted.data]).toEqual([255, 0, 0, 0, 255, 0, 0, 0, 255]);
    const four = readImages(
      folderOf({
        'a.png': rawPng(3, 2, 4, 0, [
          [0x0f, 0x80],
          [0x12, 0x30],
        ]),
      }),
    );
    expect([...four.data]).toEqual([0, 255, 136, 17, 34, 51]);
    const deep = readImages(folderOf({ 'a.png': rawPng(2, 1, 16, 0, [[0xff, 0xff, 0, 0]]) }));
    expect([...deep.data]).toEqual([1, -1]);
    const alpha = readImages(folderOf({ 'a.png': rawPng(1, 1, 8, 6, [[9, 8, 7, 255]]) }));
    expect([...alpha.data]).toEqual([9, 8, 7]);
    const clear = folderOf({ 'a.png': rawPng(1, 1, 8, 6, [[9, 8, 7, 254]]) });
    expect(fault(() => readImages(clear)).detail).toContain('transparent');
  });

  test('what is wrong is told with the name of the file', () => {
    expect(fault(() => readImages(path.join(root, 'none'))).detail).toBe('does not exist');
    expect(fault(() => readImages(folderOf({}))).detail).toBe('holds no PNG, JPEG or WebP files');
    expect(fault(() => readImages(folderOf({ 'a.jpg': Uint8Array.of(1) }))).message).toMatch(
      /a\.jpg: is not a PNG/,
    );

    const sizes = folderOf({ 'a.png': grey(2, 1, [1, 2]), 'b.png': grey(1, 2, [1, 2]) });
    expect(fault(() => readImages(sizes)).message).toMatch(
      /b\.png: row 1: is 1 pixels wide and 2 high; expected are 2 and 1/,
    );
    expect(fault(() => readImages(sizes, [4, 4, 1])).message).toMatch(/a\.png: row 0: is 2 pixels wide/);
    const colours = folderOf({ 'a.png': grey(1, 1, [1]), 'b.png': rgb(1, 1, [1, 2, 3]) });
    expect(fault(() => readImages(colours)).message).toMatch(/b\.png: has 3 colour channels; expected are 1/);
    const depths = folderOf({ 'a.png': grey(1, 1, [1]), 'b.png': rawPng(1, 1, 16, 0, [[0, 1]]) });
    expect(fault(() => readImages(depths)).message).toMatch(/b\.png has 16 bits/);
  });

  test('damaged files: not a PNG, cut anywhere, a flipped bit, absurd sizes', () => {
    const good = rgb(
      8,
      8,
      Array.from({ length: 192 }, (_, i) => (i * 37) % 256),
    );
    const bad = (bytes: Uint8Array): string =>
      fault(() => readImages(folderOf({ 'x.png': bytes }))).message.replace(/.*x\.png: /, '');
    expect(bad(Uint8Array.of(1, 2, 3))).toBe('is not a PNG, JPEG or WebP file');
    for (const keep of [20, 33, 45, good.length - 30, good.length - 12, good.length - 5]) {
      expect(bad(good.subarray(0, keep))).toMatch(/not a PNG|damaged/);
    }
    const flipped = Uint8Array.from(good);
    flipped[60]! ^= 4;
    expect(bad(flipped)).toContain('damaged');
    // A changed colour of a palette: only the chunk's own checksum tells.
    const painted = rawPng(1, 1, 8, 3, [[0]], [['PLTE', [1, 2, 3]]]);
    painted[33 + 8]! ^= 1;
    expect(bad(painted)).toContain('damaged');
    const huge = Uint8Array.from(good);
    new DataView(huge.buffer).setUint32(16, 0x7fffffff);
    expect(bad(huge)).toContain('declares 2147483647 x 8 pixels');
    // Rows that are missing from otherwise sound data.
    expect(bad(rawPng(2, 3, 8, 0, [[1, 2]]))).toContain('damaged');
  });
});

describe('folders of masks', () => {
  test('grey values and palette indices are classes; void ones become -1', () => {
    const folder = folderOf({
      'a.png': grey(2, 2, [0, 1, 2, 11]),
      'b.png': rawPng(
        2,
        2,
        8,
        3,
        [
          [2, 2],
          [0, 1],
        ],
        [['PLTE', [0, 0, 0, 9, 9, 9, 1, 2, 3]]],
      ),
      'c.png': rawPng(2, 2, 1, 0, [[0b10_000000], [0b01_000000]]),
    });
    const array = readMasks(folder);
    expect(array.shape).toEqual([3, 2, 2]);
    const column = toColumn('mask', array, { kind: 'mask', shape: [2, 2], classes: 3, ignore: [11] });
    expect(column).toMatchObject({ kind: 'index', classes: 3, rows: 3 });
    expect([0, 1, 2].map((row) => readRow(column, row))).toEqual([
      [0, 1, 2, -1],
      [2, 2, 0, 1],
      [1, 0, 0, 1],
    ]);
    expect(fault(() => toColumn('mask', array, { kind: 'mask', shape: [2, 2], classes: 3 }))).toMatchObject({
      row: 0,
      detail: 'has the value 11, which is not one of the 3 classes',
    });
  });

  test('coloured files are no masks', () => {
    expect(fault(() => readMasks(folderOf({ 'a.png': rgb(1, 1, [1, 2, 3]) }))).detail).toContain(
      'not a mask',
    );
  });
});

test.skipIf(!hasRealData)('CamVid (skipped where it is not at hand)', () => {
  const folder = path.join(realData, 'camvid/val');
  const image = toColumn('image', readImages(path.join(folder, 'image')), {
    kind: 'image',
    shape: [48, 64, 3],
  });
  const mask = toColumn('mask', readMasks(path.join(folder, 'mask')), {
    kind: 'mask',
    shape: [48, 64],
    classes: 11,
    ignore: [11],
  });
  const scenes = new Dataset([image, mask]);
  expect(scenes.rows).toBe(101);
  const classes = new Set(readRow(mask, 0));
  expect(classes.size).toBeGreaterThan(4);
  expect(Math.max(...classes)).toBeLessThan(11);
});
