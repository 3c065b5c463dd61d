/** The state z_t, the encodings it is made of, and guidance in the sampling step. */
import { describe, expect, it } from 'vitest';
import { readdirSync, readFileSync } from 'node:fs';
import type { Model } from '../../grammar/ast.js';
import { Diagnostics } from '../../compiler/diagnostics/collect.js';
import { Evaluator } from '../../compiler/elaborate/evaluator.js';
import { ParameterTable } from '../../compiler/elaborate/parameters.js';
import { GraphBuilder } from '../../compiler/graph/builder.js';
import { sizeOf } from '../../compiler/graph/ir.js';
import { dataNode, Forward } from '../../compiler/lower/forward.js';
import { ModelNetworks } from '../../compiler/lower/networks.js';
import { sampleInputs } from '../../compiler/lower/sampling.js';
import { trainInputs } from '../../compiler/lower/training.js';
import { checkModel, type CheckedModel } from '../../compiler/model/check.js';
import { memoryHost } from '../../compiler/project/host.js';
import { loadProject } from '../../compiler/project/project.js';
import { Random } from '../graph/random.js';
import {
  batchFeeds,
  compile,
  randomBatch,
  randomParameters,
  run,
  type Batch,
  type Role,
  type Values,
} from './support.js';

const spec = `import { MLP } from "std/backbones"

model Mixed {
  modality image: image[2, 2, 1]
  modality label: category[3]
  modality pose: vector[3]
  modality text: tokens[2, 4]
  space z: f32[2, 2, 3]
  encoder image = image |> into(z, channels: 0..1)
  encoder label = label |> project([2, 2, 1]) |> into(z, channels: 1..2)
  encoder pose = pose |> project([2, 2, 2]) |> into(z, channels: 1..3)
  encoder text = text |> project([2, 2, 1]) |> into(z, channels: 2..3) { scale: none }
  process { steps: 20, retention: 0.9, origin: mean, weights { image: nested(0.8), label: step(0.2), pose: marginal(cosine), text: nested } }
  backbone h = concat(z, given) |> MLP(t, width: 6, depth: 1)
  decoder image = h |> project([2, 2, 1])
  decoder label = h |> linear(3)
  decoder pose = h |> linear(3)
  decoder text = h |> project([2, 4])
  task generate: image, label, pose, text
}
`;
const names = ['image', 'label', 'pose', 'text'];
const channels: Record<string, readonly [number, number]> = {
  image: [0, 1],
  label: [1, 2],
  pose: [1, 3],
  text: [2, 3],
};

const roles: readonly (readonly Role[])[] = [
  ['produced', 'produced', 'produced', 'produced'],
  ['given', 'produced', 'absent', 'given'],
  ['produced', 'given', 'given', 'produced'],
  ['absent', 'absent', 'produced', 'given'],
  ['produced', 'produced', 'produced', 'absent'],
];
const model = compile(spec);
const values = randomParameters(model, 11);
const batch = randomBatch(
  model,
  roles.map((r, i) => ({ t: [1, 5, 12, 20, 8][i]!, roles: r })),
);

/** Encodings and z_t as training makes them. */
function state(batch: Batch, values: Values) {
  const folder = new URL('../../stdlib/', import.meta.url);
  const library = Object.fromEntries(
    readdirSync(folder).map((name) => [
      name.replace('.mmd', ''),
      readFileSync(new URL(name, folder), 'utf8'),
    ]),
  );
  const diagnostics = new Diagnostics();
  const project = loadProject(memoryHost({ 'm.mmd': spec }, library), 'm.mmd', spec, diagnostics);
  const b = new GraphBuilder('state');
  const B = batch.rows.length;
  const evaluator = new Evaluator(project, b, new ParameterTable(), diagnostics, B);
  const { info, constants } = checkModel(
    evaluator,
    project.root.declared.get('Mixed') as Model,
    project.root,
  ) as CheckedModel;
  const inputs = {
    given: b.input(trainInputs.given, [B, names.length]),
    produced: b.input(trainInputs.produced, [B, names.length]),
    t: b.input(trainInputs.t, [B], 'i32'),
  };
  const noise = b.input(trainInputs.noise, [B, ...info.space.shape]);
  const data = new Map(info.modalities.map((m) => [m.name, dataNode(b, m, B)]));
  const present = (name: string) => {
    const i = names.indexOf(name);
    const column = (x: typeof noise) => b.reshape(b.slice(x, [0, i], [B, i + 1]), [B]);
    return b.add(column(inputs.given), column(inputs.produced));
  };
  const networks = new ModelNetworks(info, constants, evaluator);
  const forward = new Forward(networks, inputs, B, data, { from: 'batch', present });
  for (const { modality, encoding } of forward.encoders) b.output(modality.name, encoding);
  b.output('z', forward.marginal(noise));
  for (const { name, value } of networks.statistics) b.output(name, value);
  return run(b.finish(), batchFeeds(model, batch), values);
}

