/** Training steps here and in an emitted package, held to each other. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { CompiledModel } from '../../compiler/driver.js';
import { trainCarry, type TrainingStep } from '../../compiler/lower/training.js';
import { packageName } from '../../compiler/targets/pytorch/index.js';
import { parseSafetensors } from '../../runtime/checkpoint/safetensors.js';
import { openData } from '../../runtime/data/open.js';
import { choose } from '../../runtime/executors/index.js';
import { Stream } from '../../runtime/random/stream.js';
import { BatchFeeds } from '../../runtime/train/feeds.js';
import { readSpecWeights } from '../../runtime/train/load.js';
import { frozenFeed, initialState, stateNames } from '../../runtime/train/state.js';
import { relative, root, runPython } from './support.js';

type Numbers = ArrayLike<number>;

/** Digits that are noise: the files' form is what matters. */
export function digitFiles(folder: string, rows: number): void {
  mkdirSync(folder, { recursive: true });
  const idx = (dims: number[], bytes: Uint8Array) => {
    const header = Buffer.alloc(4 + 4 * dims.length);
    header.set([0, 0, 8, dims.length]);
    dims.forEach((d, i) => header.writeUInt32BE(d, 4 + 4 * i));
    return Buffer.concat([header, bytes]);
  };
  const random = new Stream(1, 'digits');
  const pixels = Uint8Array.from(random.integers(rows * 784, 256));
  const labels = Uint8Array.from(random.integers(rows, 10));
  writeFileSync(join(folder, 't10k-images-idx3-ubyte.gz'), idx([rows, 28, 28], pixels));
  writeFileSync(join(folder, 't10k-labels-idx1-ubyte.gz'), idx([rows], labels));
}

/** What a step carries, of that which its graph has: a model without learned encoders keeps no statistics. */
function carryOf({ graph }: TrainingStep): Record<string, string> {
  const inputs = new Set(graph.nodes.flatMap((n) => (n.op === 'input' ? [n.attrs.name] : [])));
  return Object.fromEntries(Object.entries(trainCarry).filter(([name]) => inputs.has(name)));
}

/** Steps 1 and 2 here and there. */
export async function compare(
  model: CompiledModel,
  data: string | undefined,
  folder: string,
  batch: number,
): Promise<void> {
  const script = new URL('step.py', import.meta.url).pathname;
  const out = join(folder, 'step.safetensors');
  const ran = runPython(folder, [script, packageName(model.info.name), data ?? '-', String(batch), out]);
  expect(ran.error.replace(/^.*Warning[^\n]*\n.*\n/gm, '')).toBe('');
  const theirs = parseSafetensors(readFileSync(out)).tensors;
  const at = (name: string): Numbers => {
    const found = theirs.get(name);
    if (!found) throw new Error(`${name} is missing`);
    return found.data as unknown as Numbers;
  };
  const step = model.trainingStep(batch);
  const executor = await choose('auto');
  const program = await executor.prepare(step.graph, { carry: carryOf(step) });
  const { layout } = model;
  const state = initialState(layout, model.info.train.seed, readSpecWeights(model, root));
  for (const name of stateNames)
    if (state[name].length > 0) program.write(name, { data: state[name], shape: [state[name].length] });
  const feeds = new BatchFeeds(
    model,
    step,
    await openData(model.info, data, 'train'),
    model.info.train.seed,
    model.info.train,
    batch,
  );
  let moment: Float32Array = new Float32Array(layout.size);
  for (const n of [1, 2]) {
    const inputs = await feeds.at(n);
    for (const [name, tensor] of Object.entries(inputs)) {
      if (name === 'schedule') continue;
      const key = name.startsWith('x.') ? `${n}.data/${name.slice(2)}` : `${n}.batch/${name}`;
      expect([name, Array.from(at(key), Number)]).toEqual([name, Array.from(tensor.data)]);
    }
    const outputs = await program.run({ ...inputs, ...frozenFeed(state.frozen) });
    for (const { name: kept, offset, size } of layout.frozen)
      expect([kept, ...Array.from(at(`${n}.frozen/${kept}`))]).toEqual([
        kept,
        ...state.frozen.subarray(offset, offset + size),
      ]);
    expect(relative(at(`${n}.loss`), outputs.loss.data)).toBeLessThan(1e-5);
    step.terms.forEach((term, i) => {
      if (!theirs.has(`${n}.terms/${term}`)) throw new Error(`the term ${term} is missing`);
      const [a, b] = [at(`${n}.terms/${term}`)[0], outputs.terms.data[i]];
      expect([term, Math.abs(a - b) <= 2e-5 * Math.abs(b) + 1e-6]).toEqual([term, true]);
    });
    expect(relative(at(`${n}.norm`), outputs.grad_norm.data)).toBeLessThan(1e-4);
    // The first moment tells the clipped gradient.
    const { beta1 } = model.info.train.optimizer;
    const after = Float32Array.from((await program.read('moment1')).data);
    const gradient = after.map((m, i) => (m - beta1 * moment[i]) / (1 - beta1));
    const there = new Float32Array(layout.size);
    const packed = (kind: string) => {
      const all = new Float32Array(layout.size);
      for (const slot of layout.trainable)
        all.set(at(`${n}.${kind}/${slot.name}`) as Float32Array, slot.offset);
      return all;
    };
    there.set(packed('gradient'));
    const clip = model.info.train.clip;
    const factor = clip > 0 ? Math.min(clip / (outputs.grad_norm.data[0] + 1e-6), 1) : 1;
    expect(
      relative(
        there.map((g) => g * factor),
        gradient,
      ),
    ).toBeLessThan(1e-4);
    moment = after;
    const parameters = Float32Array.from((await program.read('parameters')).data);
    expect(relative(packed('parameters'), parameters)).toBeLessThan(1e-4);
    expect(relative(packed('ema'), Float32Array.from((await program.read('ema')).data))).toBeLessThan(1e-4);
    // Mean and scale of an encoder together: a mean near zero is exact to the scale, not to itself.
    if (layout.statistics.length === 0) continue;
    const kept = Float32Array.from((await program.read('statistics')).data);
    for (const encoder of new Set(layout.statistics.map(({ name }) => name.replace(/\.[^.]*$/, '')))) {
      const slots = layout.statistics.filter(({ name }) => name.startsWith(`${encoder}.`));
      expect(
        relative(
          slots.flatMap(({ name }) => Array.from(at(`${n}.statistics/${name}`))),
          slots.flatMap(({ offset, size }) => Array.from(kept.subarray(offset, offset + size))),
        ),
      ).toBeLessThan(1e-4);
    }
  }
  await program.dispose();
}

