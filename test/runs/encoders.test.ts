/**
 * Learned encoders after real training (thousands of steps with MMDC_LONG, a short run without): nothing in the bound keeps
 * an encoder from collapsing, since L1's gradient into it is stopped and L0's vanishes. What is held is the variance of
 * the codes on held-out rows, their rank, and what can be read off them by a linear probe.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EigenvalueDecomposition, Matrix, solve } from 'ml-matrix';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bindParameters } from '../../compiler/lower/sampling.js';
import { scenes } from '../../runtime/data/scenes.js';
import { OrtExecutor } from '../../runtime/executors/ort/executor.js';
import { Dataset } from '../../runtime/data/table.js';
import { readLog } from '../../runtime/run/log.js';
import { rowsOf } from '../../runtime/sample/given.js';
import { initialState, modelTensors } from '../../runtime/train/state.js';
import { train } from '../../runtime/train/trainer.js';
import { compile } from '../lower/support.js';

const long = Boolean(process.env.MMDC_LONG);
const steps = long ? 2000 : 100;

const spec = `import { UNet } from "std/backbones"

/// Masks, labels and embeddings of scenes, each by a code that is learned.
model Codes {
  modality mask: mask[32, 32, 6]
  modality label: category[6]
  modality emb: vector[16] { likelihood: cosine }
  space z: f32[8, 8, 6]
  encoder mask = mask |> fold(4) |> conv(4) |> into(z, channels: 0..4)
  encoder label = label |> linear(16) |> project([8, 8, 1]) |> into(z, channels: 4..5)
  encoder emb = emb |> project([8, 8, 1]) |> into(z, channels: 5..6)
  process { steps: 1000, weights: nested }
  backbone h = concat(z, given) |> UNet(t, widths: [24, 32])
  decoder mask = h |> conv(96) |> unfold(4)
  decoder label = h |> pool |> linear(6)
  decoder emb = h |> reshape([1536]) |> linear(16)
  task generate: mask, label, emb
  task read: mask -> label, emb
  task paint: label, emb -> mask
  loss { L1: simplified(snr: clamp(1, 5)), L2 { mask: mean(1), label: 0.2, emb: 0.05 } }
  train { rate: cosine(2e-3, warmup: 50), batch: 32, steps: ${steps}, ema: 0.99 }
  data { source: builtin("scenes") }
}
`;
const model = compile(spec);
const names = ['mask', 'label', 'emb'] as const;

/** Channels that each code fills. */
const channels = { mask: [0, 4], label: [4, 5], emb: [5, 6] } as const;
const probed = { train: 512, test: 256 };

type Rows = Matrix;
interface Code {
  /** Rows that a probe learns from, and rows that neither it nor the model has seen: flattened codes. */
  readonly train: Rows;
  readonly test: Rows;
}

