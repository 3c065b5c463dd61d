import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Graph } from '../../compiler/graph/ir.js';
import { stats } from '../../compiler/graph/stats.js';
import type { Executor } from '../../runtime/executors/executor.js';
import type { Dataset } from '../../runtime/data/table.js';
import { train } from '../../runtime/train/trainer.js';
import { compile } from '../lower/support.js';

it('a budget for the values of a step changes the graph that is trained', async () => {
  const model = compile(readFileSync(new URL('../../examples/digits.mmd', import.meta.url), 'utf8'));
  const prepared: Graph[] = [];
  const executor: Executor = {
    name: 'none',
    detail: '',
    prepare: (graph) => {
      prepared.push(graph);
      throw new Error('enough');
    },
  };
  const options = { dir: 'nowhere', steps: 1, seed: 1, resume: false, logEvery: 1, checkpointEvery: 1 };
  const none = {} as Dataset;
  for (const memory of [undefined, 0])
    await expect(train(model, none, executor, { ...options, memory })).rejects.toThrow('enough');
  const [plain, less] = prepared.map((graph) => stats(graph).peakBytes);
  expect(less!).toBeLessThan(plain!);
});
