/**
 * Measures of pictures against wanted ones, pixel by pixel. Values lie in [-1, 1].
 *
 * @module
 */

/**
 * Peak signal-to-noise ratio in dB of every row, with the peak 2 of the range [-1, 1]; Infinity for equal rows.
 * @param mask where given, [n, H W] with 1 for the pixels that count; rows without any are left out
 * @param channels of a pixel
 * @throws RangeError when lengths do not fit
 */
export function psnr(
  made: ArrayLike<number>,
  wanted: ArrayLike<number>,
  n: number,
  channels: number,
  mask?: ArrayLike<number>,
): number[] {
  const size = made.length / n;
  if (made.length !== wanted.length || !Number.isInteger(size) || size % channels !== 0)
    throw new RangeError(`${made.length} values do not pair with ${wanted.length}`);
  const pixels = size / channels;
  if (mask && mask.length !== n * pixels)
    throw new RangeError(`a mask of ${mask.length} does not fit ${n * pixels} pixels`);
  const out: number[] = [];
  for (let i = 0; i < n; i++) {
    let sum = 0;
    let count = 0;
    for (let p = 0; p < pixels; p++) {
      if (mask && mask[i * pixels + p] === 0) continue;
      for (let c = 0; c < channels; c++) {
        const at = i * size + p * channels + c;
        sum += (made[at]! - wanted[at]!) ** 2;
        count++;
      }
    }
    if (count > 0) out.push(10 * Math.log10(4 / (sum / count)));
  }
  return out;
}
