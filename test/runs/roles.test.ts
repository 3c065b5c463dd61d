/**
 * Any subset to any subset: one small trained model of four modalities is asked every one of its 3^4 - 2^4 = 65 role
 * vectors (a spread of twelve without MMDC_LONG), after training on rows of which a quarter of each modality is missing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toColumn, type Column, type ColumnType } from '../../runtime/data/column.js';
import { Dataset } from '../../runtime/data/table.js';
import { OrtExecutor } from '../../runtime/executors/ort/executor.js';
import { Stream } from '../../runtime/random/stream.js';
import { readLog } from '../../runtime/run/log.js';
import { ModelSampler, type Produced, type Rows } from '../../runtime/sample/sampler.js';
import { allRoles, type Roles } from '../../runtime/train/roles.js';
import { modelTensors } from '../../runtime/train/state.js';
import { train } from '../../runtime/train/trainer.js';
import { compile } from '../lower/support.js';

const long = Boolean(process.env.MMDC_LONG);

const spec = `import { MLP } from "std/backbones"

/// Four views of one of four things.
model Four {
  modality image: image[4, 4, 1]
  modality mask: mask[4, 4, 3]
  modality label: category[4]
  modality emb: vector[4] { likelihood: cosine }
  space z: f32[4, 4, 5]
  encoder image = image |> into(z, channels: 0..1)
  encoder mask = mask |> conv(2) |> into(z, channels: 1..3)
  encoder label = label |> project([4, 4, 1]) |> into(z, channels: 3..4)
  encoder emb = emb |> project([4, 4, 1]) |> into(z, channels: 4..5)
  process { steps: 100, weights: nested }
  backbone h = concat(z, given) |> MLP(t, width: 96, depth: 2)
  decoder image = h |> project([4, 4, 1])
  decoder mask = h |> project([4, 4, 3])
  decoder label = h |> linear(4)
  decoder emb = h |> linear(4)
  task generate: image, mask, label, emb
  loss { L1: simplified(snr: clamp(1, 5)), L2 { image: mean(1), mask: mean(1), label: 0.5, emb: 0.1 } }
  train {
    rate: cosine(3e-3, warmup: 50), batch: 64, steps: 800, ema: 0.99
    roles { all: 0.2, tasks: 0, any: 0.8, absent: 0.1 }
  }
}
`;
const model = compile(spec, long ? ['train.steps=2000'] : []);
const { info } = model;
const names = info.modalities.map((m) => m.name);

/** Pixels that are bright, and of class 1, for each of the four things: the halves of a picture. */
const bright = [0, 1, 2, 3].map((k) =>
  Array.from({ length: 16 }, (_, i) => {
    const [y, x] = [Math.floor(i / 4), i % 4];
    return [x < 2, x >= 2, y < 2, y >= 2][k]!;
  }),
);

/** Rows of every modality for the given things. */
function views(things: readonly number[], seed: number): Record<string, Rows> {
  const n = things.length;
  const random = new Stream(seed, 'views');
  const image = Float32Array.from(things.flatMap((k) => bright[k]!.map((on) => (on ? 0.6 : -0.6))));
  const noise = random.normal(image.length);
  const emb = Float32Array.from(things.flatMap((k) => [0, 1, 2, 3].map((d) => Number(d === k))));
  return {
    image: { data: image.map((x, i) => Math.max(-1, Math.min(1, x + 0.1 * noise[i]!))), shape: [n, 4, 4, 1] },
    // What is not bright has class 0, but for the middle row of things 2 and 3, which has class 2.
    mask: {
      data: Int32Array.from(things.flatMap((k) => bright[k]!.map((on) => (on ? 1 : k >= 2 ? 2 : 0)))),
      shape: [n, 4, 4],
    },
    label: { data: Int32Array.from(things), shape: [n] },
    emb: { data: emb, shape: [n, 4] },
  };
}

const kinds: Record<string, ColumnType> = {
  image: { kind: 'image', shape: [4, 4, 1] },
  mask: { kind: 'mask', shape: [4, 4], classes: 3 },
  label: { kind: 'category', classes: 4 },
  emb: { kind: 'vector', shape: [4] },
};

/** A column of which a quarter of the rows is missing, others in every modality. */
function withGaps(column: Column, seed: number): Column {
  const gone = new Stream(seed, column.name).uniform(column.rows).map((u) => Number(u < 0.25));
  return {
    ...column,
    missing: (row) => gone[row] === 1,
    read: (row, out, offset) =>
      gone[row] === 1
        ? out.fill(column.kind === 'index' ? -1 : 0, offset, offset + column.shape.reduce((a, b) => a * b, 1))
        : column.read(row, out, offset),
  };
}

