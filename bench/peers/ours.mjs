/**
 * Our side of a benchmark: answers requests, one JSON object a line. Runs the built package, so that its memory is what
 * a user's process has.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  analyze,
  GraphBuilder,
  pickModel,
  snr,
  timesteps,
  trainCarry,
  updates,
} from '../../dist/compiler/index.js';
import { choose, fileHost, ModelSampler, openData, version } from '../../dist/runtime/index.js';
import { inputNames } from '../../dist/runtime/executors/feeds.js';
import { Stream } from '../../dist/runtime/random/stream.js';
import { BatchFeeds } from '../../dist/runtime/train/feeds.js';
import { scheduleAt } from '../../dist/runtime/train/schedule.js';
import { initialState } from '../../dist/runtime/train/state.js';

const batches = 4;
const seed = 7;
/** Drawing with guidance 2: rows, and the sampler that needs no noise on the way, so that both sides can be compared. */
const tiny = process.env['BENCH_TINY'] === '1';
const drawing = {
  rows: tiny ? 2 : 64,
  guidance: 2,
  sampler: { form: 'dpmpp' },
  steps: tiny ? 2 : 20,
  readout: { form: 'chain' },
};

function compile(spec) {
  const { host, name } = fileHost(spec);
  const model = pickModel(
    analyze(host, name, readFileSync(spec, 'utf8'), { set: tiny ? ['train.batch=2'] : [] }),
    undefined,
  );
  if (typeof model === 'string') throw new Error(model);
  return model;
}

/** Parameters a little away from their start, where layers that start at zero would hide what follows them. */
function startingState(model) {
  const state = initialState(model.layout, seed);
  state.parameters.forEach((x, i) => (state.parameters[i] = x + 0.02 * Math.sin(i * i)));
  state.ema.set(state.parameters);
  return state;
}

function weightsOf(model, state) {
  return new Map(
    model.layout.trainable.map(({ name, shape, offset, size }) => [
      name,
      { shape, data: state.parameters.subarray(offset, offset + size) },
    ]),
  );
}

const labels = Int32Array.from({ length: drawing.rows }, (_, i) => i % 10);

class Training {
  async start(spec, threads) {
    const model = compile(spec);
    const step = model.trainingStep(model.info.train.batch);
    const executor = await choose('ort', { threads });
    const inputs = inputNames(step.graph);
    const carry = Object.fromEntries(Object.entries(trainCarry).filter(([name]) => inputs.has(name)));
    this.program = await executor.prepare(step.graph, { carry });
    const state = startingState(model);
    for (const name of Object.keys(carry))
      this.program.write(name, { data: state[name], shape: [state[name].length] });
    this.info = model.info;
    this.n = 0;
    this.detail = executor.detail;
    this.compiled = performance.now();
    this.batches = await fixedBatches(model, step);
  }

  async step() {
    const feeds = this.batches[this.n % batches];
    this.n++;
    const schedule = { data: scheduleAt(this.info.train, this.n), shape: [4] };
    const { loss } = await this.program.run({ ...feeds, schedule });
    return loss.data[0];
  }
}

/** What the first steps of a run are fed, without the schedule. */
async function fixedBatches(model, step) {
  const feeds = new BatchFeeds(model, step, await openData(model.info, undefined, 'train'), seed);
  const made = [];
  // One after the other: the arrays of a step are those of the next.
  for (let k = 1; k <= batches; k++) {
    const fed = Object.entries(await feeds.at(k)).filter(([name]) => name !== 'schedule');
    made.push(
      Object.fromEntries(fed.map(([name, { data, shape }]) => [name, { data: data.slice(), shape }])),
    );
  }
  return made;
}

class Sampling {
  async start(spec, threads) {
    const model = compile(spec);
    const executor = await choose('ort', { threads });
    this.sampler = new ModelSampler(model, weightsOf(model, startingState(model)), executor, drawing.rows);
    this.request = {
      ...drawing,
      given: ['label'],
      produced: ['image'],
      seed,
      data: new Map([['label', { data: labels, shape: [drawing.rows] }]]),
    };
    this.detail = executor.detail;
    this.compiled = performance.now();
  }

  async step() {
    this.result = (await this.sampler.sample(this.request)).get('image').data;
    return this.result.reduce((sum, x) => sum + x, 0) / this.result.length;
  }
}

