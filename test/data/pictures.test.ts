import { deflateSync } from 'node:zlib';
import { encode } from 'fast-png';
import { describe, expect, test } from 'vitest';
import { decodePicture } from '../../runtime/data/pictures/decode.js';
import { fitMask, fitPicture } from '../../runtime/data/pictures/fit.js';
import { pictureHeader } from '../../runtime/data/pictures/header.js';
import { crc32 } from '../../runtime/data/pictures/png.js';
import { fault } from './support.js';

/** 16 x 12 pixels, (16 x, 20 y, 8 (x + y)) at (x, y), as Pillow 12 wrote them. */
const files = {
  jpeg: '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAAMABADAREAAhEBAxEB/8QAFAABAAAAAAAAAAAAAAAAAAAACP/EAB8QAAAEBwEAAAAAAAAAAAAAAAABByUGCCMzQUNR0f/EABgBAAMBAQAAAAAAAAAAAAAAAAUGCAcJ/8QAIBEAAQQBBAMAAAAAAAAAAAAAAAQFByIDBjJRoSExYf/aAAwDAQACEQMRAD8AACLyMWmfmsDEbx9A8eSlsv2LZF5GLTPzWGpG8evJdkeSlsv2KBGEjgak18yXgw5GqzcnCCPNQulLi2RdIoGpNeSyXgakarNyXXHmoXSlz//Z',
  webp: 'UklGRioAAABXRUJQVlA4TB4AAAAvD8ACALmM6H/sIqL/ASEBYYT/dzV5IAYhJgC46i4=',
  webpLossy:
    'UklGRmIAAABXRUJQVlA4IFYAAADwAgCdASoQAAwAAMASJbACdLoBQAKv/bYAJu5bcaxQAAD+/9TrfkghIprlNnMu2C8Uvkg3a9sUV4H6QT2oBBIXqe+5ft/41bvwAv/+i32Qerj2Qd/AAA==',
};
const bytes = (name: keyof typeof files): Uint8Array => new Uint8Array(Buffer.from(files[name], 'base64'));
const [W, H] = [16, 12];
const pixels = Uint8Array.from({ length: 3 * W * H }, (_, i) => {
  const [x, y] = [Math.floor(i / 3) % W, Math.floor(i / 3 / W)];
  return [16 * x, 20 * y, 8 * (x + y)][i % 3]!;
});
const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return Array.from(a, (x, i) => Math.abs(x - b[i]!)).reduce((m, d) => Math.max(m, d), 0);
};

