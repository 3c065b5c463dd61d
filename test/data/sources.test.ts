/** Every source that a `data` block can name, opened through a spec. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { encode } from 'fast-png';
import { zipSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../compiler/driver.js';
import { memoryHost } from '../../compiler/project/host.js';
import { formatSafetensors } from '../../runtime/checkpoint/safetensors.js';
import { formatNpy } from '../../runtime/data/npy.js';
import { openParts } from '../../runtime/data/open.js';
import { SpecFault } from '../../runtime/faults.js';
import { readRow, temporaryFolder } from './support.js';

const root = temporaryFolder();
let count = 0;
type Files = Readonly<Record<string, Uint8Array | string>>;
function folderOf(files: Files): string {
  const folder = path.join(root, String(count++));
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), bytes);
  }
  return folder;
}

const library = Object.fromEntries(
  readdirSync(new URL('../../stdlib/', import.meta.url)).map((name) => [
    name.replace('.mmd', ''),
    readFileSync(new URL(`../../stdlib/${name}`, import.meta.url), 'utf8'),
  ]),
);

function modelWith(modalities: string, data: string) {
  const text = `model M {
    ${modalities}
    modality aux: vector[2]
    space z: f32[2]
    encoder aux = aux
    process { origin: aux }
    backbone h = concat(z, given) |> linear(4)
    decoder z = h |> linear(2)
    task generate: aux
    data { ${data} }
  }`;
  const analysis = analyze(memoryHost({ 'm.mmd': text }, library), 'm.mmd', text);
  const model = analysis.models.get('M');
  if (!model) throw new Error(analysis.diagnostics.map((d) => d.message).join('\n'));
  return model.info;
}
const aux = (n: number) =>
  formatNpy(
    new Float32Array(2 * n).map((_, i) => i),
    [n, 2],
  );

async function open(modalities: string, data: string, files: Files, n: number) {
  const folder = folderOf({ 'aux.npy': aux(n), ...files });
  return (await openParts(modelWith(modalities, `aux: npy("aux.npy"), ${data}`), folder)).part('all');
}
/** Rows of the modality `x`. */
async function rows(type: string, source: string, files: Files, n: number): Promise<number[][]> {
  const { dataset } = await open(`modality x: ${type}`, `x: ${source}`, files, n);
  return Array.from({ length: dataset.rows }, (_, i) => readRow(dataset.column('x'), i));
}
async function complaint(act: Promise<unknown>): Promise<string> {
  try {
    await act;
  } catch (error) {
    if (error instanceof SpecFault)
      return error.diagnostics.map((d) => `${d.message} ${d.help ?? ''}`).join('\n');
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('tables', () => {
  const csv =
    'file,kind,a,b,list\nx.png,cat,1,2,"[1, 2]"\ny.png,dog,3,4.5,"3 4"\n"z, 1.png",cat,-1,0,"5;6"\n';
  const kinds = 'category["cat", "dog"]';

  test('CSV: classes by name, numbers of several columns, lists in one', async () => {
    const files = { 't.csv': csv };
    expect(await rows(kinds, 'csv("t.csv", column: "kind")', files, 3)).toEqual([[0], [1], [0]]);
    expect(await rows('vector[2]', 'csv("t.csv", columns: ["a", "b"])', files, 3)).toEqual([
      [1, 2],
      [3, 4.5],
      [-1, 0],
    ]);
    expect(await rows('vector[2]', 'csv("t.csv", column: "list")', files, 3)).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
  });

  test('TSV with a byte order mark and CRLF; JSON lines', async () => {
    const tsv = '\ufeffx\tother\r\n2\t"a\tb"\r\n0\tc\r\n';
    expect(await rows('category[3]', 'tsv("t.tsv")', { 't.tsv': tsv }, 2)).toEqual([[2], [0]]);
    const lines = '{"x": [1, 2.5]}\n\n{"other": 1, "x": [3, 4]}\n';
    expect(await rows('vector[2]', 'jsonl("t.jsonl")', { 't.jsonl': lines }, 2)).toEqual([
      [1, 2.5],
      [3, 4],
    ]);
  });

  test('Parquet and Arrow: numbers, text, lists, pictures', async () => {
    const picture = (v: number) =>
      encode({ width: 1, height: 1, channels: 1, depth: 8, data: Uint8Array.of(v) });
    const parquet = new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: 'kind', data: ['dog', 'cat'], type: 'STRING' },
          { name: 'n', data: [1, 0], type: 'INT32' },
          { name: 'png', data: [picture(255), picture(0)], type: 'BYTE_ARRAY' },
          { name: 'v', data: [0.5, -2], type: 'DOUBLE' },
        ],
      }),
    );
    const files = { 't.parquet': parquet };
    expect(await rows(kinds, 'parquet("t.parquet", column: "kind")', files, 2)).toEqual([[1], [0]]);
    expect(await rows('category[2]', 'parquet("t.parquet", column: "n")', files, 2)).toEqual([[1], [0]]);
    expect(await rows('image[1, 1, 1]', 'parquet("t.parquet", column: "png")', files, 2)).toEqual([
      [1],
      [-1],
    ]);
    expect(await rows('vector[2]', 'parquet("t.parquet", columns: ["v", "n"])', files, 2)).toEqual([
      [0.5, 1],
      [-2, 0],
    ]);
    const arrow = tableToIPC(tableFromArrays({ x: Float32Array.of(1, 2), kind: ['cat', 'dog'] }), 'file');
    expect(await rows('vector[1]', 'arrow("t.arrow")', { 't.arrow': arrow }, 2)).toEqual([[1], [2]]);
    expect(await rows(kinds, 'arrow("t.arrow", column: "kind")', { 't.arrow': arrow }, 2)).toEqual([
      [0],
      [1],
    ]);
  });

  test('what is wrong is told with the row', async () => {
    const wrong = (type: string, source: string, files: Files, n = 2) =>
      complaint(rows(type, source, files, n));
    const t = { 't.csv': csv };
    expect(await wrong(kinds, 'csv("t.csv", column: "kinds")', t)).toContain(
      "has no column 'kinds' it has 'file', 'kind'",
    );
    expect(await wrong('category["cat", "bird"]', 'csv("t.csv", column: "kind")', t)).toMatch(
      /row 1: has the class 'dog'/,
    );
    expect(await wrong('category[2]', 'csv("t.csv", column: "a")', t, 3)).toMatch(/row 1: has the value 3/);
    expect(await wrong('vector[3]', 'csv("t.csv", columns: ["a", "b"])', t)).toContain(
      "has 2 numbers for 'x', which takes 3",
    );
    expect(await wrong('vector[1]', 'csv("t.csv", column: "kind")', t)).toContain(
      "has 'cat', which is no number",
    );
    const gap = { 't.csv': 'x\n1\n""\n2\n' };
    expect(await wrong('category[3]', 'csv("t.csv")', gap)).toMatch(
      /row 1: has no value for 'x'.*missing: true/,
    );
    expect(await wrong('category[3]', 'csv("t.csv")', { 't.csv': '' })).toContain('is empty');
    expect(await wrong('category[3]', 'csv("t.csv")', { 't.csv': 'x,y\n1\n' })).toContain(
      'is not a CSV file',
    );
    expect(await wrong('category[3]', 'csv("t.csv")', { 't.csv': 'x,x\n1,2\n' })).toContain(
      "two columns named 'x'",
    );
    expect(await wrong('category[3]', 'jsonl("t")', { t: '{"x": 1}\n[1]\n' })).toContain(
      'row 1: is not a JSON object',
    );
    expect(await wrong('vector[1]', 'parquet("t")', { t: 'PAR1 nonsense PAR1' })).toContain(
      'is not a whole Parquet file',
    );
    expect(await wrong('vector[1]', 'arrow("t")', { t: 'ARROW1 nonsense' })).toMatch(
      /Arrow file|has no column/,
    );
    expect(await wrong('vector[1]', 'csv("none.csv")', {})).toContain('does not exist');
  });
});

