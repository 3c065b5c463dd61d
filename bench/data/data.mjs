/**
 * Rows per second of our readers beside the fastest well-kept npm library of the same format.
 *
 *     npm ci --prefix bench/data      # the libraries, once
 *     node bench/data/data.mjs [--only png] [--rounds 7] [--json FILE]
 *
 * Both sides start from a file and end with every row as numbers in one array that is used again, as a training step
 * reads them. They take turns in one process; figures are medians over the rounds. Time is that of the processor, all
 * threads together, so that other work on the machine does not count. Pictures are decoded one after the other.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tableFromArrays, tableFromIPC, tableToIPC } from 'apache-arrow';
import { encode } from 'fast-png';
import { unzipSync, zipSync } from 'fflate';
import { parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    json: { type: 'string' },
  },
});
const load = (file) => import(new URL(`../../dist/${file}`, import.meta.url).href);
const peer = (name) => import(name).catch(() => undefined);
const [{ openSource }, { columnType }, { rowSize }, { formatNpy }, { formatSafetensors }] = await Promise.all(
  [
    'runtime/data/sources.js',
    'runtime/data/open.js',
    'runtime/data/column.js',
    'runtime/data/npy.js',
    'runtime/checkpoint/safetensors.js',
  ].map(load),
);
const [udsv, npyjs, tarStream, flechette, parquetWasm, sharp] = await Promise.all(
  ['udsv', 'npyjs', 'tar-stream', '@uwdata/flechette', 'parquet-wasm', 'sharp'].map(peer),
);
if (!udsv) {
  console.error('the libraries to compare with are not there: `npm ci --prefix bench/data` installs them');
  process.exit(1);
}

const work = mkdtempSync(join(tmpdir(), 'mmdc-bench-data-'));
const place = (name) => join(work, name);
const put = (name, bytes) => {
  mkdirSync(join(place(name), '..'), { recursive: true });
  writeFileSync(place(name), bytes);
};
let state = 1;
const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;

/** Opens a source and reads its rows. @returns their number and the sum of what was read */
async function ours(type, dataShape, form, path, args = {}, classes = 0) {
  const modality = { name: 'x', type, shape: dataShape, dataShape, classes, discrete: classes > 0 };
  const source = { form, args: { path, column: null, columns: null, id: null, missing: false, ...args } };
  const column = await openSource(modality, columnType(modality), { source }, work);
  const size = rowSize(column);
  const out = column.kind === 'real' ? new Float32Array(size) : new Int32Array(size);
  for (let row = 0; row < column.rows; row++) column.read(row, out, 0);
  return [column.rows, checksum(out)];
}
const checksum = (row) => Array.prototype.reduce.call(row, (a, b) => a + b, 0);

/** Rows of an array one after the other, perhaps scaled as pictures are. */
function rowsOf(data, size, pixels = false) {
  const out = new Float32Array(size);
  const rows = data.length / size;
  for (let row = 0; row < rows; row++)
    if (pixels) for (let i = 0; i < size; i++) out[i] = data[row * size + i] / 127.5 - 1;
    else for (let i = 0; i < size; i++) out[i] = Number(data[row * size + i]);
  return [rows, checksum(out)];
}

const floats = (n) => Float32Array.from({ length: n }, () => random());
const bytes = (n) => Uint8Array.from({ length: n }, () => random() * 256);

// The files.
const [tall, wide] = [20_000, 64];
const numbers = floats(tall * wide);
put('a.npy', formatNpy(numbers, [tall, wide]));
put('a.npz', zipSync({ 'x.npy': formatNpy(numbers, [tall, wide]) }, { level: 6 }));
put('a.safetensors', Buffer.concat(formatSafetensors([['x', { shape: [tall, wide], data: numbers }]], {})));
const idx = Buffer.concat([
  Buffer.from([0, 0, 8, 3, 0, 0, 0x27, 0x10, 0, 0, 0, 28, 0, 0, 0, 28]),
  bytes(10_000 * 784).map((b) => (b < 200 ? 0 : b)),
]);
put('a.idx', idx);
const cifar = bytes(2000 * 3073).map((b, i) => (i % 3073 === 0 ? b % 10 : b));
put('a.bin', cifar);
const lines = Array.from({ length: tall }, () => Array.from({ length: 16 }, () => random().toFixed(6)));
const heads = Array.from({ length: 16 }, (_, i) => `c${i}`);
put('a.csv', `${[heads, ...lines].map((l) => l.join(',')).join('\n')}\n`);
put('a.tsv', `${[heads, ...lines].map((l) => l.join('\t')).join('\n')}\n`);
put('a.jsonl', lines.map((l) => `${JSON.stringify({ file: 'a', x: l.map(Number) })}\n`).join(''));
const columns = Object.fromEntries(heads.map((name) => [name, floats(5 * tall)]));
put('a.arrow', tableToIPC(tableFromArrays(columns), 'file'));
put(
  'a.parquet',
  new Uint8Array(
    parquetWriteBuffer({ columnData: heads.map((name) => ({ name, data: columns[name], type: 'FLOAT' })) }),
  ),
);
const side = 64;
const picture = (n) =>
  Uint8Array.from({ length: side * side * 3 }, (_, i) => (Math.floor(i / 3) * (n + 1) + (i % 3) * 40) & 255);
