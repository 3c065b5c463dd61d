/** Every source that a `data` block can name: the package makes the batches that `mmdc` makes. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { encode } from 'fast-png';
import { zipSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CompiledModel } from '../../compiler/driver.js';
import { packageName } from '../../compiler/targets/pytorch/index.js';
import { formatSafetensors, parseSafetensors } from '../../runtime/checkpoint/safetensors.js';
import { allocateBatch, fillBatch, fillRows } from '../../runtime/data/batches.js';
import { formatNpy } from '../../runtime/data/npy.js';
import { openData } from '../../runtime/data/open.js';
import { overlap } from '../../runtime/data/overlap.js';
import { Stream } from '../../runtime/random/stream.js';
import { BatchFeeds } from '../../runtime/train/feeds.js';
import { compileSpec, emit, needsPython, python, root, runPython } from './support.js';

const arrow = python !== undefined && spawnSync(python, ['-c', 'import pyarrow.parquet']).status === 0;
const seed = 5;
const batch = 7;
const random = new Stream(9, 'readers');

/** By name: the modality `x` (or several), and the data block. */
const cases: Readonly<Record<string, readonly [modalities: string, data: string]>> = {
  Npz: ['x: vector[3]', 'x: npz("arrays.npz", key: "b")'],
  NpzOne: ['x: category[4]', 'x: npz("one.npz")'],
  Safetensors: ['x: image[2, 3, 1]', 'x: safetensors("t.safetensors", key: "pixels")'],
  Binary: ['x: binary[2, 3]', 'x: safetensors("t.safetensors", "bits")'],
  Cifar10: [
    'x: image[32, 32, 3], y: category[10]',
    'x: cifar("data_batch_*.bin"), y: cifar("data_batch_{1,2}.bin")',
  ],
  Cifar100: [
    'x: image[32, 32, 3], y: category[100]',
    'x: cifar("fine.bin", labels: 2), y: cifar("fine.bin", 2)',
  ],
  Colour: ['x: image[8, 6, 3]', 'x: images("colour")'],
  Grey: ['x: image[8, 6, 3], y: image[8, 6, 1]', 'x: images("grey"), y: images("deep")'],
  Palette: ['x: image[8, 6, 3], y: mask[8, 6, 5]', 'x: images("palette"), y: masks("palette")'],
  Bits: ['x: image[8, 6, 1], y: mask[8, 6, 2]', 'x: images("bits"), y: masks("bits")'],
  Crop: ['x: image[8, 8, 3]', 'x: images("sizes", fit: crop)'],
  Stretch: [
    'x: image[30, 5, 3], y: image[3, 4, 1]',
    'x: images("sizes", fit: stretch), y: images("deep", fit: stretch)',
  ],
  Photos: ['x: image[12, 12, 3]', 'x: images("photos/**/*.{jpg,webp,JPEG}", fit: crop)'],
  Masks: [
    'x: mask[8, 6, 5], y: mask[4, 4, 5]',
    'x: masks("masks", void: 255), y: masks("masks/*.png", 255, fit: crop)',
  ],
  Skip: ['x: image[8, 6, 3]', 'x: images("broken"), errors: skip, rows: 1..6'],
  Sidecars: [
    'x: category["cat", "dog"], y: vector[2]',
    'x: sidecars("beside", ".txt"), y: sidecars("beside", "json")',
  ],
  Shards: [
    'x: image[8, 8, 3], y: category[3]',
    'x: shards("set-*.tar", "png", fit: stretch), y: shards("set-{0..1}.tar", "cls")',
  ],
  ShardsMissing: ['x: vector[2]', 'x: shards("set-*.tar", "json", missing: true)'],
  Csv: [
    'x: category["cat", "dog"], y: vector[2]',
    'x: csv("t.csv", column: "kind"), y: csv("t.csv", columns: ["a", "b"])',
  ],
  Tsv: ['x: tokens[3, 9]', 'x: tsv("t.tsv")'],
  Jsonl: [
    'x: vector[2], y: category["cat", "dog"]',
    'x: jsonl("t.jsonl", missing: true), y: jsonl("t.jsonl", "kind")',
  ],
  Joined: [
    'x: image[8, 6, 3], y: category["cat", "dog"]',
    'x: images("colour"), y: csv("ids.csv", "kind", id: "file", missing: true), join: id',
  ],
  JoinedAll: ['x: vector[2]', 'x: jsonl("ids.jsonl", id: "file", missing: true), join: id'],
  Derived: [
    'x: image[8, 6, 3], hole: binary[8, 6, 1] = holes(size: 3), y: image[8, 6, 3] = x |> erase(hole) |> noise(0.1)',
    'x: images("colour"), rows: 0..4',
  ],
  Copies: ['x: vector[16]', 'x: npy("copies.npy"), rows: 0..9'],
  ...(arrow
    ? {
        Parquet: [
          'x: image[1, 2, 1], y: category["cat", "dog"], w: vector[2]',
          'x: parquet("t.parquet", column: "png"), y: parquet("t.parquet", column: "kind"), w: parquet("t.parquet", columns: ["v", "n"])',
        ] as const,
        Arrow: [
          'x: vector[1], y: category["cat", "dog"]',
          'x: arrow("t.arrow"), y: arrow("t.arrow", column: "kind")',
        ] as const,
        ArrowStream: ['x: vector[1]', 'x: arrow("t.arrows")'] as const,
      }
    : {}),
};

