import { describe, expect, it } from 'vitest';
import { gradients } from '../../compiler/autodiff/index.js';
import { GraphBuilder } from '../../compiler/graph/builder.js';
import type { Graph } from '../../compiler/graph/ir.js';
import { RunFault } from '../../runtime/executors/fault.js';
import type { Tensor } from '../../runtime/executors/executor.js';
import { evaluate, ReferenceExecutor } from '../../runtime/executors/reference/index.js';

const f32 = (shape: readonly number[], ...data: number[]): Tensor => ({
  data: Float32Array.from(data),
  shape,
});

/** One step of gradient descent on the mean square of x w - y. */
function descent(): Graph {
  const b = new GraphBuilder('descent');
  const w = b.input('w', [2, 1]);
  const error = b.sub(b.matmul(b.input('x', [3, 2]), w), b.input('y', [3, 1]));
  const loss = b.mean(b.mul(error, error), [0, 1]);
  const [g] = gradients(b, loss, [w]);
  b.output('loss', loss);
  b.output('w.next', b.sub(w, b.mul(g!, 0.1)));
  return b.finish();
}

const feeds = { x: f32([3, 2], 1, 0, 0, 1, 1, 1), y: f32([3, 1], 2, -1, 1) };

describe('the reference executor', () => {
  it('carries values from run to run', async () => {
    const program = await new ReferenceExecutor().prepare(descent(), { carry: { w: 'w.next' } });
    program.write('w', f32([2, 1], 0, 0));
    let loss = Infinity;
    for (let k = 0; k < 200; k++) {
      const out = await program.run(feeds);
      expect(Object.keys(out)).toEqual(['loss']);
      loss = out['loss']!.data[0]!;
    }
    expect(loss).toBeLessThan(1e-6);
    const { data } = await program.read('w');
    expect(data[0]).toBeCloseTo(2, 2);
    expect(data[1]).toBeCloseTo(-1, 2);
    await program.dispose();
  });

  it('copies what it is given and what it gives', async () => {
    const program = await new ReferenceExecutor().prepare(descent(), { carry: { w: 'w.next' } });
    const w = f32([2, 1], 1, 2);
    program.write('w', w);
    w.data[0] = 9;
    const read = await program.read('w');
    expect([...read.data]).toEqual([1, 2]);
    read.data[0] = 9;
    expect([...(await program.read('w')).data]).toEqual([1, 2]);

    const b = new GraphBuilder('identity');
    const x = b.input('x', [2]);
    b.output('same', x);
    b.output('view', b.reshape(x, [2, 1]));
    const given = f32([2], 1, 2);
    const out = evaluate(b.finish(), { x: given });
    out['same']!.data[0] = 9;
    expect([...given.data, ...out['view']!.data]).toEqual([1, 2, 1, 2]);
  });

  it('keeps float64 in float64', async () => {
    const program = await new ReferenceExecutor({ precision: 'f64' }).prepare(descent(), {
      carry: { w: 'w.next' },
    });
    program.write('w', f32([2, 1], 0, 0));
    for (let k = 0; k < 500; k++) await program.run(feeds);
    const { data } = await program.read('w');
    expect(data).toBeInstanceOf(Float64Array);
    expect(data[0]).toBeCloseTo(2, 9);
  });

  it('does not compute what no output needs', () => {
    const b = new GraphBuilder('test');
    b.gather(b.constant([1], [1]), b.constant([7], [], 'i32'));
    b.output('y', b.exp(b.scalar(0)));
    expect(evaluate(b.finish(), {})['y']!.data[0]).toBe(1);
  });

  it('refuses what does not fit', async () => {
    const executor = new ReferenceExecutor();
    const program = await executor.prepare(descent(), { carry: { w: 'w.next' } });
    await expect(program.run(feeds)).rejects.toThrow("carried input 'w' was never written");
    program.write('w', f32([2, 1], 0, 0));
    await expect(program.run({ x: feeds.x })).rejects.toThrow("input 'y' was not fed");
    await expect(program.run({ ...feeds, z: feeds.x })).rejects.toThrow("no input 'z' is fed on a run");
    await expect(program.run({ ...feeds, w: feeds.x })).rejects.toThrow("no input 'w' is fed on a run");
    await expect(program.run({ ...feeds, y: f32([1, 3], 1, 2, 3) })).rejects.toThrow(
      'input "y" is f32[3, 1], fed f32[1, 3]',
    );
    expect(() => program.write('w', f32([2], 0, 0))).toThrow(
      "input 'w' is f32[2, 1]; it was given 2 elements as f32[2]",
    );
    expect(() => program.write('x', feeds.x)).toThrow(RunFault);
    await expect(executor.prepare(descent(), { carry: { v: 'w.next' } })).rejects.toThrow("no input 'v'");
    await expect(executor.prepare(descent(), { carry: { w: 'v' } })).rejects.toThrow("no output 'v'");
    await expect(executor.prepare(descent(), { carry: { w: 'loss' } })).rejects.toThrow(
      "'w' is f32[2, 1] but 'loss' is f32[]",
    );
    await expect(executor.prepare(descent(), { carry: { w: 'w.next', x: 'w.next' } })).rejects.toThrow(
      RunFault,
    );
  });

  it('names node and index when an index is out of range', async () => {
    const b = new GraphBuilder('test');
    b.origin = { file: 'a.mmd', start: 1, end: 5 };
    b.output('y', b.gather(b.input('table', [2, 1]), b.input('index', [1], 'i32')));
    const program = await new ReferenceExecutor().prepare(b.finish());
    const run = program.run({ table: f32([2, 1], 1, 2), index: { data: Int32Array.of(-1), shape: [1] } });
    await expect(run).rejects.toMatchObject({
      message: 'node %2 (gather): index -1 is not in 0..1',
      node: 2,
      origin: { file: 'a.mmd' },
    });
  });
});