const many = 300;
const pngs = Array.from({ length: many }, (_, n) =>
  encode({ width: side, height: side, channels: 3, depth: 8, data: picture(n) }),
);
for (const [n, png] of pngs.entries()) put(`png/${String(n).padStart(4, '0')}.png`, png);
for (let n = 0; n < many; n++) {
  const raw = sharp.default(Buffer.from(picture(n)), { raw: { width: side, height: side, channels: 3 } });
  put(`jpg/${String(n).padStart(4, '0')}.jpg`, await raw.clone().jpeg({ quality: 90 }).toBuffer());
  put(`webp/${String(n).padStart(4, '0')}.webp`, await raw.clone().webp({ quality: 90 }).toBuffer());
}
const pack = tarStream.pack();
const packed = (async () => Buffer.concat((await pack.toArray?.()) ?? (await collect(pack))))();
for (const [n, png] of pngs.entries())
  pack.entry({ name: `${String(n).padStart(4, '0')}.png` }, Buffer.from(png));
pack.finalize();
put('a.tar', await packed);
async function collect(stream) {
  const out = [];
  for await (const chunk of stream) out.push(chunk);
  return out;
}

const read = (name) => readFileSync(place(name));
const plain = (buffer) => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
const aligned = (buffer) => buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.length);
const fromColumns = (list) => {
  const out = new Float32Array(list.length);
  for (let row = 0; row < list[0].length; row++) for (let c = 0; c < list.length; c++) out[c] = list[c][row];
  return [list[0].length, checksum(out)];
};
const table = ['vector', [16]];
const delimited = (name, form, col) => () => {
  const text = readFileSync(place(name), 'utf8');
  const parser = udsv.initParser(udsv.inferSchema(text, { col }));
  return rowsOf(parser.typedArrs(text).flat(), 16);
};
const decodeWith = (folder, ending) => async () => {
  let sum = 0;
  for (let n = 0; n < many; n++) {
    const { data } = await sharp
      .default(place(`${folder}/${String(n).padStart(4, '0')}.${ending}`))
      .raw()
      .toBuffer({ resolveWithObject: true });
    sum = rowsOf(data, data.length, true)[1];
  }
  return [many, sum];
};
sharp.default.concurrency(1);
sharp.default.cache(false);

