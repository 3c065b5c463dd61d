import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatSafetensors,
  parseSafetensors,
  SafetensorsFault,
  type SafetensorsData,
  type StoredTensor,
} from '../../runtime/checkpoint/safetensors.js';

const join = (pieces: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(pieces.flatMap((piece) => [...piece]));
const write = (tensors: Record<string, StoredTensor>, metadata?: Record<string, string>): Uint8Array =>
  join(formatSafetensors(Object.entries(tensors), metadata));

/** A file from any header and data. */
function file(header: unknown, data: number[] = []): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setUint32(0, text.length, true);
  return Uint8Array.from([...length, ...text, ...data]);
}
const refused = (bytes: Uint8Array): string => {
  let message = 'nothing was thrown';
  try {
    parseSafetensors(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(SafetensorsFault);
    message = (error as Error).message;
  }
  return message;
};

describe('safetensors', () => {
  test('the bytes, by hand', () => {
    const header =
      '{"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"m":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
    const expected = [
      ...[padded.length, 0, 0, 0, 0, 0, 0, 0],
      ...Buffer.from(padded),
      ...[0, 0, 128, 63, 0, 0, 0, 192],
      7,
    ];
    const tensors = {
      m: { shape: [], data: Uint8Array.of(7) },
      w: { shape: [2], data: Float32Array.of(1, -2) },
    };
    expect([...write(tensors, { a: 'b' })]).toEqual(expected);
  });

  test('what is written is read, in any order of tensors the same bytes', () => {
    const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });
    const make: readonly ((n: number) => SafetensorsData)[] = [
      (n) => Float32Array.from({ length: n }, (_, i) => i / 3),
      (n) => Float64Array.from({ length: n }, (_, i) => i / 7),
      (n) => Int32Array.from({ length: n }, (_, i) => -i),
      (n) => BigInt64Array.from({ length: n }, (_, i) => BigInt(i) ** 5n),
      (n) => Uint8Array.from({ length: n }, (_, i) => i),
    ];
    const tensor = fc
      .record({ shape, kind: fc.nat(make.length - 1) })
      .map(({ shape, kind }): StoredTensor => ({
        shape,
        data: make[kind]!(shape.reduce((a, b) => a * b, 1)),
      }));
    const names = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((name) => name !== '__metadata__');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(names, tensor), { maxLength: 6 }),
        fc.dictionary(fc.string(), fc.string()),
        (list, meta) => {
          const unique = [...new Map(list)];
          const bytes = join(formatSafetensors(unique, meta));
          expect(join(formatSafetensors([...unique].reverse(), meta))).toEqual(bytes);
          const back = parseSafetensors(bytes);
          expect(back.tensors.size).toBe(unique.length);
          for (const [name, { shape, data }] of unique) {
            expect(back.tensors.get(name)?.shape).toEqual(shape);
            expect(back.tensors.get(name)?.data).toEqual(data);
          }
          expect({ ...back.metadata }).toEqual({ ...meta });
        },
      ),
      { numRuns: 80 },
    );
  });

  test('tensors are aligned to their width', () => {
    const bytes = write({
      a: { shape: [3], data: Uint8Array.of(1, 2, 3) },
      b: { shape: [1], data: Float64Array.of(1) },
      c: { shape: [1], data: Float32Array.of(1) },
    });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString()) as Record<
      string,
      { data_offsets: number[] }
    >;
    expect(header['b']!.data_offsets[0]! % 8).toBe(0);
    expect(header['c']!.data_offsets[0]! % 4).toBe(0);
  });

  test('half precision is read exactly', () => {
    // 1, -2, 65504 (largest), 2^-24 (smallest), 2^-14 (smallest normal), infinity, NaN
    const f16 = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x7c00, 0x7e00];
    const little = (words: number[]): number[] => words.flatMap((w) => [w & 255, w >> 8]);
    const half = parseSafetensors(
      file({ x: { dtype: 'F16', shape: [7], data_offsets: [0, 14] } }, little(f16)),
    );
    expect([...half.tensors.get('x')!.data]).toEqual([1, -2, 65504, 2 ** -24, 2 ** -14, Infinity, NaN]);
    // The upper halves of 1.0, -0.15625 and of the largest f32 rounded down.
    const bf16 = [0x3f80, 0xbe20, 0x7f7f];
    const brain = parseSafetensors(
      file({ x: { dtype: 'BF16', shape: [3], data_offsets: [0, 6] } }, little(bf16)),
    );
    expect([...brain.tensors.get('x')!.data]).toEqual([1, -0.15625, 3.3895313892515355e38]);
  });

  const f32 = (shape: unknown, offsets: unknown, dtype: unknown = 'F32'): unknown => ({
    dtype,
    shape,
    data_offsets: offsets,
  });
  test.each([
    ['no header', Uint8Array.of(1, 2, 3), 'a header needs 8'],
    ['header past the end', file({}).subarray(0, 9), 'the header ends at byte 10, the file at 9'],
    ['not JSON', file('{"a":'), 'not JSON'],
    ['not an object', file('[1]'), 'not a JSON object'],
    ['leading space', file(' {}'), 'not a JSON object'],
    ['not UTF-8', Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d), 'not JSON'],
    ['entry not an object', file({ a: 3 }), 'not described'],
    ['unknown dtype', file({ a: f32([], [0, 4], 'F8') }, [0, 0, 0, 0]), 'the dtype F8'],
    ['inherited dtype', file({ a: f32([], [0, 4], 'toString') }, [0, 0, 0, 0]), 'the dtype toString'],
    ['negative size', file({ a: f32([-1], [0, 4]) }, [0, 0, 0, 0]), 'no proper shape'],
    ['fractional size', file({ a: f32([0.5], [0, 4]) }, [0, 0, 0, 0]), 'no proper shape'],
    ['one offset', file({ a: f32([1], [4]) }, [0, 0, 0, 0]), 'no proper data_offsets'],
    [
      'size of another shape',
      file({ a: f32([2], [0, 4]) }, [0, 0, 0, 0]),
      "'a' has 4 bytes; F32 of shape [2] has 8",
    ],
    ['backwards', file({ a: f32([0], [4, 0]) }), 'has -4 bytes'],
    ['absurd shape', file({ a: f32([2 ** 50, 2 ** 50], [0, 4]) }, [0, 0, 0, 0]), 'has 4 bytes'],
    [
      'overlap',
      file({ a: f32([1], [0, 4]), b: f32([1], [2, 6]) }, [0, 0, 0, 0, 0, 0]),
      "'b' starts at byte 2, inside",
    ],
    ['same range twice', file({ a: f32([1], [0, 4]), b: f32([1], [0, 4]) }, [0, 0, 0, 0]), 'inside'],
    ['gap', file({ a: f32([1], [0, 4]), b: f32([1], [5, 9]) }, new Array<number>(9).fill(0)), 'not at'],
    ['out of range', file({ a: f32([2], [0, 8]) }, [0, 0, 0, 0]), 'the file at'],
    ['trailing bytes', file({ a: f32([1], [0, 4]) }, [0, 0, 0, 0, 0]), 'the file at'],
    ['metadata that is not text', file({ __metadata__: { a: 1 } }), 'object of strings'],
    ['metadata that is a list', file({ __metadata__: [] }), 'object of strings'],
  ])('refused: %s', (_, bytes, message) => {
    expect(refused(bytes)).toContain(message);
  });

  test('an absurd header length is refused', () => {
    const bytes = file({});
    bytes.fill(0xff, 0, 8);
    expect(refused(bytes)).toContain('the header would have');
  });

  test('any change or cut of a file is read or refused, never anything else', () => {
    const good = write({
      a: { shape: [2], data: Float32Array.of(1, 2) },
      b: { shape: [1], data: Uint8Array.of(1) },
    });
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, length) => {
        const bytes = Uint8Array.from(good);
        bytes[at] = value;
        try {
          parseSafetensors(bytes.subarray(0, length));
        } catch (error) {
          expect(error).toBeInstanceOf(SafetensorsFault);
        }
      }),
      { numRuns: 500 },
    );
    for (let length = 0; length < good.length; length++) {
      expect(() => parseSafetensors(good.subarray(0, length))).toThrow(SafetensorsFault);
    }
  });

  test('the writer refuses what it could not read', () => {
    const one = { shape: [1], data: Float32Array.of(1) };
    expect(() => formatSafetensors([['a', { ...one, shape: [2] }]])).toThrow(RangeError);
    expect(() =>
      formatSafetensors([
        ['a', one],
        ['a', one],
      ]),
    ).toThrow(RangeError);
    expect(() => formatSafetensors([['__metadata__', one]])).toThrow(RangeError);
  });

  test('names that mean something to JavaScript are names', () => {
    const one = { shape: [1], data: Float32Array.of(1) };
    const names = ['__proto__', 'constructor', 'toString'];
    const back = parseSafetensors(join(formatSafetensors(names.map((name) => [name, one]))));
    expect([...back.tensors.keys()].sort()).toEqual(names.sort());
  });
});