/** Data that are refused, and what is said. */
const bad: Readonly<Record<string, readonly [string, string, RegExp]>> = {
  BadSize: ['x: image[8, 8, 3]', 'x: images("colour")', /6 pixels wide and 8 high/],
  BadSkip: ['x: image[8, 8, 3]', 'x: images("sizes"), errors: skip', /pixels wide/],
  BadColour: ['x: image[8, 6, 1]', 'x: images("colour")', /3 colour channels/],
  BadPicture: ['x: image[8, 6, 3]', 'x: images("broken")', /2\.png/],
  BadClass: ['x: category["cat", "cow"]', 'x: csv("t.csv", column: "kind")', /row 1.*'dog'/],
  BadColumn: ['x: vector[1]', 'x: csv("t.csv", column: "c")', /no column 'c'/],
  BadMissing: ['x: vector[2]', 'x: jsonl("t.jsonl")', /row 1 has no value for `x`/],
  BadShard: ['x: vector[2]', 'x: shards("set-*.tar", "json")', /has no json/],
  BadTar: ['x: category[3]', 'x: shards("cut.tar", "cls")', /truncated|damaged/],
  BadKey: ['x: vector[3]', 'x: npz("arrays.npz")', /holds the arrays/],
  BadJoin: [
    'x: image[8, 6, 3], y: category["cat", "dog"]',
    'x: images("colour"), y: csv("few.csv", "kind", id: "file"), join: id',
    /has no `y`/,
  ],
  BadDeep: ['x: image[2, 2, 3]', 'x: images("deeper")', /16 bits a channel in colour/],
  BadFolder: ['x: image[8, 6, 3]', 'x: images("nowhere")', /does not exist/],
};

function modelOf(name: string, modalities: string, data: string): CompiledModel {
  const declared = modalities.split(/, (?=\w+: )/);
  const held: Record<string, string> = { Copies: '9..12', Derived: '4..6' };
  const extra = held[name] ? `eval { rows: ${held[name]} }` : '';
  const aux = `aux: npy("aux${countOf(name)}.npy")`;
  const ids = data.includes('join: id') ? 'aux: csv("aux.csv", columns: ["a", "b"], id: "file")' : aux;
  const encodes = name === 'Jsonl' || name === 'ShardsMissing' || name === 'JoinedAll';
  return compileSpec(`
model ${name} {
  modality aux: vector[2]
  ${declared.map((m) => `modality ${m}`).join('\n  ')}
  space z: f32[2]
  encoder aux = aux
  ${encodes ? 'encoder x = x' : ''}
  process { origin: aux }
  backbone h = concat(z, given) |> linear(4)
  decoder z = h |> linear(2)
  task generate: aux
  ${encodes ? 'task more: x -> aux' : ''}
  train { batch: ${batch} }
  data { ${ids}, ${data} }
  ${extra}
}
`);
}

/** Rows of each case's sources. */
function countOf(name: string): number {
  const counts: Record<string, number> = {
    ...{ Npz: 5, NpzOne: 5, Safetensors: 4, Binary: 4, Cifar10: 5, Cifar100: 3, Photos: 18, Sidecars: 3 },
    ...{ Shards: 7, ShardsMissing: 7, Csv: 3, Tsv: 3, Jsonl: 4, Parquet: 2, Arrow: 2, ArrowStream: 2 },
    ...{ Copies: 12, BadClass: 3, BadColumn: 3, BadMissing: 4, BadShard: 7, BadTar: 7, BadKey: 5 },
  };
  return counts[name] ?? 6;
}

