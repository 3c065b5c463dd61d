import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { acquireLock, LOCK_FILE, LockFault, type LockOwner } from '../../runtime/checkpoint/lock.js';
import { temporaryFolder } from './support.js';

const lockOf = (dir: string): string => path.join(dir, LOCK_FILE);
const put = (dir: string, owner: Partial<LockOwner>): void =>
  fs.writeFileSync(
    lockOf(dir),
    JSON.stringify({ host: os.hostname(), pid: process.pid, started: '', ...owner }),
  );

describe("the lock of a run's folder", () => {
  test('is exclusive until it is released', () => {
    const dir = temporaryFolder();
    const lock = acquireLock(dir);
    expect(() => acquireLock(dir)).toThrow(LockFault);
    expect(() => acquireLock(dir)).toThrow(`in use by process ${process.pid}`);
    lock.release();
    lock.release();
    expect(fs.readdirSync(dir)).toEqual([]);
    acquireLock(dir).release();
  });

  test('of a process that is gone is taken over', () => {
    const dir = temporaryFolder();
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    put(dir, { pid: gone });
    const lock = acquireLock(dir);
    expect(JSON.parse(fs.readFileSync(lock.file, 'utf8'))).toMatchObject({ pid: process.pid });
    expect(fs.readdirSync(dir)).toEqual([LOCK_FILE]);
  });

  test('of a live process is not', async () => {
    const dir = temporaryFolder();
    const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
    try {
      put(dir, { pid: other.pid! });
      expect(() => acquireLock(dir)).toThrow(`process ${other.pid}`);
    } finally {
      const ended = new Promise((resolve) => other.once('exit', resolve));
      other.kill();
      await ended;
    }
    acquireLock(dir).release();
  });

  test.skipIf(process.platform !== 'linux')('of an earlier process with the same id is taken over', () => {
    const dir = temporaryFolder();
    put(dir, { started: '1' });
    acquireLock(dir).release();
  });

  test('of another machine is respected, and the remedy is told', () => {
    const dir = temporaryFolder();
    put(dir, { host: 'elsewhere', pid: 2 ** 30 });
    expect(() => acquireLock(dir)).toThrow(/process 1073741824 on elsewhere\. .* delete .*run\.lock/);
  });

  test('without content belongs to a process that is just starting, unless it is old', () => {
    const dir = temporaryFolder();
    fs.writeFileSync(lockOf(dir), '');
    expect(() => acquireLock(dir)).toThrow('has just started');
    const old = Date.now() / 1000 - 60;
    fs.utimesSync(lockOf(dir), old, old);
    acquireLock(dir).release();
    for (const text of ['null', '{"pid":"x"}', '[1]']) {
      fs.writeFileSync(lockOf(dir), text);
      fs.utimesSync(lockOf(dir), old, old);
      acquireLock(dir).release();
    }
  });

  test("release leaves a lock alone that is not one's own any more", () => {
    const dir = temporaryFolder();
    const lock = acquireLock(dir);
    put(dir, { host: 'elsewhere' });
    lock.release();
    expect(fs.existsSync(lockOf(dir))).toBe(true);
  });

  test('needs the folder to be there', () => {
    expect(() => acquireLock(path.join(temporaryFolder(), 'no'))).toThrow(/ENOENT/);
  });
});
