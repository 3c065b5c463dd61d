/** The loop around the step: what is drawn, repeating a run, resuming one, and sampling in batches of any size. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CompiledModel } from '../../compiler/driver.js';
import { toColumn } from '../../runtime/data/column.js';
import { Dataset } from '../../runtime/data/table.js';
import type { Executor } from '../../runtime/executors/executor.js';
import { OrtExecutor } from '../../runtime/executors/ort/executor.js';
import { ReferenceExecutor } from '../../runtime/executors/reference/index.js';
import { Stream } from '../../runtime/random/stream.js';
import { readLog } from '../../runtime/run/log.js';
import { ModelSampler, type SampleRequest } from '../../runtime/sample/sampler.js';
import {
  allRoles,
  drawTimesteps,
  isTrained,
  RoleSampler,
  rolesOf,
  type Roles,
} from '../../runtime/train/roles.js';
import { initialState, modelTensors } from '../../runtime/train/state.js';
import { train, type TrainHooks, type TrainResult } from '../../runtime/train/trainer.js';
import { emaAt, rateAt } from '../../runtime/train/schedule.js';
import { compile } from './support.js';

const spec = `import { MLP } from "std/backbones"

model Small {
  modality image: image[2, 2, 1]
  modality label: category[3]
  modality pose: vector[2]
  space z: f32[2, 2, 1]
  encoder image = image
  encoder label = label |> project(shape(z))
  encoder pose = pose |> project(shape(z))
  process { steps: 40, origin: image }
  backbone h = concat(z, given) |> MLP(t, width: 8, depth: 1)
  decoder z = h |> project(shape(z))
  decoder label = h |> linear(3)
  decoder pose = h |> linear(2)
  task generate: image, label, pose
  task draw: label -> image
  task classify: image -> label
  train { batch: 8, steps: 12, ema: 0.9, rate: 1e-2 }
}
`;
const model = compile(spec);
const { info } = model;

const rows = 50;
const random = new Stream(1, 'data');
const image = random.uniform(rows * 4).map((x) => 2 * x - 1);
const dataset = new Dataset([
  toColumn('image', { data: image, shape: [rows, 2, 2, 1], file: 'image' } as never, {
    kind: 'image',
    shape: [2, 2, 1],
  }),
  toColumn('label', { data: random.integers(rows, 3), shape: [rows], file: 'label' } as never, {
    kind: 'category',
    classes: 3,
  }),
  toColumn('pose', { data: random.normal(rows * 2), shape: [rows, 2], file: 'pose' } as never, {
    kind: 'vector',
    shape: [2],
  }),
]);

const root = mkdtempSync(join(tmpdir(), 'mmdc-train-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let ort: Executor;
/** A run from start to end, in the folder `straight`. */
let straight: TrainResult;
beforeAll(async () => {
  ort = await OrtExecutor.create({ backend: 'native', threads: 1 });
  straight = await runIn('straight');
});

const plain = (dir: string) => readLog(join(root, dir)).map(({ seconds: _, ...rest }) => rest);

function runIn(
  dir: string,
  options: { seed?: number; resume?: boolean } = {},
  hooks: TrainHooks = {},
  m: CompiledModel = model,
) {
  mkdirSync(join(root, dir), { recursive: true });
  const { seed = 3, resume = false } = options;
  return train(
    m,
    dataset,
    ort,
    { dir: join(root, dir), steps: 12, seed, resume, logEvery: 5, checkpointEvery: 4 },
    hooks,
  );
}

