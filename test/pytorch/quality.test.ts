import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.js';
import { packageName } from '../../compiler/targets/pytorch/index.js';
import { pytorchFiles } from '../../runtime/cli/compile-pytorch.js';
import { compileSpec, emit, root, tool } from './support.js';

/** What the target has no part for is refused, which a test of its own holds. */
const examples = readdirSync(join(root, 'examples')).filter(
  (name) => name.endsWith('.mmd') && !compileSpec(`examples/${name}`).info.modalities.some((m) => m.derived),
);
const specs = [...examples.map((name) => `examples/${name}`), 'test/pytorch/names.mmd'];
const [ruff, mypy] = [tool('ruff'), tool('mypy')];
const needs = (path: string | undefined, name: string) =>
  path ? '' : ` (skipped: no ${name} beside MMDC_PYTHON)`;

const run = (program: string, args: readonly string[], cwd: string) => {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  return { status, text: `${stdout}${stderr}` };
};

function faults(run: () => unknown): Diagnostic[] {
  try {
    run();
  } catch (error) {
    if (error instanceof Error && 'diagnostics' in error) return error.diagnostics as Diagnostic[];
    throw error;
  }
  return [];
}

describe('an emitted package', () => {
  it.each(examples)('is the same every time, and reads like its spec: %s', (name) => {
    const model = compileSpec(`examples/${name}`);
    const files = pytorchFiles(model);
    const code = (all: typeof files) => [...all].filter(([path]) => !path.endsWith('.npy'));
    expect(code(files)).toEqual(code(pytorchFiles(compileSpec(`examples/${name}`))));
    const folder = packageName(model.info.name);
    const text = String(files.get(`${folder}/model.py`));
    for (const modality of model.info.encoders.keys()) expect(text).toContain(`encoder ${modality} = `);
    expect(text).toContain(`class ${model.info.name}(TrainedModel):`);
    expect(String(files.get(`${folder}/spec.py`))).toContain(model.hash());
  });

  it.each([
    ['test/good/model/derived.mmd', 'the derived modality `hole`', '8:12', 'hole'],
    ['examples/masked.mmd', 'the derived modality `holes`', '8:12', 'holes'],
    [
      'test/good/model/loaded.mmd',
      'loading or freezing the weights of `encoder.label`',
      '8:54',
      '"codes.safetensors"',
    ],
    ['test/good/model/loss-options.mmd', '`pi` of the loss', '8:3', 'loss'],
    ['test/good/model/task-known-region.mmd', '`known` of the task `fill`', '12:8', 'fill'],
    ['test/good/model/loss-balance.mmd', '`balance: uncertainty` of the loss', '8:73', 'uncertainty'],
  ])(
    'is refused, at its place in the spec, where the target has no part for something: %s',
    (file, what, at, written) => {
      const model = compileSpec(file);
      const found = faults(() => pytorchFiles(model));
      expect(found).toMatchObject([{ code: 'MMD1001', file: model.info.module.file }]);
      expect(found[0].message).toContain(what);
      const { text } = model.info.module;
      const { start, end } = found[0].range;
      const lines = text.slice(0, start).split('\n');
      expect(`${lines.length}:${lines[lines.length - 1].length + 1}`).toBe(at);
      expect(text.slice(start, end)).toContain(written);
    },
  );

  it('is refused for frozen weights at `frozen`, and not for weights that are not frozen', () => {
    const loaded = readFileSync(join(root, 'test/good/model/loaded.mmd'), 'utf8').replace(
      / \{ load: "vae[^}]*\}/,
      '',
    );
    const spec = (frozen: boolean) =>
      compileSpec(loaded.replace('load: "codes.safetensors", frozen: true', `frozen: ${frozen}`));
    const model = spec(true);
    const [{ code, range }] = faults(() => pytorchFiles(model));
    const { text } = model.info.module;
    expect([code, text.slice(range.start, range.end)]).toEqual(['MMD1001', 'true']);
    expect(text.slice(0, range.start).endsWith('frozen: ')).toBe(true);
    expect(faults(() => pytorchFiles(spec(false)))).toEqual([]);
  });

  const image = 'npy("image.npy")';
  const label = 'npy("label.npy")';
  it.each([
    ['csv("rows.csv", column: "label")', image, '', 'the data source `csv`'],
    ['parquet("rows.parquet", column: "label")', image, '', 'the data source `parquet`'],
    [label, 'npz("rows.npz")', '', 'the data source `npz`'],
    [label, 'shards("rows.tar", field: "png")', '', 'the data source `shards`'],
    [label, 'cifar("rows")', '', 'the data source `cifar`'],
    [label, 'images("rows", fit: crop)', '', 'resizing of `image` (`fit: crop`)'],
    [label, 'images("rows", missing: true)', '', 'missing values of `image`'],
    [label, 'images("rows")', 'join: id', 'joining sources by `id`'],
    [label, 'images("rows")', 'errors: skip', '`errors: skip` in data'],
  ])('refuses data that it has no reader for: %s, %s %s', (labels, images, more, what) => {
    const text = readFileSync(join(root, 'examples', 'adm-imagenet64.mmd'), 'utf8').replace(
      `data { image: ${image}, label: ${label} }`,
      `data { image: ${images}, label: ${labels}${more === '' ? '' : `, ${more}`} }`,
    );
    const found = faults(() => pytorchFiles(compileSpec(text)));
    expect(found).toMatchObject([{ code: 'MMD1001' }]);
    expect(found[0].message).toContain(what);
    // The place is inside the block of data, or is all of it.
    const block = text.search(/^ *data \{/m);
    expect(found[0].range.start).toBeGreaterThanOrEqual(block);
    expect(found[0].range.end).toBeLessThanOrEqual(text.indexOf('}', block) + 1);
  });

  it.skipIf(!ruff).each(specs)(`passes ruff as it is: %s${needs(ruff, 'ruff')}`, (name) => {
    const folder = emit(compileSpec(name));
    expect(run(ruff as string, ['format', '--diff', '.'], folder)).toMatchObject({ status: 0 });
    expect(run(ruff as string, ['check', '--output-format', 'concise', '.'], folder)).toMatchObject({
      status: 0,
    });
  });

  it.skipIf(!mypy).each(process.env.MMDC_LONG ? specs : ['examples/scenes.mmd', 'test/pytorch/names.mmd'])(
    `passes mypy --strict: %s${needs(mypy, 'mypy')}`,
    (name) => {
      const model = compileSpec(name);
      const folder = emit(model);
      const cache = join(root, '.cache', 'mypy');
      const args = ['--strict', '--cache-dir', cache, packageName(model.info.name)];
      expect(run(mypy as string, args, folder)).toMatchObject({ status: 0 });
    },
    180_000,
  );
});