/** Writes what the other side needs to do the same work. */
async function writeFixture(kind, spec, folder) {
  const model = compile(spec);
  const { info, layout } = model;
  const { tables } = info;
  const arrays = new Map();
  for (const [name, { data, shape }] of weightsOf(model, startingState(model)))
    arrays.set(`parameters/${name}`, { data, shape });
  const table = (name, values) =>
    arrays.set(`tables/${name}`, { data: Float32Array.from(values), shape: [values.length] });
  table('sigma', tables.sigma);
  let settings;
  if (kind === 'train') {
    const { train, loss } = info;
    const [component] = tables.components;
    const { low, high } = loss.L1.snr;
    table('c', component.c);
    table(
      'weight',
      component.c.map((_, t) => (t === 0 ? 0 : Math.min(Math.max(snr(tables, component, t), low), high))),
    );
    const size = info.space.shape.reduce((n, d) => n * d, 1);
    settings = {
      ...train.optimizer,
      rate: train.rate.peak,
      clip: train.clip,
      ema: train.ema,
      steps: tables.steps,
      cT: component.c[tables.steps],
      L0: 0.5 * size * (-tables.A[tables.steps] - Math.log(tables.B[tables.steps])),
    };
    (await fixedBatches(model, model.trainingStep(train.batch))).forEach((feeds, k) => {
      for (const [name, value] of Object.entries(feeds)) arrays.set(`batch${k}/${name}`, value);
    });
  } else {
    for (const { name, c } of tables.components) table(`c.${name}`, c);
    const size = info.space.shape.reduce((n, d) => n * d, 1);
    const start = new Float32Array(drawing.rows * size);
    for (let row = 0; row < drawing.rows; row++)
      new Stream(seed, 'sample', row).normal(start.subarray(row * size, (row + 1) * size));
    const sigma = tables.sigma[tables.steps];
    arrays.set('start', { data: start.map((x) => x * sigma), shape: [drawing.rows, ...info.space.shape] });
    arrays.set('labels', { data: labels, shape: [drawing.rows] });
    const chain = updates(tables, drawing.sampler, timesteps(tables.steps, drawing.steps));
    settings = { steps: tables.steps, guidance: drawing.guidance, updates: chain };
  }
  let offset = 0;
  const index = {};
  for (const [name, { data, shape }] of arrays) {
    index[name] = [data instanceof Int32Array ? 'i32' : 'f32', shape, offset];
    offset += data.byteLength;
  }
  mkdirSync(folder, { recursive: true });
  const decay = layout.trainable.filter((slot) => slot.decay).map((slot) => slot.name);
  writeFileSync(
    join(folder, 'fixture.json'),
    JSON.stringify({ model: info.name, arrays: index, batches, decay, settings }),
  );
  writeFileSync(
    join(folder, 'fixture.bin'),
    Buffer.concat(
      [...arrays.values()].map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
    ),
  );
}

/** Best rate of a product of square matrices, in FLOP/s. */
async function matmul(threads, seconds) {
  const n = 1024;
  const b = new GraphBuilder('matmul');
  b.output('y', b.matmul(b.input('x', [n, n]), b.input('w', [n, n])));
  const program = await (await choose('ort', { threads })).prepare(b.finish());
  const data = Float32Array.from({ length: n * n }, (_, i) => Math.sin(i));
  const feeds = { x: { data, shape: [n, n] }, w: { data, shape: [n, n] } };
  let best = Infinity;
  for (const until = performance.now() + seconds * 1000; performance.now() < until;) {
    const began = clock();
    await program.run(feeds);
    best = Math.min(best, clock() - began);
  }
  await program.dispose();
  return (2 * n ** 3) / best / 1e-3;
}

function peakMemory() {
  const line = /^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line[1]) * 1024;
}

/** Milliseconds on the wall, or of the processor (all threads of this process). */
function clock() {
  if (process.env['BENCH_CLOCK'] !== 'processor') return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

let work;
const answers = {
  async prepare({ kind, spec, threads }) {
    const began = performance.now();
    work = kind === 'train' ? new Training() : new Sampling();
    await work.start(spec, threads);
    const compiled = work.compiled - began;
    const stepped = performance.now();
    const first = await work.step();
    const seconds = (compiled + performance.now() - stepped) / 1000;
    return { seconds, session: compiled / 1000, values: [first], version: `${version()}, ${work.detail}` };
  },
  async run({ seconds, least }) {
    const [times, values] = [[], []];
    const until = performance.now() + seconds * 1000;
    while (times.length < least || performance.now() < until) {
      const began = clock();
      values.push(await work.step());
      times.push(clock() - began);
    }
    return { times, values };
  },
  async result() {
    return { result: [...work.result] };
  },
  async fixture({ kind, spec, folder }) {
    await writeFixture(kind, spec, folder);
    return {};
  },
  async matmul({ threads, seconds }) {
    return { rate: await matmul(threads, seconds) };
  },
  async memory() {
    return { bytes: peakMemory() };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await answers[request.do](request))}\n`);
}
