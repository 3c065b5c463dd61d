/** Terms weighed by learned variances (Kendall, Gal & Cipolla, 2018), against plain arithmetic on what the log reports. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, describe, expect, it } from 'vitest';
import { toColumn } from '../../runtime/data/column.js';
import { Dataset } from '../../runtime/data/table.js';
import { OrtExecutor } from '../../runtime/executors/ort/executor.js';
import { Stream } from '../../runtime/random/stream.js';
import { readLog } from '../../runtime/run/log.js';
import { train } from '../../runtime/train/trainer.js';
import {
  batchFeeds,
  compile,
  losses,
  pack,
  randomBatch,
  randomParameters,
  run,
  stepOf,
  vector,
  type Values,
} from './support.js';

const spec = `import { MLP } from "std/backbones"

model Mixed {
  modality image: image[2, 2, 1]
  modality label: category[3]
  modality pose: vector[3] { likelihood: cosine(kappa: 40) }
  modality size: vector[2] { likelihood: gaussian(sigma: 0.05) }
  space z: f32[2, 2, 1]
  encoder image = image
  encoder label = label |> project(shape(z))
  encoder pose = pose |> project(shape(z))
  encoder size = size |> project(shape(z))
  process { steps: 20, retention: 0.9, origin: image }
  backbone h = concat(z, given) |> MLP(t, width: 6, depth: 1)
  decoder z = h |> project(shape(z))
  decoder label = h |> linear(3)
  decoder pose = h |> linear(3)
  decoder size = h |> linear(2)
  task generate: image, label, pose, size
  loss { L0: 0.5, L1: 0.25, L2 { label: 2, pose: mean(0.5), size: 0.1 }, L3: bound(weight: 3, sigma: 0.02), balance: uncertainty }
  train { clip: 0 }
}
`;
const rows = [
  { t: 1, roles: ['produced', 'produced', 'produced', 'produced'] },
  { t: 7, roles: ['produced', 'given', 'produced', 'absent'] },
  { t: 20, roles: ['given', 'produced', 'absent', 'produced'] },
] as const;

const model = compile(spec);
const batch = randomBatch(model, rows);
const names = ['L1', 'L2.label', 'L2.pose', 'L2.size', 'L3'];
const slot = (name: string) => `balance.${name}`;

/** Least value of every term: what its own constant is, worked out for these likelihoods by hand. */
function least(): Record<string, number> {
  // von Mises-Fisher in three dimensions: C = kappa / (4 pi sinh kappa) (Mardia & Jupp, 2000, section 9.3.2).
  const kappa = 40;
  const pose = -Math.log(kappa / (4 * Math.PI * Math.sinh(kappa))) - kappa;
  const normal = (n: number, sigma: number) => (n / 2) * Math.log(2 * Math.PI * sigma ** 2);
  // Rows 0 and 1 produce a pose, 0 and 2 a size; only row 0 is at t = 1.
  const L3 = (normal(4, 0.02) * batch.inverseProbability[0]!) / 3;
  return { L1: 0, 'L2.label': 0, 'L2.pose': (2 / 3) * pose, 'L2.size': (2 / 3) * normal(2, 0.05), L3 };
}

const weights: Record<string, number> = { L1: 0.25, 'L2.label': 2, 'L2.pose': 0.5, 'L2.size': 0.1, L3: 3 };
/** The unit of a term that is minimised, in nats per row: a mean over three elements for `pose`. */
const unit: Record<string, number> = { 'L2.pose': 1 / 3 };

function expected(values: Values, terms: Record<string, number>) {
  const above = (name: string) => (terms[name]! - least()[name]!) * (unit[name] ?? 1);
  const s = (name: string) => values.get(slot(name))![0]!;
  const loss = names.reduce(
    (sum, name) => sum + weights[name]! * (Math.exp(-s(name)) * above(name) + s(name) / 2),
    0.5 * terms.L0!,
  );
  const gradient = (name: string) => weights[name]! * (0.5 - Math.exp(-s(name)) * above(name));
  return { loss, gradient };
}

/** The gradient by parameter, from the first moment of a step. */
function gradient(m: typeof model, values: Values): Values {
  const packed = pack(m, values);
  const zeros = () => vector(new Float64Array(m.layout.size));
  const outputs = run(stepOf(m, rows.length).graph, {
    ...batchFeeds(m, batch),
    schedule: vector(Float64Array.of(0, 1, 1, 1)),
    parameters: vector(packed),
    ema: vector(packed),
    moment1: zeros(),
    moment2: zeros(),
    statistics: vector(new Float64Array(m.layout.statisticsSize)),
  });
  const moment = Float64Array.from(outputs['moment1.next']!.data);
  return new Map(
    m.layout.trainable.map((p) => [p.name, moment.slice(p.offset, p.offset + p.size).map((g) => g / 0.1)]),
  );
}

