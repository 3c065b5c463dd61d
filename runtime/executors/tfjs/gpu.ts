/**
 * Whether native TensorFlow has a GPU here, found out without loading it into this process: TensorFlow and onnxruntime in
 * one process end it with a segmentation fault when it exits, after all work is done.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where NVIDIA's driver shows itself: Linux, Linux on Windows, Windows. */
function driverFiles(): string[] {
  if (process.platform === 'linux') return ['/dev/nvidiactl', '/dev/dxg'];
  if (process.platform === 'win32') {
    return [join(process.env['SystemRoot'] ?? String.raw`C:\Windows`, 'System32', 'nvcuda.dll')];
  }
  return [];
}

/** Whether this machine has an NVIDIA driver, which says nothing of whether TensorFlow can use it. */
export const hasDriver = (): boolean => driverFiles().some((file) => existsSync(file));

/** Runs in a process of its own: 0 where the package at `argv[1]` computes on a GPU. */
const question = `
const util = require('node:util');
util.isNullOrUndefined ??= (x) => x === null || x === undefined;
util.isArray ??= Array.isArray;
const tf = require(process.argv[1]);
tf.ready().then(() => process.exit(tf.findBackend('tensorflow').isUsingGpuDevice ? 0 : 1), () => process.exit(1));
`;

/** Whether the tfjs package `name`, whose native addon is there, computes on a GPU. Takes seconds where there is a driver. */
export function computesOnGpu(path: string): boolean {
  const { status } = spawnSync(process.execPath, ['-e', question, path], {
    stdio: 'ignore',
    timeout: 120_000,
  });
  return status === 0;
}
