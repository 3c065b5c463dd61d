/**
 * Hostile data files, for `hostile.mjs`: arrays, archives, pictures and tables, mutated with an eye on their structure and
 * read as a `data` block would have them read, every row included.
 *
 * @module
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encode } from 'fast-png';
import { zipSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';
import {
  arrowFiles,
  mutateArrow,
  mutateJpeg,
  mutatePng,
  mutateWebp,
  numbers,
  pick,
  sprinkle,
} from './hostile-forms.mjs';

const load = (file) => import(new URL(`../dist/${file}`, import.meta.url).href);
const utf8 = (text) => Buffer.from(text);

/** A NumPy header of the given text before some data. */
function npy(dict, data) {
  const text = `${dict}${' '.repeat((64 - ((10 + dict.length + 1) % 64)) % 64)}\n`;
  const head = Buffer.alloc(10);
  head.write('\x93NUMPY', 'latin1');
  head.set([1, 0], 6);
  head.writeUInt16LE(Math.min(65535, text.length), 8);
  return Buffer.concat([head, Buffer.from(text, 'latin1'), data]);
}

/** One member of a tar archive (POSIX ustar), with the sizes and names that a draw may turn into lies. */
function member(name, content, size = content.length, type = '0') {
  const head = Buffer.alloc(512);
  head.write(name.slice(0, 100), 0);
  head.write('0000644\0', 100);
  head.write(`${size.toString(8).padStart(11, '0').slice(-11)}\0`, 124);
  head.write(`00000000000\0        ${type}`, 136);
  head.write('ustar\x0000', 257);
  const sum = head.reduce((a, b) => a + b, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([head, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

/** 16 x 12 pixels, as Pillow 12 wrote them: JPEG, lossless and lossy WebP. */
const others = {
  jpeg: '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAAMABADAREAAhEBAxEB/8QAFAABAAAAAAAAAAAAAAAAAAAACP/EAB8QAAAEBwEAAAAAAAAAAAAAAAABByUGCCMzQUNR0f/EABgBAAMBAQAAAAAAAAAAAAAAAAUGCAcJ/8QAIBEAAQQBBAMAAAAAAAAAAAAAAAQFByIDBjJRoSExYf/aAAwDAQACEQMRAD8AACLyMWmfmsDEbx9A8eSlsv2LZF5GLTPzWGpG8evJdkeSlsv2KBGEjgak18yXgw5GqzcnCCPNQulLi2RdIoGpNeSyXgakarNyXXHmoXSlz//Z',
  webp: 'UklGRioAAABXRUJQVlA4TB4AAAAvD8ACALmM6H/sIqL/ASEBYYT/dzV5IAYhJgC46i4=',
  webpLossy:
    'UklGRmIAAABXRUJQVlA4IFYAAADwAgCdASoQAAwAAMASJbACdLoBQAKv/bYAJu5bcaxQAAD+/9TrfkghIprlNnMu2C8Uvkg3a9sUV4H6QT2oBBIXqe+5ft/41bvwAv/+i32Qerj2Qd/AAA==',
};

const names = [
  'a.png',
  '../../escape.png',
  '/etc/escape.png',
  'b/../../escape.png',
  'con.png',
  'x'.repeat(99),
  '',
];

/**
 * @param work folder for the files, one of its own
 * @param mutateBytes bytes and a draw to mutated bytes
 * @returns kinds of cases: each takes a draw and gives an asynchronous reading and the faults that are answers
 */
export async function dataKinds(work, mutateBytes) {
  const [{ openSource }, { columnType }, { rowSize }, { DataFault }, { formatSafetensors }] =
    await Promise.all(
      [
        'runtime/data/sources.js',
        'runtime/data/open.js',
        'runtime/data/column.js',
        'runtime/data/fault.js',
        'runtime/checkpoint/safetensors.js',
      ].map(load),
    );
  mkdirSync(join(work, 'files'));
  const place = (name) => join(work, 'files', name);

  /** Opens a file as rows of a type and reads them all. */
  async function read(file, bytes, type, dataShape, form, args = {}, classes = 0) {
    if (bytes) writeFileSync(place(file), bytes);
    const modality = { name: 'x', type, shape: dataShape, dataShape, classes, discrete: classes > 0 };
    const source = {
      source: { form, args: { path: file, column: null, columns: null, id: null, missing: false, ...args } },
    };
    const column = await openSource(modality, columnType(modality), source, join(work, 'files'));
    const size = rowSize(column);
    const out = column.kind === 'real' ? new Float32Array(size) : new Int32Array(size);
    for (let row = 0; row < Math.min(column.rows, 50); row++) column.read(row, out, 0);
  }
  const maybe = (draw, bytes) => (draw() < 0.5 ? bytes : mutateBytes(bytes, draw));

  const floats = Buffer.from(Float32Array.from({ length: 6 }, (_, i) => i).buffer);
  const pixels = Uint8Array.from({ length: 16 }, (_, i) => i * 16);
  const png = Buffer.from(encode({ width: 4, height: 4, channels: 1, depth: 8, data: pixels }));
  const idx = Buffer.concat([Buffer.from([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 4]), pixels]);
  const parquet = ['SNAPPY', 'UNCOMPRESSED'].flatMap((codec) =>
    ['PLAIN', 'DELTA'].map((form) => {
      const delta = form === 'DELTA';
      return Buffer.from(
        parquetWriteBuffer({
          codec,
          columnData: [
            {
              name: 'x',
              data: [0, 1, 2, 1],
              type: 'INT32',
              ...(delta ? { encoding: 'DELTA_BINARY_PACKED' } : {}),
            },
            { name: 'png', data: [png, png, png, png], type: 'BYTE_ARRAY' },
            {
              name: 'word',
              data: ['0', '01', '012', '2'],
              type: 'STRING',
              ...(delta ? { encoding: 'DELTA_BYTE_ARRAY' } : {}),
            },
          ],
        }),
      );
    }),
  );
  const arrow = arrowFiles(png);
  mkdirSync(place('beside'));
  const picture = (file, good, shape, draw) => {
    const bytes = draw() < 0.9 ? good : mutateBytes(good, draw);
    const fit = { form: pick(draw, ['none', 'stretch', 'crop']), args: {} };
    return [() => read(file, bytes, 'image', shape, 'images', { fit }), DataFault];
  };
  const csv = 'file,x,v\na.png,0,"[1, 2]"\nb.png,2,"3 4"\n';
  const shape = (draw) =>
    `(${Array.from({ length: Math.floor(draw() * 4) }, () => pick(draw, numbers)).join(', ')},)`;
  const descr = (draw) =>
    pick(draw, ['<f4', '|O', '>f8', '<i8', '|b1', '<U9', '<f2', "<f4'} + __import__('os') + {'", '']);

  return {
    npy: (draw) => {
      const dict = `{'descr': '${draw() < 0.6 ? '<f4' : descr(draw)}', 'fortran_order': ${draw() < 0.6 ? 'False' : pick(draw, ['True', '1'])}, 'shape': ${draw() < 0.6 ? '(3, 2)' : shape(draw)}, }`;
      const bytes = maybe(draw, npy(dict, floats));
      return [() => read('x.npy', bytes, 'vector', [2], 'npy'), DataFault];
    },
    npz: (draw) => {
      const inner = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", maybe(draw, floats));
      const zip = Buffer.from(zipSync({ [pick(draw, ['x.npy', '../../escape.npy', '/x.npy'])]: inner }));
      // Sizes in the central directory, which come first in what readers believe.
      const at = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2]));
      if (at >= 0 && draw() < 0.4)
        zip.writeUInt32LE(pick(draw, numbers) >>> 0, at + (draw() < 0.5 ? 20 : 24));
      return [
        () => read('x.npz', maybe(draw, zip), 'vector', [2], 'npz', { key: draw() < 0.5 ? 'x' : null }),
        DataFault,
      ];
    },
    idx: (draw) => {
      const bytes = Buffer.from(idx);
      if (draw() < 0.5) bytes.writeUInt32BE(pick(draw, numbers) >>> 0, 4 + 4 * Math.floor(draw() * 3));
      const bomb = draw() < 0.02 ? Buffer.concat([bytes, Buffer.alloc(2 ** 22)]) : bytes;
      const file = draw() < 0.5 ? maybe(draw, bomb) : maybe(draw, gzipSync(bomb));
      return [() => read('x.idx', file, 'image', [4, 4, 1], 'idx'), DataFault];
    },
    cifar: (draw) => {
      const bytes = mutateBytes(Buffer.alloc(2 * 3073), draw);
      return [() => read('x.bin', bytes, 'category', [], 'cifar', { labels: 1 }, 10), DataFault];
    },
    tensors: (draw) => {
      const bytes = Buffer.concat(
        formatSafetensors([['x', { shape: [3, 2], data: new Float32Array(6) }]], {}),
      );
      return [
        () => read('x.safetensors', mutateBytes(bytes, draw), 'vector', [2], 'safetensors', { key: 'x' }),
        DataFault,
      ];
    },
    tar: (draw) => {
      const content = draw() < 0.7 ? png : mutateBytes(png, draw);
      const size = draw() < 0.7 ? content.length : Math.max(0, pick(draw, numbers));
      const entries = Array.from({ length: 1 + Math.floor(draw() * 3) }, (_, i) =>
        member(
          draw() < 0.5 ? `${i}.png` : pick(draw, names),
          content,
          size,
          pick(draw, ['0', '5', '2', 'L', 'x', 'g', 'S']),
        ),
      );
      const bytes = maybe(draw, Buffer.concat([...entries, Buffer.alloc(1024)]));
      return [() => read('x.tar', bytes, 'image', [4, 4, 1], 'shards', { field: 'png' }), DataFault];
    },
    png: (draw) => picture('x.png', mutatePng(png, draw), [4, 4, 1], draw),
    jpeg: (draw) => picture('x.jpg', mutateJpeg(Buffer.from(others.jpeg, 'base64'), draw), [12, 16, 3], draw),
    webp: (draw) => {
      const file = Buffer.from(draw() < 0.5 ? others.webp : others.webpLossy, 'base64');
      return picture('x.webp', mutateWebp(file, draw), [12, 16, 3], draw);
    },
    sidecars: (draw) => {
      const folder = join('files', 'beside');
      const [ending, good, type, shape, classes] = pick(draw, [
        ['.txt', ['2', 'cat\n', '1 '], 'category', [], 3],
        ['.txt', ['1 2', '[3, 4]', '5;6'], 'vector', [2], 0],
        ['.json', ['[1, 2]', '[3, 4.5]', '"5 6"'], 'vector', [2], 0],
        ['.json', ['[[1], [2]]', '{"__proto__": [1, 2]}', '[null, 1]'], 'vector', [2], 0],
      ]);
      return [
        () => {
          for (const name of readdirSync(join(work, folder))) rmSync(join(work, folder, name));
          good.forEach((text, i) =>
            writeFileSync(
              join(work, folder, `${pick(draw, ['a', 'con', '..b', 'c.d', 'x'.repeat(99)])}${i}${ending}`),
              maybe(draw, utf8(text)),
            ),
          );
          return read('beside', undefined, type, shape, 'sidecars', { ending }, classes);
        },
        DataFault,
      ];
    },
    arrow: (draw) => {
      const bytes =
        draw() < 0.1 ? mutateBytes(pick(draw, arrow), draw) : mutateArrow(pick(draw, arrow), draw);
      const [type, shape, column, classes] = pick(draw, [
        ['category', [], 'x', 3],
        ['category', [], 'word', 3],
        ['category', [], 'text', 3],
        ['category', [], 'flag', 2],
        ['vector', [1], 'f', 0],
        ['vector', [1], 'wide', 0],
        ['vector', [2], 'v', 0],
        ['vector', [2], 'p', 0],
        ['image', [4, 4, 1], 'png', 0],
      ]);
      return [
        () => read('x.arrow', bytes, type, shape, 'arrow', { column, missing: true }, classes),
        DataFault,
      ];
    },
    csv: (draw) => {
      const bytes = mutateBytes(utf8(csv), draw);
      const [form, file] = pick(draw, [
        ['csv', 'x.csv'],
        ['tsv', 'x.tsv'],
      ]);
      return [() => read(file, bytes, 'category', [], form, { column: 'x' }, 3), DataFault];
    },
    jsonl: (draw) => {
      const bytes = mutateBytes(utf8('{"x": [1, 2], "__proto__": 1}\n{"x": [3, 4]}\n'), draw);
      return [() => read('x.jsonl', bytes, 'vector', [2], 'jsonl', { column: 'x' }), DataFault];
    },
    parquet: (draw) => {
      const good = pick(draw, parquet);
      const bytes = draw() < 0.6 ? sprinkle(good, draw) : Buffer.from(good);
      // The footer's length stands before the last four bytes.
      if (draw() < 0.1) bytes.writeUInt32LE(pick(draw, numbers) >>> 0, bytes.length - 8);
      const [type, dims, args, classes] = pick(draw, [
        ['category', [], { column: 'x' }, 3],
        ['category', [], { column: 'word' }, 3],
        ['image', [4, 4, 1], { column: 'png' }, 0],
      ]);
      return [
        () =>
          read(
            'x.parquet',
            draw() < 0.7 ? bytes : mutateBytes(bytes, draw),
            type,
            dims,
            'parquet',
            args,
            classes,
          ),
        DataFault,
      ];
    },
  };
}
