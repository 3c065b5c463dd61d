import { spawnSync } from 'node:child_process';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFiles, root, textOf } from './sources.js';

const files = projectFiles();
const texts = files.filter(
  (file) => !/\.(png|gz|npy|safetensors|onnx)$/.test(file) && file !== 'package-lock.json',
);

describe('the tree', () => {
  it('has no source file over 600 lines', () => {
    const lengths = files
      .filter((file) => /\.(ts|mjs|js|mmd)$/.test(file))
      .map((file) => ({ file, lines: textOf(file).split('\n').length - 1 }))
      .sort((a, b) => b.lines - a.lines);
    const long = lengths.filter(({ lines }) => lines > 400).map(({ file, lines }) => `${lines} ${file}`);
    if (long.length > 0) console.log(`over 400 lines:\n  ${long.join('\n  ')}`);
    expect(lengths.filter(({ lines }) => lines > 600)).toEqual([]);
  });

  it('names no folder of the machine it was written on', () => {
    const above = dirname(root);
    const anywhere = ['/', tmpdir(), '/home', '/opt', '/srv'];
    const folders = [root, homedir(), above].filter((folder) => !anywhere.includes(folder));
    const escaped = folders.map((folder) => folder.replace(/[^\w/]/g, '\\$&'));
    const path = new RegExp(`(?<![\\w.@/-])(${escaped.join('|')})(?![\\w-])`);
    expect(`see ${root}/README.md`).toMatch(path);
    const naming = texts.flatMap(
      (file) =>
        path
          .exec(textOf(file))
          ?.slice(0, 1)
          .map((found) => `${file}: ${found}`) ?? [],
    );
    expect(naming).toEqual([]);
  });

  it('leaves nothing to do later, and switches no checker off without saying why', () => {
    const marks =
      /\b(TODO|FIXME|XXX)\b|@ts-(ignore|nocheck)|eslint-disable(?!.*--)|\b(it|test|describe)\.(only|todo)\(/;
    const marked = texts
      .filter((file) => /\.(ts|mjs|js|mmd|sh)$/.test(file) && file !== 'test/repository/tree.test.ts')
      .filter((file) => marks.test(textOf(file)));
    expect(marked).toEqual([]);
  });

  it.each(['licences', 'architecture'])('is what `node scripts/%s.mjs` writes', (name) => {
    const script = join(root, 'scripts', `${name}.mjs`);
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});
