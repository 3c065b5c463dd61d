import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ArrayData } from '../../runtime/data/array.js';
import { allocateBatch, batchRows, fillBatch, fillRows } from '../../runtime/data/batches.js';
import { rowRange, toColumn, type Column, type ColumnType } from '../../runtime/data/column.js';
import { Dataset } from '../../runtime/data/table.js';
import { fault, readRow } from './support.js';

const column = (
  name: string,
  type: ColumnType,
  shape: number[],
  data: ArrayData,
  rowNames?: string[],
): Column => toColumn(name, { file: `${name}.npy`, shape, data, ...(rowNames && { rowNames }) }, type);
const numbers = (name: string, rows: number, rowNames?: string[]): Column =>
  column(
    name,
    { kind: 'vector', shape: [1] },
    [rows, 1],
    Float32Array.from({ length: rows }, (_, i) => i),
    rowNames,
  );

describe('toColumn', () => {
  test('axes of size one may be left out or added', () => {
    const data = Uint8Array.of(0, 255, 51, 0);
    expect(readRow(column('i', { kind: 'image', shape: [1, 2, 1] }, [2, 1, 2], data), 0)).toEqual([-1, 1]);
    expect(readRow(column('i', { kind: 'image', shape: [1, 2, 1] }, [2, 2], data), 1)).toEqual([
      Math.fround(-0.6),
      -1,
    ]);
    const label = column(
      'l',
      { kind: 'category', classes: 3, labels: ['a', 'b', 'c'] },
      [2, 1],
      Int32Array.of(2, 0),
    );
    expect(label).toMatchObject({ shape: [], kind: 'index', classes: 3, labels: ['a', 'b', 'c'] });
    expect(readRow(label, 0)).toEqual([2]);
  });

  test('vectors, truth values and tokens', () => {
    expect(readRow(column('v', { kind: 'vector', shape: [2] }, [1, 2], Float64Array.of(1.5, -9)), 0)).toEqual(
      [1.5, -9],
    );
    expect(column('b', { kind: 'binary', shape: [2] }, [1, 2], Uint8Array.of(1, 0)).kind).toBe('real');
    const tokens = column('t', { kind: 'tokens', shape: [2], classes: 9 }, [1, 2], Int32Array.of(8, 0));
    expect(readRow(tokens, 0)).toEqual([8, 0]);
  });

  test('what does not belong is refused, with its row', () => {
    const image: ColumnType = { kind: 'image', shape: [1, 2, 1] };
    expect(fault(() => column('i', image, [2, 3], new Uint8Array(6))).detail).toContain(
      'has rows of shape [3]',
    );
    expect(fault(() => column('i', image, [2, 2], Float32Array.of(0, 1, 255, 0)))).toMatchObject({
      row: 1,
      help: expect.stringContaining('x / 127.5 - 1'),
    });
    expect(fault(() => column('i', image, [1, 2], Int32Array.of(0, 1))).detail).toContain('not bytes');
    expect(fault(() => column('i', image, [0, 2], new Uint8Array(0))).detail).toBe('has no rows');
    expect(fault(() => column('i', image, [], new Uint8Array(1))).detail).toContain('single number');
    const vector: ColumnType = { kind: 'vector', shape: [2] };
    expect(fault(() => column('v', vector, [2, 2], Float32Array.of(0, 1, 2, NaN)))).toMatchObject({ row: 1 });
    expect(fault(() => column('b', { kind: 'binary', shape: [1] }, [2], Uint8Array.of(1, 2))).row).toBe(1);
    for (const bad of [-1, 3, 0.5]) {
      const data = Float64Array.of(0, 1, bad);
      const message = fault(() => column('l', { kind: 'category', classes: 3 }, [3], data)).message;
      expect(message).toBe(`l.npy: row 2: has the value ${bad}, which is not one of the 3 classes`);
    }
  });
});

