/**
 * Damage that knows a format, for `hostile-data.mjs`: segments, chunks, messages and their lengths are changed, and what
 * guards them (checksums, sizes of what is around) is put right again, so that readers get as far as can be.
 *
 * @module
 */
import { deflateSync } from 'node:zlib';
import {
  Binary,
  compressionRegistry,
  CompressionType,
  Dictionary,
  Field,
  FixedSizeList,
  Float32,
  Int32,
  List,
  Message,
  Struct,
  Table,
  tableToIPC,
  Utf8,
  Utf8View,
  vectorFromArray,
} from 'apache-arrow';

export const numbers = [0, 1, 2, 3, 7, 255, 65535, 2 ** 31 - 1, 2 ** 32 - 1, 2 ** 53, -1];
export const pick = (draw, list) => list[Math.floor(draw() * list.length)];

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});
function crc32(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = table[(c ^ byte) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** One of the parts is left out, there twice, at another's place, or changed by `change`. */
function mutateParts(parts, draw, change) {
  const out = parts.slice();
  for (let n = 1 + Math.floor(draw() * 2); n > 0; n--) {
    const at = Math.floor(draw() * out.length);
    const how = draw();
    if (how < 0.1) out.splice(at, 1);
    else if (how < 0.2) out.splice(at, 0, out[at]);
    else if (how < 0.3) out.splice(Math.floor(draw() * out.length), 0, ...out.splice(at, 1));
    else if (out[at]) out[at] = change(out[at]);
    if (out.length === 0) return parts;
  }
  return out;
}

/** Bytes, a few of which are others. */
export function sprinkle(bytes, draw) {
  const out = Buffer.from(bytes);
  for (let n = 1 + Math.floor(draw() * 3); n > 0 && out.length > 0; n--)
    out[Math.floor(draw() * out.length)] =
      draw() < 0.5 ? pick(draw, [0, 1, 2, 127, 128, 255]) : Math.floor(draw() * 256);
  return out;
}

/** A number over one or more bytes of a buffer, where they fit. */
function put(bytes, at, width, value, little) {
  const out = Buffer.from(bytes);
  if (at + width > out.length) return out;
  const wide = BigInt.asUintN(8 * width, BigInt(value));
  for (let i = 0; i < width; i++)
    out[at + (little ? i : width - 1 - i)] = Number((wide >> BigInt(8 * i)) & 255n);
  return out;
}

const chunk = (type, data, length = data.length) => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [head, tail] = [Buffer.alloc(4), Buffer.alloc(4)];
  head.writeUInt32BE(length >>> 0);
  tail.writeUInt32BE(crc32(body));
  return Buffer.concat([head, body, tail]);
};

/** Chunks of a PNG file, all with the right checksum: another header, bombs of pixels and of an ICC profile. */
export function mutatePng(png, draw) {
  const parts = [];
  for (let at = 8; at + 12 <= png.length;) {
    const length = png.readUInt32BE(at);
    parts.push([png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, at + 8 + length)]);
    at += 12 + length;
  }
  const bomb = draw();
  const zeros = () => deflateSync(Buffer.alloc(2 ** pick(draw, [10, 16, 22])));
  if (bomb < 0.05) parts.splice(1, 0, ['iCCP', Buffer.concat([Buffer.from('x\0\0'), zeros()])]);
  const changed = mutateParts(parts, draw, ([type, data]) => {
    if (type === 'IDAT' && draw() < 0.5) return [type, zeros()];
    if (type === 'IHDR' && draw() < 0.4)
      return [type, put(data, draw() < 0.5 ? 0 : 4, 4, pick(draw, numbers), false)];
    if (type === 'IHDR')
      return [
        type,
        put(data, 8 + Math.floor(draw() * 5), 1, pick(draw, [0, 1, 2, 3, 4, 6, 8, 16, 255]), false),
      ];
    if (draw() < 0.2) return [pick(draw, ['PLTE', 'tRNS', 'IEND', 'fdAT', 'acTL', 'pHYs', 'tEXt']), data];
    return [type, sprinkle(data, draw)];
  });
  const written = changed.map(([type, data]) =>
    chunk(type, data, draw() < 0.02 ? pick(draw, numbers) : data.length),
  );
  return Buffer.concat([png.subarray(0, 8), ...written]);
}

