import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyOf, Store } from '../../experiments/store.js';

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'mmdc-store-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const built = join(import.meta.dirname, '../../dist/experiments/store.js');

/** A process that does stages 1, 2 and 3, and in stage `hang` writes half of its work and never ends. */
const program = (hang: number) => `
  import { appendFileSync, writeFileSync } from 'node:fs';
  import { join } from 'node:path';
  import { Store } from ${JSON.stringify(pathToFileURL(built).href)};
  const dir = ${JSON.stringify(dir)};
  const store = new Store(join(dir, 'stages'), () => null);
  for (const n of [1, 2, 3])
    await store.run({ n }, async (folder) => {
      appendFileSync(join(dir, 'began'), n + '\\n');
      writeFileSync(join(folder, 'work'), 'half');
      if (n === ${hang}) { console.log('hanging'); await new Promise((r) => setTimeout(r, 60_000)); }
      writeFileSync(join(folder, 'work'), 'whole ' + n);
    });
`;

describe('stages on disk', () => {
  it.skipIf(!existsSync(built))('go on after the process was killed in the middle of one', async () => {
    const node = (hang: number) => spawn(process.execPath, ['--input-type=module', '-e', program(hang)]);
    const first = node(2);
    await new Promise((resolve) => first.stdout.once('data', resolve));
    first.kill('SIGKILL');
    await new Promise((resolve) => first.once('exit', resolve));
    const store = new Store(join(dir, 'stages'), () => null);
    expect([1, 2, 3].map((n) => store.find({ n }) !== undefined)).toEqual([true, false, false]);

    const code = await new Promise((resolve) => node(0).once('exit', resolve));
    expect(code).toBe(0);
    // The first is not done again, the second is.
    expect(readFileSync(join(dir, 'began'), 'utf8')).toBe('1\n2\n2\n3\n');
    expect([1, 2, 3].map((n) => readFileSync(join(store.folder({ n }), 'work'), 'utf8'))).toEqual([
      'whole 1',
      'whole 2',
      'whole 3',
    ]);
  });

  it('are not done when their work fails', async () => {
    const store = new Store(dir, () => 'abc');
    await expect(store.run({ n: 1 }, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(store.find({ n: 1 })).toBeUndefined();
    expect((await store.run({ n: 1 }, async () => {})).commit).toBe('abc');
    expect(store.find({ n: 1 })).toBeDefined();
  });

  it('are named by what they depend on, in any order', () => {
    expect(keyOf({ a: 1, b: 'x' })).toBe(keyOf({ b: 'x', a: 1 }));
    expect(keyOf({ a: 1, b: 'x' })).not.toBe(keyOf({ a: 2, b: 'x' }));
    expect(keyOf({ a: 1, b: 'x' })).not.toBe(keyOf({ a: '1', b: 'x' }));
  });
});
