/** `train`, `sample` and `report` on a model that trains in a second; interrupting and resuming. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readNpy } from '../../runtime/data/npy.js';
import { folder, mmdc, tinySpec, type Result } from './support.js';

const dir = folder();
dir.write('tiny.mmd', tinySpec);
const train = (...args: string[]) => dir.run('train', 'tiny.mmd', '--threads', '1', ...args);
const sample = (...args: string[]) => dir.run('sample', 'run', '--threads', '1', ...args);

interface Samples {
  readonly task: string | null;
  readonly given: string[];
  readonly produced: string[];
  readonly n: number;
  readonly seed: number;
  readonly steps: number;
  readonly sampler: string;
  readonly spec: string;
  readonly files: string[];
}
const samples = (name: string) => JSON.parse(dir.read(`${name}/samples.json`)) as Samples;
const records = (run: string) =>
  dir
    .read(`${run}/log.jsonl`)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
/** dtype as NumPy writes it, and the shape. */
const header = (file: string): string =>
  /'descr': '(.*?)'.*'shape': \(.*?\)/.exec(
    readFileSync(dir.at(file)).subarray(0, 128).toString('latin1'),
  )![0];

let trained: Result;
beforeAll(async () => {
  trained = await train('--out', 'run');
});

describe('mmdc train', () => {
  it('writes a run folder and names the report on standard output', () => {
    expect(trained.err).toContain('ort');
    expect(trained).toMatchObject({ code: 0, out: 'run/report.html\n' });
    expect(dir.list('run')).toEqual(
      [
        'README.md',
        'checkpoints',
        'events.jsonl',
        'executor.txt',
        'log.jsonl',
        'model.safetensors',
        'report.html',
        'run.json',
        'samples',
        'spec.mmd',
      ].sort(),
    );
    expect(dir.read('run/spec.mmd')).toBe(tinySpec);
    expect(dir.list('run/samples')).toEqual(['generate', 'imagine', 'recognise']);
    expect(dir.list('run/checkpoints')).toEqual(['step-00000030.json', 'step-00000030.safetensors']);
  });

  it('logs one JSON object a line', () => {
    const log = records('run');
    expect(log.map((r) => r.step)).toEqual([10, 20, 30]);
    for (const record of log) {
      for (const key of ['loss', 'L0', 'L1', 'L3', 'rate', 'grad_norm', 'seconds'])
        expect(record[key]).toBeTypeOf('number');
      expect(Object.keys(record.L2 as object)).toEqual(['label', 'emb']);
    }
  });

  it('refuses a folder that holds a run, and leaves it as it was', async () => {
    const before = dir.read('run/log.jsonl');
    const [again, other] = await Promise.all([
      train('--out', 'run'),
      train('--out', 'run', '--resume', '--seed', '5'),
    ]);
    expect(again!.code).toBe(1);
    expect(again!.err).toContain('run already holds a run');
    expect(again!.err).toContain('--resume');
    expect(other!.code).toBe(1);
    expect(other!.err).toContain('trained with another spec: overrides [], now [train.seed=5]');
    expect(dir.read('run/log.jsonl')).toBe(before);
  });

  it('says which line of the spec differs from the run that is to be resumed', async () => {
    dir.write('other.mmd', tinySpec.replace('depth: 1', 'depth: 2'));
    const { code, err } = await dir.run('train', 'other.mmd', '--out', 'run', '--resume');
    expect(code).toBe(1);
    expect(err).toMatch(/other\.mmd was not part of it|line 13 of .* was .*depth: 1.* and is .*depth: 2/);
    dir.write('tiny.mmd', tinySpec.replace('depth: 1', 'depth: 2'));
    const edited = await train('--out', 'run', '--resume');
    dir.write('tiny.mmd', tinySpec);
    expect(edited.code).toBe(1);
    expect(edited.err).toMatch(/line 13 of tiny\.mmd was `.*depth: 1.*` and is `.*depth: 2.*`/);
  });

  it('writes the same run twice', async () => {
    await train('--out', 'again');
    const plain = (run: string) => records(run).map(({ seconds: _, ...rest }) => rest);
    expect(plain('again')).toEqual(plain('run'));
    for (const file of ['model.safetensors', 'samples/generate/emb.npy', 'samples/imagine/emb.npy']) {
      expect(readFileSync(dir.at('again', file)).equals(readFileSync(dir.at('run', file)))).toBe(true);
    }
  });
});