/** Segments of a JPEG file: lengths, sizes, tables, passes without end, an Exif directory that points anywhere. */
export function mutateJpeg(jpeg, draw) {
  const parts = [];
  let at = 2;
  while (at + 4 <= jpeg.length && jpeg[at + 1] !== 0xda) {
    const length = jpeg.readUInt16BE(at + 2);
    parts.push([jpeg[at + 1], jpeg.subarray(at + 4, at + 2 + length)]);
    at += 2 + length;
  }
  const scan = jpeg.subarray(at, jpeg.length - 2);
  if (draw() < 0.2) {
    const exif = Buffer.from(
      'Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0',
      'latin1',
    );
    parts.splice(1, 0, [0xe1, draw() < 0.5 ? exif : sprinkle(exif, draw)]);
  }
  const changed = mutateParts(parts, draw, ([marker, data]) => {
    const frame = marker >= 0xc0 && marker <= 0xc2;
    if (frame && draw() < 0.4)
      return [marker, put(data, draw() < 0.5 ? 1 : 3, 2, pick(draw, numbers), false)];
    if (frame && draw() < 0.3) return [pick(draw, [0xc1, 0xc2, 0xc3, 0xc9, 0xcf]), data];
    if (draw() < 0.1) return [pick(draw, [0xc4, 0xdb, 0xdd, 0xfe, 0xe0, 0xe1, 0xee, 0x01]), data];
    return [marker, sprinkle(data, draw)];
  });
  const written = changed.map(([marker, data]) => {
    const head = Buffer.from([0xff, marker, 0, 0]);
    head.writeUInt16BE(draw() < 0.03 ? pick(draw, numbers) & 65535 : Math.min(65535, data.length + 2), 2);
    return Buffer.concat([head, data]);
  });
  const scans = draw() < 0.05 ? pick(draw, [2, 10, 1000]) : 1;
  const entropy = draw() < 0.7 ? scan : sprinkle(scan, draw);
  return Buffer.concat([
    jpeg.subarray(0, 2),
    ...written,
    ...new Array(scans).fill(entropy),
    draw() < 0.9 ? Buffer.from([0xff, 0xd9]) : Buffer.alloc(0),
  ]);
}

/** Chunks of a WebP file, in a container of the right size or not. */
export function mutateWebp(webp, draw) {
  const parts = [];
  for (let at = 12; at + 8 <= webp.length;) {
    const length = webp.readUInt32LE(at + 4);
    parts.push([webp.toString('latin1', at, at + 4), webp.subarray(at + 8, at + 8 + length)]);
    at += 8 + length + (length & 1);
  }
  if (draw() < 0.2)
    parts.unshift(['VP8X', Buffer.from([pick(draw, [0, 2, 16, 255]), 0, 0, 0, 15, 0, 0, 11, 0, 0])]);
  const changed = mutateParts(parts, draw, ([type, data]) => {
    if (draw() < 0.2) return [pick(draw, ['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF', 'EXIF']), data];
    // Width and height lie in the first bytes.
    if (draw() < 0.4)
      return [type, put(data, Math.floor(draw() * 10), draw() < 0.5 ? 1 : 2, pick(draw, numbers), true)];
    return [type, sprinkle(data, draw)];
  });
  const body = Buffer.concat(
    changed.flatMap(([type, data]) => {
      const head = Buffer.alloc(8);
      head.write(type, 'latin1');
      head.writeUInt32LE((draw() < 0.05 ? pick(draw, numbers) : data.length) >>> 0, 4);
      return [head, data, Buffer.alloc(data.length & 1)];
    }),
  );
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  head.writeUInt32LE((draw() < 0.05 ? pick(draw, numbers) : body.length + 4) >>> 0, 4);
  return Buffer.concat([head, body]);
}