describe('JPEG and WebP', () => {
  test('sizes come from the header', () => {
    for (const name of ['jpeg', 'webp', 'webpLossy'] as const)
      expect(pictureHeader(name, bytes(name).subarray(0, 400))).toMatchObject({ width: W, height: H });
  });

  test('pixels are those of other decoders', () => {
    expect(decodePicture('x', bytes('webp'))).toEqual({ width: W, height: H, channels: 3, data: pixels });
    expect(worst(decodePicture('x', bytes('webpLossy')).data, pixels)).toBeLessThan(40);
    const { data, channels } = decodePicture('x', bytes('jpeg'));
    expect(channels).toBe(3);
    // What Pillow decodes: the sum of all values, and the pixel (5, 7).
    expect(Array.from(data).reduce((sum, x) => sum + x, 0)).toBe(64159);
    expect([...data.subarray((7 * W + 5) * 3, (7 * W + 5) * 3 + 3)]).toEqual([79, 140, 98]);
  });

  test('a JPEG is turned as its Exif says', () => {
    const plain = bytes('jpeg');
    const upright = decodePicture('x', plain).data;
    const at = (data: ArrayLike<number>, width: number, x: number, y: number) =>
      [0, 1, 2].map((c) => data[(y * width + x) * 3 + c]);
    const corners = (data: ArrayLike<number>, w: number, h: number) => [
      at(data, w, 0, 0),
      at(data, w, w - 1, 0),
      at(data, w, w - 1, h - 1),
      at(data, w, 0, h - 1),
    ];
    const [a, b, c, d] = corners(upright, W, H);
    // Where the first row and column of what is stored are to be seen (CIPA DC-008, table of orientations).
    const expected = {
      1: [a, b, c, d],
      2: [b, a, d, c],
      3: [c, d, a, b],
      4: [d, c, b, a],
      5: [a, d, c, b],
      6: [d, a, b, c],
      7: [c, b, a, d],
      8: [b, c, d, a],
    };
    for (const [orientation, wanted] of Object.entries(expected))
      for (const little of [true, false]) {
        const exif = new DataView(new ArrayBuffer(36));
        [0xff, 0xe1, 0, 34, 0x45, 0x78, 0x69, 0x66, 0, 0].forEach((byte, i) => exif.setUint8(i, byte));
        exif.setUint16(10, little ? 0x4949 : 0x4d4d);
        exif.setUint16(12, 42, little);
        exif.setUint32(14, 8, little);
        exif.setUint16(18, 1, little);
        exif.setUint16(20, 0x0112, little);
        exif.setUint16(22, 3, little);
        exif.setUint32(24, 1, little);
        exif.setUint16(28, Number(orientation), little);
        const file = Uint8Array.from([
          ...plain.subarray(0, 2),
          ...new Uint8Array(exif.buffer),
          ...plain.subarray(2),
        ]);
        const { width, height, data } = decodePicture('x', file);
        expect([width, height], orientation).toEqual(Number(orientation) > 4 ? [H, W] : [W, H]);
        expect(corners(data, width, height), orientation).toEqual(wanted);
      }
  });

  test('files that are cut anywhere are refused', () => {
    for (const name of ['jpeg', 'webp', 'webpLossy'] as const) {
      const whole = bytes(name);
      for (let keep = 0; keep < whole.length - 2; keep += 7) {
        const detail = fault(() => decodePicture('x', whole.subarray(0, keep))).detail;
        expect(detail, `${name} ${keep}`).toMatch(/is not a PNG|truncated|damaged/);
      }
    }
  });

  test('sizes that are absurd are refused before anything is decoded', () => {
    const large = bytes('jpeg');
    const at = large.findIndex((byte, i) => byte === 0xff && large[i + 1] === 0xc0);
    large.set([0xff, 0xff, 0xff, 0xff], at + 5);
    expect(fault(() => decodePicture('x', large)).detail).toContain('declares 65535 x 65535 pixels');
  });
});

describe('pictures that lie about their size', () => {
  /** A chunk with its checksum. */
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const out = Buffer.alloc(12 + data.length);
    out.writeUInt32BE(data.length);
    out.write(type, 4);
    out.set(data, 8);
    out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
    return out;
  };
  const small = encode({ width: 2, height: 2, channels: 1, depth: 8, data: Uint8Array.of(0, 85, 170, 255) });
  const head = Buffer.from(small.subarray(0, 33));
  const zeros = (n: number) => deflateSync(Buffer.alloc(n));
  const end = chunk('IEND', new Uint8Array(0));

  test('a PNG unpacks to what it declares and no further', () => {
    expect(
      fault(() => decodePicture('x', Buffer.concat([head, chunk('IDAT', zeros(2 ** 24)), end]))).detail,
    ).toContain('it holds more pixels than it declares');
    expect(
      fault(() => decodePicture('x', Buffer.concat([head, chunk('IDAT', zeros(5)), end]))).detail,
    ).toContain('too few pixels');
    expect([...decodePicture('x', Buffer.concat([head, chunk('IDAT', zeros(6)), end])).data]).toEqual([
      0, 0, 0, 0,
    ]);
  });

  test('what does not matter for pixels is not unpacked at all, and what does must be whole', () => {
    const bomb = chunk('iCCP', Buffer.concat([Buffer.from('x\0\0'), zeros(2 ** 26)]));
    const between = (part: Uint8Array) => Buffer.concat([head, part, small.subarray(33)]);
    expect([...decodePicture('x', between(bomb)).data]).toEqual([0, 85, 170, 255]);
    const broken = Uint8Array.from(small);
    broken[45]! ^= 1;
    expect(fault(() => decodePicture('x', broken)).detail).toContain('the checksum of IDAT does not agree');
    // A palette that is missing.
    const indexed = Buffer.from(head.subarray(16, 29));
    indexed[9] = 3;
    const file = Buffer.concat([head.subarray(0, 8), chunk('IHDR', indexed), chunk('IDAT', zeros(6)), end]);
    expect(fault(() => decodePicture('x', file)).detail).toContain('damaged or unsupported PNG');
  });

  test('a JPEG of many pixels in passes without end is refused before it is decoded', () => {
    const file = Buffer.from(bytes('jpeg'));
    const frame = file.indexOf(Buffer.from([0xff, 0xc0]));
    file.writeUInt16BE(8000, frame + 5);
    file.writeUInt16BE(8000, frame + 7);
    const scan = file.subarray(file.indexOf(Buffer.from([0xff, 0xda])), -2);
    const many = Buffer.concat([
      file.subarray(0, -2),
      ...new Array<Buffer>(20).fill(scan),
      file.subarray(-2),
    ]);
    expect(fault(() => decodePicture('x', many)).detail).toContain('in more passes than pictures have');
  });
});