/** Name of the format, our reader, the other's name, the other. */
const cases = [
  [
    'IDX',
    () => ours('image', [28, 28, 1], 'idx', 'a.idx'),
    'none: bytes of the file alone',
    () => rowsOf(read('a.idx').subarray(16), 784, true),
  ],
  [
    'CIFAR',
    () => ours('image', [32, 32, 3], 'cifar', 'a.bin', { labels: 1 }),
    'none: bytes of the file alone',
    () => {
      const file = read('a.bin');
      const out = new Float32Array(3072);
      for (let row = 0; row < 2000; row++)
        for (let p = 0; p < 1024; p++)
          for (let c = 0; c < 3; c++) out[3 * p + c] = file[row * 3073 + 1 + c * 1024 + p] / 127.5 - 1;
      return [2000, checksum(out)];
    },
  ],
  [
    'npy',
    () => ours('vector', [wide], 'npy', 'a.npy'),
    'npyjs',
    async () => rowsOf((await npyjs.load(aligned(read('a.npy')))).data, wide),
  ],
  [
    'npz',
    () => ours('vector', [wide], 'npz', 'a.npz'),
    'fflate, npyjs (fflate is ours)',
    async () => rowsOf((await npyjs.load(aligned(unzipSync(plain(read('a.npz')))['x.npy']))).data, wide),
  ],
  [
    'safetensors',
    () => ours('vector', [wide], 'safetensors', 'a.safetensors', { key: 'x' }),
    'none: bytes of the file alone',
    () => {
      const file = read('a.safetensors');
      const start = 8 + Number(file.readBigUInt64LE());
      return rowsOf(new Float32Array(aligned(file.subarray(start))), wide);
    },
  ],
  ['CSV', () => ours(...table, 'csv', 'a.csv', { columns: heads }), 'udsv', delimited('a.csv', 'csv', ',')],
  ['TSV', () => ours(...table, 'tsv', 'a.tsv', { columns: heads }), 'udsv', delimited('a.tsv', 'tsv', '\t')],
  [
    'JSON lines',
    () => ours(...table, 'jsonl', 'a.jsonl', { column: 'x' }),
    'none: JSON.parse of each line',
    () =>
      rowsOf(
        readFileSync(place('a.jsonl'), 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .flatMap((line) => JSON.parse(line).x),
        16,
      ),
  ],
  [
    'Parquet',
    () => ours(...table, 'parquet', 'a.parquet', { columns: heads }),
    'hyparquet (ours, raw)',
    async () => {
      const rows = await parquetReadObjects({ file: aligned(read('a.parquet')), columns: heads });
      const out = new Float32Array(16);
      for (const row of rows) for (let c = 0; c < 16; c++) out[c] = row[heads[c]];
      return [rows.length, checksum(out)];
    },
  ],
  [
    'Parquet',
    () => ours(...table, 'parquet', 'a.parquet', { columns: heads }),
    'parquet-wasm',
    () => {
      const wasm = parquetWasm.default ?? parquetWasm;
      const stream = wasm.readParquet(plain(read('a.parquet'))).intoIPCStream();
      const found = tableFromIPC(stream);
      return fromColumns(heads.map((name) => found.getChild(name).toArray()));
    },
  ],
  [
    'Arrow',
    () => ours(...table, 'arrow', 'a.arrow', { columns: heads }),
    'apache-arrow (ours, raw)',
    () => {
      const found = tableFromIPC(plain(read('a.arrow')));
      return fromColumns(heads.map((name) => found.getChild(name).toArray()));
    },
  ],
  [
    'Arrow',
    () => ours(...table, 'arrow', 'a.arrow', { columns: heads }),
    'flechette',
    () => {
      const found = flechette.tableFromIPC(plain(read('a.arrow')));
      return fromColumns(heads.map((name) => found.getChild(name).toArray()));
    },
  ],
  [
    'tar shards of PNG',
    () => ours('image', [side, side, 3], 'shards', 'a.tar', { field: 'png' }),
    'tar-stream, sharp',
    async () => {
      const extract = tarStream.extract();
      extract.end(read('a.tar'));
      let [rows, sum] = [0, 0];
      for await (const entry of extract) {
        const data = await sharp
          .default(Buffer.concat(await collect(entry)))
          .raw()
          .toBuffer();
        sum = rowsOf(data, data.length, true)[1];
        rows++;
      }
      return [rows, sum];
    },
  ],
  ['PNG', () => ours('image', [side, side, 3], 'images', 'png'), 'sharp (native)', decodeWith('png', 'png')],
  ['JPEG', () => ours('image', [side, side, 3], 'images', 'jpg'), 'sharp (native)', decodeWith('jpg', 'jpg')],
  [
    'WebP',
    () => ours('image', [side, side, 3], 'images', 'webp'),
    'sharp (native)',
    decodeWith('webp', 'webp'),
  ],
];

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const rounds = Number(values.rounds);
const results = [];
try {
  for (const [format, mine, name, other] of cases) {
    if (values.only && !format.toLowerCase().includes(values.only.toLowerCase())) continue;
    const [rows, sum] = await mine();
    const [otherRows, otherSum] = await other();
    // JPEG and lossy WebP may differ by a rounding.
    if (rows !== otherRows || Math.abs(sum - otherSum) > 0.02 * rows + 0.02 * Math.abs(sum))
      throw new Error(`${format}: ${rows} rows, ${sum}; ${name}: ${otherRows} rows, ${otherSum}`);
    const times = [[], []];
    for (let round = 0; round < rounds; round++)
      for (const [k, run] of round % 2
        ? [
            [1, other],
            [0, mine],
          ]
        : [
            [0, mine],
            [1, other],
          ]) {
        const began = process.cpuUsage();
        await run();
        const { user, system } = process.cpuUsage(began);
        times[k].push((user + system) / 1000);
      }
    const rates = times.map((list) => (1000 * rows) / median(list));
    const ratio = median(times[1].map((t, i) => t / times[0][i]));
    results.push({ format, ours: rates[0], peer: name, theirs: rates[1], ratio });
    const shown = (rate) => Number(rate.toPrecision(2)).toLocaleString('en');
    console.log(`| ${format} | ${shown(rates[0])} | ${name} | ${shown(rates[1])} | ${ratio.toFixed(2)} |`);
  }
  if (values.json) writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
