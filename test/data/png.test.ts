import { decode } from 'fast-png';
import { describe, expect, test } from 'vitest';
import { classColour, imageGrid, maskGrid, PALETTE } from '../../runtime/files/png.js';

function pixel(png: { width: number; data: ArrayLike<number> }, x: number, y: number): number[] {
  return [0, 1, 2].map((c) => png.data[(y * png.width + x) * 3 + c]!);
}

describe('grids', () => {
  test('places, scales and cuts off', () => {
    const images = [-1, 0, 1, NaN, 9, -9]; // three grey images of 1 x 2
    const png = decode(imageGrid(images, [3, 1, 2, 1], { columns: 2, gap: 1, scale: 2 }));
    expect([png.width, png.height]).toEqual([2 * 5 + 1, 2 * 3 + 1]);
    expect(pixel(png, 0, 0)).toEqual([255, 255, 255]);
    expect(pixel(png, 1, 1)).toEqual([0, 0, 0]);
    expect(pixel(png, 2, 2)).toEqual([0, 0, 0]);
    expect(pixel(png, 3, 1)).toEqual([128, 128, 128]);
    expect(pixel(png, 6, 1)).toEqual([255, 255, 255]);
    expect(pixel(png, 8, 1)).toEqual([0, 0, 0]);
    expect(pixel(png, 1, 4)).toEqual([255, 255, 255]);
    expect(pixel(png, 4, 5)).toEqual([0, 0, 0]);
    expect(pixel(png, 7, 5)).toEqual([255, 255, 255]); // no fourth image
  });

  test('colours in order', () => {
    const png = decode(imageGrid([1, 0, -1, -1, 1, 0.2], [1, 2, 1, 3], { gap: 0 }));
    expect([png.width, png.height]).toEqual([1, 2]);
    expect([...png.data]).toEqual([255, 128, 0, 0, 255, 153]);
  });

  test('masks in the palette', () => {
    const png = decode(maskGrid([0, 5, -1, 32], [1, 2, 2], { gap: 0 }));
    expect(pixel(png, 0, 0)).toEqual([...PALETTE[0]!]);
    expect(pixel(png, 1, 0)).toEqual([...PALETTE[5]!]);
    expect(pixel(png, 0, 1)).toEqual([128, 128, 128]);
    expect(pixel(png, 1, 1)).toEqual([...PALETTE[0]!]);
    expect(classColour(31)).toEqual(PALETTE[31]);
  });

  test('the same bytes every time', () => {
    const x = Float32Array.from({ length: 48 }, (_, i) => Math.sin(i));
    expect(imageGrid(x, [4, 2, 2, 3])).toEqual(imageGrid(x, [4, 2, 2, 3]));
  });

  test('refuses what cannot be drawn', () => {
    expect(() => imageGrid([0, 0], [1, 1, 1, 2])).toThrow(RangeError);
    expect(() => imageGrid([0], [1, 1, 2, 1])).toThrow(RangeError);
    expect(() => maskGrid([0], [1, 1, 2])).toThrow(RangeError);
    expect(() => imageGrid([], [0, 1, 1, 1])).toThrow(RangeError);
    expect(() => imageGrid([0], [1, 1, 1, 1], { scale: 0.5 })).toThrow(RangeError);
    expect(() => imageGrid([0], [1, 1, 1, 1], { columns: 0 })).toThrow(RangeError);
  });
});

describe('palette', () => {
  // Severity 1 of Machado, Oliveira and Fernandes (2009), for linear RGB.
  const visions = {
    normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
    deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
    tritanopia: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
  };

  test.each(Object.entries(visions))('32 colours are told apart with %s', (_, m) => {
    const seen = PALETTE.map((colour) => {
      const [r, g, b] = colour.map((v) =>
        v <= 10.31 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
      );
      const row = (i: number): number =>
        Math.min(1, Math.max(0, m[3 * i]! * r! + m[3 * i + 1]! * g! + m[3 * i + 2]! * b!));
      return lab(row(0), row(1), row(2));
    });
    expect(seen).toHaveLength(32);
    // A difference of 2.3 is just noticeable.
    const least = (n: number): number => {
      let d = Infinity;
      for (let i = 0; i < n; i++)
        for (let j = 0; j < i; j++) d = Math.min(d, Math.hypot(...seen[i]!.map((v, k) => v - seen[j]![k]!)));
      return d;
    };
    expect(least(32)).toBeGreaterThan(12);
    expect(least(8)).toBeGreaterThan(15);
  });

  function lab(r: number, g: number, b: number): number[] {
    const f = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 / 116) * t + 16 / 116);
    const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047);
    const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
    const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883);
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
  }
});