/** An LZ4 frame, and a Zstandard frame, of stored blocks: what unpacks them is as busy as with others. */
const stored = {
  [CompressionType.LZ4_FRAME]: (data) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE((data.length | 0x80000000) >>> 0);
    return Buffer.concat([
      Buffer.from('04224d18604082', 'hex'),
      ...(data.length > 0 ? [size, data] : []),
      Buffer.alloc(4),
    ]);
  },
  [CompressionType.ZSTD]: (data) => {
    const head = Buffer.from('28b52ffda000000000000000', 'hex');
    head.writeUInt32LE(data.length, 5);
    head.writeUIntLE((data.length << 3) | 1, 9, 3);
    return Buffer.concat([head, data]);
  },
};

/** Arrow files and streams of every kind of column, packed and not. */
export function arrowFiles(png) {
  const codecs = [CompressionType.LZ4_FRAME, CompressionType.ZSTD];
  for (const codec of codecs)
    compressionRegistry.set(codec, { encode: stored[codec], decode: (bytes) => bytes });
  const f32 = new Field('item', new Float32(), true);
  const record = new Struct([new Field('bytes', new Binary(), true), new Field('path', new Utf8(), true)]);
  const columns = {
    x: vectorFromArray([0, 1, null, 2], new Int32()),
    f: vectorFromArray([0, 1, 2, 3], new Float32()),
    v: vectorFromArray(
      [
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
      ],
      new List(f32),
    ),
    p: vectorFromArray([[1, 2], [3, 4], null, [7, 8]], new FixedSizeList(2, f32)),
    word: vectorFromArray(['0', '1', '0', '2'], new Dictionary(new Utf8(), new Int32())),
    text: vectorFromArray(['0', '1', 'a text that does not lie in its view', '2'], new Utf8View()),
    png: vectorFromArray(new Array(4).fill({ bytes: png, path: 'a.png' }), record),
    flag: vectorFromArray([true, false, null, true]),
    wide: vectorFromArray([0n, 1n, 2n, 3n]),
  };
  const all = new Table(columns);
  return [
    ['stream', null],
    ['file', null],
    ...codecs.flatMap((codec) => [
      ['stream', codec],
      ['file', codec],
    ]),
  ].map(([form, codec]) => Buffer.from(tableToIPC(all, form, codec)));
}

/** Stretches of an Arrow file: lengths of messages, metadata, bodies, footer. */
function arrowRegions(bytes) {
  const file = bytes.toString('latin1', 0, 6) === 'ARROW1';
  const regions = [];
  let at = file ? 8 : 0;
  for (;;) {
    const size = bytes.readUInt32LE(at + 4);
    regions.push([at, at + 8]);
    if (size === 0) break;
    const body = Message.decode(bytes.subarray(at + 8, at + 8 + size)).bodyLength;
    regions.push([at + 8, at + 8 + size]);
    if (body > 0) regions.push([at + 8 + size, at + 8 + size + body]);
    at += 8 + size + body;
  }
  if (file) regions.push([at + 8, bytes.length - 10], [bytes.length - 10, bytes.length]);
  return regions;
}

/** Numbers of one kind of place become others, or change places: lengths, offsets, counts, kinds. */
export function mutateArrow(bytes, draw) {
  let out = Buffer.from(bytes);
  const regions = arrowRegions(bytes);
  for (let n = 1 + Math.floor(draw() * 3); n > 0; n--) {
    const [from, to] = pick(draw, regions);
    const width = pick(draw, [1, 2, 4, 4, 4, 8, 8]);
    const place = () => from + width * Math.floor((draw() * (to - from)) / width);
    const at = place();
    const how = draw();
    if (how < 0.4) out = put(out, at, width, pick(draw, numbers), true);
    else if (how < 0.7 && at + 4 <= out.length)
      out = put(out, at, 4, out.readInt32LE(at) + pick(draw, [-8, -4, -1, 1, 4, 8, 16]), true);
    else if (how < 0.95) out.copyWithin(at, (at + place()) % to, Math.min(to, at + width));
    else out = Buffer.concat([out.subarray(0, at), out.subarray(from, to), out.subarray(at)]);
  }
  return out;
}