const made = state(batch, values);
const size = sizeOf(model.info.space.shape);
/** The filled channels of the encodings of rows that take part. */
function filled(
  name: string,
  whichRows = (i: number) => roles[i]![names.indexOf(name)] !== 'absent',
): number[][] {
  const [from, to] = channels[name]!;
  return batch.rows.flatMap((_, i) =>
    whichRows(i)
      ? Array.from({ length: 4 }, (_, p) => [
          ...made[name]!.data.slice(i * size + 3 * p + from, i * size + 3 * p + to),
        ])
      : [],
  );
}
const mean = (x: readonly number[]) => x.reduce((s, v) => s + v, 0) / x.length;

describe('encodings', () => {
  it('fill their channels and no others', () => {
    for (const name of names) {
      const [from, to] = channels[name]!;
      made[name]!.data.forEach((x, i) => {
        if (i % 3 < from || i % 3 >= to) expect(x).toBe(0);
      });
    }
  });

  it('are the data where the encoder has no parameters', () => {
    batch.rows.forEach((row, i) => {
      expect([...made.image!.data].filter((_, k) => Math.floor(k / size) === i && k % 3 === 0)).toEqual([
        ...row.data.image!,
      ]);
    });
  });

  it('are centred per channel and of unit root mean square where they are learned, over the rows that take part', () => {
    const pose = filled('pose');
    for (const channel of [0, 1]) expect(mean(pose.map((v) => v[channel]!))).toBeCloseTo(0, 10);
    expect(mean(pose.flat().map((x) => x * x))).toBeCloseTo(1, 4);
    // Rows that do not take part have no say, and would spoil it.
    expect(Math.abs(mean(filled('pose', () => true).map((v) => v[0]!)))).toBeGreaterThan(1e-3);
  });

  it('are left alone by `scale: none`', () => {
    expect(
      Math.abs(
        mean(
          filled('text')
            .flat()
            .map((x) => x * x),
        ) - 1,
      ),
    ).toBeGreaterThan(0.05);
  });

  it('of a category are normalised over the classes, whatever the batch', () => {
    const table = new Map<number, number[]>();
    batch.rows.forEach((row, i) =>
      table.set(row.data.label![0]!, [...made.label!.data.slice(i * size, (i + 1) * size)]),
    );
    const others = [0, 1, 2].map((k) => {
      const rows = batch.rows.map((row) => ({ ...row, data: { ...row.data, label: [k] } }));
      return [...state({ ...batch, rows }, values).label!.data.slice(0, size)];
    });
    for (const [k, encoding] of table) others[k]!.forEach((x, i) => expect(x).toBeCloseTo(encoding[i]!, 12));
    for (let i = 1; i < size; i += 3) expect(mean(others.map((y) => y[i]!))).toBeCloseTo(0, 10);
    expect(mean(others.flatMap((y) => y.filter((_, i) => i % 3 === 1)).map((x) => x * x))).toBeCloseTo(1, 4);
  });
});

const { tables } = model.info;
const c = (name: string, t: number) => tables.components.find((j) => j.name === name)!.c[t]!;

