import { afterEach, describe, expect, it, vi } from 'vitest';
import { available, choose, executorNames } from '../../runtime/executors/index.js';
import { RunFault } from '../../runtime/executors/fault.js';
import { present } from './present.js';

const optional = ['onnxruntime-node', '@tensorflow/tfjs-core', '@tensorflow/tfjs-node-gpu'];

describe('choosing an executor', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.resetModules();
  });

  it.skipIf(!present.includes('ort'))('auto takes the native build and says so', async () => {
    const lines: string[] = [];
    const executor = await choose('auto', { threads: 1, log: (line) => lines.push(line) });
    expect(executor.name).toBe('ort');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^ort: onnxruntime-node \d+\.\d+\.\d+, CPU, 1 thread$/);
  });

  it('MMDC_ORT=wasm leaves the native build out, with the reason', async () => {
    vi.stubEnv('MMDC_ORT', 'wasm');
    const lines: string[] = [];
    const executor = await choose('auto', { threads: 1, log: (line) => lines.push(line) });
    expect(executor.name).toBe('ort-wasm');
    expect(lines[0]).toMatch(/WebAssembly, \d threads? \(onnxruntime-node is left out by MMDC_ORT=wasm\)$/);
  });

  it('the reference is there on request and without any engine', async () => {
    expect((await choose('reference')).name).toBe('reference');
  });

  it('a missing native package is a reason, not a failure', async () => {
    vi.doMock('onnxruntime-node', () => {
      throw new Error('Cannot find package onnxruntime-node');
    });
    const fresh = await import('../../runtime/executors/index.js');
    const lines: string[] = [];
    const executor = await fresh.choose('auto', { threads: 1, log: (line) => lines.push(line) });
    expect(executor.name).toBe('ort-wasm');
    expect(lines[0]).toContain('onnxruntime-node does not load');
    const found = await fresh.available({ threads: 1 });
    expect(found.find((f) => f.name === 'ort')).toMatchObject({
      ok: false,
      reason: expect.stringContaining('onnxruntime-node does not load') as string,
    });
    expect(found.find((f) => f.name === 'ort-wasm')?.ok).toBe(true);
    vi.doUnmock('onnxruntime-node');
  });

  it('tfjs takes the best backend there is, and says why not a better one', async () => {
    const lines: string[] = [];
    const executor = await choose('tfjs', { log: (line) => lines.push(line) });
    const found = await available({ threads: 1 });
    const first = found.find((f) => f.name.startsWith('tfjs-') && f.ok);
    expect(executor.name).toBe(first?.name);
    expect(lines).toHaveLength(1);
    for (const f of found.slice(0, found.indexOf(first as (typeof found)[number]))) {
      if (f.name.startsWith('tfjs-') && !f.ok) expect(lines[0]).toContain(f.reason);
    }
  });

  it('without any optional package there are reasons, and WebAssembly', async () => {
    for (const name of optional) {
      vi.doMock(name, () => {
        throw new Error(`Cannot find package ${name}`);
      });
    }
    const fresh = await import('../../runtime/executors/index.js');
    const found = await fresh.available({ threads: 1 });
    expect(found.filter((f) => f.ok).map((f) => f.name)).toEqual(['ort-wasm', 'reference']);
    const lines: string[] = [];
    expect((await fresh.choose('auto', { threads: 1, log: (line) => lines.push(line) })).name).toBe(
      'ort-wasm',
    );
    expect(lines).toHaveLength(1);
    await expect(fresh.choose('tfjs')).rejects.toThrow(/no executor for 'tfjs': .*tfjs-core/);
    for (const name of optional) vi.doUnmock(name);
  });

  it('an unknown backend is a fault that lists the known ones', async () => {
    const unknown = 'gpu' as Parameters<typeof choose>[0];
    await expect(choose(unknown)).rejects.toThrow(RunFault);
    await expect(choose(unknown)).rejects.toThrow('auto, ort, ort-webgpu, ort-wasm, tfjs, tfjs-node-gpu');
  });

  it('info lists every executor', async () => {
    const found = await available({ threads: 1 });
    expect(found.map((f) => f.name)).toEqual([...executorNames]);
    for (const f of found) expect(f.ok ? f.detail : f.reason).not.toBe('');
  });
});
