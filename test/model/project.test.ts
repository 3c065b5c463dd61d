/** What a host answers, names in the project, overrides: everything around the programs of `files.test.ts`. */
import { describe, expect, it } from 'vitest';
import { analyze, pickModel } from '../../compiler/driver.js';
import { joinPath } from '../../compiler/project/project.js';
import { memoryHost, type Host, type ReadResult } from '../../compiler/project/host.js';
import { analyzeText, compileText } from './support.js';

const spec = `model M {
  modality x: vector[4]
  space z: f32[4]
  encoder x = x
  process { origin: x }
  backbone h = concat(z, given) |> linear(4)
  decoder z = h |> linear(4)
  task generate: x
}
`;

describe('files', () => {
  const host = (result: ReadResult): Host => ({ ...memoryHost({}, {}), read: () => result });
  const codes = (result: ReadResult) =>
    analyze(host(result), 'a.mmd', `import { A } from "./b.mmd"\n${spec}`).diagnostics.map((d) => [
      d.code,
      d.message,
    ]);

  it('that cannot be read, or lie outside through a link, are reported with the reason', () => {
    expect(codes({ ok: false, reason: 'unreadable', detail: 'EACCES' })).toEqual([
      ['MMD0207', 'cannot read `./b.mmd`: EACCES'],
    ]);
    const [[code, message] = []] = codes({ ok: false, reason: 'outside', detail: '/home/me/project' });
    expect(code).toBe('MMD0203');
    expect(message).toContain('/home/me/project');
  });

  it('are at most 512', () => {
    const files = Object.fromEntries(
      Array.from({ length: 600 }, (_, i) => [
        `f${i}.mmd`,
        `import { N${i + 1} } from "./f${i + 1}.mmd"\nnetwork N${i}(x: f32[C]) -> f32[C] { x |> N${i + 1} }\n`,
      ]),
    );
    const text = `import { N0 } from "./f0.mmd"\n${spec.replace('linear(4)\n', 'linear(4) |> N0\n')}`;
    const { diagnostics } = analyze(memoryHost(files, {}), 'main.mmd', text);
    expect(diagnostics.find((d) => d.code === 'MMD0207')?.message).toContain('at most 512 files');
  });

  it('are named from the root, and never above it', () => {
    expect(joinPath('a/b.mmd', './c.mmd')).toBe('a/c.mmd');
    expect(joinPath('a/b.mmd', '../c.mmd')).toBe('c.mmd');
    expect(joinPath('a/b.mmd', './x/.././/c.mmd')).toBe('a/c.mmd');
    expect(joinPath('b.mmd', '../c.mmd')).toBeUndefined();
    expect(joinPath('a/b.mmd', '../../a/c.mmd')).toBeUndefined();
  });
});

describe('choosing a model', () => {
  const both = analyzeText(`${spec}\nmodel N = M { process { steps: 20 } }\n`);

  it('takes the only one, or the named one', () => {
    expect(pickModel(analyzeText(spec), undefined)).toMatchObject({ info: { name: 'M' } });
    expect(pickModel(both, 'N')).toMatchObject({ info: { name: 'N', process: { steps: 20 } } });
    expect(pickModel(both, undefined)).toBe('the file declares 2 models (M, N): choose one with --model');
    expect(pickModel(both, 'Q')).toMatch(/no model `Q`/);
    expect(pickModel(analyzeText('network A(x: f32[C]) -> f32[C] { x }'), undefined)).toBe(
      'the file declares no model',
    );
  });
});

describe('models of one file', () => {
  const broken = spec
    .replace('model M', 'model Broken')
    .replace('linear(4)\n  decoder', 'linaer(4)\n  decoder');
  const names = (text: string) => [...analyzeText(text).models.keys()];

  it('are usable though others are broken, whatever their order', () => {
    expect(names(`${broken}${spec}`)).toEqual(['M']);
    expect(names(`${spec}${broken}`)).toEqual(['M']);
    expect(names(`${spec.replace('z: f32[4]', 'z: f32[')}${spec.replace('model M', 'model N')}`)).toEqual([
      'N',
    ]);
    expect(names(`network Bad(x: f32[C]) -> f32[C] { x + y }\n${spec}`)).toEqual(['M']);
    expect(names(`import { Nothing } from "./nowhere.mmd"\n${spec}`)).toEqual(['M']);
  });

  it('are not where a base or a network that they use is', () => {
    expect(names(`${broken}model N = Broken { process { steps: 20 } }\n${spec}`)).toEqual(['M']);
    const use = spec.replace('linear(4)\n  task', 'Bad\n  task');
    expect(names(`network Bad(x: f32[C]) -> f32[C] { x |> linear(C) ) }\n${use}`)).toEqual([]);
    // A branch that is not taken counts: the network cannot be trusted.
    expect(names(`network Bad(x: f32[C]) -> f32[C] { if C == 4 { x } else { y } }\n${use}`)).toEqual([]);
  });
});