describe('training', () => {
  it('repeats itself: the same seed gives the same log and weights, another one does not', async () => {
    const [again, other] = [await runIn('again'), await runIn('other', { seed: 4 })];
    expect(plain('straight').map((r) => r.step)).toEqual([5, 10, 12]);
    expect(plain('again')).toEqual(plain('straight'));
    expect(again.state).toEqual(straight.state);
    expect(other.state.parameters).not.toEqual(straight.state.parameters);
    expect(straight).toMatchObject({ step: 12, complete: true });
    // It does something.
    expect(straight.state.parameters).not.toEqual(initialState(model.layout, 3).parameters);
  });

  it.each([3, 4, 7, 11])('goes on exactly where it was interrupted: after step %i', async (step) => {
    const dir = `stop${step}`;
    let done = 0;
    const first = await runIn(dir, {}, { shouldStop: () => ++done === step });
    expect(first).toMatchObject({ step, complete: false });
    let from = -1;
    const second = await runIn(dir, { resume: true }, { onStart: (info) => (from = info.from) });
    expect(from).toBe(step);
    expect(second.state).toEqual(straight.state);
    expect(plain(dir)).toEqual(plain('straight'));
  });

  it('goes on from an older checkpoint where the newest is damaged, to the same end', async () => {
    await runIn('damaged');
    const folder = join(root, 'damaged', 'checkpoints');
    const newest = readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .at(-1)!;
    rmSync(join(folder, newest));
    let from = -1;
    const again = await runIn('damaged', { resume: true }, { onStart: (info) => (from = info.from) });
    expect(from).toBe(8);
    expect(again.state).toEqual(straight.state);
    expect(plain('damaged')).toEqual(plain('straight'));
  });

  it('refuses to go on with another spec or seed', async () => {
    await runIn('mine');
    await expect(runIn('mine', { resume: true, seed: 9 })).rejects.toThrow(/seed 3, and now it is 9/);
    const other = compile(spec.replace('rate: 1e-2', 'rate: 2e-2'));
    await expect(runIn('mine', { resume: true }, {}, other)).rejects.toThrow(/another spec: line \d+ .*2e-2/);
  });

  it('stops with the terms when the loss is not finite', async () => {
    const wild = compile(spec, ['train.rate=1e30', 'train.clip=0']);
    await expect(runIn('wild', {}, {}, wild)).rejects.toThrow(
      /not finite at step \d+: .*loss = (NaN|Infinity)/,
    );
    expect(readFileSync(join(root, 'wild', 'log.jsonl'), 'utf8')).not.toContain('null');
  });

  it('names the step, the term and the last good checkpoint when a term is not finite later', async () => {
    // The executor itself is real; from the sixth step on, one of its terms is damaged.
    const inner = new ReferenceExecutor();
    let steps = 0;
    const failing: Executor = {
      name: inner.name,
      detail: inner.detail,
      async prepare(graph, options) {
        const program = await inner.prepare(graph, options);
        return {
          async run(feeds) {
            const outputs = await program.run(feeds);
            if (++steps < 6) return outputs;
            const terms = Float32Array.from(outputs.terms!.data);
            terms[1] = NaN;
            return {
              ...outputs,
              terms: { ...outputs.terms!, data: terms },
              loss: { data: Float32Array.of(NaN), shape: [] },
            };
          },
          write: (input, value) => program.write(input, value),
          read: (input) => program.read(input),
          dispose: () => program.dispose(),
        };
      },
    };
    const damaged = model.trainingStep(8).terms[1]!;
    const dir = join(root, 'late');
    mkdirSync(dir);
    const options = { dir, steps: 12, seed: 3, resume: false, logEvery: 1, checkpointEvery: 4 };
    const fault = await train(model, dataset, failing, options).then(
      () => undefined,
      (error: unknown) => error as { message: string; help?: string },
    );
    expect(fault?.message).toContain('not finite at step 6: loss = NaN');
    expect(fault?.message).toContain(`${damaged} = NaN`);
    const files = readdirSync(join(dir, 'checkpoints')).filter((name) => name.endsWith('.safetensors'));
    expect(files).toEqual([expect.stringContaining('00000004')]);
    expect(fault?.help).toContain(`the last good checkpoint is ${join(dir, 'checkpoints', files[0]!)}`);
  });
});

describe('schedules of training', () => {
  const at = (set: string[], n: number) => rateAt(compile(spec, ['train.steps=100', ...set]).info.train, n);

  it('warm up and go down as half a cosine', () => {
    const cosine = ['train.rate=cosine(0.1, warmup: 10, floor: 0.02)'];
    expect([1, 5, 10].map((n) => at(cosine, n))).toEqual(
      [0.1 * 0.1, 0.1 * 0.5, 0.1].map((x) => expect.closeTo(x, 12)),
    );
    expect(at(cosine, 55)).toBeCloseTo(0.06, 12);
    expect(at(cosine, 100)).toBeCloseTo(0.02, 12);
    expect([1, 50, 100].map((n) => at(['train.rate=0.3'], n))).toEqual([0.3, 0.3, 0.3]);
  });

  it('let the moving average start short', () => {
    const { train } = compile(spec, ['train.ema=0.99']).info;
    expect([1, 10, 100, 1000].map((n) => emaAt(train, n))).toEqual([2 / 11, 11 / 20, 101 / 110, 0.99]);
  });
});

