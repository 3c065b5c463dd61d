/** `mmdc init`: a project that checks, is formatted, trains and samples. */
import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { folder } from './support.js';

const dir = folder();

describe('mmdc init', () => {
  it('makes a project that checks without a warning and is formatted', async () => {
    const made = await dir.run('init', 'my-scenes');
    expect(made.code).toBe(0);
    expect(made.out).toBe('my-scenes/model.mmd\nmy-scenes/README.md\nmy-scenes/.gitignore\n');
    expect(made.err).toContain('next: cd my-scenes && mmdc check model.mmd');
    expect(dir.read('my-scenes/model.mmd')).toContain('model MyScenes {');
    expect(await dir.run('check', '--deny-warnings', 'my-scenes/model.mmd')).toMatchObject({
      code: 0,
      out: '',
    });
    expect(await dir.run('fmt', '--check', 'my-scenes/model.mmd')).toMatchObject({ code: 0, out: '' });
  });

  it('trains and samples as its README says', async () => {
    await dir.run('init', 'short');
    const command = (line: RegExp): string[] => {
      const found = line.exec(dir.read('short/README.md'))?.[0] ?? '';
      return found
        .replace(/\s+#.*/, '')
        .split(/\s+/)
        .slice(1)
        .map((arg) => arg.replace(/^(model\.mmd|runs\/|samples\/)/, 'short/$1'));
    };
    const train = command(/^mmdc train .*$/m);
    const trained = await dir.run(
      ...train,
      '--steps',
      '2',
      '--set',
      'train.batch=4',
      '--set',
      'task.draw.steps=2',
      '--set',
      'task.generate.steps=2',
    );
    expect(trained.err).not.toContain('error');
    expect(trained.code).toBe(0);
    expect(dir.has('short/runs/first/report.html')).toBe(true);
    const sampled = await dir.run(...command(/^mmdc sample .*$/m).map((arg) => (arg === '16' ? '2' : arg)));
    expect(sampled.code).toBe(0);
    expect(dir.list('short/samples/houses')).toEqual(
      expect.arrayContaining(['image.npy', 'image.png', 'samples.json']),
    );
    expect((await dir.run(...command(/^mmdc report .*$/m))).code).toBe(0);
  });

  it('refuses a folder with something in it, and a file, and writes nothing', async () => {
    mkdirSync(dir.at('full'));
    dir.write('full/notes.txt', 'mine');
    const refused = await dir.run('init', 'full');
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('full is not empty: it holds notes.txt');
    expect(dir.list('full')).toEqual(['notes.txt']);
    dir.write('file', '');
    expect((await dir.run('init', 'file')).err).toContain('file is a file');
    expect((await dir.run('init')).code).toBe(2);
  });

  it('takes an empty folder, and any name', async () => {
    mkdirSync(dir.at('repository', '.git'), { recursive: true });
    dir.write('repository/.git/HEAD', 'ref: refs/heads/main\n');
    expect((await dir.run('init', 'repository')).code).toBe(0);
    expect((await dir.run('init', '2d & more')).code).toBe(0);
    expect(dir.read('2d & more/model.mmd')).toContain('model Model2dMore {');
    expect((await dir.run('check', '2d & more/model.mmd')).code).toBe(0);
  });
});