describe('resizing', () => {
  /** Values of Pillow's `resize(size, BILINEAR)`. */
  const wanted = {
    '4x3': [
      30, 38, 30, 88, 38, 59, 152, 38, 91, 210, 38, 120, 30, 110, 59, 88, 110, 88, 152, 110, 120, 210, 110,
      149, 30, 182, 88, 88, 182, 117, 152, 182, 149, 210, 182, 178,
    ],
    '5x7': [
      23, 10, 15, 69, 10, 39, 120, 10, 64, 171, 10, 89, 217, 10, 113, 23, 41, 27, 69, 41, 51, 120, 41, 76,
      171, 41, 101, 217, 41, 125, 23, 77, 42, 69, 77, 66, 120, 77, 91, 171, 77, 116, 217, 77, 140, 23, 110,
      55, 69, 110, 79, 120, 110, 104, 171, 110, 129, 217, 110, 153, 23, 143, 68, 69, 143, 92, 120, 143, 117,
      171, 143, 142, 217, 143, 166, 23, 179, 83, 69, 179, 107, 120, 179, 132, 171, 179, 157, 217, 179, 181,
      23, 210, 95, 69, 210, 119, 120, 210, 144, 171, 210, 169, 217, 210, 193,
    ],
  };

  test('is the antialiased bilinear filter of Pillow', () => {
    for (const [name, values] of Object.entries(wanted)) {
      const [w, h] = name.split('x').map(Number) as [number, number];
      expect(worst(fitPicture(pixels, [H, W], [h, w], 3, 'stretch'), values), name).toBeLessThanOrEqual(1);
    }
    const grown = fitPicture(pixels, [H, W], [24, 32], 3, 'stretch').slice(0, 18);
    expect(worst(grown, [0, 0, 0, 4, 0, 2, 12, 0, 6, 20, 0, 10, 28, 0, 14, 36, 0, 18])).toBeLessThanOrEqual(
      1,
    );
  });

  test('keeps the mean, and constants', () => {
    const mean = (a: ArrayLike<number>) => Array.from(a).reduce((s, x) => s + x, 0) / a.length;
    const floats = Float32Array.from(pixels, (x) => x / 127.5 - 1);
    expect(mean(fitPicture(floats, [H, W], [3, 4], 3, 'stretch'))).toBeCloseTo(mean(floats), 2);
    const flat = new Uint8Array(3 * W * H).fill(77);
    for (const size of [
      [5, 7],
      [1, 1],
      [40, 3],
    ] as const)
      expect(new Set(fitPicture(flat, [H, W], size, 3, 'crop'))).toEqual(new Set([77]));
  });

  test('crops the middle', () => {
    // Of 4 x 2 pixels, the middle 2 x 2.
    expect([...fitPicture(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), [2, 4], [2, 2], 1, 'crop')]).toEqual([
      2, 3, 6, 7,
    ]);
    expect([...fitMask(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), [2, 4], [2, 2], 'crop')]).toEqual([2, 3, 6, 7]);
  });

  test('never mixes classes', () => {
    const mask = Uint8Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? 3 : 200));
    expect(new Set(fitMask(mask, [5, 6], [3, 4], 'stretch'))).toEqual(new Set([3, 200]));
    expect([...fitMask(Uint8Array.of(1, 2, 3, 4), [2, 2], [4, 4], 'stretch')]).toEqual([
      1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4,
    ]);
  });
});
