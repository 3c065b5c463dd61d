/** Sums of millions of values keep their digits: kernels add with a few running sums in f32, which alone would lose them. */
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../compiler/graph/builder.js';
import { choose } from '../../runtime/executors/index.js';
import { Stream } from '../../runtime/random/stream.js';

describe('a mean and a sum over millions of values', () => {
  it.each([
    [true, [0, 1, 2]],
    [false, [0, 1, 2]],
    [false, [0, 2]],
  ])('have six digits (keep: %s, axes %j)', async (keep, axes) => {
    const shape = [600, 2, 6000];
    const b = new GraphBuilder('long');
    const x = b.input('x', shape);
    b.output('mean', b.mean(x, axes, keep));
    b.output('sum', b.sum(x, axes, keep));
    const executor = await choose('auto');
    const program = await executor.prepare(b.finish());
    const normal = new Stream(1, 'long').normal(1 << 16);
    const data = new Float32Array(600 * 2 * 6000).map((_, i) => normal[i % normal.length]! ** 2);
    const groups = axes.length === 3 ? 1 : 2;
    const wanted = new Float64Array(groups);
    data.forEach((value, i) => (wanted[groups === 1 ? 0 : Math.floor(i / 6000) % 2]! += value));
    const { mean, sum } = await program.run({ x: { data, shape } });
    await program.dispose();
    expect(sum!.shape).toEqual(shape.flatMap((d, i) => (axes.includes(i) ? (keep ? [1] : []) : [d])));
    wanted.forEach((total, k) => {
      expect(Math.abs(sum!.data[k]! / total - 1)).toBeLessThan(2e-6);
      expect(Math.abs((mean!.data[k]! / total) * (data.length / groups) - 1)).toBeLessThan(2e-6);
    });
  });
});
