import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { computesOnGpu } from '../../runtime/executors/tfjs/gpu.js';

const folder = mkdtempSync(join(tmpdir(), 'mmdc-gpu-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A package that stands for TensorFlow.js, on a machine with a GPU, on one without, and damaged. */
function standIn(name: string, source: string): string {
  const path = join(folder, `${name}.cjs`);
  writeFileSync(path, source);
  return path;
}

describe('asking a process of its own whether TensorFlow has a GPU', () => {
  const backend = (gpu: boolean): string =>
    `module.exports = { ready: async () => {}, findBackend: () => ({ isUsingGpuDevice: ${gpu} }) };`;

  it.each([
    ['gpu', backend(true), true],
    ['cpu', backend(false), false],
    ['damaged', `throw new Error('no library');`, false],
    ['crashing', `process.abort();`, false],
  ])('%s', (name, source, expected) => {
    expect(computesOnGpu(standIn(name, source))).toBe(expected);
  });
});