const root = mkdtempSync(join(tmpdir(), 'mmdc-encoders-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const parts = {
  train: new Dataset(names.map((name) => scenes('train').column(name))),
  test: new Dataset(names.map((name) => scenes('val').column(name))),
};
/** Codes before training and after it. */
const before: Record<string, Code> = {};
const after: Record<string, Code> = {};

beforeAll(async () => {
  const executor = await OrtExecutor.create({ backend: 'native', threads: 1 });
  const seed = 11;
  const encode = async (into: Record<string, Code>, weights: ReturnType<typeof modelTensors>) => {
    const values = new Map(
      Object.entries(weights).map(([name, { data }]) => [name, data as Float32Array] as const),
    );
    for (const name of names) {
      const batch = 64;
      const program = await executor.prepare(bindParameters(model.encoder(name, batch), values));
      const read = async (part: 'train' | 'test'): Promise<Rows> => {
        const out: number[][] = [];
        for (let first = 0; first < probed[part]; first += batch) {
          const picked = Array.from({ length: batch }, (_, i) => first + i);
          const { data, shape } = rowsOf(parts[part].column(name), picked);
          const outputs = await program.run({ [`x.${name}`]: { data, shape } });
          const y = Object.values(outputs)[0]!.data;
          const [from, to] = channels[name];
          for (let row = 0; row < batch; row++)
            out.push(
              Array.from({ length: 64 * (to - from) }, (_, i) => {
                const [pixel, c] = [Math.floor(i / (to - from)), i % (to - from)];
                return y[(row * 64 + pixel) * 6 + from + c]!;
              }),
            );
        }
        return new Matrix(out);
      };
      into[name] = { train: await read('train'), test: await read('test') };
      await program.dispose();
    }
  };
  await encode(before, modelTensors(model.layout, initialState(model.layout, seed)));
  const { state } = await train(model, parts.train, executor, {
    dir: root,
    steps,
    seed,
    resume: false,
    logEvery: 50,
    checkpointEvery: 100_000,
  });
  await encode(after, modelTensors(model.layout, state));
}, 1_800_000);

const centred = (rows: Rows): Matrix => rows.clone().center('column');

/** exp of the entropy of the eigenvalues' shares (Roy & Vetterli, "The effective rank", 2007): 1 for a line. */
function effectiveRank(rows: Rows): number {
  const x = centred(rows);
  const gram = x.rows < x.columns ? x.mmul(x.transpose()) : x.transpose().mmul(x);
  const values = new EigenvalueDecomposition(gram, { assumeSymmetric: true }).realEigenvalues.map((v) =>
    Math.max(0, v),
  );
  const total = values.reduce((a, b) => a + b, 0);
  return Math.exp(-values.reduce((sum, v) => sum + (v > 0 ? (v / total) * Math.log(v / total) : 0), 0));
}

/** Ridge regression from codes to `wanted`, learned on one part and asked on the other. */
function probe(code: Code, wanted: { readonly train: Matrix; readonly test: Matrix }): Matrix {
  const withOne = (m: Matrix) => m.clone().addColumn(new Array<number>(m.rows).fill(1));
  const x = withOne(code.train);
  const gram = x.transpose().mmul(x).add(Matrix.eye(x.columns).mul(1e-2));
  return withOne(code.test).mmul(solve(gram, x.transpose().mmul(wanted.train)));
}

const wantedOf = (name: string, width: number, discrete: boolean) => {
  const of = (part: 'train' | 'test') => {
    const rows = rowsOf(
      parts[part].column(name),
      Array.from({ length: probed[part] }, (_, i) => i),
    );
    return Matrix.from1DArray(
      probed[part],
      width,
      discrete
        ? Array.from({ length: probed[part] * width }, (_, i) =>
            Number(rows.data[Math.floor(i / width)] === i % width),
          )
        : Array.from(rows.data),
    );
  };
  return { train: of('train'), test: of('test') };
};

describe(`learned encoders after ${steps} steps`, () => {
  it('belong to a model that has learned', () => {
    const log = readLog(root);
    const [first, last] = [log[0]!, log.at(-1)!];
    expect(last.loss).toBeLessThan((long ? 0.6 : 0.95) * first.loss);
    for (const name of names) {
      const moved = after[name]!.test.clone().sub(before[name]!.test);
      expect(moved.norm() / before[name]!.test.norm(), `${name} has moved`).toBeGreaterThan(0.02);
    }
  });

  it.each(names)('%s: centred, of unit root mean square, with variance in every channel', (name) => {
    const { test } = after[name]!;
    const [from, to] = channels[name];
    const width = to - from;
    const flat = test.to1DArray();
    expect(Math.sqrt(flat.reduce((sum, y) => sum + y * y, 0) / flat.length)).toBeGreaterThan(0.85);
    expect(Math.sqrt(flat.reduce((sum, y) => sum + y * y, 0) / flat.length)).toBeLessThan(1.15);
    for (let c = 0; c < width; c++) {
      const own = flat.filter((_, i) => i % width === c);
      const mean = own.reduce((a, b) => a + b, 0) / own.length;
      // A label's code is centred over its classes, which held-out rows do not have equally often.
      expect(Math.abs(mean)).toBeLessThan(0.15);
      expect(own.reduce((sum, y) => sum + (y - mean) ** 2, 0) / own.length).toBeGreaterThan(0.2);
    }
    // The variance lies between rows, and is not a pattern that all of them share.
    const between = centred(test);
    expect(between.norm() ** 2 / flat.length).toBeGreaterThan(name === 'mask' ? 0.2 : 0.5);
  });

  it.each([
    // At most 5 for six classes about their mean, and 16 for the embedding; equal shares are no aim, a line would be 1.
    ['mask', 10],
    ['label', 1.7],
    ['emb', 5],
  ] as const)('%s: of an effective rank of at least %f', (name, least) => {
    const rank = effectiveRank(after[name]!.test);
    expect(rank).toBeGreaterThanOrEqual(least);
    expect(rank).toBeGreaterThanOrEqual(0.3 * effectiveRank(before[name]!.test));
  });

  it('label: read off its code by a linear probe, without error', () => {
    const wanted = wantedOf('label', 6, true);
    const read = probe(after.label!, wanted);
    const best = (m: Matrix, row: number) => m.getRow(row).indexOf(Math.max(...m.getRow(row)));
    const right = Array.from({ length: probed.test }, (_, row) => best(read, row) === best(wanted.test, row));
    expect(right.filter(Boolean).length).toBe(probed.test);
  });

  it('emb: read off its code, to a part in a hundred of its variance', () => {
    const wanted = wantedOf('emb', 16, false);
    const error = probe(after.emb!, wanted).sub(wanted.test);
    expect(error.norm() ** 2 / centred(wanted.test).norm() ** 2).toBeLessThan(0.01);
  });

  it('mask: the share of every class in a picture read off its code', () => {
    const share = (part: 'train' | 'test') => {
      const rows = rowsOf(
        parts[part].column('mask'),
        Array.from({ length: probed[part] }, (_, i) => i),
      ).data;
      const out = Matrix.zeros(probed[part], 6);
      rows.forEach((k, i) => {
        const row = Math.floor(i / 1024);
        if (k >= 0) out.set(row, k, out.get(row, k) + 1 / 1024);
      });
      return out;
    };
    const wanted = { train: share('train'), test: share('test') };
    const error = probe(after.mask!, wanted).sub(wanted.test);
    expect(error.norm() ** 2 / centred(wanted.test).norm() ** 2).toBeLessThan(0.1);
  });
});
