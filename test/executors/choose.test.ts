import { afterEach, describe, expect, it, vi } from 'vitest';
import { available, choose } from '../../runtime/executors/index.js';
import { RunFault } from '../../runtime/executors/fault.js';

describe('choosing an executor', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.resetModules();
  });

  it('auto takes the native build and says so', async () => {
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
    expect(lines[0]).toMatch(/WebAssembly, 1 thread \(onnxruntime-node is left out by MMDC_ORT=wasm\)$/);
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
    expect(found.map((f) => [f.name, f.ok])).toEqual([
      ['ort', false],
      ['ort-wasm', true],
      ['reference', true],
    ]);
    vi.doUnmock('onnxruntime-node');
  });

  it('an unknown backend is a fault that lists the known ones', async () => {
    const unknown = 'gpu' as Parameters<typeof choose>[0];
    await expect(choose(unknown)).rejects.toThrow(RunFault);
    await expect(choose(unknown)).rejects.toThrow('auto, ort, ort-wasm, reference');
  });

  it('info lists every executor', async () => {
    const found = await available({ threads: 1 });
    expect(found.map((f) => f.name)).toEqual(['ort', 'ort-wasm', 'reference']);
    for (const f of found) expect(f.ok ? f.detail : f.reason).not.toBe('');
  });
});
