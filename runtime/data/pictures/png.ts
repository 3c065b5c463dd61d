/**
 * PNG files made safe for their decoder, which unpacks whatever is there: chunks are checked, those that do not matter for
 * the pixels are dropped (an ICC profile may be a bomb too), and the pixels are unpacked to their declared size and no
 * further (PNG specification, third edition, sections 5, 8 and 11).
 *
 * @module
 */
import { deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = 8;
/** Length, type and checksum. */
const AROUND = 12;
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** First column and row of Adam7's passes, and the steps between. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/**
 * @param bytes a file whose first chunk is its header
 * @returns the same picture, its pixels not compressed
 * @throws RangeError where it is damaged, or holds more or fewer pixels than it declares
 */
export function tamePng(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Uint8Array[] = [];
  const packed: Uint8Array[] = [];
  for (let at = SIGNATURE, type = ''; type !== 'IEND';) {
    if (at + AROUND > bytes.length) throw new RangeError('it is truncated');
    const length = view.getUint32(at);
    const end = at + AROUND + length;
    if (end > bytes.length) throw new RangeError('it is truncated');
    type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (crc32(bytes.subarray(at + 4, end - 4)) !== view.getUint32(end - 4))
      throw new RangeError(`the checksum of ${type} does not agree`);
    if ((type === 'IHDR') !== (at === SIGNATURE)) throw new RangeError('its header is not its first chunk');
    if (type === 'IDAT') packed.push(bytes.subarray(at + 8, end - 4));
    else if (['IHDR', 'PLTE', 'tRNS'].includes(type)) kept.push(bytes.subarray(at, end));
    at = end;
  }
  const expected = unpackedSize(view);
  const pixels = inflateSync(Buffer.concat(packed), { maxOutputLength: expected });
  if (pixels.length !== expected) throw new RangeError('too few pixels');
  return Buffer.concat([
    bytes.subarray(0, SIGNATURE),
    ...kept,
    chunk('IDAT', deflateSync(pixels, { level: 0 })),
    chunk('IEND', new Uint8Array(0)),
  ]);
}

/** Rows of all passes, each with the byte that names its filter. */
function unpackedSize(view: DataView): number {
  const [width, height, depth, colour, interlaced] = [
    view.getUint32(16),
    view.getUint32(20),
    view.getUint8(24),
    view.getUint8(25),
    view.getUint8(28),
  ];
  const bits = depth * (CHANNELS[colour] ?? NaN);
  if (!Number.isFinite(bits) || ![1, 2, 4, 8, 16].includes(depth))
    throw new RangeError('its header is damaged');
  const size = (w: number, h: number) => (w === 0 || h === 0 ? 0 : h * (1 + Math.ceil((w * bits) / 8)));
  if (interlaced === 0) return size(width, height);
  return PASSES.reduce(
    (sum, [x, y, dx, dy]) => sum + size(Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)),
    0,
  );
}

function chunk(type: string, data: Uint8Array): Buffer {
  const out = Buffer.alloc(AROUND + data.length);
  out.writeUInt32BE(data.length);
  out.write(type, 4, 'latin1');
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 of ISO 3309; `zlib.crc32` is not in every Node 20. */
function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = table[(c ^ byte) & 255]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}
