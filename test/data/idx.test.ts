import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toColumn } from '../../runtime/data/column.js';
import { DataFault } from '../../runtime/data/fault.js';
import { readIdx } from '../../runtime/data/idx.js';
import { Dataset } from '../../runtime/data/table.js';
import { fault, hasRealData, readRow, realData, temporaryFolder } from './support.js';

const folder = temporaryFolder();

function write(name: string, bytes: Uint8Array | number[]): string {
  const file = path.join(folder, name);
  writeFileSync(file, Uint8Array.from(bytes));
  return file;
}

/** Header of type `type` and the given sizes. */
function idx(type: number, sizes: number[], data: ArrayLike<number>): number[] {
  const header = [0, 0, type, sizes.length];
  for (const size of sizes) header.push(size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255);
  return [...header, ...Array.from(data)];
}

describe('IDX', () => {
  test.each([
    [0x08, [1, 255], [1, 255]],
    [0x09, [1, 255], [1, -1]],
    [0x0b, [0x01, 0x02, 0xff, 0xfe], [258, -2]],
    [0x0c, [0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff], [65536, -1]],
    [0x0d, [0x3f, 0xc0, 0, 0, 0xbf, 0x80, 0, 0], [1.5, -1]],
    [0x0e, [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], [1.5, -2]],
  ])('type %i, plain and compressed', (type, bytes, values) => {
    const raw = idx(type, [2, 1], bytes);
    for (const file of [write('a', raw), write('a.gz', gzipSync(Uint8Array.from(raw)))]) {
      const { shape, data } = readIdx(file);
      expect(shape).toEqual([2, 1]);
      expect([...data]).toEqual(values);
    }
  });

  test('a missing file, a folder', () => {
    expect(fault(() => readIdx(path.join(folder, 'no'))).message).toContain('does not exist');
    mkdirSync(path.join(folder, 'dir'));
    expect(fault(() => readIdx(path.join(folder, 'dir'))).detail).toBe('is a folder, not a file');
  });

  test.each([
    ['empty', [], 'truncated'],
    ['png', [0x89, 0x50, 0x4e, 0x47], 'not an IDX file: it starts with 89 50 4e 47'],
    ['no dimensions', [0, 0, 8, 0], 'not an IDX file'],
    ['unknown type', [0, 0, 7, 1, 0, 0, 0, 0], 'not an IDX file'],
    ['cut in the header', [0, 0, 8, 2, 0, 0, 0, 1], 'its header needs 12 bytes, found 8'],
    ['truncated', idx(8, [3], [1, 2]), '3 u8 elements need 11 bytes, found 10'],
    ['trailing', idx(8, [1], [1, 2, 3]), 'has 2 bytes after its 1 u8 elements (expected 9, found 11)'],
  ])('%s', (_, bytes, message) => {
    expect(fault(() => readIdx(write('bad', bytes))).message).toContain(message);
  });

  test('compressed: truncated, flipped, too much or too little inside', () => {
    const good = gzipSync(
      Uint8Array.from(
        idx(
          8,
          [5000],
          new Uint8Array(5000).map((_, i) => i * 7),
        ),
      ),
    );
    expect(fault(() => readIdx(write('cut.gz', good.subarray(0, good.length - 20)))).detail).toContain(
      'gzip',
    );
    const flipped = Uint8Array.from(good);
    flipped[good.length - 6]! ^= 1; // in the checksum
    expect(fault(() => readIdx(write('flip.gz', flipped))).detail).toContain('gzip');
    const long = gzipSync(Uint8Array.from(idx(8, [10], new Uint8Array(5000))));
    expect(fault(() => readIdx(write('long.gz', long))).detail).toContain('more than the 18 bytes');
    const short = gzipSync(Uint8Array.from(idx(8, [5000], new Uint8Array(4990))));
    expect(fault(() => readIdx(write('short.gz', short))).detail).toContain('need 5008 bytes, found 4998');
  });

  test('absurd sizes are refused before anything is allocated', () => {
    for (const sizes of [[0xffffffff], [0xffffffff, 0xffffffff, 0xffffffff], [0x7fffffff]]) {
      const raw = idx(0x0e, sizes, []);
      for (const file of [write('huge', raw), write('huge.gz', gzipSync(Uint8Array.from(raw)))]) {
        const before = process.memoryUsage().arrayBuffers;
        expect(fault(() => readIdx(file)).detail).toMatch(/far more than its \d+ bytes can hold/);
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
      }
    }
    // A size that would fit memory, but that so few compressed bytes cannot hold.
    const thin = gzipSync(Uint8Array.from(idx(8, [1e9], [])));
    expect(fault(() => readIdx(write('thin.gz', thin))).detail).toContain('far more than its');
    // A bomb that declares little stops at what it declares.
    const bomb = gzipSync(Uint8Array.from([...idx(8, [4], []), ...new Uint8Array(2 ** 22)]));
    expect(fault(() => readIdx(write('bomb.gz', bomb))).detail).toContain('more than the 12 bytes');
  });

  test('any bytes give an array or a DataFault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), fc.boolean(), (bytes, start, zip) => {
        const raw = start ? Uint8Array.from([0, 0, 8, 1, 0, 0, 0, ...bytes]) : bytes;
        try {
          readIdx(write('fuzz', zip ? gzipSync(raw) : raw));
        } catch (error) {
          expect(error).toBeInstanceOf(DataFault);
        }
      }),
      { numRuns: 200 },
    );
  });

  test.skipIf(!hasRealData)('the MNIST test set (skipped where it is not at hand)', () => {
    const image = toColumn('image', readIdx(path.join(realData, 'mnist/t10k-images-idx3-ubyte.gz')), {
      kind: 'image',
      shape: [28, 28, 1],
    });
    const label = toColumn('label', readIdx(path.join(realData, 'mnist/t10k-labels-idx1-ubyte.gz')), {
      kind: 'category',
      classes: 10,
    });
    const digits = new Dataset([image, label]);
    expect(digits.rows).toBe(10_000);
    // The first ten labels of the test set are well known.
    expect(Array.from({ length: 10 }, (_, row) => readRow(label, row)[0])).toEqual([
      7, 2, 1, 0, 4, 1, 4, 9, 5, 9,
    ]);
    const pixels = readRow(image, 0);
    expect(Math.min(...pixels)).toBe(-1);
    expect(Math.max(...pixels)).toBe(1);
    expect(fault(() => toColumn('label', readIdx(label.source), { kind: 'category', classes: 9 })).row).toBe(
      7,
    );
  });
});