describe('roles', () => {
  const counts = (set: string[], n = 20_000): Map<string, number> => {
    const sampler = new RoleSampler(compile(spec, set).info);
    const stream = new Stream(5, 'roles');
    const found = new Map<string, number>();
    for (let i = 0; i < n; i++) {
      const key = sampler.draw(stream).join();
      found.set(key, (found.get(key) ?? 0) + 1 / n);
    }
    return found;
  };
  const key = (given: string[], produced: string[]) => rolesOf(info, given, produced).join();

  it('are 3^N - 2^N where anything can be given and produced', () => {
    const all = allRoles(info);
    expect(all.length).toBe(3 ** 3 - 2 ** 3);
    expect(new Set(all.map((r) => r.join())).size).toBe(all.length);
    expect(all.every((r) => r.includes('produced'))).toBe(true);
  });

  it('are drawn with the declared probabilities', () => {
    // Standard error of a share of 20,000 draws: at most 0.0035.
    const found = counts([
      'train.roles.all=0.5',
      'train.roles.tasks=0.4',
      'train.roles.any=0.1',
      'train.roles.absent=0',
    ]);
    const any = 0.1 / 19;
    expect(found.get(key([], ['image', 'label', 'pose']))).toBeCloseTo(0.5 + 0.4 / 3 + any, 1.7);
    expect(found.get(key(['label'], ['image']))).toBeCloseTo(0.4 / 3 + any, 1.7);
    expect(found.get(key(['image'], ['label']))).toBeCloseTo(0.4 / 3 + any, 1.7);
    expect(found.size).toBe(19);
    const strict = counts([
      'train.roles.all=0.5',
      'train.roles.tasks=0.5',
      'train.roles.any=0',
      'train.roles.absent=0',
    ]);
    expect(strict.size).toBe(3);
    const hidden = counts([
      'train.roles.all=0',
      'train.roles.tasks=1',
      'train.roles.any=0',
      'train.roles.absent=0.5',
    ]);
    expect(hidden.get(key([], ['image']))).toBeCloseTo(1 / 6, 1.7);
    expect(hidden.get(key(['label'], ['image']))).toBeCloseTo(1 / 6, 1.7);
  });

  it('that are never drawn count as untrained', () => {
    const strict = compile(spec, ['train.roles.all=0.5', 'train.roles.tasks=0.5', 'train.roles.any=0']).info;
    const found = counts(['train.roles.all=0.5', 'train.roles.tasks=0.5', 'train.roles.any=0']);
    for (const roles of allRoles(strict)) expect(isTrained(strict, roles)).toBe(found.has(roles.join()));
    expect(allRoles(info).every((roles) => isTrained(info, roles))).toBe(true);
  });
});

