import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { folder, mmdc } from './support.js';
import { small } from '../doc/support.js';

describe('mmdc doc', () => {
  const dir = folder();
  const good = small('steps: 50, origin: picture, weights { kind: nested }');

  it('documents files and folders, and prints where to begin', async () => {
    mkdirSync(dir.at('specs', 'deep'), { recursive: true });
    dir.write('specs/one.mmd', good);
    dir.write('specs/deep/two.mmd', good.replace('model Small', 'model Other'));
    const { code, out, err } = await dir.run(
      'doc',
      'specs',
      'specs/one.mmd',
      '-o',
      'site',
      '--title',
      'Mine',
    );
    expect(err).toMatch(/wrote \d+ files/);
    expect(out).toBe('site/index.html\n');
    expect(code).toBe(0);
    expect(dir.list('site')).toEqual(['index.html', 'index.md', 'models', 'networks']);
    expect(dir.list('site/models').filter((name) => /\.(html|md)$/.test(name))).toEqual([
      ...['Other.html', 'Other.md', 'Small.html', 'Small.md'],
    ]);
    expect(dir.read('site/index.html')).toContain('<title>Mine</title>');
  });

  it('writes one form alone', async () => {
    dir.write('one.mmd', good);
    const { code, out } = await dir.run('doc', 'one.mmd', '-o', 'md', '--format', 'markdown');
    expect([code, out]).toEqual([0, 'md/index.md\n']);
    expect(dir.list('md/models').some((name) => name.endsWith('.html'))).toBe(false);
  });

  it('writes nothing where a spec has an error', async () => {
    dir.write('one.mmd', good);
    dir.write('bad.mmd', good.replace('conv(4)', 'conv(width: "x")'));
    const { code, out, err } = await dir.run('doc', 'one.mmd', 'bad.mmd', '-o', 'none');
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toContain('bad.mmd:');
    expect(dir.has('none')).toBe(false);
  });

  it('says what is wrong with its arguments', async () => {
    const missing = await dir.run('doc', 'missing.mmd', '-o', 'none');
    expect([missing.code, missing.err]).toEqual([
      1,
      'error: cannot read missing.mmd: there is no such file\n',
    ]);
    mkdirSync(dir.at('empty'));
    const empty = await dir.run('doc', 'empty', '-o', 'none');
    expect([empty.code, empty.err]).toEqual([1, 'error: empty: there is no .mmd file in this folder\n']);
    expect((await dir.run('doc', 'one.mmd')).code).toBe(2);
  });

  it('loads no tensor engine', async () => {
    dir.write('one.mmd', good);
    // With this, loading onnxruntime fails; `info` shows that it does.
    const hook = dir.write(
      'hook.mjs',
      `import { register } from 'node:module';
       register('data:text/javascript,' + encodeURIComponent(\`
         export function resolve(name, context, next) {
           if (/^(onnxruntime|@tensorflow)/.test(name)) throw new Error('engine refused');
           return next(name, context);
         }\`));`,
    );
    const env = { NODE_OPTIONS: `--import=${new URL(`file://${hook}`).href}` };
    const { code } = await mmdc(['doc', 'one.mmd', '-o', 'engine'], { cwd: dir.path, env });
    expect((await mmdc(['info'], { cwd: dir.path, env })).out).toContain('engine refused');
    expect(code).toBe(0);
  });
});
