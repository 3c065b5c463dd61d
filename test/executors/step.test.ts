import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { analyze, pickModel } from '../../compiler/driver.js';
import { sizeOf } from '../../compiler/graph/ir.js';
import type { Graph } from '../../compiler/graph/ir.js';
import { trainCarry, trainInputs } from '../../compiler/lower/training.js';
import type { Executor, Tensor } from '../../runtime/executors/executor.js';
import { OrtExecutor } from '../../runtime/executors/ort/executor.js';
import { ReferenceExecutor } from '../../runtime/executors/reference/index.js';
import { fileHost } from '../../runtime/host.js';
import { present } from './present.js';

/** The digits example, smaller: 12x12 pixels, two levels, the second of which fills blocks of channels. */
function smallDigits(batch: number): Graph {
  const file = fileURLToPath(new URL('../../examples/digits.mmd', import.meta.url));
  const { host, name } = fileHost(file);
  const text = readFileSync(file, 'utf8')
    .replaceAll('28, 28', '12, 12')
    .replace(/widths: \[.*?\]/, 'widths: [8, 16]')
    .replace('reshape([784])', 'reshape([144])');
  const model = pickModel(analyze(host, name, text), undefined);
  if (typeof model === 'string') throw new Error(model);
  return model.trainingStep(batch).graph;
}

/** Element k of each input; where nothing is said, f32 is like noise and i32 1 to 7. */
const values: Record<string, (k: number) => number> = {
  parameters: (k) => 0.1 * Math.sin(k * k),
  ema: (k) => 0.1 * Math.sin(k * k),
  // Not zero: a first step of Adam would be as large where the gradient is rounding noise as anywhere.
  moment1: () => 1e-4,
  moment2: () => 1e-4,
  [trainInputs.schedule]: (k) => [1e-3, 1, 1, 0.9][k] as number,
  [trainInputs.given]: (k) => k % 2,
  [trainInputs.produced]: (k) => 1 - (k % 2),
  [trainInputs.inverseProbability]: () => 1,
};

function inputsOf(graph: Graph): Map<string, Tensor> {
  const inputs = new Map<string, Tensor>();
  for (const { op, attrs, shape, dtype } of graph.nodes) {
    if (op !== 'input') continue;
    const length = sizeOf(shape);
    const value = values[attrs.name] ?? ((k: number) => (dtype === 'i32' ? (k % 7) + 1 : Math.sin(k * k)));
    const data =
      dtype === 'i32'
        ? Int32Array.from({ length }, (_, k) => value(k))
        : Float32Array.from({ length }, (_, k) => value(k));
    inputs.set(attrs.name, { data, shape });
  }
  return inputs;
}

/** Returned and carried values after two steps. */
async function twoSteps(executor: Executor, graph: Graph): Promise<Record<string, Float64Array>> {
  const inputs = inputsOf(graph);
  const carry = Object.fromEntries(Object.entries(trainCarry).filter(([name]) => inputs.has(name)));
  const program = await executor.prepare(graph, { carry });
  for (const name of Object.keys(carry)) program.write(name, inputs.get(name) as Tensor);
  const feeds = Object.fromEntries([...inputs].filter(([name]) => !(name in carry)));
  const results: Record<string, Float64Array> = {};
  for (const step of [1, 2]) {
    for (const [name, { data }] of Object.entries(await program.run(feeds))) {
      results[`${name} after step ${step}`] = Float64Array.from(data);
    }
  }
  for (const name of Object.keys(carry)) results[name] = Float64Array.from((await program.read(name)).data);
  await program.dispose();
  return results;
}

it('a training step of a U-Net is the same on every executor', async () => {
  const graph = smallDigits(2);
  const expected = await twoSteps(new ReferenceExecutor(), graph);
  expect(Object.keys(expected)).toEqual(expect.arrayContaining(['loss after step 2', 'parameters', 'ema']));
  const builds = present.includes('ort') ? (['native', 'wasm'] as const) : (['wasm'] as const);
  for (const backend of builds) {
    const actual = await twoSteps(await OrtExecutor.create({ backend, threads: 2 }), graph);
    for (const [name, values] of Object.entries(expected)) {
      let [error, scale] = [0, 0];
      values.forEach((x, k) => {
        error += (x - (actual[name]?.[k] as number)) ** 2;
        scale += x * x;
      });
      // Three digits: the WebAssembly kernels add in one float, the reference in double precision.
      expect(Math.sqrt(error / scale), `${name} on ${backend}`).toBeLessThan(1e-3);
    }
  }
});
