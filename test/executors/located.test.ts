/** A failure inside an executor points at the line of the spec that the failing node comes from. */
import { beforeAll, expect, it } from 'vitest';
import { sizeOf } from '../../compiler/graph/ir.js';
import type { Graph } from '../../compiler/graph/ir.js';
import { trainInputs } from '../../compiler/lower/training.js';
import type { Executor, Tensor } from '../../runtime/executors/executor.js';
import { RunFault } from '../../runtime/executors/fault.js';
import { fileHost } from '../../runtime/host.js';
import { compileBundle } from '../../runtime/run/folder.js';
import { located } from '../../runtime/worker/located.js';
import { tinySpec } from '../cli/support.js';
import { describeExecutors } from './present.js';

const { host } = fileHost('.');
const library = host.libraryModules().map((name) => [`std/${name}`, host.readLibrary(name)!]);
const files: Record<string, string> = { ...Object.fromEntries(library), 'tiny.mmd': tinySpec };
const model = compileBundle({ file: 'tiny.mmd', files, model: 'Tiny', set: [] });

/** Zeros for every input, but times that the process does not have: its tables are read out of range. */
function badTimes(graph: Graph): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const { op, attrs, shape, dtype } of graph.nodes) {
    if (op !== 'input') continue;
    const size = sizeOf(shape);
    const data = dtype === 'i32' ? new Int32Array(size) : new Float32Array(size);
    feeds[attrs.name] = { data: attrs.name === trainInputs.t ? data.fill(9999) : data, shape };
  }
  return feeds;
}

// Kernels on WebGPU cannot fail: an index out of range reads some row.
describeExecutors(
  'a failing step of a spec',
  ({ create }) => {
    let executor: Executor;
    beforeAll(async () => {
      executor = await create();
    });

    it('names file, line and column', async () => {
      const { graph } = model.trainingStep(2);
      const program = await executor.prepare(graph);
      const fault = await program.run(badTimes(graph)).then(
        () => undefined,
        (error: unknown) => error,
      );
      await program.dispose();
      expect(fault).toBeInstanceOf(RunFault);
      // Two tables are read by time, in an order of the engine's own: the chain's, and that of the losses, which have no
      // block here and come from the model.
      expect(graph.nodes[(fault as RunFault).node!]!.op).toBe('gather');
      const place = /\n {2}at tiny\.mmd:(12:\d+: process \{ steps: 50 \}|4:7: model Tiny \{)$/;
      expect(located(fault as RunFault, files)).toMatch(place);
    });
  },
  ['ort-webgpu', 'tfjs-webgpu'],
);

it('says the message alone where no node is known', () => {
  expect(located(new RunFault('out of memory'), files)).toBe('out of memory');
});
