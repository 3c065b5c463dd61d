/** `compile`: files, their schema, and that they are the same every time. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { fromJSON } from '../../compiler/graph/json.js';
import { hash } from '../../compiler/graph/hash.js';
import { verify } from '../../compiler/graph/verify.js';
import { folder, root, tinySpec } from './support.js';

const dir = folder();
dir.write('tiny.mmd', tinySpec);

interface Described {
  readonly model: string;
  readonly hash: string;
  readonly graphs: Record<string, string>;
  readonly terms: string[];
  readonly tasks: { name: string }[];
  readonly defaults: { path: string; value: string; reason: string }[];
}

describe('mmdc compile', () => {
  it('writes graphs that follow the published schema, tables and a description, the same every time', async () => {
    const [first, second] = await Promise.all([
      dir.run('compile', 'tiny.mmd', '-o', 'a'),
      dir.run('compile', 'tiny.mmd', '-o', 'b'),
    ]);
    expect(first!.code).toBe(0);
    expect(first!.err).toBe('');
    const names = [
      'model.json',
      'sample-guided.graph.json',
      'sample.graph.json',
      'tables.json',
      'train.graph.json',
    ];
    expect(dir.list('a')).toEqual(names);
    expect(first!.out.trim().split('\n').sort()).toEqual(names.map((name) => `a/${name}`));
    expect(second!.out.replaceAll('b/', 'a/')).toBe(first!.out);
    for (const name of names) expect(dir.read(`b/${name}`)).toBe(dir.read(`a/${name}`));

    const schema = JSON.parse(readFileSync(join(root, 'schema', 'graph.schema.json'), 'utf8')) as object;
    const validate = new Ajv2020({ strict: false }).compile(schema);
    const described = JSON.parse(dir.read('a/model.json')) as Described;
    expect(Object.keys(described.graphs).sort()).toEqual(['sample', 'sample-guided', 'train']);
    for (const [name, sum] of Object.entries(described.graphs)) {
      const value: unknown = JSON.parse(dir.read(`a/${name}.graph.json`));
      expect(validate(value), JSON.stringify(validate.errors?.[0])).toBe(true);
      const graph = fromJSON(value);
      expect(verify(graph)).toEqual([]);
      expect(hash(graph)).toBe(sum);
    }
    expect(described).toMatchObject({ model: 'Tiny', terms: ['L0', 'L1', 'L2.label', 'L2.emb', 'L3'] });
    expect(described.defaults.find((d) => d.path === 'train.clip')).toMatchObject({ value: '1' });
    // What the spec says itself is no default.
    expect(described.defaults.some((d) => d.path === 'train.batch')).toBe(false);
    const tables = JSON.parse(dir.read('a/tables.json')) as {
      steps: number;
      A: number[];
      components: { c: number[] }[];
    };
    expect(tables.A).toHaveLength(51);
    expect(tables.components.map((c) => c.c.length)).toEqual([51, 51]);
  });

  it('writes ONNX', async () => {
    const { code } = await dir.run('compile', 'tiny.mmd', '--target', 'onnx', '-o', 'onnx');
    expect(code).toBe(0);
    expect(dir.list('onnx')).toEqual([
      'README.md',
      'decoder.emb.onnx',
      'decoder.label.onnx',
      'denoiser.onnx',
      'encoder.emb.onnx',
      'encoder.label.onnx',
      'model.json',
      'sample-guided.onnx',
      'sample.onnx',
      'tables.json',
      'task.generate.onnx',
      'task.imagine.onnx',
      'task.recognise.onnx',
      'train.onnx',
    ]);
  });

  it('prints stages and statistics when asked', async () => {
    const [dump, stats] = await Promise.all([
      dir.run('compile', 'tiny.mmd', '-o', 'c', '--dump', 'forward'),
      dir.run('compile', 'tiny.mmd', '-o', 'd', '--stats', '--passes=-cse'),
    ]);
    expect(dump!.code).toBe(0);
    expect(dump!.out).toContain('matmul');
    expect(stats!.code).toBe(0);
    expect(`${stats!.out}${stats!.err}`).toMatch(/parameters/);
    // Without common subexpressions found, the graph is another one.
    expect(dir.read('d/train.graph.json')).not.toBe(dir.read('c/train.graph.json'));
    // Within the budget nothing is computed again.
    const roomy = await dir.run('compile', 'tiny.mmd', '-o', 'r', '--passes', '+recompute=64');
    expect(roomy!.code).toBe(0);
    expect(dir.read('r/train.graph.json')).toBe(dir.read('c/train.graph.json'));
  });

  it('takes overrides into the graph and its hash', async () => {
    await Promise.all([
      dir.run('compile', 'tiny.mmd', '-o', 'e'),
      dir.run('compile', 'tiny.mmd', '-o', 'f', '--set', 'train.optimizer=adamw(decay: 0.5)'),
    ]);
    const [plain, set] = ['e', 'f'].map((d) => JSON.parse(dir.read(`${d}/model.json`)) as Described);
    expect(set!.hash).not.toBe(plain!.hash);
    expect(set!.graphs.train).not.toBe(plain!.graphs.train);
    expect(set!.graphs.sample).toBe(plain!.graphs.sample);
  });

  it('writes nothing when something is wrong', async () => {
    dir.write('bad.mmd', tinySpec.replace('linear(6)', 'linear(7)'));
    dir.write('two.mmd', `${tinySpec}model Other = Tiny { }\n`);
    const cases: [string[], number, string][] = [
      [['compile', 'bad.mmd', '-o', 'x'], 1, 'MMD0510'],
      [['compile', 'two.mmd', '-o', 'x'], 1, '2 models (Tiny, Other): choose one with --model'],
      [['compile', 'two.mmd', '-o', 'x', '--model', 'Othr'], 1, 'did you mean `Other`?'],
      [['compile', 'tiny.mmd', '-o', 'x', '--dump', 'nothing'], 2, 'stages are forward, step'],
      [['compile', 'tiny.mmd', '-o', 'x', '--passes=cse'], 2, 'with a minus before it nor +recompute'],
      [['compile', 'tiny.mmd'], 2, '--out'],
    ];
    const results = await Promise.all(cases.map(([args]) => dir.run(...args)));
    results.forEach((result, i) => {
      expect(result.err).toContain(cases[i]![2]);
      expect([result.code, result.out]).toEqual([cases[i]![1], '']);
    });
    expect(dir.has('x')).toBe(false);
    expect((await dir.run('compile', 'two.mmd', '-o', 'y', '--model', 'Other')).code).toBe(0);
  });
});