describe('the state', () => {
  it('is sum_j c_j(t) Y_j + sigma_t eps over what is not absent, each row at its own time', () => {
    batch.rows.forEach((row, i) => {
      for (let k = i * size; k < (i + 1) * size; k++) {
        const signal = names
          .filter((name) => row.roles[name] !== 'absent')
          .reduce((s, name) => s + c(name, row.t) * made[name]!.data[k]!, 0);
        expect(made.z!.data[k]).toBeCloseTo(signal + tables.sigma[row.t]! * batch.noise[k]!, 10);
      }
    });
  });
});

// ---- sampling

const B = batch.rows.length;
const J = names.length;

/** One sampling step. Statistics of the encoders are those of the batch above. */
function sample(options: {
  guidance?: number;
  given?: string;
  produced?: readonly string[];
  z?: Float64Array;
  start?: number;
  update?: number[];
  t?: number;
  /** Roles as part of the graph, not fed. */
  known?: boolean;
}) {
  const {
    guidance,
    given = 'label',
    produced = ['image', 'pose', 'text'].filter((name) => name !== given),
    t = 12,
    start = 0,
    update = [1, 0, ...Array<number>(2 * J).fill(0)],
  } = options;
  const roles = { given: names.filter((name) => name === given), produced };
  const graph = model.samplingStep(B, guidance !== undefined, options.known ? { roles } : {});
  const zeros = new Float64Array(B * size);
  const flag = (yes: (name: string) => boolean) => ({
    data: Float64Array.from({ length: B * J }, (_, i) => Number(yes(names[i % J]!))),
    shape: [B, J],
  });
  const kept = new Map([
    ...values,
    ...Object.keys(made)
      .filter((n) => n.includes('normalise'))
      .map((n) => [n, made[n]!.data as Float64Array] as const),
  ]);
  return run(
    graph,
    {
      ...batchFeeds(model, batch),
      [sampleInputs.given]: flag((name) => name === given),
      [sampleInputs.produced]: flag((name) => produced.includes(name)),
      [sampleInputs.t]: { data: new Int32Array(B).fill(t), shape: [B] },
      [sampleInputs.z]: { data: options.z ?? batch.noise, shape: [B, 2, 2, 3] },
      [sampleInputs.start]: { data: Float64Array.of(start), shape: [1] },
      [sampleInputs.noise]: { data: zeros.fill(0.5), shape: [B, 2, 2, 3] },
      [sampleInputs.previous]: { data: new Float64Array(J * B * size).fill(0.25), shape: [J, B, 2, 2, 3] },
      [sampleInputs.update]: { data: Float64Array.from(update), shape: [update.length] },
      [sampleInputs.guidance]: { data: Float64Array.of(guidance ?? 1), shape: [1] },
    },
    kept,
  );
}
const predictions = ['image', 'pose', 'text'].map((name) => `prediction.${name}`);