/**
 * The losses of the first step here and there, for models whose state is too large for files and whose training step is too
 * large for the memory of a small machine; where `gradients` are asked for also, of the gradient, the parameters and their
 * average after the step, the norm and the sum of alternating signs of every tensor.
 */
export async function compareTotals(
  model: CompiledModel,
  data: string,
  folder: string,
  batch: number,
  gradients: boolean,
): Promise<void> {
  const script = new URL('step.py', import.meta.url).pathname;
  const out = join(folder, 'step.safetensors');
  const args = [script, packageName(model.info.name), data, String(batch), out, 'totals'];
  const ran = runPython(folder, args, { OMP_NUM_THREADS: '2' }, 1_800_000);
  if (ran.status !== 0) throw new Error(`${ran.status}: ${ran.error.slice(-4000)}`);
  const tensors = parseSafetensors(readFileSync(out)).tensors;
  const there = (name: string): number[] => Array.from(tensors.get(name)!.data as ArrayLike<number>, Number);
  const { seed } = model.info.train;
  const dataset = await openData(model.info, data, 'train');
  const executor = await choose('auto');
  const feedsOf = (graph: TrainingStep['graph']) =>
    new BatchFeeds(model, { graph }, dataset, seed, model.info.train, batch);
  {
    const graph = model.lossStep(batch);
    const program = await executor.prepare(graph);
    const { parameters } = initialState(model.layout, seed);
    const inputs = await feedsOf(graph).at(1);
    const outputs = await program.run({
      ...inputs,
      parameters: { data: parameters, shape: [parameters.length] },
    });
    await program.dispose();
    expect(relative(there('1.loss'), outputs.loss.data)).toBeLessThan(1e-5);
    model.forward(batch).terms.forEach((term, i) => {
      const [a, b] = [there(`1.terms/${term}`)[0]!, outputs.terms.data[i]!];
      expect([term, Math.abs(a - b) <= 2e-5 * Math.abs(b) + 1e-6]).toEqual([term, true]);
    });
  }
  if (!gradients) return;
  const step = model.trainingStep(batch);
  const program = await executor.prepare(step.graph, { carry: carryOf(step) });
  const state = initialState(model.layout, seed);
  for (const name of stateNames)
    if (state[name].length > 0) program.write(name, { data: state[name], shape: [state[name].length] });
  const outputs = await program.run(await feedsOf(step.graph).at(1));
  expect(relative(there('1.norm'), outputs.grad_norm.data)).toBeLessThan(1e-4);
  const { clip, optimizer } = model.info.train;
  const clipped = clip > 0 ? Math.min(clip / (outputs.grad_norm.data[0] + 1e-6), 1) : 1;
  for (const [kind, carried, factor] of [
    ['gradient', 'moment1', (1 - optimizer.beta1) * clipped],
    ['parameters', 'parameters', 1],
    ['ema', 'ema', 1],
  ] as const) {
    const all = (await program.read(carried)).data;
    const [ours, others]: [number[], number[]] = [[], []];
    for (const { name, offset, size } of model.layout.trainable) {
      let [square, signed] = [0, 0];
      for (let i = 0; i < size; i++) {
        const x = all[offset + i] / factor;
        square += x * x;
        signed += i % 2 === 0 ? x : -x;
      }
      ours.push(Math.sqrt(square), signed);
      others.push(...there(`1.${kind}/${name}`));
    }
    expect([kind, relative(others, ours) < 1e-4]).toEqual([kind, true]);
  }
  await program.dispose();
}