function writeData(folder: string): void {
  const put = (name: string, bytes: Uint8Array | string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  };
  for (const n of [2, 3, 4, 5, 6, 7, 12, 18]) put(`aux${n}.npy`, formatNpy(random.normal(2 * n), [n, 2]));
  put('aux.csv', `file,a,b\n${[3, 0, 5, 1, 4, 2].map((i) => `somewhere/${i}.x,${i},${-i}`).join('\n')}\n`);
  put(
    'arrays.npz',
    zipSync({ 'a.npy': formatNpy(random.normal(5), [5]), 'b.npy': formatNpy(random.normal(15), [5, 3]) }),
  );
  put('one.npz', zipSync({ 'a.npy': formatNpy(random.integers(5, 4), [5]) }));
  const pixels = Uint8Array.from(random.integers(24, 256));
  const bits = Uint8Array.from(random.integers(24, 2));
  const tensors = [
    ['pixels', { shape: [4, 2, 3], data: pixels }],
    ['bits', { shape: [4, 2, 3], data: bits }],
  ] as const;
  put('t.safetensors', Buffer.concat([...formatSafetensors(tensors as never, {})]));
  const cifar = (n: number, labels: number, top: number) =>
    Uint8Array.from(
      Array.from({ length: n }, () => [
        ...random.integers(labels, top),
        ...random.integers(3072, 256),
      ]).flat(),
    );
  put('data_batch_1.bin', cifar(3, 1, 10));
  put('data_batch_2.bin', cifar(2, 1, 10));
  put('fine.bin', cifar(3, 2, 20));
  for (const [name, kind, numbers] of [
    ['b', 'cat', '[1, 2.5]'],
    ['a', 'dog', '"3 4"'],
    ['c', '1', '[0, -1]'],
  ] as const) {
    put(`beside/${name}.txt`, `${kind}\n`);
    put(`beside/${name}.json`, numbers);
  }
  put(
    't.csv',
    '\ufefffile,kind,a,b\r\nx.png,cat,1,2\r\n\r\n"y, 1.png"," dog ",3e-1,".5"\r\nz.png,cat,-1,+0.25\r\n',
  );
  put('t.tsv', 'other\tx\nfirst\t1 2 3\n"a\tb"\t[4, 5, 6]\nlast\t"7;8;0"\n');
  put(
    't.jsonl',
    '{"x": [1, 2.5], "kind": "cat"}\n\n{"other": 1, "kind": "dog"}\n{"x": "3, 4", "kind": 0}\n{"x": null, "kind": 1}\n',
  );
  const deep = {
    width: 2,
    height: 2,
    channels: 3,
    depth: 16,
    data: Uint16Array.from(random.integers(12, 65536)),
  } as const;
  put('deeper/0.png', encode(deep));
  put('few.csv', 'kind,file\ncat,5.png\ndog,0.png\n');
  put('ids.csv', 'kind,file\ncat,5.png\ndog,0.png\n,3.png\ncat,1.jpg\n');
  put(
    'ids.jsonl',
    [4, 2, 0, 1].map((i) => JSON.stringify({ file: `${i}.txt`, x: i === 2 ? null : [i, 2 * i] })).join('\n'),
  );
  const rows = Array.from({ length: 12 }, () => [...random.normal(16)]);
  rows[10] = rows[3]!;
  const [copied, there] = [10, 3];
  put('copies.npy', formatNpy(Float32Array.from(rows.flat()), [12, 16]));
  // Copies are so in every column.
  const aux = [...random.normal(24)];
  aux.splice(2 * copied, 2, ...aux.slice(2 * there, 2 * there + 2));
  put('aux12.npy', formatNpy(Float32Array.from(aux), [12, 2]));
  const png = (...data: number[]) =>
    encode({ width: 2, height: 1, channels: 1, depth: 8, data: Uint8Array.from(data) });
  put(
    't.parquet',
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: 'kind', data: ['dog', 'cat'], type: 'STRING' },
          { name: 'n', data: [1, 0], type: 'INT32' },
          { name: 'png', data: [png(255, 3), png(0, 128)], type: 'BYTE_ARRAY' },
          { name: 'v', data: [0.1, -2], type: 'DOUBLE' },
        ],
      }),
    ),
  );
  const table = tableFromArrays({ x: Float32Array.of(1, 2.5), kind: ['cat', 'dog'] });
  put('t.arrow', tableToIPC(table, 'file'));
  put('t.arrows', tableToIPC(table, 'stream'));
}

