import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataFault } from '../../runtime/data/fault.js';
import { formatNpy, parseNpy, readNpy, writeNpy } from '../../runtime/data/npy.js';
import { fault, temporaryFolder } from './support.js';

const folder = temporaryFolder();

/** A file with any header text; version 1 unless told. */
function npy(header: string, data: number[] = [], version = 1): Uint8Array {
  const text = Buffer.from(header, 'latin1');
  const length =
    version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
  return Uint8Array.from([0x93, ...Buffer.from('NUMPY'), version, 0, ...length, ...text, ...data]);
}
const dictionary = (descr: string, shape: string, fortran = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

describe('.npy', () => {
  test('the bytes are those that numpy.save writes', () => {
    // numpy.save(f, numpy.array([[1, 2, 3]], dtype='<i4')): a header of 118 bytes, 128 with what precedes it.
    const expected = [
      0x93,
      ...Buffer.from('NUMPY\x01\x00v\x00', 'latin1'),
      ...Buffer.from(`${"{'descr': '<i4', 'fortran_order': False, 'shape': (1, 3), }".padEnd(117)}\n`),
      ...[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0],
    ];
    expect([...formatNpy(Int32Array.of(1, 2, 3), [1, 3])]).toEqual(expected);
  });

  test('what is written is read, for every type and shape', () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(shapes, fc.constantFrom('f4', 'f8', 'i4', 'i8', 'u1'), fc.nat(), (shape, type, seed) => {
        const n = shape.reduce((a, b) => a * b, 1);
        const value = (i: number): number => ((seed + i * 2654435761) % 4001) - 2000;
        const data = {
          f4: () => Float32Array.from({ length: n }, (_, i) => value(i) / 3),
          f8: () => Float64Array.from({ length: n }, (_, i) => value(i) / 7),
          i4: () => Int32Array.from({ length: n }, (_, i) => value(i) * 1e6),
          i8: () => BigInt64Array.from({ length: n }, (_, i) => BigInt(value(i))),
          u1: () => Uint8Array.from({ length: n }, (_, i) => value(i)),
        }[type]();
        const file = path.join(folder, 'round.npy');
        writeNpy(file, data, shape);
        const back = readNpy(file);
        expect(back.shape).toEqual(shape);
        expect([...back.data]).toEqual([...data].map(Number));
        expect((readFileSync(file).length - data.byteLength) % 64).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test('NaN, infinities and negative zero keep their bits', () => {
    const data = Float32Array.of(NaN, Infinity, -Infinity, -0, 1e-45);
    const back = parseNpy('x', formatNpy(data, [5])).data;
    expect([...back].map((v) => Object.is(v, -0) || v)).toEqual([NaN, Infinity, -Infinity, true, 2 ** -149]);
  });

  test('headers of versions 1, 2 and 3, key order, quotes and spacing as Python may write them', () => {
    for (const version of [1, 2, 3]) {
      expect([...parseNpy('x', npy(dictionary('|u1', '(2,)'), [4, 5], version)).data]).toEqual([4, 5]);
    }
    for (const header of [
      `{"shape": (2,), "descr": "|b1", "fortran_order": False}`,
      `{ 'fortran_order':False,'shape':(2L,),'descr':'|b1'}   \n`,
      `{'descr': '|b1', 'fortran_order': True, 'shape': (2,)}`,
    ]) {
      expect([...parseNpy('x', npy(header, [0, 1])).data]).toEqual([0, 1]);
    }
    expect(parseNpy('x', npy(dictionary('|u1', '()'), [9])).shape).toEqual([]);
  });

  test.each([
    [npy(dictionary('|O', '(1,)'), [1]), 'pickled Python objects'],
    [npy(dictionary('>f4', '(1,)'), [0, 0, 0, 0]), 'type >f4'],
    [npy(dictionary('<f2', '(1,)'), [0, 0]), 'type <f2'],
    [npy(dictionary('|u1', '(1, 2)', 'True'), [0, 0]), 'Fortran order'],
    [npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}"), 'records'],
    [npy(dictionary('|u1', '(-1,)')), 'malformed'],
    [npy(dictionary('|u1', '(1')), 'malformed'],
    [npy(dictionary('|u1', '(1,), 7: 8')), 'malformed'],
    [npy("{'descr': '|u1', 'shape': (1,)}", [1]), 'malformed'],
    [npy("{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", [1]), 'malformed'],
    [npy(`${dictionary('|u1', '(1,)')} + __import__('os')`, [1]), 'malformed'],
    [npy("'x'"), 'malformed'],
    [npy(''), 'malformed'],
    [npy(dictionary('|u1', '(3,)'), [1, 2]), 'is truncated: 3 elements of |u1'],
    [npy(dictionary('|u1', '(1,)'), [1, 2]), 'bytes after its elements'],
    [npy(dictionary('<f8', '(999999999999999, 999999999999999)')), 'is truncated'],
    [npy(dictionary('|u1', '(1,)'), [1], 4), 'version 4.0'],
    [Uint8Array.of(1, 2, 3), 'not a .npy file'],
    [npy(dictionary('|u1', '(1,)')).subarray(0, 40), 'truncated in its header'],
  ])('refused: case %#', (bytes, message) => {
    expect(fault(() => parseNpy('bad.npy', bytes)).message).toContain(message);
  });

  test('a huge header is not read', () => {
    const bytes = npy(dictionary('|u1', '(1,)'), [1], 2);
    new DataView(bytes.buffer).setUint32(8, 0xfffffff0, true);
    expect(fault(() => parseNpy('bad.npy', bytes)).detail).toContain('declares a header of');
  });

  test('64-bit integers that do not fit are told with their row', () => {
    const bytes = formatNpy(BigInt64Array.of(1n, 2n, 3n, 2n ** 31n), [2, 2]);
    expect(fault(() => parseNpy('x', bytes))).toMatchObject({
      row: 1,
      detail: '2147483648 does not fit 32 bits',
    });
  });

  test('any change of a byte gives an array or a DataFault', () => {
    const good = formatNpy(Float32Array.of(1, 2, 3, 4), [2, 2]);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, length) => {
        const bytes = Uint8Array.from(good).subarray(0, length);
        if (at < length) bytes[at] = value;
        try {
          parseNpy('x', bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DataFault);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('the writer refuses data that is not of the shape', () => {
    expect(() => formatNpy(new Float32Array(3), [2, 2])).toThrow(RangeError);
  });
});
