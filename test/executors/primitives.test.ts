import fc from 'fast-check';
import { beforeAll, it } from 'vitest';
import type { Op } from '../../compiler/graph/ir.js';
import type { Executor, Tensor } from '../../runtime/executors/executor.js';
import { OrtExecutor } from '../../runtime/executors/ort/executor.js';
import { Draw, cases, problem } from './cases.js';
import type { ExecutorName } from '../../runtime/executors/index.js';
import { describeExecutors, present } from './present.js';
import { evaluate, expectClose } from './support.js';

/** Random cases per primitive: fewer where preparing a graph is slow. */
const runs: Partial<Record<ExecutorName, number>> = { ort: 16, 'tfjs-wasm': 10, 'tfjs-cpu': 10 };

describeExecutors('every primitive', ({ name, create }) => {
  const numRuns = runs[name] ?? 6;
  let executor: Executor;
  beforeAll(async () => {
    executor = await create();
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

/** Sizes at which the blocked convolution is used where the machine has it, and the sizes around them. */
const channels = fc.constantFrom(4, 8, 12, 16, 24, 32, 48);

it.skipIf(!present.includes('ort')).each([1, 2])(
  'convolutions with many channels agree with the reference, stride %i',
  async (stride) => {
    const executor = await OrtExecutor.create({ backend: 'native', threads: 2 });
    await fc.assert(
      fc.asyncProperty(channels, channels, fc.gen(), async (inC, outC, g) => {
        const d = new Draw(g);
        const options = { stride: [stride, stride], pad: [d.int(0, 2), 1, d.int(0, 2), 1] } as const;
        const size: [number, number] = [d.int(3, 9), d.int(3, 9)];
        const x = d.f32([2, inC, ...size]);
        const w = d.f32([outC, inC, d.int(1, 3), d.int(1, 3)]);
        const y = d.b.conv2d(x, w, options);
        const dy = d.f32(y.shape);
        const bias = d.f32(d.bool() ? [outC, 1, 1] : [1, outC, 1, 1]);
        d.b.output('plain', y);
        d.b.output('biased', d.b.add(bias, d.b.conv2d(x, d.b.mul(w, 2), options)));
        d.b.output('dx', d.b.conv2dInput(dy, w, { ...options, size }));
        const kernel = w.shape.slice(2) as [number, number];
        d.b.output('dw', d.b.conv2dFilter(x, dy, { ...options, kernel }));
        const graph = d.b.finish();
        const program = await executor.prepare(graph);
        const actual = await program.run(d.feeds);
        const expected = evaluate(graph, d.feeds);
        for (const [name, value] of Object.entries(expected)) expectClose(actual[name] as Tensor, value);
        await program.dispose();
      }),
      { numRuns: 25, endOnFailure: true },
    );
  },
);