describe('arrays', () => {
  const two = formatNpy(Float32Array.of(1, 2, 3, 4), [2, 2]);
  test('npz, with and without a key, and safetensors', async () => {
    const one = zipSync({ 'only.npy': two });
    expect(await rows('vector[2]', 'npz("a.npz")', { 'a.npz': one }, 2)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const several = zipSync({ 'a.npy': two, 'b.npy': formatNpy(Float32Array.of(9, 8, 7, 6), [2, 2]) });
    expect(await rows('vector[2]', 'npz("a.npz", key: "b")', { 'a.npz': several }, 2)).toEqual([
      [9, 8],
      [7, 6],
    ]);
    expect(await complaint(rows('vector[2]', 'npz("a.npz")', { 'a.npz': several }, 2))).toContain(
      'several arrays',
    );
    expect(await complaint(rows('vector[2]', 'npz("a.npz", key: "c")', { 'a.npz': several }, 2))).toContain(
      'no array `c`',
    );
    expect(await complaint(rows('vector[2]', 'npz("a.npz")', { 'a.npz': 'no zip' }, 2))).toContain(
      'zip archive',
    );
    const st = Buffer.concat(
      formatSafetensors([['x', { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }]]),
    );
    expect(await rows('vector[2]', 'safetensors("a.st", key: "x")', { 'a.st': st }, 2)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(await complaint(rows('vector[2]', 'safetensors("a.st", key: "y")', { 'a.st': st }, 2))).toContain(
      "no tensor 'y'",
    );
  });

  test('a pickle is refused with what to do instead, whatever it is taken for', async () => {
    // pickle.dumps({'a': 1}, protocol=4)
    const pickle = Uint8Array.from(Buffer.from('8004950a000000000000007d948c0161944b01732e', 'hex'));
    for (const source of [
      'npy("a")',
      'npz("a")',
      'safetensors("a", "x")',
      'parquet("a")',
      'arrow("a")',
      'sidecars("a", ".a")',
    ])
      expect(await complaint(rows('vector[2]', source, { a: pickle }, 2)), source).toMatch(
        /pickle.*can run any program/,
      );
    const torch = zipSync({ 'archive/data.pkl': pickle });
    expect(await complaint(rows('vector[2]', 'npz("a.pt")', { 'a.pt': torch }, 2))).toMatch(
      /torch\.save\(\).*safetensors/,
    );
  });

  test('a zip bomb is refused before it is unpacked', async () => {
    const bomb = zipSync({ 'a.npy': [new Uint8Array(1000), { level: 9 }] });
    // The uncompressed size in the central directory (its record begins with PK 1 2).
    const at = bomb.findIndex(
      (_, i) => bomb[i] === 0x50 && bomb[i + 1] === 0x4b && bomb[i + 2] === 1 && bomb[i + 3] === 2,
    );
    new DataView(bomb.buffer).setUint32(at + 24, 0xfffffff0, true);
    expect(await complaint(rows('vector[2]', 'npz("a.npz")', { 'a.npz': bomb }, 2))).toContain(
      'declares 4294967280 bytes',
    );
  });

  test('CIFAR: planes of colours and labels', async () => {
    const row = (label: number, r: number, g: number, b: number) =>
      Uint8Array.from([label, ...[r, g, b].flatMap((v) => new Array<number>(1024).fill(v))]);
    const files = {
      'data_batch_1.bin': row(3, 255, 0, 255),
      'data_batch_2.bin': row(1, 0, 255, 0),
      'readme.txt': 'x',
    };
    expect(await rows('category[10]', 'cifar(".")', files, 2)).toEqual([[3], [1]]);
    const images = await rows('image[32, 32, 3]', 'cifar("data_batch_*.bin")', files, 2);
    expect(images[0]!.slice(0, 6)).toEqual([1, -1, 1, 1, -1, 1]);
    expect(images[1]!.slice(-3)).toEqual([-1, 1, -1]);
    expect(await complaint(rows('category[10]', 'cifar(".", labels: 2)', files, 2))).toContain(
      'not whole rows of 3074',
    );
  });
});

describe('pictures', () => {
  const png = (w: number, h: number, v: number) =>
    encode({ width: w, height: h, channels: 1, depth: 8, data: new Uint8Array(w * h).fill(v) });

  test('by pattern, resized where the source says so', async () => {
    const files = { 'a/1.png': png(4, 2, 255), 'a/2.png': png(2, 2, 0), 'a/x.txt': 'x' };
    expect(await rows('image[2, 2, 1]', 'images("a/*.png", fit: crop)', files, 2)).toEqual([
      [1, 1, 1, 1],
      [-1, -1, -1, -1],
    ]);
    expect(await complaint(rows('image[2, 2, 1]', 'images("a")', files, 2))).toMatch(
      /1\.png`: row 0: is 4 pixels wide.*fit: crop/,
    );
  });

  test('sidecars give classes, and rows are joined by name', async () => {
    const files = {
      'p/b.png': png(1, 1, 255),
      'p/a.png': png(1, 1, 0),
      'p/a.txt': 'dog\n',
      'p/b.txt': 'cat',
    };
    const { dataset } = await open(
      'modality x: image[1, 1, 1]\n modality y: category["cat", "dog"]',
      'x: images("p"), y: sidecars("p", ".txt")',
      files,
      2,
    );
    expect([0, 1].map((i) => [readRow(dataset.column('x'), i), readRow(dataset.column('y'), i)])).toEqual([
      [[-1], [1]],
      [[1], [0]],
    ]);
  });

  test('undecodable ones stop, or are left out and counted', async () => {
    const damaged = png(1, 1, 9) as Uint8Array;
    damaged[damaged.length - 20]! ^= 0xff;
    const files = { 'p/a.png': png(1, 1, 0), 'p/b.png': damaged, 'p/c.png': png(1, 1, 255) };
    expect(await complaint(rows('image[1, 1, 1]', 'images("p")', files, 3))).toContain('b.png');
    const { dataset, skipped } = await open(
      'modality x: image[1, 1, 1]',
      'x: images("p"), errors: skip',
      files,
      3,
    );
    expect(dataset.rows).toBe(2);
    expect([0, 1].map((i) => readRow(dataset.column('x'), i))).toEqual([[-1], [1]]);
    expect([0, 1].map((i) => readRow(dataset.column('aux'), i))).toEqual([
      [0, 1],
      [4, 5],
    ]);
    expect(skipped.map((s) => s.message)).toEqual([expect.stringContaining('b.png')]);
  });
});

describe('joins by id', () => {
  const labels = (rows: string) => ({
    'l.csv': `file,x\n${rows}`,
    'a.csv': 'file,u,v\np,1,2\nq,3,4\nr,5,6\n',
  });
  const joined = async (rows: string, missing: boolean) => {
    const folder = folderOf(labels(rows));
    const data = `join: id, aux: csv("a.csv", columns: ["u", "v"], id: "file"), x: csv("l.csv", id: "file", missing: ${missing})`;
    return (await openParts(modelWith('modality x: category[3]', data), folder)).part('all').dataset;
  };

  test('rows in any order', async () => {
    const dataset = await joined('r.png,2\np.png,0\nq.png,1\n', false);
    const row = (i: number) => [readRow(dataset.column('x'), i), readRow(dataset.column('aux'), i)];
    expect([0, 1, 2].map(row)).toEqual([
      [[2], [5, 6]],
      [[0], [1, 2]],
      [[1], [3, 4]],
    ]);
  });

  test('missing rows and values, where the source allows them', async () => {
    const dataset = await joined('r,2\nq,\n', true);
    const x = dataset.column('x');
    expect([0, 1, 2].map((i) => [readRow(x, i)[0], x.missing!(i)])).toEqual([
      [-1, true],
      [-1, true],
      [2, false],
    ]);
    expect(dataset.take({ start: 1, end: 3 }).column('x').missing!(0)).toBe(true);
    expect(await complaint(joined('r,2\nq,1\n', false))).toContain("has no 'x' for 'p'");
  });

  test('duplicates and rows without a partner are refused', async () => {
    expect(await complaint(joined('p,0\nq,1\nr,2\np,1\n', false))).toContain(
      "an id is there twice: 'p' in the rows 0 and 3",
    );
    expect(await complaint(joined('p,0\nq,1\nr,2\ns,1\n', true))).toContain("has no 'aux' for 's'");
    const folder = folderOf({ ...labels('p,0\n'), 'b.npy': aux(3) });
    const info = modelWith(
      'modality x: category[3]',
      'join: id, aux: npy("b.npy"), x: csv("l.csv", id: "file")',
    );
    expect(await complaint(openParts(info, folder))).toContain('have no names to join by');
  });
});

describe('shards', () => {
  const tar = (() => {
    try {
      execFileSync('tar', ['--version']);
      return true;
    } catch {
      return false;
    }
  })();

  test.skipIf(!tar)('samples of tar archives, whatever form their names have', async () => {
    const long = 'n'.repeat(120);
    const files = folderOf({
      [`s/000.png`]: encode({ width: 1, height: 1, channels: 1, depth: 8, data: Uint8Array.of(255) }),
      's/000.cls': '2',
      [`s/${long}.png`]: encode({ width: 1, height: 1, channels: 1, depth: 8, data: Uint8Array.of(0) }),
      [`s/${long}.cls`]: '1',
    });
    for (const form of ['ustar', 'gnu', 'pax']) {
      const args = ['--format', form, '-cf', path.join(files, `${form}-0.tar`), '-C', path.join(files, 's')];
      const names = ['000.cls', '000.png', `${long}.cls`, `${long}.png`];
      try {
        execFileSync('tar', [...args, ...names], { stdio: 'pipe' });
      } catch {
        // ustar has no room for such names everywhere.
        continue;
      }
      writeFileSync(path.join(files, 'aux.npy'), aux(2));
      const info = modelWith(
        'modality x: image[1, 1, 1]\n modality y: category[3]',
        `aux: npy("aux.npy"), x: shards("${form}-*.tar", field: "png"), y: shards("${form}-*.tar", field: "cls")`,
      );
      const { dataset } = (await openParts(info, files)).part('all');
      expect([0, 1].map((i) => [readRow(dataset.column('x'), i), readRow(dataset.column('y'), i)])).toEqual([
        [[1], [2]],
        [[-1], [1]],
      ]);
    }
  });

  test.skipIf(!tar)(
    'damaged ones are refused, and names that climb out of folders are only names',
    async () => {
      const folder = folderOf({ 'a.txt': '1', 'aux.npy': aux(1) });
      execFileSync('tar', [
        '-cf',
        path.join(folder, 'x.tar'),
        '-P',
        '--transform',
        's,^,../../,',
        '-C',
        folder,
        'a.txt',
      ]);
      const info = modelWith(
        'modality x: category[3]',
        'aux: npy("aux.npy"), x: shards("x.tar", field: "txt")',
      );
      expect(readRow((await openParts(info, folder)).part('all').dataset.column('x'), 0)).toEqual([1]);
      const whole = readFileSync(path.join(folder, 'x.tar'));
      writeFileSync(path.join(folder, 'x.tar'), whole.subarray(0, 700));
      expect(await complaint(openParts(info, folder))).toMatch(/truncated|not a tar/);
      const broken = Uint8Array.from(whole);
      broken[130]! ^= 1;
      writeFileSync(path.join(folder, 'x.tar'), broken);
      expect(await complaint(openParts(info, folder))).toContain('not a tar archive, or is damaged');
    },
  );
});
