import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];

/** A new folder that is removed after the file's tests. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'mmdc-test-'));
  if (made.length === 0) {
    afterAll(() => {
      for (const each of made) fs.rmSync(each, { recursive: true, force: true });
    });
  }
  made.push(folder);
  return folder;
}

export type FullDisk = typeof fs & { readonly left: () => number };

/** The file system with room for so many bytes more, accepting at most `piece` bytes at a time. */
export function fullDisk(room: number, piece = Infinity): FullDisk {
  let left = room;
  const writeSync = (handle: number, bytes: Uint8Array, offset: number, length: number): number => {
    if (left === 0)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const count = Math.min(length, left, piece);
    left -= count;
    return fs.writeSync(handle, bytes, offset, count);
  };
  return { ...fs, writeSync: writeSync as typeof fs.writeSync, left: () => left };
}
