/**
 * Passes change nothing but speed: one training step of each example on onnxruntime, with every pass and with each left
 * out in turn, gives the same loss, norm of the gradient and parameters up to rounding.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { trainCarry } from '../../compiler/lower/training.js';
import { stats } from '../../compiler/graph/stats.js';
import { passes } from '../../compiler/passes/index.js';
import type { Tensor } from '../../runtime/executors/executor.js';
import { choose } from '../../runtime/executors/index.js';
import { inputNames, pickFeeds } from '../../runtime/executors/feeds.js';
import { initialState } from '../../runtime/train/state.js';
import { batchFeeds, compile, normError, randomBatch } from './support.js';

const names = [...new Set(passes.map((pass) => pass.name))];

describe.each(['digits', 'scenes'])('%s', (example) => {
  const model = compile(readFileSync(new URL(`../../examples/${example}.mmd`, import.meta.url), 'utf8'));
  const all = model.info.modalities.map(() => 'produced' as const);
  const batch = randomBatch(model, [{ t: 300, roles: all }]);
  const state = initialState(model.layout, 5);
  state.parameters.forEach((x, i) => (state.parameters[i] = x + 0.02 * Math.sin(i * i)));
  state.moment2.fill(1e-2);

  async function step(
    disable: readonly string[],
    memory?: number,
  ): Promise<Record<string, ArrayLike<number>>> {
    const { graph } = model.trainingStep(1, { disable, memory });
    const inputs = inputNames(graph);
    const carry = Object.fromEntries(Object.entries(trainCarry).filter(([name]) => inputs.has(name)));
    const program = await (await choose('ort', { threads: 1 })).prepare(graph, { carry });
    for (const name of Object.keys(carry)) {
      const data = state[name as keyof typeof state];
      program.write(name, { data, shape: [data.length] });
    }
    const feeds: Record<string, Tensor> = {
      schedule: { data: Float32Array.of(1e-2, 1, 1, 0.5), shape: [4] },
    };
    for (const [name, { data, shape }] of Object.entries(batchFeeds(model, batch)))
      feeds[name] = { data: data instanceof Int32Array ? data : Float32Array.from(data), shape };
    const { loss, terms, grad_norm } = await program.run(pickFeeds(feeds, inputs));
    const found = {
      loss: loss!.data,
      terms: terms!.data,
      norm: grad_norm!.data,
      gradient: (await program.read('moment1')).data,
      parameters: (await program.read('parameters')).data,
    };
    await program.dispose();
    return found;
  }

  it('is the same without any of them', async () => {
    const expected = await step([]);
    for (const disable of [...names.map((name) => [name]), names]) {
      const found = await step(disable);
      for (const [what, values] of Object.entries(expected))
        expect(normError(found[what]!, values), `${what} without ${disable.join(', ')}`).toBeLessThan(1e-4);
    }
  });

  it('is the same where cheap values are computed again, which takes less memory', async () => {
    const [expected, found] = [await step([]), await step([], 0)];
    for (const [what, values] of Object.entries(expected))
      expect(normError(found[what]!, values), what).toBeLessThan(1e-6);
    const peaks = [undefined, 0].map((memory) => stats(model.trainingStep(8, { memory }).graph).peakBytes);
    expect(peaks[1]!).toBeLessThan(peaks[0]!);
  });
});
