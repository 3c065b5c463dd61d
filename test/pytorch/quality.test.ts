import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.js';
import { packageName } from '../../compiler/targets/pytorch/index.js';
import { pytorchFiles } from '../../runtime/cli/compile-pytorch.js';
import { compileSpec, emit, root, tool } from './support.js';

const examples = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.mmd'));
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
    const files = pytorchFiles(model, root);
    const code = (all: typeof files) => [...all].filter(([path]) => !path.endsWith('.npy'));
    expect(code(files)).toEqual(code(pytorchFiles(compileSpec(`examples/${name}`), root)));
    const folder = packageName(model.info.name);
    const text = String(files.get(`${folder}/model.py`));
    for (const modality of model.info.encoders.keys()) expect(text).toContain(`encoder ${modality} = `);
    expect(text).toContain(`class ${model.info.name}(TrainedModel):`);
    expect(String(files.get(`${folder}/spec.py`))).toContain(model.hash());
  });

  const image = 'npy("image.npy")';
  const withImages = (source: string) =>
    compileSpec(
      readFileSync(join(root, 'examples', 'adm-imagenet64.mmd'), 'utf8').replace(
        `data { image: ${image}, label`,
        `data { image: ${source}, label`,
      ),
    );
  it.each([
    '!a/*.png',
    'a/@(b|c)/*.png',
    'a/(b|c).png',
    '[^a].png',
    '[[:digit:]].png',
    '{a,{b,c}}.png',
    '{a..c}.png',
  ])(
    'is refused, at its place in the spec, for a pattern that Python reads in another way: %s',
    (pattern) => {
      const source = `images(${JSON.stringify(pattern)})`;
      const model = withImages(source);
      const found = faults(() => pytorchFiles(model, root));
      expect(found).toMatchObject([{ code: 'MMD1001', file: model.info.module.file }]);
      expect(found[0].message).toContain(`the pattern ${JSON.stringify(pattern)} of files`);
      const { text } = model.info.module;
      expect(text.slice(found[0].range.start, found[0].range.end)).toBe(source);
    },
  );

  it.each([
    ['test/good/model/loss-options.mmd', '`pi` of the loss', '8:3', 'loss'],
    ['test/good/model/task-known-region.mmd', '`known` of the task `fill`', '12:8', 'fill'],
    ['test/good/model/loss-balance.mmd', '`balance: uncertainty` of the loss', '8:73', 'uncertainty'],
  ])(
    'is refused, at its place in the spec, where the target has no part for something: %s',
    (file, what, at, written) => {
      const model = compileSpec(file);
      const found = faults(() => pytorchFiles(model, root));
      expect(found).toMatchObject([{ code: 'MMD1001', file: model.info.module.file }]);
      expect(found[0]!.message).toContain(what);
      const { text } = model.info.module;
      const { start, end } = found[0]!.range;
      const lines = text.slice(0, start).split('\n');
      expect(`${lines.length}:${lines.at(-1)!.length + 1}`).toBe(at);
      expect(text.slice(start, end)).toContain(written);
    },
  );

  it.each(['a/**/*.png', '[!a]?.png', '{00..12}/{a,b}.png', 'photos (1)'])(
    'takes the pattern %s',
    (pattern) => {
      expect(faults(() => pytorchFiles(withImages(`images(${JSON.stringify(pattern)})`), root))).toEqual([]);
    },
  );

  it('says where a file of weights that is not there is named', () => {
    const model = compileSpec('test/good/model/loaded.mmd');
    const [found] = faults(() => pytorchFiles(model, root));
    const { text } = model.info.module;
    expect([found?.code, text.slice(found?.range.start, found?.range.end)]).toEqual([
      'MMD0519',
      '"codes.safetensors"',
    ]);
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
