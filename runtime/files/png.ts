/**
 * Pictures of samples: grids of images and of masks as PNG files.
 *
 * @module
 */
import { encode } from 'fast-png';

/**
 * Colours of up to 32 classes as R, G, B, told apart with any colour vision: the seven hues of Okabe and Ito's
 * palette ("Color universal design", 2008) and black, then colours chosen one by one to lie farthest, in CIELAB, from those before,
 * under normal vision and simulated protanopia, deuteranopia and tritanopia (Machado, Oliveira and Fernandes, 2009).
 */
// prettier-ignore
export const PALETTE: readonly (readonly [number, number, number])[] = [
  [86, 180, 233], [230, 159, 0], [0, 158, 115], [213, 94, 0], [240, 228, 66], [0, 114, 178], [204, 121, 167], [0, 0, 0],
  [90, 45, 0], [150, 0, 240], [210, 255, 225], [0, 30, 135], [0, 255, 135], [135, 0, 105], [75, 75, 60], [150, 135, 255],
  [165, 90, 45], [135, 180, 105], [210, 210, 225], [120, 75, 210], [45, 0, 45], [255, 180, 165], [45, 0, 90], [30, 45, 45],
  [195, 0, 165], [165, 225, 90], [255, 255, 195], [135, 105, 75], [90, 0, 180], [195, 165, 165], [180, 210, 255], [165, 180, 75],
];

/** Pixels without a class. */
const IGNORED = [128, 128, 128] as const;
const BACKGROUND = 255;

export interface GridOptions {
  /** Pictures a row; by default about as many as there are rows. */
  readonly columns?: number;
  /** Pixels between pictures and around them; default 2. */
  readonly gap?: number;
  /** Whole pixels per pixel of a picture; default 1. */
  readonly scale?: number;
}

/**
 * A grid of images as the bytes of a PNG file, read row by row, on white.
 *
 * @param images [n, H, W, C] in C order, in [-1, 1] (values beyond are cut off, NaN is black); C is 1 (grey) or 3.
 * @throws RangeError when the number of values is not the shape's, C is another, or an option is out of range.
 */
export function imageGrid(
  images: ArrayLike<number>,
  shape: readonly [number, number, number, number],
  options: GridOptions = {},
): Uint8Array {
  const [n, height, width, channels] = shape;
  if (channels !== 1 && channels !== 3)
    throw new RangeError(`images of ${channels} channels cannot be shown`);
  if (images.length !== n * height * width * channels) {
    throw new RangeError(`${images.length} values are not images of shape [${shape}]`);
  }
  const blue = channels - 1;
  const green = blue >> 1;
  return drawGrid(n, height, width, options, (pixel, out, at) => {
    const from = pixel * channels;
    out[at] = byte(images[from]!);
    out[at + 1] = byte(images[from + green]!);
    out[at + 2] = byte(images[from + blue]!);
  });
}

/**
 * A grid of masks in the colours of {@link PALETTE}; -1 is grey, classes beyond the palette use it again.
 *
 * @param masks [n, H, W] classes in C order.
 * @throws RangeError when the number of values is not the shape's or an option is out of range.
 */
export function maskGrid(
  masks: ArrayLike<number>,
  shape: readonly [number, number, number],
  options: GridOptions = {},
): Uint8Array {
  const [n, height, width] = shape;
  if (masks.length !== n * height * width)
    throw new RangeError(`${masks.length} values are not masks of [${shape}]`);
  return drawGrid(n, height, width, options, (pixel, out, at) => out.set(classColour(masks[pixel]!), at));
}

/** The colour of a class; grey for -1. */
export function classColour(index: number): readonly [number, number, number] {
  return index < 0 ? IGNORED : PALETTE[index % PALETTE.length]!;
}

function drawGrid(
  n: number,
  height: number,
  width: number,
  options: GridOptions,
  draw: (pixel: number, out: Uint8Array, at: number) => void,
): Uint8Array {
  const { columns = Math.ceil(Math.sqrt(n)), gap = 2, scale = 1 } = options;
  for (const [name, value, least] of [
    ['number of pictures', n, 1],
    ['number of columns', columns, 1],
    ['gap', gap, 0],
    ['scale', scale, 1],
  ] as const) {
    if (!Number.isInteger(value) || value < least) throw new RangeError(`the ${name} cannot be ${value}`);
  }
  const across = Math.min(columns, n);
  const down = Math.ceil(n / across);
  const cellWidth = width * scale + gap;
  const cellHeight = height * scale + gap;
  const totalWidth = across * cellWidth + gap;
  const totalHeight = down * cellHeight + gap;
  const out = new Uint8Array(totalWidth * totalHeight * 3).fill(BACKGROUND);
  const colour = new Uint8Array(3);
  for (let i = 0; i < n; i++) {
    const left = (i % across) * cellWidth + gap;
    const top = Math.floor(i / across) * cellHeight + gap;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        draw((i * height + y) * width + x, colour, 0);
        for (let v = 0; v < scale; v++) {
          let at = ((top + y * scale + v) * totalWidth + left + x * scale) * 3;
          for (let u = 0; u < scale; u++, at += 3) out.set(colour, at);
        }
      }
    }
  }
  return encode({ width: totalWidth, height: totalHeight, data: out, channels: 3, depth: 8 });
}

/** [-1, 1] to 0 .. 255; NaN gives 0. */
function byte(value: number): number {
  return Math.min(255, Math.max(0, Math.round((value + 1) * 127.5))) || 0;
}
