/**
 * Bringing pictures to the size of a modality: cropping, and resizing with an antialiasing filter. It is written here and
 * in plain arithmetic because rows are read synchronously and a run must see the same bytes on every platform.
 *
 * @module
 */

/** `none` takes pictures of the wanted size only; `stretch` changes the aspect; `crop` keeps it and cuts the middle out. */
export type Fit = 'none' | 'stretch' | 'crop';

export type Size = readonly [H: number, W: number];

interface Window {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** What of the source is kept: everything, or the largest middle part with the target's aspect. */
function windowOf([H, W]: Size, [h, w]: Size, fit: Fit): Window {
  if (fit !== 'crop') return { top: 0, left: 0, height: H, width: W };
  const scale = Math.min(H / h, W / w);
  const [height, width] = [h * scale, w * scale];
  return { top: (H - height) / 2, left: (W - width) / 2, height, width };
}

/**
 * Resizes by the triangle filter, as wide as a target pixel covers of the source, so that nothing aliases when pictures
 * shrink (bilinear interpolation when they grow): what Pillow calls BILINEAR.
 * @param data [H, W, C]
 * @returns [h, w, C], bytes rounded to the nearest
 */
export function fitPicture(
  data: Uint8Array | Float32Array,
  from: Size,
  to: Size,
  channels: number,
  fit: Fit,
): Uint8Array | Float32Array {
  if (from[0] === to[0] && from[1] === to[1]) return data;
  const { top, left, height, width } = windowOf(from, to, fit);
  const rows = taps(from[0], to[0], top, height);
  const columns = taps(from[1], to[1], left, width);
  const [, W] = from;
  const [h, w] = to;
  // Columns first, for the source rows that are needed.
  const middle = new Float64Array(from[0] * w * channels);
  for (let y = 0; y < from[0]; y++)
    for (let x = 0; x < w; x++)
      for (let c = 0; c < channels; c++) {
        const { first, weights } = columns[x]!;
        let sum = 0;
        for (let k = 0; k < weights.length; k++)
          sum += weights[k]! * data[(y * W + first + k) * channels + c]!;
        middle[(y * w + x) * channels + c] = sum;
      }
  const out =
    data instanceof Float32Array ? new Float32Array(h * w * channels) : new Uint8Array(h * w * channels);
  for (let y = 0; y < h; y++) {
    const { first, weights } = rows[y]!;
    for (let i = 0; i < w * channels; i++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * middle[(first + k) * w * channels + i]!;
      out[y * w * channels + i] =
        out instanceof Float32Array ? sum : Math.min(255, Math.max(0, Math.round(sum)));
    }
  }
  return out;
}

/** Classes are not mixed: every target pixel takes the one in its middle. @param data [H, W] */
export function fitMask(data: Uint8Array, from: Size, to: Size, fit: Fit): Uint8Array {
  if (from[0] === to[0] && from[1] === to[1]) return data;
  const { top, left, height, width } = windowOf(from, to, fit);
  const [h, w] = to;
  const at = (i: number, n: number, start: number, span: number, most: number) =>
    Math.min(most - 1, Math.max(0, Math.floor(start + ((i + 0.5) * span) / n)));
  const out = new Uint8Array(h * w);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      out[y * w + x] = data[at(y, h, top, height, from[0]) * from[1] + at(x, w, left, width, from[1])]!;
  return out;
}

interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

/** For every target pixel the source pixels it is made of, with weights that add up to 1. */
function taps(size: number, target: number, start: number, span: number): Taps[] {
  const scale = span / target;
  const support = Math.max(1, scale);
  return Array.from({ length: target }, (_, i) => {
    const centre = start + (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - support + 0.5));
    const last = Math.min(size, Math.floor(centre + support + 0.5));
    const weights: number[] = [];
    for (let j = first; j < Math.max(last, first + 1); j++)
      weights.push(Math.max(0, 1 - Math.abs(j + 0.5 - centre) / support));
    const sum = weights.reduce((total, x) => total + x, 0);
    return sum > 0
      ? { first, weights: weights.map((x) => x / sum) }
      : { first: Math.min(first, size - 1), weights: [1] };
  });
}
