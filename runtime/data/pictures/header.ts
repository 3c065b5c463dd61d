/**
 * Sizes of pictures from their first bytes, so that they are known and checked before anything is decoded.
 *
 * @module
 */
import { DataFault } from '../fault.js';

export type PictureFormat = 'png' | 'jpeg' | 'webp';

export interface PictureHeader {
  readonly format: PictureFormat;
  /** As it is to be seen: of a JPEG that its Exif turns by a quarter, width and height have changed places. */
  readonly width: number;
  readonly height: number;
  /** Exif's orientation of a JPEG, 1 to 8; absent where it stands upright. */
  readonly orientation?: number;
}

/** Pictures that declare more pixels are refused before a byte is allocated for them. */
export const MOST_PIXELS = 2 ** 26;

/** Names of files that may be pictures. */
export const PICTURE_NAME = /\.(png|jpe?g|webp)$/i;

/** @throws DataFault for what is none of the formats, is cut off, or declares too many pixels */
export function pictureHeader(file: string, bytes: Uint8Array): PictureHeader {
  const header = png(bytes) ?? jpeg(bytes) ?? webp(bytes);
  if (!header) throw new DataFault(file, 'is not a PNG, JPEG or WebP file');
  const { width, height } = header;
  if (width === 0 || height === 0 || width * height > MOST_PIXELS)
    throw new DataFault(file, `declares ${width} x ${height} pixels; at most ${MOST_PIXELS} are read`);
  return header;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Signature, then the IHDR chunk (PNG specification, section 11.2.2). */
function png(bytes: Uint8Array): PictureHeader | undefined {
  if (bytes.length < 33 || PNG.some((byte, i) => bytes[i] !== byte)) return undefined;
  return { format: 'png', width: view(bytes).getUint32(16), height: view(bytes).getUint32(20) };
}

/** Markers up to the frame header, which has the size (ITU-T T.81, annex B). */
function jpeg(bytes: Uint8Array): PictureHeader | undefined {
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const data = view(bytes);
  let at = 2;
  let orientation = 1;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) at += 1;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) at += 2;
    else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const [height, width] = [data.getUint16(at + 5), data.getUint16(at + 7)];
      if (orientation === 1) return { format: 'jpeg', width, height };
      const turned = orientation > 4;
      return { format: 'jpeg', width: turned ? height : width, height: turned ? width : height, orientation };
    } else {
      const length = Math.max(2, data.getUint16(at + 2));
      if (marker === 0xe1)
        orientation = orientationIn(bytes.subarray(at + 4, at + 2 + length)) ?? orientation;
      at += 2 + length;
    }
  }
  return undefined;
}

/** The tag 0x0112 in the first directory of an Exif segment (CIPA DC-008, 4.6), or undefined. */
function orientationIn(segment: Uint8Array): number | undefined {
  const exif = [0x45, 0x78, 0x69, 0x66, 0, 0];
  if (segment.length < 14 || exif.some((byte, i) => segment[i] !== byte)) return undefined;
  const tiff = view(segment.subarray(6));
  const little = tiff.getUint16(0) === 0x4949;
  const start = tiff.getUint32(4, little);
  if (start + 2 > tiff.byteLength) return undefined;
  for (let i = 0; i < tiff.getUint16(start, little); i++) {
    const entry = start + 2 + 12 * i;
    if (entry + 12 > tiff.byteLength) return undefined;
    if (tiff.getUint16(entry, little) !== 0x0112) continue;
    const value = tiff.getUint16(entry + 8, little);
    return value >= 1 && value <= 8 ? value : undefined;
  }
  return undefined;
}

/** RIFF with the chunk VP8, VP8L or VP8X (RFC 9649). */
function webp(bytes: Uint8Array): PictureHeader | undefined {
  const text = (from: number) => String.fromCharCode(...bytes.subarray(from, from + 4));
  if (bytes.length < 30 || text(0) !== 'RIFF' || text(8) !== 'WEBP') return undefined;
  const data = view(bytes);
  switch (text(12)) {
    case 'VP8 ':
      return {
        format: 'webp',
        width: data.getUint16(26, true) & 0x3fff,
        height: data.getUint16(28, true) & 0x3fff,
      };
    case 'VP8L': {
      const bits = data.getUint32(21, true);
      return { format: 'webp', width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
    }
    case 'VP8X': {
      const three = (at: number) => bytes[at]! + 256 * bytes[at + 1]! + 65536 * bytes[at + 2]!;
      return { format: 'webp', width: three(24) + 1, height: three(27) + 1 };
    }
    default:
      return undefined;
  }
}
