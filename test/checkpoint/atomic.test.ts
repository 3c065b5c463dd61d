import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { removeLeftovers, writeAtomic } from '../../runtime/files/atomic.js';
import { fullDisk, temporaryFolder } from './support.js';

describe('writeAtomic', () => {
  test('writes text, bytes, and several pieces, over what was there', () => {
    const file = path.join(temporaryFolder(), 'a');
    writeAtomic(file, 'grüße');
    expect(fs.readFileSync(file, 'utf8')).toBe('grüße');
    writeAtomic(file, Uint8Array.of(1, 2));
    expect([...fs.readFileSync(file)]).toEqual([1, 2]);
    writeAtomic(file, [Uint8Array.of(3), Uint8Array.of(), Uint8Array.of(4, 5)]);
    expect([...fs.readFileSync(file)]).toEqual([3, 4, 5]);
    writeAtomic(file, []);
    expect(fs.readFileSync(file)).toHaveLength(0);
    expect(fs.readdirSync(path.dirname(file))).toEqual(['a']);
  });

  test('goes on after partial writes', () => {
    const file = path.join(temporaryFolder(), 'a');
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i);
    writeAtomic(file, bytes, fullDisk(1000, 7));
    expect([...fs.readFileSync(file)]).toEqual([...bytes]);
  });

  test.each([
    ['write', fullDisk(10)],
    ['flush', { ...fs, fsyncSync: fails }],
    ['rename', { ...fs, renameSync: fails }],
  ])('when the %s fails, the target is what it was and nothing is left behind', (_, broken) => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'a');
    writeAtomic(file, 'old');
    expect(() => writeAtomic(file, 'new and longer', broken)).toThrow(/ENOSPC/);
    expect(fs.readFileSync(file, 'utf8')).toBe('old');
    expect(() =>
      writeAtomic(path.join(folder, 'b'), 'new and longer', { ...broken, ...again(broken) }),
    ).toThrow();
    expect(fs.readdirSync(folder)).toEqual(['a']);
  });

  test('the file is flushed before it is renamed', () => {
    const order: string[] = [];
    const watched = {
      ...fs,
      fsyncSync: (handle: number) => (order.push('flush'), fs.fsyncSync(handle)),
      renameSync: (from: fs.PathLike, to: fs.PathLike) => (order.push('rename'), fs.renameSync(from, to)),
    };
    writeAtomic(path.join(temporaryFolder(), 'a'), 'x', watched);
    expect(order).toEqual(['flush', 'rename', 'flush']);
  });

  test('a folder that is not there is an error', () => {
    expect(() => writeAtomic(path.join(temporaryFolder(), 'no', 'a'), 'x')).toThrow(/ENOENT/);
  });

  test('leftovers of a crash are removed, other files are not', () => {
    const folder = temporaryFolder();
    for (const name of ['.a.1.0.tmp', 'a', 'b.tmp', '.hidden']) fs.writeFileSync(path.join(folder, name), '');
    removeLeftovers(folder);
    expect(fs.readdirSync(folder).sort()).toEqual(['.hidden', 'a', 'b.tmp']);
  });
});

function fails(): never {
  throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
}

/** A disk that was filled by the first attempt stays full; the others fail as before. */
function again(broken: object): object {
  return 'left' in broken ? fullDisk(0) : {};
}
