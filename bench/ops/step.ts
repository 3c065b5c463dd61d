/**
 * A whole training step on each executor: `node bench/run.js ops/step SPEC [path=value ...]`. The reference is left
 * out unless BENCH_REFERENCE is set.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { analyze, pickModel } from '../../compiler/driver.js';
import { trainCarry } from '../../compiler/lower/training.js';
import type { Tensor } from '../../runtime/executors/executor.js';
import { choose } from '../../runtime/executors/index.js';
import { fileHost } from '../../runtime/host.js';
import { size, tiny } from './harness.js';

const [spec = 'examples/digits.mmd', ...set] = process.argv.slice(3);
const threads = Number(process.env['BENCH_THREADS'] ?? 2);
const runs = Number(process.env['BENCH_RUNS'] ?? (tiny ? 2 : 8));

const { host, name } = fileHost(spec);
const model = pickModel(analyze(host, name, readFileSync(spec, 'utf8'), { set }), undefined);
if (typeof model === 'string') throw new Error(model);
const { graph } = model.trainingStep(model.info.train.batch);
const inputs = new Map<string, Tensor>();
for (const node of graph.nodes) {
  if (node.op !== 'input') continue;
  const length = size(node.shape);
  const data =
    node.dtype === 'i32'
      ? new Int32Array(length).fill(3)
      : Float32Array.from({ length }, (_, k) => 0.1 + ((k * 37) % 101) / 1000);
  inputs.set(node.attrs.name, { data, shape: node.shape });
}
const carry = Object.fromEntries(Object.entries(trainCarry).filter(([input]) => inputs.has(input)));
const feeds = Object.fromEntries([...inputs].filter(([input]) => !(input in carry)));
const names = [
  'ort',
  'ort-wasm',
  ...(process.env['BENCH_REFERENCE'] ? (['reference'] as const) : []),
] as const;
console.log(`${spec}: milliseconds a step (fastest, median), to prepare`);
for (const backend of names) {
  const executor = await choose(backend, { threads });
  const start = performance.now();
  const program = await executor.prepare(graph, { carry });
  const prepared = performance.now() - start;
  for (const input of Object.keys(carry)) program.write(input, inputs.get(input) as Tensor);
  const times: number[] = [];
  for (let k = 0; k < runs; k++) {
    const began = performance.now();
    await program.run(feeds);
    if (k > 0) times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const shown = [times[0], times[times.length >> 1], prepared]
    .map((x) => (x ?? 0).toFixed(1).padStart(9))
    .join('');
  console.log(`  ${executor.name.padEnd(10)} ${shown}   ${executor.detail}`);
  await program.dispose();
}
