/**
 * Times alternatives of one computation on onnxruntime-node, side by side in one process.
 *
 * @module
 */
import type * as onnxruntime from 'onnxruntime-web';
import { Emitter, blockedDomain } from '../../compiler/targets/onnx/emitter.js';
import { encodeModel } from '../../compiler/targets/onnx/proto.js';
import { loadEngine, sessionOptions } from '../../runtime/executors/ort/engine.js';

export type Dims = readonly number[];

export interface Case {
  readonly label: string;
  /** Emits the computation over the inputs; returns its result. */
  readonly body: (e: Emitter, inputs: readonly string[]) => string;
}

const threads = Number(process.env['BENCH_THREADS'] ?? 2);
const seconds = Number(process.env['BENCH_SECONDS'] ?? 0.6);
/** With `BENCH_TINY` everything is run once, at the first size of each: a check that it runs, not a measurement. */
export const tiny = process.env['BENCH_TINY'] === '1';

/** The sizes to measure at. */
export function sizes<T>(all: readonly T[]): readonly T[] {
  return tiny ? all.slice(0, 1) : all;
}

const backend = process.env['BENCH_BACKEND'] === 'wasm' ? 'wasm' : 'native';

/**
 * Prints one row a case: fastest and median time in milliseconds, arithmetic rate where `flops` is given, and
 * the largest difference from the first case relative to the largest value there.
 */
export async function compare(
  title: string,
  inputs: readonly Dims[],
  output: Dims,
  cases: readonly Case[],
  flops?: number,
): Promise<void> {
  const engine = await loadEngine(backend, threads);
  console.log(`\n${title}   (${backend}, ${threads} threads)`);
  const feeds: Record<string, onnxruntime.Tensor> = {};
  inputs.forEach((dims, k) => {
    feeds[`x${k}`] = new engine.ort.Tensor('float32', noise(size(dims), k), dims);
  });
  const runs: { label: string; session: onnxruntime.InferenceSession; times: number[]; out: Float32Array }[] =
    [];
  for (const { label, body } of cases) {
    const model = encode(inputs, output, body);
    try {
      const session = await engine.ort.InferenceSession.create(model, sessionOptions(engine, threads));
      runs.push({ label, session, times: [], out: new Float32Array(size(output)) });
    } catch (error) {
      console.log(`  ${label.padEnd(44)} ${String(error).slice(0, 200)}`);
    }
  }
  // Rounds over the cases in turn, so that other work on the machine falls on all of them alike.
  const until = performance.now() + seconds * 1000 * runs.length;
  for (let round = 0; round < (tiny ? 1 : 8) || (!tiny && performance.now() < until); round++) {
    for (const run of runs) {
      const fetches = { y: new engine.ort.Tensor('float32', run.out, output) };
      const start = performance.now();
      const result = await run.session.run(feeds, fetches);
      if (tiny || round > 2) run.times.push(performance.now() - start);
      if (round === 0 && backend === 'wasm') run.out.set(result['y']?.data as Float32Array);
    }
  }
  for (const { label, session, times, out } of runs) {
    times.sort((a, b) => a - b);
    const [best, median] = [times[0] as number, times[times.length >> 1] as number];
    const rate = flops === undefined ? '' : `${(flops / best / 1e6).toFixed(0).padStart(6)} GFLOP/s`;
    const error = difference(out, (runs[0] as (typeof runs)[0]).out).toExponential(1);
    console.log(
      `  ${label.padEnd(44)} ${best.toFixed(3).padStart(9)} ${median.toFixed(3).padStart(9)} ${rate}  ${error}`,
    );
    await session.release();
  }
}

function encode(inputs: readonly Dims[], output: Dims, body: Case['body']): Uint8Array {
  const e = new Emitter({ name: 'bench', nodes: [], outputs: [] }, { provider: 'cpu', contrib: true });
  const names = inputs.map((_, k) => `x${k}`);
  const result = body(e, names);
  const nodes = [
    ...e.nodes.map((n) => ({ ...n, outputs: n.outputs.map((y) => (y === result ? 'y' : y)) })),
  ].map((n) => ({ ...n, inputs: n.inputs.map((x) => (x === result ? 'y' : x)) }));
  return encodeModel({
    irVersion: 9,
    opsets: { '': 20, 'com.microsoft': 1, [blockedDomain]: 1 },
    producer: 'bench',
    graph: {
      name: 'bench',
      nodes,
      initializers: e.initializers,
      inputs: inputs.map((dims, k) => ({ name: `x${k}`, type: 'f32', dims })),
      outputs: [{ name: 'y', type: 'f32', dims: output }],
    },
  });
}

export function size(dims: Dims): number {
  return dims.reduce((n, d) => n * d, 1);
}

/** Uniform in (-1, 1), the same on every run. */
function noise(n: number, seed: number): Float32Array {
  let state = (seed + 1) * 0x9e3779b9;
  return Float32Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

function difference(a: Float32Array, b: Float32Array): number {
  let [worst, largest] = [0, 1e-30];
  for (let i = 0; i < a.length; i++) {
    worst = Math.max(worst, Math.abs((a[i] as number) - (b[i] as number)));
    largest = Math.max(largest, Math.abs(b[i] as number));
  }
  return worst / largest;
}
