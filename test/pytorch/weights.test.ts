import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageName } from '../../compiler/targets/pytorch/index.js';
import { latest } from '../../runtime/checkpoint/checkpoint.js';
import { openData } from '../../runtime/data/open.js';
import { readNpy } from '../../runtime/data/npy.js';
import { choose } from '../../runtime/executors/index.js';
import { rowsOf } from '../../runtime/sample/given.js';
import { ModelSampler, type Rows } from '../../runtime/sample/sampler.js';
import { modelTensors } from '../../runtime/train/state.js';
import { train } from '../../runtime/train/trainer.js';
import { loadWeights, saveWeights } from '../../runtime/train/weights.js';
import { parseSafetensors } from '../../runtime/checkpoint/safetensors.js';
import {
  compileSpec,
  emit,
  needsPython,
  python,
  relative,
  runPython,
  smallData,
  smallSpec,
} from './support.js';

const steps = (n: number) => ({ steps: n, seed: 3, resume: true, logEvery: 10, checkpointEvery: 100 });

describe.skipIf(!python)(`the same weights here and there${needsPython}`, () => {
  it('trains there, goes on here, goes on there, and samples here and there', async () => {
    const model = compileSpec(smallSpec);
    const name = packageName(model.info.name);
    const folder = emit(model);
    const data = smallData(join(folder, 'data'), 64);
    const call = (...args: string[]) => {
      const ran = runPython(folder, ['-m', ...args, '--device', 'cpu']);
      expect([ran.status, ran.error]).toEqual([0, expect.any(String)]);
    };
    const common = ['--data', data, '--seed', '3'];
    // Four steps there in one go.
    call(`${name}.train`, ...common, '--out', join(folder, 'whole'), '--steps', '6');
    // Two there, two here, two there.
    const run = join(folder, 'run');
    call(`${name}.train`, ...common, '--out', run, '--steps', '2', '--export-checkpoint');
    expect(latest(run).checkpoint?.step).toBe(2);
    const executor = await choose('auto');
    const dataset = await openData(model.info, data, 'train');
    const here = await train(model, dataset, executor, { dir: run, ...steps(4) });
    expect(here.step).toBe(4);
    const checkpoint = latest(run).checkpoint?.file as string;
    const again = join(folder, 'again');
    call(`${name}.train`, ...common, '--out', again, '--steps', '6', '--import-checkpoint', checkpoint);
    const read = (dir: string) => parseSafetensors(readFileSync(join(dir, 'model.safetensors'))).tensors;
    const [whole, parts] = [read(join(folder, 'whole')), read(again)];
    expect([...parts.keys()].sort()).toEqual([...whole.keys()].sort());
    // All of them together: a direction without a gradient (the bias of attention's keys) moves by rounding alone.
    const all = (from: typeof whole) =>
      [...whole.keys()].flatMap((key) => Array.from(from.get(key)?.data as Float32Array));
    expect(relative(all(parts), all(whole))).toBeLessThan(1e-5);

    // Weights of there are sampled here, and of here there.
    const { weights, step } = loadWeights(again, model);
    expect(step).toBe(6);
    const sampler = new ModelSampler(model, weights, executor);
    const own = join(folder, 'own');
    mkdirSync(own);
    saveWeights(own, modelTensors(model.layout, here.state), { spec: model.hash(), step: '4' });
    for (const task of model.info.tasks) {
      const out = join(folder, 'samples', task.name);
      call(
        `${name}.sample`,
        again,
        '--task',
        task.name,
        '--out',
        out,
        '-n',
        '5',
        '--seed',
        '7',
        '--data',
        data,
      );
      const held = await openData(model.info, data, 'eval');
      const given = new Map<string, Rows>(
        task.given.map((modality) => [modality, rowsOf(held.column(modality), [0, 1, 2, 3, 4])]),
      );
      const produced = await sampler.sample({ ...task, rows: 5, seed: 7, data: given });
      for (const [modality, rows] of produced) {
        const there = readNpy(join(out, `${modality}.npy`));
        expect(there.shape).toEqual(rows.shape);
        const error = relative(there.data as Float32Array, rows.data as Float32Array);
        expect([task.name, modality, error < 1e-3]).toEqual([task.name, modality, true]);
      }
    }
    call(`${name}.sample`, own, '--task', 'generate', '--out', join(folder, 'samples', 'own'), '-n', '2');
    await sampler.dispose();
  }, 180_000);
});
