/** `eval` on a model that trains in a second: figures, provenance, the report's table, and wrong use. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Evaluation } from '../../runtime/eval/model.js';
import { folder, tinySpec } from './support.js';

const dir = folder();
dir.write('tiny.mmd', tinySpec);
const evaluate = (...args: string[]) => dir.run('eval', 'run', '--threads', '1', ...args);
const result = (name: string) => JSON.parse(dir.read(name)) as Evaluation;

beforeAll(async () => {
  await dir.run('train', 'tiny.mmd', '--threads', '1', '--out', 'run');
});

describe('mmdc eval', () => {
  it('writes every task, each metric once by its plain name, and the provenance', async () => {
    const { code, out } = await evaluate('--out', 'run/eval.json', '-n', '40');
    expect({ code, out }).toEqual({ code: 0, out: 'run/eval.json\n' });
    const { metrics, tasks, provenance } = result('run/eval.json');
    expect(Object.keys(tasks)).toEqual(['generate', 'recognise', 'imagine']);
    expect(Object.keys(tasks.recognise!).sort()).toEqual([
      'label.accuracy',
      'label.calibration',
      'label.nll',
      'label.total_variation',
    ]);
    expect(metrics['label.accuracy']).toEqual(tasks.recognise!['label.accuracy']);
    expect(metrics['emb.cosine']).toEqual(tasks.imagine!['emb.cosine']);
    expect(metrics['emb.cosine']).toMatchObject({ count: 40, task: 'imagine' });
    for (const { value } of Object.values(metrics)) expect(Number.isFinite(value)).toBe(true);
    expect(provenance).toMatchObject({
      model: 'Tiny',
      trained: 30,
      weights: { ema: 0.9 },
      seed: 0,
      rows: 40,
      data: 'builtin:scenes',
    });
    expect(provenance.spec).toBe(JSON.parse(dir.read('run/run.json')).hash);
    // The folder is uploaded as it is: its card has the figures, until somebody writes into it.
    const card = dir.read('run/README.md');
    expect(card).toContain(`| label.accuracy | ${metrics['label.accuracy']!.value} | \`eval.json\` |`);
    dir.write('run/README.md', card.replace('FILL IN: what the model must', 'Whatever the model must'));
    const again = await evaluate('--out', 'run/eval.json', '-n', '20', '--task', 'recognise');
    expect(again.err).toContain('run/README.md was changed by hand');
    expect(dir.read('run/README.md')).toContain('Whatever the model must');
    dir.write('run/README.md', card);
    await evaluate('--out', 'run/eval.json', '-n', '40');
  });

  it('asks everything that was trained, and says what was not', async () => {
    const { code } = await evaluate('--out', 'roles.json', '-n', '8', '--roles');
    expect(code).toBe(0);
    const { tasks, omitted } = result('roles.json');
    expect(Object.keys(tasks).sort()).toEqual(
      ['label', 'emb', 'label, emb', 'label -> emb', 'emb -> label'].sort(),
    );
    expect(omitted).toEqual([]);
    expect(tasks['label -> emb']).toHaveProperty(['emb.cosine', 'count'], 8);
    const told = tinySpec
      .replace('train {', 'train { roles { all: 0, tasks: 1, any: 0, absent: 0 } ')
      .replace('guidance: 1.5, ', '');
    dir.write('told.mmd', told);
    await dir.run('train', 'told.mmd', '--threads', '1', '--out', 'told', '--steps', '2');
    await dir.run('eval', 'told', '--threads', '1', '--out', 'told.json', '-n', '8', '--roles');
    expect(Object.keys(result('told.json').tasks)).toHaveLength(3);
    expect([...result('told.json').omitted].sort()).toEqual([
      'emb: it was never trained',
      'label: it was never trained',
    ]);
    const { code: wrong, err } = await evaluate('--out', 'x.json', '--roles', '--task', 'generate');
    expect(wrong).toBe(2);
    expect(err).toContain('--task and --roles exclude each other');
  });

  it('measures what the spec names, where it names metrics', async () => {
    dir.write(
      'some.mmd',
      tinySpec.replace('data {', 'eval { metrics { label: accuracy, emb: [] } }\n  data {'),
    );
    await dir.run('train', 'some.mmd', '--threads', '1', '--out', 'some');
    const { code } = await dir.run('eval', 'some', '--threads', '1', '--out', 'some.json', '-n', '20');
    expect(code).toBe(0);
    expect(Object.keys(result('some.json').metrics)).toEqual(['label.accuracy']);
  });

  it('agrees with what sampling the same rows gives', async () => {
    const sampled = await dir.run(
      'sample',
      'run',
      '--task',
      'recognise',
      '-n',
      '40',
      '--out',
      's',
      '--threads',
      '1',
    );
    expect(sampled.code).toBe(0);
    const { readNpy } = await import('../../runtime/data/npy.js');
    const { scenes } = await import('../../runtime/data/scenes.js');
    const made = readNpy(dir.at('s', 'label.npy')).data as Int32Array;
    const column = scenes('val').column('label');
    const wanted = new Int32Array(40);
    for (let i = 0; i < 40; i++) column.read(i, wanted, i);
    const right = made.filter((k, i) => k === wanted[i]).length / 40;
    expect(result('run/eval.json').metrics['label.accuracy']!.value).toBeCloseTo(right, 12);
  });

  it('says the same again with the same seed, and something else with another', async () => {
    await evaluate('--out', 'a.json', '-n', '40', '--task', 'generate');
    await evaluate('--out', 'b.json', '-n', '40', '--task', 'generate');
    await evaluate('--out', 'c.json', '-n', '40', '--task', 'generate', '--seed', '1');
    expect(result('b.json')).toEqual(result('a.json'));
    expect(result('c.json').metrics).not.toEqual(result('a.json').metrics);
  });

  it('is made on a schedule while training, of the averaged weights, and changes nothing of the run', async () => {
    const { code } = await dir.run(
      'train',
      'tiny.mmd',
      ...['--threads', '1', '--out', 'scheduled', '--eval-every', '15', '--eval-rows', '20'],
    );
    expect(code).toBe(0);
    expect(dir.list('scheduled/evaluations')).toEqual(['step-00000015.json', 'step-00000030.json']);
    const [half, last] = dir
      .list('scheduled/evaluations')
      .map((name) => result(`scheduled/evaluations/${name}`));
    expect([half!.provenance.trained, last!.provenance.trained]).toEqual([15, 30]);
    expect(half!.metrics['label.nll']).not.toEqual(last!.metrics['label.nll']);
    expect(result('scheduled/eval.json')).toEqual(last);
    const shown = Number(half!.metrics['label.nll']!.value.toPrecision(4));
    expect(dir.read('scheduled/report.html')).toContain(`before: ${shown} (step 15)`);
    // What `eval` says of the finished run, whose weights are the averaged ones.
    await evaluate('--out', 'twenty.json', '-n', '20');
    expect(last!.tasks).toEqual(result('twenty.json').tasks);
    expect(last!.provenance.spec).toBe(result('twenty.json').provenance.spec);
    const weights = (run: string) => readFileSync(dir.at(run, 'model.safetensors'));
    expect(weights('scheduled').equals(weights('run'))).toBe(true);
  });

  it('is shown by the report', async () => {
    await dir.run('report', 'run');
    expect(dir.read('run/report.html')).toContain('emb.cosine');
  });

  it('refuses what is not there', async () => {
    const unknown = await evaluate('--out', 'x.json', '--task', 'recognize');
    expect(unknown).toMatchObject({ code: 1, out: '' });
    expect(unknown.err).toContain('did you mean `recognise`?');
    expect((await evaluate()).code).toBe(2);
    expect((await dir.run('eval', 'nowhere', '--out', 'x.json')).code).toBe(1);
    expect(dir.has('x.json')).toBe(false);
  });
});