describe('balance: uncertainty', () => {
  const values = randomParameters(model, 3);

  it('weighs every term but L0 by exp(-s), and adds s / 2', () => {
    const found = losses(model, batch, values);
    for (const name of names) expect(Math.abs(values.get(slot(name))![0]!), name).toBeGreaterThan(1e-3);
    expect(found.loss).toBeCloseTo(expected(values, found).loss, 9);
    for (const name of names)
      expect(found[slot(name)], name).toBeCloseTo(Math.exp(-values.get(slot(name))![0]!), 12);
  });

  it('has the gradient of s that the formula has, and a term is never below its least', () => {
    const found = losses(model, batch, values);
    const { gradient: wanted } = expected(values, found);
    const g = gradient(model, values);
    for (const name of names) {
      expect(g.get(slot(name))![0]!, name).toBeCloseTo(wanted(name), 7);
      expect(found[name]! - least()[name]!, name).toBeGreaterThanOrEqual(-1e-9);
    }
  });

  it('begins as the fixed weights do: at s = 0 the gradients of everything else are the same', () => {
    const zero = new Map(
      [...values].map(([name, v]) => [name, name.startsWith('balance.') ? new Float64Array(1) : v]),
    );
    const fixed = compile(spec, ['loss.balance=fixed']);
    expect(fixed.layout.trainable.filter((p) => p.name.startsWith('balance.'))).toEqual([]);
    const plain = gradient(fixed, zero);
    const learned = gradient(model, zero);
    for (const [name, g] of plain) {
      const other = learned.get(name)!;
      g.forEach((x, i) => expect(other[i]!, name).toBeCloseTo(x, 8));
    }
    expect(Math.hypot(...plain.get('decoder.pose.linear_1.weight')!)).toBeGreaterThan(1e-3);
  });

  it('has one parameter a term, without weight decay, none for a term of weight 0, and starts at 0', () => {
    const own = model.layout.trainable.filter((p) => p.name.startsWith('balance.'));
    expect(own.map((p) => p.name).sort()).toEqual(names.map(slot).sort());
    for (const p of own) {
      expect([p.decay, p.init.form, p.size]).toEqual([false, 'zeros', 1]);
      expect(p.offset).toBeGreaterThanOrEqual(model.layout.decayed);
    }
    const less = compile(spec, ['loss.L2.pose=0', 'loss.L3=0']);
    const left = less.layout.trainable.filter((p) => p.name.startsWith('balance.'));
    expect(left.map((p) => p.name).sort()).toEqual(['L1', 'L2.label', 'L2.size'].map(slot).sort());
  });
});

describe('a run with uncertainty', () => {
  const root = mkdtempSync(join(tmpdir(), 'mmdc-balance-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('learns the factors: each comes near 1 / (2 L) of what cannot be learned, and is in the log', async () => {
    // Nothing in the data can be told from anything else: the terms stay where chance puts them.
    const text = `
model Noise {
  modality label: category[4]
  modality far: vector[2]
  space z: f32[4]
  encoder label = label |> project(shape(z))
  encoder far = far |> project(shape(z))
  process { steps: 20, retention: 0.9 }
  backbone h = (concat(z, given) |> linear(1)) * 0
  decoder label = param([4]) + h
  decoder far = param([2]) + h
  task generate: label, far
  loss { L0: 0, L1: 0, L2 { label: 1, far: 1 }, balance: uncertainty }
  train { batch: 64, rate: 0.02, roles { all: 1, tasks: 0, any: 0 } }
}
`;
    const noise = compile(text);
    const random = new Stream(5, 'data');
    const n = 512;
    const dataset = new Dataset([
      toColumn('label', { data: random.integers(n, 4), shape: [n], file: 'label' } as never, {
        kind: 'category',
        classes: 4,
      }),
      toColumn('far', { data: random.normal(2 * n).map((x) => 5 * x), shape: [n, 2], file: 'far' } as never, {
        kind: 'vector',
        shape: [2],
      }),
    ]);
    const executor = await OrtExecutor.create({ backend: 'native', threads: 1 });
    await train(noise, dataset, executor, {
      dir: root,
      steps: 500,
      seed: 1,
      resume: false,
      logEvery: 50,
      checkpointEvery: 1000,
    });
    const log = readLog(root);
    const [first, last] = [log[0]!, log.at(-1)!];
    // ln 4 nats, and 25 nats of two numbers of variance 25 above their least.
    const [label, far] = [Math.log(4), 25];
    expect(last.balance!['L2.label']).toBeGreaterThan(0.8 / (2 * label));
    expect(last.balance!['L2.label']).toBeLessThan(1.25 / (2 * label));
    expect(last.balance!['L2.far']).toBeGreaterThan(0.8 / (2 * far));
    expect(last.balance!['L2.far']).toBeLessThan(1.25 / (2 * far));
    expect(first.balance!['L2.far']).toBeGreaterThan(2 * last.balance!['L2.far']!);
    expect(Object.keys(last.simplified)).toEqual([]);
    const schema = new URL('../../schema/log.schema.json', import.meta.url);
    const validate = new Ajv().compile(JSON.parse(readFileSync(schema, 'utf8')) as object);
    for (const line of readFileSync(join(root, 'log.jsonl'), 'utf8').trimEnd().split('\n'))
      expect(validate(JSON.parse(line)), line).toBe(true);
  });
});
