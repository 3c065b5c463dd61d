/**
 * The digits example on onnxruntime, native and WebAssembly, against the reference executor in float64: loss, every
 * gradient and the updated parameters, each tensor by |x - y| / |y|.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { trainCarry } from '../../compiler/lower/training.js';
import type { Executor, Tensor } from '../../runtime/executors/executor.js';
import { OrtExecutor } from '../../runtime/executors/ort/executor.js';
import { ReferenceExecutor } from '../../runtime/executors/reference/index.js';
import { initialState } from '../../runtime/train/state.js';
import { present } from '../executors/present.js';
import { batchFeeds, compile, normError, randomBatch } from './support.js';

const spec = readFileSync(new URL('../../examples/digits.mmd', import.meta.url), 'utf8');
const model = compile(spec, ['train.clip=0']);
const { layout } = model;
const batch = randomBatch(model, [
  { t: 3, roles: ['produced', 'produced'] },
  { t: 400, roles: ['produced', 'given'] },
  { t: 1000, roles: ['given', 'produced'] },
  { t: 700, roles: ['produced', 'absent'] },
]);
const step = model.trainingStep(batch.rows.length);

// Layers that start at zero would hide gradients: everything a little away from its start, and far from it for Adam.
const state = initialState(layout, 5);
state.parameters.forEach((x, i) => (state.parameters[i] = x + 0.02 * Math.sin(i * i)));
state.moment2.fill(1e-2);

/** Everything after one step, by tensor. The gradient is what the first moment of a step from nothing holds. */
async function results(executor: Executor): Promise<Map<string, ArrayLike<number>>> {
  const inputs = new Set(step.graph.nodes.flatMap((node) => (node.op === 'input' ? [node.attrs.name] : [])));
  const carry = Object.fromEntries(Object.entries(trainCarry).filter(([name]) => inputs.has(name)));
  const program = await executor.prepare(step.graph, { carry });
  for (const name of Object.keys(carry)) {
    const data = state[name as keyof typeof state];
    program.write(name, { data, shape: [data.length] });
  }
  const feeds: Record<string, Tensor> = {};
  for (const [name, { data, shape }] of Object.entries({
    ...batchFeeds(model, batch),
    schedule: { data: [1e-3, 1, 1, 0.5], shape: [4] },
  })) {
    if (inputs.has(name))
      feeds[name] = { data: data instanceof Int32Array ? data : Float32Array.from(data), shape };
  }
  const outputs = await program.run(feeds);
  const found = new Map<string, ArrayLike<number>>([
    ['loss', outputs.loss!.data],
    ['terms', outputs.terms!.data],
    ['norm of the gradient', outputs.grad_norm!.data],
  ]);
  for (const [kind, name] of [
    ['gradient', 'moment1'],
    ['parameters', 'parameters'],
    ['average', 'ema'],
  ] as const) {
    const { data } = await program.read(name);
    for (const slot of layout.trainable)
      found.set(`${kind} ${slot.name}`, data.subarray(slot.offset, slot.offset + slot.size));
  }
  await program.dispose();
  return found;
}

let reference: Map<string, ArrayLike<number>>;
beforeAll(async () => {
  reference = await results(new ReferenceExecutor({ precision: 'f64' }));
});

describe('one training step of the digits example', () => {
  it.each(present.includes('ort') ? (['native', 'wasm'] as const) : (['wasm'] as const))(
    'is on onnxruntime (%s) what it is in float64',
    async (backend) => {
      const found = await results(await OrtExecutor.create({ backend, threads: 1 }));
      expect([...found.keys()]).toEqual([...reference.keys()]);
      let total = 0;
      for (const [name, values] of reference)
        total = Math.max(total, name.startsWith('gradient') ? Math.hypot(...Array.from(values)) : 0);
      for (const [name, values] of reference) {
        // A gradient that is nothing beside the others is rounding noise of its cancelling parts.
        if (name.startsWith('gradient') && Math.hypot(...Array.from(values)) < 1e-5 * total) continue;
        expect(normError(found.get(name)!, values), name).toBeLessThan(1e-4);
      }
    },
  );
});
