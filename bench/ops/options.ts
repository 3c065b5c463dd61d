/**
 * Session options on a whole training step: `node bench/run.js ops/options SPEC [path=value ...]`.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { analyze, pickModel } from '../../compiler/driver.js';
import { lowerToOnnx } from '../../compiler/targets/onnx/index.js';
import { channelBlock } from '../../runtime/executors/ort/block.js';
import { loadEngine, sessionOptions } from '../../runtime/executors/ort/engine.js';
import type { SessionOptions } from '../../runtime/executors/ort/engine.js';
import { fileHost } from '../../runtime/host.js';
import { size, tiny } from './harness.js';

const [spec = 'examples/digits.mmd', ...set] = process.argv.slice(3);
const threads = Number(process.env['BENCH_THREADS'] ?? 2);
const seconds = Number(process.env['BENCH_SECONDS'] ?? (tiny ? 0 : 6));

const { host, name } = fileHost(spec);
const model = pickModel(analyze(host, name, readFileSync(spec, 'utf8'), { set }), undefined);
if (typeof model === 'string') throw new Error(model);
const { graph } = model.trainingStep(model.info.train.batch);
const engine = await loadEngine('native', threads);
const { ort } = engine;
const block = await channelBlock(engine);
const lowered = lowerToOnnx(graph, {
  provider: 'cpu',
  contrib: true,
  ...(block === undefined ? {} : { channelBlock: block }),
});

const base = sessionOptions(engine, threads);
const extra = (more: Record<string, unknown>): SessionOptions => ({
  ...base,
  extra: { session: { 'intra_op.spin_duration_us': '200', ...more } },
});
const alternatives: Record<string, SessionOptions> = {
  'as the executor has them': base,
  'memory pattern on': { ...base, enableMemPattern: true },
  'memory pattern off': { ...base, enableMemPattern: false },
  'no arena': { ...base, enableCpuMemArena: false },
  'spinning without limit': { ...base, extra: {} },
  'spinning for 20 us': extra({ 'intra_op.spin_duration_us': '20' }),
  'no spinning': extra({ 'intra_op.allow_spinning': '0' }),
  'dynamic blocks, spinning': extra({ dynamic_block_base: '4' }),
  'dynamic blocks, no spinning': extra({ dynamic_block_base: '4', 'intra_op.allow_spinning': '0' }),
  // For the whole process: the first session decides for the thread that makes it.
  'denormals as zero': extra({ set_denormal_as_zero: '1' }),
  'basic optimisations': { ...base, graphOptimizationLevel: 'basic' },
};
const only = process.env['BENCH_ONLY'];

const feeds = Object.fromEntries(
  lowered.inputs.map(({ value, shape, dtype }) => {
    const n = size(shape);
    const tensor =
      dtype === 'i32'
        ? new ort.Tensor('int32', new Int32Array(n).fill(3), shape)
        : new ort.Tensor(
            'float32',
            Float32Array.from({ length: n }, (_, k) => 0.1 + ((k * 37) % 101) / 1000),
            shape,
          );
    return [value, tensor];
  }),
);
const sessions = [];
for (const [label, options] of Object.entries(alternatives)) {
  if (only !== undefined && !label.includes(only)) continue;
  const start = performance.now();
  const session = await ort.InferenceSession.create(lowered.bytes, options);
  sessions.push({ label, session, created: performance.now() - start, times: [] as number[] });
}
const until = performance.now() + seconds * 1000 * sessions.length;
for (let round = 0; round < 4 || performance.now() < until; round++) {
  for (const s of sessions) {
    const start = performance.now();
    await s.session.run(feeds);
    if (round > 1) s.times.push(performance.now() - start);
  }
}
console.log(`${spec}, ${threads} threads: milliseconds a step (fastest, median), to create the session`);
for (const { label, session, created, times } of sessions) {
  times.sort((a, b) => a - b);
  const [best, median] = [times[0] as number, times[times.length >> 1] as number];
  console.log(
    `  ${label.padEnd(28)} ${best.toFixed(1).padStart(8)} ${median.toFixed(1).padStart(8)} ${created.toFixed(0).padStart(6)}`,
  );
  await session.release();
}
console.log(`resident ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`);