describe('the sampling step', () => {
  it('starts with the encodings of what is given, normalised as in training', () => {
    const { z } = sample({ start: 1, t: 20 });
    z!.data.forEach((x, k) =>
      expect(x).toBeCloseTo(batch.noise[k]! + c('label', 20) * made.label!.data[k]!, 9),
    );
    const pose = sample({ start: 1, t: 20, given: 'pose' });
    pose.z!.data.forEach((x, k) =>
      expect(x).toBeCloseTo(batch.noise[k]! + c('pose', 20) * made.pose!.data[k]!, 9),
    );
  });

  it('updates linearly: z, noise, components, components of the last call', () => {
    const update = [0.5, 2, 0.1, 0.2, 0.3, 0.4, -1, -2, -3, -4];
    const { z, components } = sample({ update });
    z!.data.forEach((x, k) => {
      const now = names.reduce((s, _, j) => s + update[2 + j]! * components!.data[j * B * size + k]!, 0);
      expect(x).toBeCloseTo(0.5 * batch.noise[k]! + 2 * 0.5 + now - 10 * 0.25, 9);
    });
    // What is given is exact.
    const given = components!.data.slice(B * size, 2 * B * size);
    given.forEach((x, k) => expect(x).toBeCloseTo(made.label!.data[k]!, 9));
  });

  it('is the same with guidance 1 as without', () => {
    const [plain, guided] = [sample({}), sample({ guidance: 1 })];
    for (const name of [...predictions, 'components', 'z']) {
      guided[name]!.data.forEach((x, k) => expect(x).toBeCloseTo(plain[name]!.data[k]!, 9));
    }
  });

  it('extrapolates from the state without what is given: u + g (c - u)', () => {
    const produced = ['pose'];
    const conditional = sample({ produced });
    const z = batch.noise.map((x, k) => x - c('label', 12) * made.label!.data[k]!);
    const without = sample({ produced, given: 'none', z });
    const guided = sample({ produced, guidance: 2.5 });
    let moved = 0;
    guided['prediction.pose']!.data.forEach((x, k) => {
      const [u, y] = [without, conditional].map((r) => r['prediction.pose']!.data[k]!);
      moved = Math.max(moved, Math.abs(x - y!));
      expect(x).toBeCloseTo(u! + 2.5 * (y! - u!), 9);
    });
    expect(moved).toBeGreaterThan(1e-3);
  });

  it('guides pictures by the vectors produced with them too, which themselves are left alone', () => {
    const conditional = sample({});
    const pose = conditional.components!.data.subarray(2 * B * size, 3 * B * size);
    const z = batch.noise.map((x, k) => x - c('label', 12) * made.label!.data[k]! - c('pose', 12) * pose[k]!);
    const without = sample({ given: 'none', produced: ['image', 'text'], z });
    const guided = sample({ guidance: 2.5 });
    const of = (name: string) => [guided, conditional, without].map((r) => r[`prediction.${name}`]!.data);
    const [poses, own] = of('pose');
    poses!.forEach((x, k) => expect(x).toBeCloseTo(own![k]!, 9));
    const [image, y, u] = of('image');
    // Images stay in their range.
    image!.forEach((x, k) => {
      const free = u![k]! + 2.5 * (y![k]! - u![k]!);
      if (Math.abs(u![k]!) < 1 && Math.abs(y![k]!) < 1)
        expect(x).toBeCloseTo(Math.min(Math.max(free, -1), 1), 9);
    });
    expect(Math.max(...image!.map(Math.abs))).toBeLessThanOrEqual(1);
    // Probabilities stay probabilities.
    const [text, p, q] = of('text');
    for (let i = 0; i < text!.length; i += 4) {
      const free = [0, 1, 2, 3].map((k) => Math.max(q![i + k]! + 2.5 * (p![i + k]! - q![i + k]!), 0));
      const total = free.reduce((s, x) => s + x, 0);
      free.forEach((x, k) => expect(text![i + k]).toBeCloseTo(x / total, 9));
    }
  });

  it.each([
    { given: 'label', produced: ['image'] },
    { given: 'label', produced: ['image', 'pose', 'text'] },
    { given: 'pose', produced: ['label'] },
    { given: 'none', produced: ['image', 'pose'] },
  ])('is the same where the roles are known: $given -> $produced', ({ given, produced }) => {
    // Coefficients of the last call's components where there are any: what is absent then is zero.
    const there = names.map((name) => Number(name === given || produced.includes(name)));
    const update = [0.5, 2, 0.1, 0.2, 0.3, 0.4, ...there.map((yes, j) => -yes * (j + 1))];
    for (const guidance of [undefined, 2.5]) {
      const options = { given, produced, update, start: 1, ...(guidance && { guidance }) };
      const [fed, known] = [sample(options), sample({ ...options, known: true })];
      const asked = produced.map((name) => `prediction.${name}`);
      expect(Object.keys(known).filter((name) => name.startsWith('prediction.'))).toEqual(
        names.map((name) => `prediction.${name}`).filter((name) => asked.includes(name)),
      );
      for (const name of [...asked, 'components', 'z'].filter((n) => n in fed))
        known[name]!.data.forEach((x, k) => expect(x).toBeCloseTo(fed[name]!.data[k]!, 9));
    }
  });

  it('is not the same for other data of what is given', () => {
    const random = new Random(1);
    const shifted = sample({ z: random.uniform(B * size, -1, 1) });
    const plain = sample({});
    expect(
      shifted['prediction.pose']!.data.some(
        (x, k) => Math.abs(x - plain['prediction.pose']!.data[k]!) > 1e-3,
      ),
    ).toBe(true);
  });
});
