/**
 * Models for ONNX Runtime: checked by onnx, run by onnxruntime in Python. Needs a Python with both, whose path
 * `MMDC_PYTHON` gives; skipped without.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../compiler/graph/ir.js';
import { deployOnnx } from '../../compiler/targets/onnx/index.js';
import { formatNpy, parseNpy } from '../../runtime/data/npy.js';
import { choose } from '../../runtime/executors/index.js';
import { ModelSampler, type Rows } from '../../runtime/sample/sampler.js';
import { initialState, modelTensors } from '../../runtime/train/state.js';
import { Stream } from '../../runtime/random/stream.js';
import { compileSpec, relative, root, smallSpec } from '../pytorch/support.js';

const python = process.env.MMDC_PYTHON;
const found = python !== undefined && spawnSync(python, ['-c', 'import onnx, onnxruntime']).status === 0;
const needs = found ? '' : ' (skipped: MMDC_PYTHON names no Python with onnx and onnxruntime)';

/** Every example in the long suite, one of them in short, a spec of difficult names, and one with frozen weights. */
const specs = [
  ...readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.mmd')),
  '../test/pytorch/names.mmd',
  '../test/good/model/loaded.mmd',
]
  .filter((name) => process.env.MMDC_LONG || /embeddings|names|loaded/.test(name))
  .map((name) => join('examples', name));

/** What `mmdc sample` draws: every row from its own stream, call by call. */
function noiseOf(size: number, rows: number, draws: number, seed: number): Float32Array {
  const all = new Float32Array(draws * rows * size);
  for (let row = 0; row < rows; row++) {
    const stream = new Stream(seed, 'sample', row);
    for (let k = 0; k < draws; k++) all.set(stream.normal(size), (k * rows + row) * size);
  }
  return all;
}

describe('the models of `--target onnx`', () => {
  const model = compileSpec(smallSpec);
  const state = initialState(model.layout, 1);
  const random = new Stream(5, 'weights');
  // Layers that start at zero would hide mistakes.
  random.normal(state.ema);
  for (let i = 0; i < state.ema.length; i++) state.ema[i] *= 0.1;
  const weights = new Map(Object.entries(modelTensors(model.layout, state)));

  it('are the same bytes every time', () => {
    const [a, b] = [deployOnnx(model, weights as never), deployOnnx(model, weights as never)];
    expect([...a.keys()].sort()).toEqual(
      [
        ...['image', 'label', 'emb'].flatMap((name) => [`decoder.${name}.onnx`, `encoder.${name}.onnx`]),
        ...['denoiser.onnx', 'task.classify.onnx', 'task.draw.onnx', 'task.generate.onnx'],
      ].sort(),
    );
    for (const [name, bytes] of a) expect(Buffer.compare(bytes, b.get(name) as Uint8Array)).toBe(0);
  });

  it.skipIf(!found)(
    `pass onnx.checker and give the samples of mmdc${needs}`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'mmdc-onnx-'));
      for (const [name, bytes] of deployOnnx(model, weights as never))
        writeFileSync(join(folder, name), bytes);
      const rows = 3;
      const size = sizeOf(model.info.space.shape);
      const data = new Map<string, Rows>([
        [
          'image',
          { data: new Stream(1, 'x').normal(rows * 64).map((x) => Math.tanh(x)), shape: [rows, 8, 8, 1] },
        ],
        ['label', { data: Int32Array.of(2, 0, 1), shape: [rows] }],
        ['emb', { data: new Stream(2, 'x').normal(rows * 4), shape: [rows, 4] }],
      ]);
      const arrays: Record<string, Uint8Array> = {};
      for (const [name, { data: values, shape }] of data) arrays[`x.${name}.npy`] = formatNpy(values, shape);
      for (const task of model.info.tasks) {
        const draws = task.readout.form === 'terminal' ? task.readout.calls : task.steps + 1;
        arrays[`noise.${task.name}.npy`] = formatNpy(noiseOf(size, rows, draws, 9), [
          ...[draws, rows],
          ...model.info.space.shape,
        ]);
      }
      writeFileSync(join(folder, 'given.npz'), zipSync(arrays));
      const script = new URL('run.py', import.meta.url).pathname;
      const ran = spawnSync(python as string, [script, folder], { encoding: 'utf8' });
      expect([ran.status, ran.stderr]).toEqual([0, '']);
      expect(ran.stdout.trim().split('\n')).toHaveLength(10);
      expect(ran.stdout).toContain(`task.generate.onnx 20 ${model.hash()}`);
      const results = unzipSync(readFileSync(join(folder, 'out.npz')));
      const sampler = new ModelSampler(model, weights, await choose('auto'));
      for (const task of model.info.tasks) {
        const given = new Map(task.given.map((name) => [name, data.get(name) as Rows]));
        const produced = await sampler.sample({ ...task, rows, seed: 9, data: given });
        for (const [name, { mean }] of produced) {
          const there = parseNpy(name, results[`${task.name}/${name}.npy`]).data;
          expect([task.name, name, relative(there as Float32Array, mean) < 1e-3]).toEqual([
            task.name,
            name,
            true,
          ]);
        }
      }
      await sampler.dispose();
    },
    120_000,
  );

  it('have names that differ on every file system', () => {
    const named = compileSpec('test/pytorch/names.mmd');
    const values = modelTensors(named.layout, initialState(named.layout, 1));
    const files = [...deployOnnx(named, new Map(Object.entries(values)) as never).keys()];
    expect(new Set(files.map((name) => name.toLowerCase())).size).toBe(files.length);
    expect(files).toEqual(
      expect.arrayContaining(['decoder.match.onnx', 'decoder.Match-2.onnx', 'task.none-2.onnx']),
    );
  });

  it.skipIf(!found).each(specs)(
    `pass onnx.checker and run at two batch sizes: %s${needs}`,
    (name) => {
      const spec = compileSpec(name);
      const folder = mkdtempSync(join(tmpdir(), 'mmdc-onnx-'));
      const values = modelTensors(spec.layout, initialState(spec.layout, 1));
      const files = deployOnnx(spec, new Map(Object.entries(values)) as never);
      for (const [file, bytes] of files) writeFileSync(join(folder, file), bytes);
      const script = new URL('run.py', import.meta.url).pathname;
      const ran = spawnSync(python as string, [script, folder], { encoding: 'utf8' });
      rmSync(folder, { recursive: true });
      expect([ran.status, ran.stderr]).toEqual([0, '']);
      const lines = ran.stdout.trim().split('\n').sort();
      expect(lines).toEqual([...files.keys()].map((file) => `${file} 20 ${spec.hash()}`).sort());
    },
    300_000,
  );
});