describe('mmdc sample', () => {
  it('writes an array for every modality given or produced, and how they were made', async () => {
    const { code, out } = await sample(
      '--task',
      'imagine',
      '--given',
      'label=tree',
      '-n',
      '5',
      '--seed',
      '3',
      '--out',
      's1',
    );
    expect(code).toBe(0);
    expect(out.split('\n').filter(Boolean)).toEqual(['s1/emb.npy', 's1/label.npy', 's1/samples.json']);
    expect(header('s1/label.npy')).toBe("'descr': '<i4', 'fortran_order': False, 'shape': (5,)");
    expect(header('s1/emb.npy')).toBe("'descr': '<f4', 'fortran_order': False, 'shape': (5, 16)");
    expect([...readNpy(dir.at('s1/label.npy')).data]).toEqual([4, 4, 4, 4, 4]);
    // A cosine likelihood means unit vectors.
    const emb = readNpy(dir.at('s1/emb.npy')).data as Float32Array;
    for (let i = 0; i < 5; i++) expect(Math.hypot(...emb.subarray(16 * i, 16 * i + 16))).toBeCloseTo(1, 5);
    const run = JSON.parse(dir.read('run/run.json')) as { hash: string };
    expect(samples('s1')).toMatchObject({
      task: 'imagine',
      given: ['label'],
      produced: ['emb'],
      values: ['label=tree'],
      n: 5,
      seed: 3,
      steps: 10,
      sampler: 'ddim',
      guidance: 1.5,
      spec: run.hash,
      trained: 30,
      files: ['emb.npy', 'label.npy', 'samples.json'],
    });
  });

  it('produces anything from anything, with what the command line says', async () => {
    const [joint, joined, rows] = await Promise.all([
      sample('--out', 's2', '--steps', '7', '--sampler', 'dpmpp'),
      sample('--given', 'emb=builtin:scenes#2:5', '--produce', 'label', '--out', 's3'),
      sample('--given', 'label=2', '--produce', 'emb', '--sampler', 'ddpm', '-n', '2', '--out', 's4'),
    ]);
    expect([joint!.code, joined!.code, rows!.code]).toEqual([0, 0, 0]);
    expect(samples('s2')).toMatchObject({
      given: [],
      produced: ['label', 'emb'],
      steps: 7,
      sampler: 'dpmpp',
      n: 16,
    });
    // As many rows as are given.
    expect(samples('s3')).toMatchObject({ given: ['emb'], produced: ['label'], n: 3 });
    expect(header('s3/label.npy')).toContain('(3,)');
    expect(samples('s4')).toMatchObject({ sampler: 'ddpm', n: 2 });
    // What was given comes back as it was, and can be given again.
    const given = readNpy(dir.at('s3/emb.npy')).data;
    const again = await sample('--given', `emb=${dir.at('s3/emb.npy')}`, '--produce', 'label', '--out', 's5');
    expect(again.code).toBe(0);
    expect([...readNpy(dir.at('s5/emb.npy')).data]).toEqual([...given]);
    expect([...readNpy(dir.at('s5/label.npy')).data]).toEqual([...readNpy(dir.at('s3/label.npy')).data]);
  });

  it('gives the same for the same seed, and something else for another', async () => {
    await Promise.all(
      [
        ['6', 'a'],
        ['6', 'b'],
        ['7', 'c'],
      ].map(([seed, out]) =>
        sample('--task', 'generate', '-n', '3', '--steps', '5', '--seed', seed!, '--out', out!),
      ),
    );
    expect(readFileSync(dir.at('b/emb.npy')).equals(readFileSync(dir.at('a/emb.npy')))).toBe(true);
    expect(readFileSync(dir.at('c/emb.npy')).equals(readFileSync(dir.at('a/emb.npy')))).toBe(false);
  });

  it('refuses what makes no sense, helpfully, and writes nothing', async () => {
    const cases: [string[], number, string][] = [
      [['--task', 'imagin'], 1, 'did you mean `imagine`?'],
      [['--task', 'imagine', '--produce', 'emb'], 2, 'exclude each other'],
      [['--task', 'imagine', '--given', 'emb=1'], 1, 'neither'],
      [['--given', 'lable=3', '--produce', 'emb'], 1, 'did you mean `label`?'],
      [['--given', 'label=9', '--produce', 'emb'], 1, 'the classes 0 to 5'],
      [['--given', 'label=hedgehog', '--produce', 'emb'], 1, 'neither a class'],
      [['--given', 'label', '--produce', 'emb'], 2, 'NAME=VALUE'],
      [['--given', 'label=1', '--given', 'label=2', '--produce', 'emb'], 2, 'twice'],
      [['--given', 'label=1'], 2, '--produce'],
      [['--given', 'label=1', '--produce', 'label'], 2, 'both given and produced'],
      [['--given', 'emb=none.npy', '--produce', 'label'], 1, 'does not exist'],
      [['--given', 'emb=builtin:scenes#0:3', '-n', '9', '--produce', 'label'], 1, 'given for 3 rows'],
      [['--steps', '51'], 2, 'the process has 50 steps'],
      [['-n', '0'], 2, 'at least 1'],
    ];
    const results = await Promise.all(cases.map(([args]) => sample(...args, '--out', 'no')));
    results.forEach((result, i) => {
      expect(result.err).toContain(cases[i]![2]);
      expect([cases[i]![0], result.code, result.out]).toEqual([cases[i]![0], cases[i]![1], '']);
    });
    expect(dir.has('no')).toBe(false);
    const nowhere = await dir.run('sample', 'nowhere', '--out', 'no');
    expect(nowhere.code).toBe(1);
    expect(nowhere.err).toContain('nowhere is not a run folder');
  });
});