describe('Dataset', () => {
  test('joins columns by order and takes rows', () => {
    const data = new Dataset([numbers('a', 5), numbers('b', 5)]);
    expect(data.rows).toBe(5);
    const some = data.take({ start: 1, end: 4 }).take((row) => row !== 1);
    expect([0, 1].map((row) => readRow(some.column('b'), row)[0])).toEqual([1, 3]);
    expect(readRow(data.take(Int32Array.of(4, 4, 0)).column('a'), 1)).toEqual([4]);
    expect(fault(() => data.column('c')).detail).toContain("no column 'c'; there are a, b");
    expect(fault(() => data.take({ start: 2, end: 6 })).detail).toContain('2..6 is not a range');
    expect(fault(() => data.take(() => false)).detail).toContain('none of the 5 rows');
    expect(fault(() => data.take(Int32Array.of(5))).detail).toContain('no row 5');
  });

  test('one file can be split into rows for training and for testing', () => {
    const all = numbers('a', 10);
    const held = rowRange(all, 8, 10);
    expect(held.rows).toBe(2);
    expect(readRow(held, 1)).toEqual([9]);
    for (const [start, end] of [
      [0, 11],
      [-1, 3],
      [3, 3],
      [0.5, 3],
    ] as const) {
      expect(fault(() => rowRange(all, start, end)).detail).toContain('has 10 rows');
    }
  });

  test('different numbers of rows are told with both columns and counts', () => {
    expect(fault(() => new Dataset([numbers('a', 5), numbers('b', 4)])).message).toBe(
      "b.npy: 'a' has 5 rows and 'b' has 4: columns are joined row by row",
    );
    const alone = fault(() => new Dataset([numbers('a', 2, ['x.png', 'y.png']), numbers('b', 1, ['y.png'])]));
    expect(alone.help).toBe('b.npy has no partner for x.png');
    expect(fault(() => new Dataset([])).detail).toBe('has no columns');
    expect(fault(() => new Dataset([numbers('a', 1), numbers('a', 1)])).detail).toContain('twice');
  });

  test('files that pair up wrongly are refused; names that merely differ are not', () => {
    const a = numbers('a', 3, ['1.png', '2.png', '4.png']);
    const b = numbers('b', 3, ['1.png', '3.png', '4.png']);
    expect(new Dataset([a, b]).rows).toBe(3);
    const shifted = numbers('b', 3, ['0.png', '1.png', '2.png']);
    expect(fault(() => new Dataset([a, shifted]))).toMatchObject({
      row: 0,
      help: 'b.npy has no partner for 4.png',
    });
    const other = numbers('b', 3, ['1_L.png', '2_L.png', '4_L.png']);
    expect(new Dataset([a, other]).rows).toBe(3);
  });
});

describe('batches', () => {
  test('an epoch shows every row once, whatever the batch size, also across its end', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 70 }),
        fc.integer(),
        (rows, batch, seed) => {
          const epochs = 3;
          const seen: number[] = [];
          for (let step = 0; seen.length < epochs * rows; step++)
            seen.push(...batchRows(rows, { seed, step, batch }));
          for (let e = 0; e < epochs; e++) {
            const epoch = seen.slice(e * rows, (e + 1) * rows).sort((a, b) => a - b);
            expect(epoch).toEqual(Array.from({ length: rows }, (_, i) => i));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('the rows are a pure function of seed and step; epochs differ', () => {
    const at = (step: number, seed = 1): number[] => [...batchRows(100, { seed, step, batch: 50 })];
    const forward = [0, 1, 2, 3].map((step) => at(step));
    expect([3, 2, 1, 0].map((step) => at(step)).reverse()).toEqual(forward);
    expect(at(2)).not.toEqual(at(0));
    expect(at(0, 2)).not.toEqual(at(0));
  });

  test('fills arrays of the right kind and shape, the same rows in every column', () => {
    const n = 7;
    const data = new Dataset([
      column(
        'v',
        { kind: 'vector', shape: [2] },
        [n, 2],
        Float32Array.from({ length: 2 * n }, (_, i) => i),
      ),
      column(
        'l',
        { kind: 'category', classes: n },
        [n],
        Int32Array.from({ length: n }, (_, i) => i),
      ),
    ]);
    const into = allocateBatch(data, 3);
    expect(into['v']!.data).toBeInstanceOf(Float32Array);
    expect(into['v']!.shape).toEqual([3, 2]);
    expect(into['l']!.data).toBeInstanceOf(Int32Array);
    expect(into['l']!.shape).toEqual([3]);
    const rows = fillBatch(data, { seed: 5, step: 4, batch: 3 }, into);
    expect([...rows]).toEqual([...batchRows(n, { seed: 5, step: 4, batch: 3 })]);
    expect([...into['l']!.data]).toEqual([...rows]);
    expect([...into['v']!.data]).toEqual([...rows].flatMap((row) => [2 * row, 2 * row + 1]));
    fillRows(data, [6, 0, 6], into);
    expect([...into['l']!.data]).toEqual([6, 0, 6]);
    expect(() => fillRows(data, [0], {})).toThrow(RangeError);
  });
});