/** Which thing each row of a modality is nearest to. */
function things(name: string, rows: Pick<Produced, 'data' | 'shape'>): number[] {
  const n = rows.shape[0]!;
  const size = rows.data.length / n;
  const wanted = views([0, 1, 2, 3], 9);
  return Array.from({ length: n }, (_, row) => {
    const far = [0, 1, 2, 3].map((k) => {
      let sum = 0;
      for (let i = 0; i < size; i++) {
        const [a, b] = [rows.data[row * size + i]!, wanted[name]!.data[k * size + i]!];
        sum += name === 'image' || name === 'emb' ? (a - b) ** 2 : Number(a !== b);
      }
      return sum;
    });
    return far.indexOf(Math.min(...far));
  });
}

const root = mkdtempSync(join(tmpdir(), 'mmdc-roles-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let sampler: ModelSampler;

beforeAll(async () => {
  const random = new Stream(2, 'things');
  const data = views([...random.integers(1024, 4)], 1);
  const dataset = new Dataset(
    names.map((name) =>
      withGaps(toColumn(name, { ...data[name]!, file: name } as never, kinds[name]!), 7),
    ),
  );
  const executor = await OrtExecutor.create({ backend: 'native', threads: 1 });
  const { state } = await train(model, dataset, executor, {
    dir: root,
    steps: info.train.steps,
    seed: 3,
    resume: false,
    logEvery: 100,
    checkpointEvery: 10_000,
  });
  sampler = new ModelSampler(model, new Map(Object.entries(modelTensors(model.layout, state))), executor);
}, 300_000);

describe('rows with missing modalities', () => {
  it('train: every term is learned from the rows that have it', () => {
    const log = readLog(root);
    const [first, last] = [log[0]!, log.at(-1)!];
    for (const name of ['mask', 'label', 'emb']) {
      expect(Number.isFinite(last.L2[name]), name).toBe(true);
      expect(last.L2[name], name).toBeLessThan(first.L2[name]! - 0.1 * Math.abs(first.L2[name]!));
    }
    expect(last.simplified['L1.simplified']).toBeLessThan(0.5 * first.simplified['L1.simplified']!);
  });
});

const all = allRoles(info);
/** Twelve, evenly over the list, whose order goes through absent, given and produced of each modality. */
const spread = Array.from({ length: 12 }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / 12)]!);
const named = (roles: Roles) => {
  const of = (role: string) => names.filter((_, i) => roles[i] === role).join(', ');
  return `${of('given') === '' ? '' : `${of('given')} -> `}${of('produced')}`;
};

describe('every role vector', () => {
  it('is counted: 3^4 - 2^4 = 65', () => {
    expect(all.length).toBe(65);
    expect(new Set(all.map((r) => r.join())).size).toBe(65);
    expect(new Set(spread.flat())).toEqual(new Set(['given', 'produced', 'absent']));
    for (const i of names.keys()) expect(new Set(spread.map((r) => r[i])).size).toBe(3);
  });

  it.each((long ? all : spread).map((roles) => [named(roles), roles] as const))('%s', async (_, roles) => {
    const given = names.filter((__, i) => roles[i] === 'given');
    const produced = names.filter((__, i) => roles[i] === 'produced');
    const rows = 32;
    const asked = Array.from({ length: rows }, (__, i) => i % 4);
    const data = views(asked, 11);
    const result = await sampler.sample({
      given,
      produced,
      guidance: 1,
      sampler: { form: 'ddim', eta: 0 },
      steps: 20,
      readout: { form: 'chain' },
      rows,
      seed: 4,
      data: new Map(given.map((name) => [name, data[name]!])),
    });
    expect([...result.keys()]).toEqual(produced);
    for (const [name, made] of result) {
      expect(made.shape).toEqual(data[name]!.shape);
      expect(made.mean.every(Number.isFinite), name).toBe(true);
      if (name === 'image') expect(Math.max(...made.data.map(Math.abs))).toBeLessThanOrEqual(1);
    }
    // What is produced fits what is given; with nothing given, what is produced fits itself, and is not always the same.
    const read = produced.map((name) => things(name, result.get(name)!));
    const wanted = given.length > 0 ? asked : read[0]!;
    for (const [i, name] of produced.entries()) {
      const right = read[i]!.filter((thing, row) => thing === wanted[row]).length / rows;
      expect(right, `${name} fits`).toBeGreaterThanOrEqual(0.85);
    }
    if (given.length === 0) expect(new Set(read[0]).size).toBeGreaterThanOrEqual(3);
  });
});