describe('mmdc report', () => {
  it('writes one page with nothing outside it', async () => {
    const { code, out } = await dir.run('report', 'run');
    expect([code, out]).toEqual([0, 'run/report.html\n']);
    const page = dir.read('run/report.html');
    expect(page).toContain('onnxruntime');
    for (const text of ['L0', 'L1', 'L2', 'label', 'emb', 'recognise', 'MLP']) expect(page).toContain(text);
    expect(page).not.toMatch(/(src|href)="https?:/);
    expect((await dir.run('report', 'nowhere')).code).toBe(1);
  });
});

describe('interrupting', () => {
  const long = ['train', 'tiny.mmd', '--threads', '1', '--steps', '1000000', '--out', 'long'];
  const started = /parameters, 1000000 steps|going on from step (\d+)/;

  it('writes a checkpoint, exits with 130, and the run goes on from there', async () => {
    const interrupt = (args: string[]) => {
      let sent = false;
      return mmdc(args, {
        cwd: dir.path,
        onErr: (err, child) => {
          if (sent || !started.test(err)) return;
          sent = true;
          child.kill('SIGINT');
        },
      });
    };
    const first = await interrupt(long);
    expect(first.err).toContain('writing a checkpoint');
    expect([first.code, first.out]).toEqual([130, '']);
    const step = Number(/stopped at step (\d+)/.exec(first.err)![1]);
    expect(step).toBeGreaterThan(0);
    expect(dir.has(`long/checkpoints/step-${String(step).padStart(8, '0')}.safetensors`)).toBe(true);
    expect(dir.has('long/run.lock')).toBe(false);
    const second = await interrupt([...long, '--resume']);
    expect(started.exec(second.err)![1]).toBe(String(step));
    expect(second.code).toBe(130);
    // Samples come from the checkpoint's averaged weights while there are no final ones.
    const sampled = await dir.run(
      'sample',
      'long',
      '--task',
      'generate',
      '-n',
      '2',
      '--steps',
      '3',
      '--out',
      'early',
    );
    expect([sampled.code, dir.list('early')]).toEqual([0, ['emb.npy', 'label.npy', 'samples.json']]);
  });

  it('is at once the second time', async () => {
    let signals = 0;
    const result = await mmdc([...long.slice(0, -1), 'quick'], {
      cwd: dir.path,
      onErr: (err, child) => {
        if (signals > 1 || !started.test(err)) return;
        signals = 2;
        child.kill('SIGTERM');
        child.kill('SIGINT');
      },
    });
    expect(result.code).toBe(130);
    expect(result.err).not.toContain('stopped at step');
  });
});
