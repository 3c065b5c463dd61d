/** Weights from files, and frozen ones: what is loaded, what moves, what work is done for it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Graph } from '../../compiler/graph/ir.js';
import { passes } from '../../compiler/passes/index.js';
import { formatSafetensors, type StoredTensor } from '../../runtime/checkpoint/safetensors.js';
import { toColumn } from '../../runtime/data/column.js';
import { Dataset } from '../../runtime/data/table.js';
import { choose } from '../../runtime/executors/index.js';
import { SpecFault } from '../../runtime/faults.js';
import { readSpecWeights } from '../../runtime/train/load.js';
import { modelTensors } from '../../runtime/train/state.js';
import { train, type TrainOptions } from '../../runtime/train/trainer.js';
import { compileText } from '../model/support.js';

const dir = mkdtempSync(join(tmpdir(), 'mmdc-load-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const spec = (label: string, head = '') => `import { MLP } from "std/backbones"

model M {
  modality x: vector[4]
  modality label: category[3]
  space z: f32[4]
  encoder x = x
  encoder label = label |> linear(5) |> linear(4)${label}
  process { steps: 20, origin: x }
  backbone h = concat(z, given) |> MLP(t, width: 8, depth: 1)
  decoder z = h |> linear(4)
  decoder label = h |> linear(3)${head}
  task generate: x, label
  train { batch: 4, steps: 6, rate: 0.05 }
}
`;

const values = (shape: readonly number[], start: number): StoredTensor => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(start + i)),
});
const file = (name: string, tensors: Record<string, StoredTensor>): void =>
  writeFileSync(join(dir, name), Buffer.concat([...formatSafetensors(Object.entries(tensors), {})]));

const own = {
  'linear_1.weight': values([5, 3], 1),
  'linear_1.bias': values([5], 20),
  'linear_2.weight': values([4, 5], 30),
  'linear_2.bias': values([4], 60),
};
const under = (prefix: string) =>
  Object.fromEntries(Object.entries(own).map(([k, v]) => [`${prefix}${k}`, v]));
file('full.safetensors', { ...under('encoder.label.'), 'decoder.label.linear_1.weight': values([3, 8], 90) });
file('plain.safetensors', own);
file('other.safetensors', under('vae.'));

const data = new Dataset([
  toColumn(
    'x',
    { file: 'x', shape: [8, 4], data: values([8, 4], 3).data as Float32Array },
    { kind: 'vector', shape: [4] },
  ),
  toColumn(
    'label',
    { file: 'l', shape: [8], data: Uint8Array.from([0, 1, 2, 0, 1, 2, 0, 1]) },
    { kind: 'category', classes: 3 },
  ),
]);

let runs = 0;
async function trained(text: string, options: Partial<TrainOptions> = {}) {
  const model = compileText(text);
  const run = options.dir ?? join(dir, `run-${runs++}`);
  mkdirSync(run, { recursive: true });
  const { state } = await train(model, data, await choose('reference', {}), {
    dir: run,
    steps: 3,
    seed: 1,
    resume: false,
    logEvery: 100,
    checkpointEvery: 100,
    load: () => readSpecWeights(model, dir),
    ...options,
  });
  return { model, state, tensors: modelTensors(model.layout, state) };
}

const frozen = ' { load: "full.safetensors", frozen: true }';

describe('frozen weights', () => {
  it('are those of the file, and do not move while others do', async () => {
    const { tensors, model } = await trained(spec(frozen));
    for (const [name, { data: wanted }] of Object.entries(own))
      expect([...tensors[`encoder.label.${name}`]!.data], name).toEqual([...wanted]);
    expect(model.layout.trainable.some((slot) => slot.name.startsWith('encoder.label'))).toBe(false);
    const moved = await trained(spec(' { load: "full.safetensors" }'));
    for (const [name, { data: wanted }] of Object.entries(own))
      expect([...moved.tensors[`encoder.label.${name}`]!.data], name).not.toEqual([...wanted]);
  });

  it('cost no gradient: the step computes nothing for their expression but its value', () => {
    const count = (graph: Graph, text: string): number => {
      const start = text.indexOf('label |> linear(5)');
      const end = text.indexOf('\n', start);
      return graph.nodes.filter(
        (n) => n.op !== 'parameter' && n.origin && n.origin.start >= start && n.origin.end <= end,
      ).length;
    };
    const all = { disable: passes.map((pass) => pass.name) };
    const work = (text: string) => {
      const model = compileText(text);
      return {
        forward: count(model.forward(4, all).graph, text),
        step: count(model.trainingStep(4, all).graph, text),
      };
    };
    const still = work(spec(frozen));
    expect(still.forward).toBeGreaterThan(2);
    expect(still.step).toBe(still.forward);
    const free = work(spec(''));
    expect(free.step).toBeGreaterThan(free.forward);
  });

  it('are no part of what the optimiser keeps', async () => {
    const { model, state } = await trained(spec(frozen));
    expect(state.moment1).toHaveLength(model.layout.size);
    expect(model.layout.frozenSize).toBe(15 + 5 + 20 + 4);
    expect(model.layout.size + model.layout.frozenSize).toBe(compileText(spec('')).layout.size);
  });

  it('are in the checkpoint: a run goes on without the file, exactly', async () => {
    const straight = await trained(spec(frozen), { steps: 4 });
    const half = { dir: join(dir, 'half'), steps: 2 };
    await trained(spec(frozen), half);
    const resumed = await trained(spec(frozen), {
      ...half,
      steps: 4,
      resume: true,
      load: () => {
        throw new Error('the file is not there any more');
      },
    });
    expect([...resumed.state.parameters]).toEqual([...straight.state.parameters]);
    expect([...resumed.state.frozen]).toEqual([...straight.state.frozen]);
  });
});

describe('weights', () => {
  const read = (text: string) => readSpecWeights(compileText(text), dir);

  it('are found under their own names, without that of the declaration, or behind a prefix', () => {
    for (const options of [
      'load: "full.safetensors"',
      'load: "plain.safetensors"',
      'load: "other.safetensors", prefix: "vae."',
    ]) {
      const found = read(spec(` { ${options} }`));
      for (const [name, { data: wanted }] of Object.entries(own))
        expect([...found.get(`encoder.label.${name}`)!], options).toEqual([...wanted]);
    }
  });

  const fault = (text: string): string => {
    try {
      read(text);
    } catch (error) {
      if (error instanceof SpecFault)
        return error.diagnostics
          .map((d) => `${d.code} ${text.slice(d.range.start, d.range.end)}: ${d.message}`)
          .join();
      throw error;
    }
    return '';
  };

  it('that are missing are named, with those of the same shape', () => {
    const message = fault(spec(' { load: "other.safetensors" }'));
    expect(message).toMatch(/^MMD0520 "other\.safetensors": /);
    expect(message).toContain(
      '`encoder.label.linear_1.weight` [5, 3], which may be `vae.linear_1.weight` there',
    );
    expect(fault(spec('', ' { load: "full.safetensors" }'))).toContain('`decoder.label.linear_1.bias` [3]');
    file('wide.safetensors', { ...own, 'linear_1.weight': values([6, 3], 1) });
    expect(fault(spec(' { load: "wide.safetensors" }'))).toContain('is [6, 3] there, and [5, 3] here');
  });

  it('that cannot be read are reported at the path', () => {
    expect(fault(spec(' { load: "none.safetensors" }'))).toMatch(
      /^MMD0519 "none\.safetensors": cannot read .* there is no /,
    );
    writeFileSync(join(dir, 'broken.safetensors'), 'no tensors');
    expect(fault(spec(' { load: "broken.safetensors" }'))).toMatch(/^MMD0519 /);
  });

  it('are asked for where a library user says nothing of them', async () => {
    await expect(trained(spec(frozen), { load: undefined })).rejects.toThrow(
      /encoder\.label takes its weights/,
    );
  });
});