describe('time steps', () => {
  const joint: Roles = rolesOf(info, [], ['image', 'label', 'pose']);
  const classify: Roles = rolesOf(info, ['image'], ['label']);

  it('make sums over t unbiased: the mean of f(t) / P(t) is the sum of f', () => {
    // With f = 1 below T and 1 at T, drawn 4000 times 8 rows; relative standard error below 2 %.
    for (const roles of [joint, classify]) {
      const stream = new Stream(2, 'time');
      const sums = [0, 0];
      const n = 4000;
      for (let i = 0; i < n; i++) {
        for (const { t, inverseProbability } of drawTimesteps(info, Array<Roles>(8).fill(roles), stream)) {
          sums[Number(t === 40)] += inverseProbability / (8 * n);
        }
      }
      expect(sums[0]! / 39).toBeCloseTo(1, 1);
      expect(sums[1]).toBeCloseTo(1, 0.7);
    }
  });

  it('are stratified: one in each part of the range; or uniform', () => {
    const times = drawTimesteps(info, Array<Roles>(8).fill(joint), new Stream(3, 'time')).map(({ t }) =>
      Math.floor((t - 1) / 5),
    );
    expect([...times].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const uniform = compile(spec, ['train.timesteps=uniform']).info;
    const parts = Array.from({ length: 20 }, (_, i) =>
      drawTimesteps(uniform, Array<Roles>(8).fill(joint), new Stream(i, 'time')).map(({ t }) =>
        Math.floor((t - 1) / 5),
      ),
    );
    expect(parts.some((p) => new Set(p).size < 8)).toBe(true);
  });

  it('are T for half of the rows that are read there', () => {
    const stream = new Stream(4, 'time');
    let last = 0;
    for (let i = 0; i < 2000; i++)
      for (const { t } of drawTimesteps(info, [classify], stream)) last += Number(t === 40);
    expect(last / 2000).toBeCloseTo(0.5 + 0.5 / 40, 1);
  });
});

describe('sampling', () => {
  const state = initialState(model.layout, 8);
  const noise = new Stream(1, 'weights').normal(state.ema.length);
  state.ema.forEach((x, i) => (state.ema[i] = x + 0.1 * noise[i]!));
  state.statistics.fill(1);
  const weights = new Map(Object.entries(modelTensors(model.layout, state)));
  const request = (options: Partial<SampleRequest>): SampleRequest => ({
    given: [],
    produced: ['image', 'label', 'pose'],
    guidance: 1,
    sampler: { form: 'ddpm' },
    steps: 6,
    readout: { form: 'chain' },
    rows: 5,
    seed: 2,
    data: new Map(),
    ...options,
  });
  const sample = async (
    options: Partial<SampleRequest>,
    batch = 64,
    executor: Executor = new ReferenceExecutor(),
  ) => {
    const sampler = new ModelSampler(model, weights, executor, batch);
    const result = await sampler.sample(request(options));
    await sampler.dispose();
    return new Map([...result].map(([name, { mean }]) => [name, [...mean]]));
  };

  it('does not depend on how rows are put into batches, nor on how many there are', async () => {
    const whole = await sample({});
    for (const [rows, batch] of [
      [5, 2],
      [5, 1],
      [3, 64],
    ] as const) {
      for (const [name, values] of await sample({ rows }, batch)) {
        values.forEach((x, i) => expect(x).toBeCloseTo(whole.get(name)![i]!, 5));
      }
    }
  });

  it('takes the same chain on every executor', async () => {
    for (const sampler of [{ form: 'ddim', eta: 0 }, { form: 'dpmpp' }] as const) {
      const [slow, fast] = [await sample({ sampler }), await sample({ sampler }, 64, ort)];
      for (const [name, values] of slow)
        values.forEach((x, i) => expect(fast.get(name)![i]).toBeCloseTo(x, 3));
    }
  });

  it('changes with the seed, the sampler, the steps and what is given', async () => {
    const data = (k: number) => new Map([['label', { data: Int32Array.from([k, k, k, k, k]), shape: [5] }]]);
    const draw = { given: ['label'], produced: ['image'] };
    const results = [
      await sample({ ...draw, data: data(0) }),
      await sample({ ...draw, data: data(1) }),
      await sample({ ...draw, data: data(0), seed: 3 }),
      await sample({ ...draw, data: data(0), steps: 12 }),
      await sample({ ...draw, data: data(0), sampler: { form: 'ddim', eta: 0 } }),
      await sample({ ...draw, data: data(0), guidance: 3 }),
    ].map((r) => r.get('image')!.join());
    expect(new Set(results).size).toBe(results.length);
  });

  it('averages calls at t = T for the terminal read-out, and guides only with something given', async () => {
    const label = (calls: number, seed = 2) =>
      sample({
        given: ['image'],
        produced: ['label'],
        readout: { form: 'terminal', calls },
        seed,
        data: new Map([['image', { data: image.slice(0, 20), shape: [5, 2, 2, 1] }]]),
      });
    const [one, many, again] = [await label(1), await label(64), await label(64, 9)];
    for (const p of [one, many]) {
      const values = p.get('label')!;
      for (let i = 0; i < 15; i += 3)
        expect(values.slice(i, i + 3).reduce((s, x) => s + x, 0)).toBeCloseTo(1, 5);
    }
    const spread = (a: Map<string, number[]>, b: Map<string, number[]>) =>
      Math.max(...a.get('label')!.map((x, i) => Math.abs(x - b.get('label')![i]!)));
    expect(spread(many, again)).toBeLessThan(spread(one, again));
  });

  it('refuses roles that were never trained, by name', async () => {
    const strict = compile(spec, ['train.roles.all=0.5', 'train.roles.tasks=0.5', 'train.roles.any=0']);
    const sampler = new ModelSampler(strict, weights, new ReferenceExecutor());
    await expect(sampler.sample(request({ given: ['pose'], produced: ['label'] }))).rejects.toThrow(
      '`pose -> label` was never trained',
    );
  });
});
