import fc from 'fast-check';
import { beforeAll, describe, it } from 'vitest';
import type { Op } from '../../compiler/graph/ir.js';
import type { Executor } from '../../runtime/executors/executor.js';
import { OrtExecutor } from '../../runtime/executors/ort/executor.js';
import { cases, problem } from './cases.js';
import { evaluate, expectClose } from './support.js';

describe.each([
  ['native', 16],
  ['wasm', 6],
] as const)('every primitive on onnxruntime, %s', (backend, numRuns) => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await OrtExecutor.create({ backend, threads: 2 });
  });

  it.each(Object.keys(cases) as Op[])('%s', async (op) => {
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (g) => {
        const { graph, feeds } = problem(op, g);
        const program = await executor.prepare(graph);
        try {
          const { y } = await program.run(feeds);
          const expected = evaluate(graph, feeds)['y'];
          if (y === undefined || expected === undefined) throw new Error('no output');
          expectClose(y, expected);
        } finally {
          await program.dispose();
        }
      }),
      // Without shrinking: a draw is small already, and seeds of data do not shrink to anything simpler.
      { numRuns, endOnFailure: true },
    );
  });
});
