import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import { afterAll, expect } from 'vitest';
import type { Column } from '../../runtime/data/column.js';
import { DataFault } from '../../runtime/data/fault.js';

/** A folder that is removed after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'mmdc-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Where real data sets lie, if they do, for tests that can do without. */
export const realData = fileURLToPath(new URL('../../../shared/data', import.meta.url));
export const hasRealData = existsSync(realData);

/** Runs `act`, which must throw a DataFault, and returns that. */
export function fault(act: () => unknown): DataFault {
  let caught: unknown;
  try {
    act();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(DataFault);
  return caught as DataFault;
}

export function readRow(column: Column, row: number): number[] {
  const size = column.shape.reduce((n, d) => n * d, 1);
  const out = column.kind === 'real' ? new Float32Array(size) : new Int32Array(size);
  column.read(row, out, 0);
  return [...out];
}

/** A PNG file from its lines as stored (without filter bytes), for forms that the encoder at hand does not write. */
export function rawPng(
  width: number,
  height: number,
  depth: number,
  colourType: number,
  lines: readonly (readonly number[])[],
  extra: readonly (readonly [string, readonly number[]])[] = [],
): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colourType, 0, 0, 0], 8);
  const data = deflateSync(Buffer.from(lines.flatMap((line) => [0, ...line])));
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    ...extra.map(([type, bytes]) => chunk(type, Buffer.from(bytes))),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}