describe.skipIf(!python)(`readers of the package${needsPython}`, () => {
  const models = new Map<string, CompiledModel>();
  let data = '';
  let made: ReadonlyMap<
    string,
    { readonly data: ArrayLike<number | bigint>; readonly shape: readonly number[] }
  >;
  let refused: Record<string, string> = {};

  beforeAll(() => {
    data = mkdtempSync(join(tmpdir(), 'mmdc-readers-'));
    writeData(data);
    const script = (name: string) => join(root, 'test', 'pytorch', name);
    expect(runPython(data, [script('pictures.py'), data])).toMatchObject({ status: 0 });
    writeFileSync(join(data, 'cut.tar'), readFileSync(join(data, 'set-0.tar')).subarray(0, 5000));
    for (const [name, [modalities, block]] of [...Object.entries(cases), ...Object.entries(bad)])
      models.set(name, modelOf(name, modalities, block));
    const jobs = [...models].map(([name, model]) => ({
      package: packageName(name),
      folder: emit(model),
      ...{ data, seed, batch, open: name === 'Copies' ? 'open_training' : 'open_data' },
    }));
    const [list, out] = [join(data, 'jobs.json'), join(data, 'batches.safetensors')];
    writeFileSync(list, JSON.stringify(jobs));
    const ran = runPython(data, [script('readers.py'), list, out]);
    if (ran.status !== 0) throw new Error(ran.error.slice(-4000));
    made = parseSafetensors(readFileSync(out)).tensors as never;
    refused = JSON.parse(ran.out.trim().split('\n').at(-1)!) as Record<string, string>;
  }, 120_000);

  it.each(Object.keys(cases))('makes the batches of mmdc: %s', async (name) => {
    const model = models.get(name)!;
    const id = packageName(name);
    expect(refused[id]).toBe(undefined);
    let dataset = await openData(model.info, data, 'train');
    if (name === 'Copies') {
      const { exact } = overlap(dataset, await openData(model.info, data, 'eval'));
      expect(exact).toEqual([3]);
      dataset = dataset.take((row) => !exact.includes(row));
    }
    const feeds = new BatchFeeds(model, model.trainingStep(batch), dataset, seed, model.info.train, batch);
    const columns = allocateBatch(dataset, batch);
    for (const n of [1, 2]) {
      fillBatch(dataset, { seed, step: n - 1, batch }, columns);
      const inputs = await feeds.at(n);
      const wanted = {
        ...Object.fromEntries(Object.entries(columns).map(([key, value]) => [`x.${key}`, value])),
        ...Object.fromEntries(['given', 'produced', 't', 'noise'].map((key) => [key, inputs[key]])),
      };
      for (const [key, value] of Object.entries(wanted)) {
        if (value === undefined) continue;
        const there = made.get(`${id}/${n}/${key}`);
        expect([key, there?.shape]).toEqual([key, value.shape]);
        expect([key, Array.from(there!.data, Number)]).toEqual([key, Array.from(value.data, Number)]);
      }
    }
  });

  it.each(['Derived', 'Copies'])('reads the held-out rows of mmdc: %s', async (name) => {
    const { info } = models.get(name)!;
    const dataset = await openData(info, data, 'eval');
    const columns = allocateBatch(dataset, 2);
    fillRows(dataset, [0, 1], columns);
    for (const [key, value] of Object.entries(columns)) {
      const there = made.get(`${packageName(name)}/eval/x.${key}`);
      expect([key, Array.from(there!.data, Number)]).toEqual([key, Array.from(value.data, Number)]);
    }
  });

  it.each(Object.keys(bad))('refuses what does not belong: %s', (name) => {
    expect(refused[packageName(name)]).toMatch(bad[name]![2]);
  });

  it.skipIf(arrow)('says what reads Parquet where pyarrow is not installed', () => {
    const model = modelOf('Tables', 'x: vector[2]', 'x: parquet("t.parquet", columns: ["v", "n"])');
    const code = `from pathlib import Path; from tables_.data import open_data; from tables_.spec import SPEC; open_data(SPEC, Path(${JSON.stringify(data)}))`;
    const ran = runPython(emit(model), ['-c', code.replaceAll('tables_', packageName('Tables'))]);
    expect(ran.status).toBe(1);
    expect(ran.error).toContain('install the package with its extra `tables`');
  });
  it.skipIf(!arrow)(
    `Parquet and Arrow are among them${arrow ? '' : ' (skipped: no pyarrow beside MMDC_PYTHON)'}`,
    () => {
      expect(Object.keys(cases)).toEqual(expect.arrayContaining(['Parquet', 'Arrow', 'ArrowStream']));
    },
  );
});
