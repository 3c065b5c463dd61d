/**
 * Where the time of one training step goes: `node bench/run.js ops/profile SPEC [path=value ...]`. Runs the
 * spec's training graph on random data under onnxruntime's profiler and prints the kernels' times by ONNX
 * operator, by the graph's primitive, and the slowest nodes.
 *
 * @module
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { analyze, pickModel } from '../../compiler/driver.js';
import type { CompiledModel } from '../../compiler/driver.js';
import type { Graph } from '../../compiler/graph/ir.js';
import { bindParameters } from '../../compiler/lower/sampling.js';
import { lowerToOnnx } from '../../compiler/targets/onnx/index.js';
import { channelBlock } from '../../runtime/executors/ort/block.js';
import { loadEngine, sessionOptions } from '../../runtime/executors/ort/engine.js';
import { fileHost } from '../../runtime/host.js';
import { initialState } from '../../runtime/train/state.js';
import { size, tiny } from './harness.js';

const [spec = 'examples/digits.mmd', ...set] = process.argv.slice(3);
const threads = Number(process.env['BENCH_THREADS'] ?? 2);
const runs = Number(process.env['BENCH_RUNS'] ?? (tiny ? 1 : 12));
/** With `BENCH_GRAPH=sampling` a guided reverse step, 64 rows at a time, instead of a training step, for the last task. */
/** `BENCH_MEMORY=MIB`: the pass `recompute` with that budget. */
const memory =
  process.env['BENCH_MEMORY'] === undefined ? undefined : Number(process.env['BENCH_MEMORY']) * 2 ** 20;
const sampling = process.env['BENCH_GRAPH'] === 'sampling';
const top = Number(process.env['BENCH_TOP'] ?? 40);

const { host, name } = fileHost(spec);
const model = pickModel(analyze(host, name, readFileSync(spec, 'utf8'), { set }), undefined);
if (typeof model === 'string') throw new Error(model);
const graph = sampling ? reverseStep(model) : model.trainingStep(model.info.train.batch, { memory }).graph;

const dir = mkdtempSync(join(tmpdir(), 'profile-'));
const engine = await loadEngine('native', threads);
const { ort } = engine;
const block = process.env['BENCH_BLOCK'] === '0' ? undefined : await channelBlock(engine);
const lowered = lowerToOnnx(graph, {
  provider: 'cpu',
  contrib: true,
  ...(block === undefined ? {} : { channelBlock: block }),
});
const session = await ort.InferenceSession.create(lowered.bytes, {
  ...sessionOptions(engine, threads),
  enableProfiling: true,
  profileFilePrefix: join(dir, 'ort'),
});
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
const times: number[] = [];
for (let k = 0; k < runs; k++) {
  const start = performance.now();
  await session.run(
    feeds,
    lowered.outputs.map((port) => port.value),
  );
  times.push(performance.now() - start);
}
const resident = /^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? NaN;
session.endProfiling();
await session.release();

function reverseStep(model: CompiledModel): Graph {
  const { parameters } = initialState(model.layout, 7);
  const slots = model.layout.trainable.map(
    ({ name, offset, size }) => [name, parameters.subarray(offset, offset + size)] as const,
  );
  const { given, produced } = model.info.tasks.at(-1)!;
  return bindParameters(model.samplingStep(64, true, { roles: { given, produced } }), new Map(slots));
}

interface Event {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: {
    readonly op_name?: string;
    readonly output_type_shape?: unknown;
    readonly input_type_shape?: unknown;
  };
}
const file = readdirSync(dir)[0] as string;
const events = JSON.parse(readFileSync(join(dir, file), 'utf8')) as Event[];
rmSync(dir, { recursive: true });

// Each node's fastest run: other work on the machine only ever adds.
const best = new Map<string, { ms: number; event: Event }>();
for (const event of events) {
  if (event.cat !== 'Node' || !event.name.endsWith('_kernel_time')) continue;
  const known = best.get(event.name);
  if (known === undefined || event.dur / 1000 < known.ms)
    best.set(event.name, { ms: event.dur / 1000, event });
}
const byOp = new Map<string, number>();
const byPrimitive = new Map<string, number>();
const byShape = new Map<string, number>();
for (const [node, { ms, event }] of best) {
  const id = /%(\d+)\./.exec(node)?.[1];
  const primitive = id === undefined ? '?' : (graph.nodes[Number(id)]?.op ?? '?');
  add(byOp, event.args.op_name ?? '?', ms);
  add(byPrimitive, primitive, ms);
  add(byShape, `${event.args.op_name} ${shapesOf(event)}`, ms);
}
times.sort((a, b) => a - b);
const total = [...best.values()].reduce((sum, { ms }) => sum + ms, 0);
console.log(`${spec}: ${graph.nodes.length} nodes, ${best.size} kernels`);
console.log(
  `step ${times[0]?.toFixed(1)} ms fastest, ${times[runs >> 1]?.toFixed(1)} median; kernels ${total.toFixed(1)}`,
);
console.log(`resident at most ${(Number(resident) / 1024).toFixed(0)} MiB`);
print('by ONNX operator', byOp);
print('by primitive', byPrimitive);
print('by ONNX operator and shapes', byShape, top);
console.log('slowest nodes');
for (const [node, { ms, event }] of [...best].sort((a, b) => b[1].ms - a[1].ms).slice(0, top)) {
  console.log(`  ${ms.toFixed(3).padStart(8)}  ${node.replace('_kernel_time', '')}  ${shapesOf(event)}`);
}

/** Shapes of operands and results, numbers of axes and the like left out. */
function shapesOf({ args }: Event): string {
  const shapes = (list: unknown): string =>
    (list as Record<string, readonly number[]>[])
      .flatMap((each) => (each['float'] ? [`[${each['float'].join()}]`] : []))
      .join(' ');
  return `${shapes(args.input_type_shape)} -> ${shapes(args.output_type_shape)}`.slice(0, 150);
}

function add(to: Map<string, number>, key: string, ms: number): void {
  to.set(key, (to.get(key) ?? 0) + ms);
}

function print(title: string, times: Map<string, number>, rows = 18): void {
  console.log(title);
  for (const [key, ms] of [...times].sort((a, b) => b[1] - a[1]).slice(0, rows)) {
    console.log(`  ${ms.toFixed(2).padStart(8)}  ${key}`);
  }
}