describe('overrides', () => {
  it('are settings like those of the source', () => {
    const { info } = compileText(spec, [
      'process.steps=250',
      'process.retention=linear(last: 0.03)',
      'train.roles.any=0.2',
      'train.roles.all=0.4',
      'data.rows=3..9',
      'task.generate.sampler=ddim(0.5)',
      'train.seed=7',
    ]);
    expect(info.process).toMatchObject({ steps: 250, schedule: { form: 'linear', first: 1e-4, last: 0.03 } });
    expect(info.train).toMatchObject({ seed: 7, roles: { all: 0.4, tasks: 0.4, any: 0.2 } });
    expect(info.data.rows).toEqual({ from: 3, to: 9 });
    expect(info.tasks[0]?.sampler).toEqual({ form: 'ddim', eta: 0.5 });
    // What the command line says is no default.
    expect(info.defaults.some((d) => d.path === 'train.seed')).toBe(false);
  });

  it('replace a `let`, and the last one wins', () => {
    const text = spec
      .replace('  space', '  let width = 4\n  space')
      .replace('linear(4)\n  decoder', 'linear(width)\n  decoder');
    const size = (set: string[]) => compileText(text, set).layout.size;
    // Four more columns of the backbone, with their bias, and four more inputs of the decoder.
    expect(size(['width=8']) - size([])).toBe(4 * (10 + 1) + 4 * 4);
    expect(size(['width=8', 'width=4'])).toBe(size([]));
    expect(size(['width=2 * 4'])).toBe(size(['width=8']));
  });

  it('make another run of it', () => {
    const hashes = [[], ['train.seed=1'], ['train.seed=2'], ['train.seed=2']].map((set) =>
      compileText(spec, set).hash(),
    );
    expect(new Set(hashes).size).toBe(3);
    expect(compileText(`${spec}\n`).hash()).not.toBe(hashes[0]);
  });
});

describe('parameters', () => {
  const networks = `network Block(x: f32[C]) -> f32[C] { x |> linear(C) |> repeat(2) { linear(C) |> layer_norm } }
`;
  const text =
    networks +
    spec.replace('linear(4)\n  decoder', 'linear(4) |> Block |> Block |> repeat(2) { Block }\n  decoder');

  it('are named after where they are written', () => {
    const names = compileText(text).layout.trainable.map((s) => s.name);
    expect(names).toContain('backbone.linear_1.weight');
    expect(names).toContain('backbone.Block_1.linear_1.weight');
    expect(names).toContain('backbone.Block_2.repeat_1.1.linear_1.weight');
    expect(names).toContain('backbone.repeat_1.0.Block_1.repeat_1.1.layer_norm_1.weight');
    expect(names).toContain('decoder.z.linear_1.bias');
    expect(new Set(names).size).toBe(names.length);
    // A linear layer, and two rounds of linear and layer norm, each with weight and bias.
    expect(names.filter((n) => n.startsWith('backbone.Block_1.'))).toHaveLength(2 + 2 * 4);
  });

  it('are the same for every graph, batch and order of building', () => {
    const model = compileText(text);
    const before = model.layout.trainable.map((s) => `${s.name} ${s.shape.join('x')}`);
    model.samplingStep(3, false);
    model.trainingStep(5);
    expect(compileText(text).layout.trainable.map((s) => `${s.name} ${s.shape.join('x')}`)).toEqual(before);
    const used = model
      .samplingStep(2, true)
      .nodes.flatMap((n) => (n.op === 'parameter' ? [n.attrs.name] : []));
    for (const name of used)
      expect(model.layout.trainable.concat(model.layout.statistics).some((s) => s.name === name)).toBe(true);
  });

  it('are as many as the layers need', () => {
    const { layout } = compileText(spec);
    // given: 4 channels of the encoding and two flags; backbone (4 + 6) x 4 + 4, decoder 4 x 4 + 4.
    expect(layout.size).toBe(44 + 20);
  });
});
