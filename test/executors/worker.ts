/** What the worker of `programs.test.ts` does, while it is loaded; `workerData.name` says on which executor. */
import { workerData } from 'node:worker_threads';
import { GraphBuilder } from '../../compiler/graph/builder.js';
import { choose, type ExecutorName } from '../../runtime/executors/index.js';

/** [1, 2, 3] doubled by a product that is large enough to be split over threads. */
async function double(name: ExecutorName): Promise<number[]> {
  const executor = await choose(name, { threads: 2 });
  const b = new GraphBuilder('double');
  const [x, w] = [b.input('x', [256, 256]), b.input('w', [256, 256])];
  b.output('y', b.matmul(x, w));
  const program = await executor.prepare(b.finish());
  const data = Float32Array.from({ length: 256 * 256 }, (_, k) => k + 1);
  const twice = Float32Array.from({ length: 256 * 256 }, (_, k) => (k % 257 === 0 ? 2 : 0));
  const shape = [256, 256];
  const { y } = await program.run({ x: { data, shape }, w: { data: twice, shape } });
  await program.dispose();
  return y === undefined ? [] : [...y.data.slice(0, 3)];
}

export const answer = await double((workerData as { name: ExecutorName }).name);
