import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GraphBuilder } from '../../compiler/graph/builder.js';
import type { Executor, Program, Tensor } from '../../runtime/executors/executor.js';
import { RunFault } from '../../runtime/executors/fault.js';
import { describeExecutors } from './present.js';
import { expectClose } from './support.js';

function vector(...values: number[]): Tensor {
  return { data: Float32Array.from(values), shape: [values.length] };
}

/** s' = s/2 + x, count' = count + 1, seen = s'. */
function accumulator() {
  const b = new GraphBuilder('accumulate');
  const [s, x, count] = [b.input('s', [3]), b.input('x', [3]), b.input('count', [], 'i32')];
  const next = b.add(b.mul(s, 0.5), x);
  b.output('s_next', next);
  b.output('seen', next);
  b.output('count_next', b.add(count, 1));
  return b.finish();
}

describeExecutors('carried values', ({ create }) => {
  let executor: Executor;
  let program: Program;
  const carry = { s: 's_next', count: 'count_next' };
  beforeAll(async () => {
    executor = await create();
    program = await executor.prepare(accumulator(), { carry });
  });
  afterAll(() => program.dispose());

  it('live inside the program from run to run', async () => {
    program.write('s', vector(8, 0, -8));
    program.write('count', { data: Int32Array.of(5), shape: [] });
    let expected = [8, 0, -8];
    for (let k = 1; k <= 7; k++) {
      const outputs = await program.run({ x: vector(k, 1, -k) });
      expected = [expected[0]! / 2 + k, expected[1]! / 2 + 1, expected[2]! / 2 - k];
      expect(Object.keys(outputs)).toEqual(['seen']);
      expect([...outputs['seen']!.data]).toEqual(expected);
      expect([...(await program.read('s')).data]).toEqual(expected);
      expect([...(await program.read('count')).data]).toEqual([5 + k]);
    }
  });

  it('are copied in and out', async () => {
    const mine = vector(1, 2, 3);
    program.write('s', mine);
    mine.data.fill(99);
    const first = await program.read('s');
    expect([...first.data]).toEqual([1, 2, 3]);
    first.data.fill(-1);
    await program.run({ x: vector(0, 0, 0) });
    await program.run({ x: vector(0, 0, 0) });
    expect([...(await program.read('s')).data]).toEqual([0.25, 0.5, 0.75]);
  });

  it('returned outputs stay as they were when later runs write', async () => {
    program.write('s', vector(2, 4, 6));
    const first = await program.run({ x: vector(0, 0, 0) });
    for (let k = 0; k < 4; k++) await program.run({ x: vector(9, 9, 9) });
    expect([...first['seen']!.data]).toEqual([1, 2, 3]);
  });

  it('programs of one executor do not share them', async () => {
    const other = await executor.prepare(accumulator(), { carry });
    other.write('s', vector(0, 0, 0));
    other.write('count', { data: Int32Array.of(0), shape: [] });
    program.write('s', vector(2, 2, 2));
    await program.run({ x: vector(1, 1, 1) });
    await other.run({ x: vector(5, 5, 5) });
    expect([...(await program.read('s')).data]).toEqual([2, 2, 2]);
    expect([...(await other.read('s')).data]).toEqual([5, 5, 5]);
    await other.dispose();
  });

  it.each([
    ['a missing feed', { x: undefined }, "input 'x' was not fed"],
    ['a feed that is carried', { s: vector(1, 2, 3) }, "no input 's' is fed on a run"],
    ['a feed of another shape', { x: vector(1, 2) }, 'f32[3]'],
    ['integers for reals', { x: { data: Int32Array.of(1, 2, 3), shape: [3] } }, /input ['"]x['"]/],
  ])('%s is a fault', async (_, feeds, message) => {
    const all = Object.fromEntries(
      Object.entries({ x: vector(1, 2, 3), ...feeds }).filter(([, v]) => v !== undefined),
    ) as Record<string, Tensor>;
    const failure = program.run(all);
    await expect(failure).rejects.toThrow(message);
  });

  it('a carried input must be written before the first run', async () => {
    const fresh = await executor.prepare(accumulator(), { carry });
    await expect(fresh.run({ x: vector(1, 2, 3) })).rejects.toThrow("carried input 's' was never written");
    await fresh.dispose();
  });

  it.each([
    [{ nothing: 's_next' }, "no input 'nothing'"],
    [{ s: 'nothing' }, "no output 'nothing'"],
    [{ s: 'count_next' }, 'f32[3]'],
    [{ s: 's_next', x: 's_next' }, 'carried to two inputs'],
  ])('carry %j is refused', async (wrong, message) => {
    await expect(executor.prepare(accumulator(), { carry: wrong })).rejects.toThrow(RunFault);
    await expect(executor.prepare(accumulator(), { carry: wrong })).rejects.toThrow(message);
  });

  it('an output may be an input, twice, under any name', async () => {
    const b = new GraphBuilder('names');
    const x = b.input('x', [2]);
    b.output('x', x);
    b.output('again', x);
    b.output('%c0', b.constant([7, 8], [2]));
    b.output('twice', b.mul(x, 2));
    b.output('twice more', b.mul(x, 2));
    const p = await executor.prepare(b.finish());
    const out = await p.run({ x: vector(1, 2) });
    expect(Object.fromEntries(Object.entries(out).map(([k, t]) => [k, [...t.data]]))).toEqual({
      x: [1, 2],
      again: [1, 2],
      '%c0': [7, 8],
      twice: [2, 4],
      'twice more': [2, 4],
    });
    await p.dispose();
  });
});

describeExecutors('programs', ({ name, create }) => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await create();
  });

  // Plain JavaScript would take most of a minute; its tensors and bytes are counted in `tfjs.test.ts`.
  it.skipIf(name === 'tfjs-cpu')('memory is flat over 500 runs', async () => {
    const n = 1 << 18;
    const b = new GraphBuilder('step');
    const [w, x] = [b.input('w', [n]), b.input('x', [n])];
    b.output('w_next', b.add(b.mul(w, 0.9), x));
    b.output('copy', b.mul(x, 2));
    b.output('norm', b.sum(b.mul(w, w), [0]));
    const program = await executor.prepare(b.finish(), { carry: { w: 'w_next' } });
    program.write('w', { data: new Float32Array(n), shape: [n] });
    const data = new Float32Array(n).fill(1);
    let settled = 0;
    for (let k = 0; k < 500; k++) {
      await program.run({ x: { data, shape: [n] } });
      if (k === 150) settled = process.memoryUsage().rss;
    }
    // One value leaked a run would be 350 MB.
    expect(process.memoryUsage().rss - settled).toBeLessThan(120e6);
    expectClose(await program.read('w'), { data: new Float64Array(n).fill(10), shape: [n] });
    await program.dispose();
  });

  it('a failure names the graph node and its origin', async () => {
    const b = new GraphBuilder('lookup');
    const [table, index] = [b.input('table', [4, 2]), b.input('index', [3], 'i32')];
    b.origin = { file: 'a.mmd', start: 10, end: 20 };
    const rows = b.gather(table, index);
    b.output('y', rows);
    const program = await executor.prepare(b.finish());
    const feeds = {
      table: { data: new Float32Array(8), shape: [4, 2] },
      index: { data: Int32Array.of(0, 9, 1), shape: [3] },
    };
    const fault = await program.run(feeds).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(fault).toBeInstanceOf(RunFault);
    expect(fault).toMatchObject({ node: rows.id, origin: { file: 'a.mmd', start: 10, end: 20 } });
    // The program still works afterwards.
    const good = await program.run({ ...feeds, index: { data: Int32Array.of(0, 3, 1), shape: [3] } });
    expect(good['y']!.shape).toEqual([3, 2]);
    await program.dispose();
  });

  it('takes shared memory and float64 as feeds', async () => {
    const b = new GraphBuilder('feeds');
    b.output('y', b.mul(b.input('x', [3]), 2));
    const program = await executor.prepare(b.finish());
    const shared = new Float32Array(new SharedArrayBuffer(12));
    shared.set([1, 2, 3]);
    expect([...(await program.run({ x: { data: shared, shape: [3] } }))['y']!.data]).toEqual([2, 4, 6]);
    const double = { data: Float64Array.of(1, 2, 3), shape: [3] };
    expect([...(await program.run({ x: double }))['y']!.data]).toEqual([2, 4, 6]);
    await program.dispose();
  });

  it('leaves the arithmetic of the calling thread alone', async () => {
    const tiny = Number('1e-300') * Number('1e-10');
    expect(tiny).toBeGreaterThan(0);
    const b = new GraphBuilder('denormal');
    b.output('y', b.mul(b.input('x', [1]), 0.5));
    const program = await executor.prepare(b.finish());
    const { y } = await program.run({ x: { data: Float32Array.of(1e-38), shape: [1] } });
    // TensorFlow takes denormals for zero in its own threads.
    if (!name.startsWith('tfjs-node')) expect(y!.data[0]).toBeGreaterThan(0);
    await program.dispose();
    expect(Number('1e-300') * Number('1e-10')).toBe(tiny);
  });

  it('empty arrays pass through', async () => {
    const b = new GraphBuilder('empty');
    const x = b.input('x', [0, 3]);
    b.output('y', b.reshape(b.add(b.transpose(x, [1, 0]), 1), [0]));
    b.output('sum', b.sum(x, [0]));
    const program = await executor.prepare(b.finish());
    const out = await program.run({ x: { data: new Float32Array(0), shape: [0, 3] } });
    expect(out['y']!.data.length).toBe(0);
    expect([...out['sum']!.data]).toEqual([0, 0, 0]);
    await program.dispose();
  });

  it('runs in a worker thread', async () => {
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      import('vite')
        .then((vite) => vite.runnerImport(workerData.file, { configFile: false }))
        .then(({ module }) => parentPort.postMessage(module.answer));
    `;
    const file = new URL('./worker.ts', import.meta.url).pathname;
    const worker = new Worker(source, { eval: true, workerData: { file, name } });
    const answer = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    expect(answer).toEqual([2, 4, 6]);
    await worker.terminate();
  });
});
