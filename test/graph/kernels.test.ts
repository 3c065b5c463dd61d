import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../compiler/graph/builder.js';
import type { Value } from '../../compiler/graph/builder.js';
import { evaluate, KernelError } from '../../compiler/graph/evaluate.js';

/** Builds, runs in float64 and returns the numbers of the result. */
function run(build: (b: GraphBuilder) => Value): number[] {
  const b = new GraphBuilder('test');
  b.output('y', build(b));
  return [...evaluate(b.finish(), {}, { precision: 'f64' })['y']!.data];
}

const iota = (n: number): number[] => Array.from({ length: n }, (_, k) => k);

describe('kernels against values worked out by hand', () => {
  it('broadcasts as NumPy does', () => {
    expect(run((b) => b.add(b.constant([1, 2], [2, 1]), b.constant([10, 20, 30], [3])))).toEqual([
      11, 21, 31, 12, 22, 32,
    ]);
    expect(run((b) => b.sub(5, b.constant([1, 2], [2])))).toEqual([4, 3]);
  });

  it('erf', () => {
    // Abramowitz & Stegun, table 7.1, and erfc(4) = 1.541725790028002e-8.
    const [a, c, d, e, f] = run((b) => b.erf(b.constant([0.5, -1, 2, 4, 40], [5])));
    expect(a).toBeCloseTo(0.5204998778130465, 14);
    expect(c).toBeCloseTo(-0.8427007929497149, 14);
    expect(d).toBeCloseTo(0.9953222650189527, 14);
    expect(1 - e!).toBeCloseTo(1.541725790028002e-8, 15);
    expect(f).toBe(1);
  });

  it('sigmoid stays finite at both ends', () => {
    expect(run((b) => b.sigmoid(b.constant([-800, 0, 800], [3])))).toEqual([0, 0.5, 1]);
  });

  it('integer division truncates and casts truncate', () => {
    expect(run((b) => b.div(b.constant([7, -7], [2], 'i32'), 2))).toEqual([3, -3]);
    expect(run((b) => b.cast(b.constant([1.9, -1.9], [2]), 'i32'))).toEqual([1, -1]);
  });

  it('slices with steps, backwards too', () => {
    expect(run((b) => b.slice(b.constant(iota(7), [7]), [1], [7], [3]))).toEqual([1, 4]);
    expect(run((b) => b.slice(b.constant(iota(7), [7]), [6], [-1], [-2]))).toEqual([6, 4, 2, 0]);
    expect(run((b) => b.slice(b.constant(iota(7), [7]), [-2], [7]))).toEqual([5, 6]);
  });

  it('transposes, pads and concatenates', () => {
    const x = (b: GraphBuilder): Value => b.constant(iota(6), [1, 2, 3]);
    expect(run((b) => b.transpose(x(b), [2, 0, 1]))).toEqual([0, 3, 1, 4, 2, 5]);
    expect(run((b) => b.pad(x(b), [0, 1, 0], [0, 0, 1]))).toEqual([0, 0, 0, 0, 0, 1, 2, 0, 3, 4, 5, 0]);
    expect(run((b) => b.concat([x(b), b.constant([9], [1, 2, 1])], -1))).toEqual([0, 1, 2, 9, 3, 4, 5, 9]);
  });

  it('reduces over any axes', () => {
    const x = (b: GraphBuilder): Value => b.constant(iota(24), [2, 3, 4]);
    expect(run((b) => b.sum(x(b), [0, 2]))).toEqual([60, 92, 124]);
    expect(run((b) => b.mean(x(b), [1]))).toEqual([4, 5, 6, 7, 16, 17, 18, 19]);
    expect(run((b) => b.reduceMax(x(b), [-1, 0], true))).toEqual([15, 19, 23]);
  });

  it('multiplies stacks of matrices, with either side transposed', () => {
    const expected = [10, 13, 28, 40];
    expect(run((b) => b.matmul(b.constant(iota(6), [2, 3]), b.constant(iota(6), [3, 2])))).toEqual(expected);
    const at = (b: GraphBuilder): Value => b.constant([0, 3, 1, 4, 2, 5], [3, 2]);
    const bt = (b: GraphBuilder): Value => b.constant([0, 2, 4, 1, 3, 5], [1, 2, 3]);
    expect(run((b) => b.matmul(at(b), bt(b), { transposeA: true, transposeB: true }))).toEqual(expected);
  });

  it('convolves with stride and padding', () => {
    // x = [[0,1,2],[3,4,5],[6,7,8]], w = [[1,2],[3,4]]; worked out by hand.
    const x = (b: GraphBuilder): Value => b.constant(iota(9), [1, 1, 3, 3]);
    const w = (b: GraphBuilder): Value => b.constant([1, 2, 3, 4], [1, 1, 2, 2]);
    expect(run((b) => b.conv2d(x(b), w(b)))).toEqual([27, 37, 57, 67]);
    expect(run((b) => b.conv2d(x(b), w(b), { stride: [2, 2], pad: [1, 1, 0, 0] }))).toEqual([0, 11, 30, 67]);
  });

  it('normalises over the last axis with the biased variance', () => {
    const [a, c] = run((b) => b.normalize(b.constant([1, 3], [1, 2]), 0));
    expect([a, c]).toEqual([-1, 1]);
    expect(run((b) => b.rstd(b.constant([1, 5], [2]), 12))).toEqual([0.25]);
  });

  it('softmax does not overflow', () => {
    expect(run((b) => b.softmax(b.constant([1000, 1000], [2])))).toEqual([0.5, 0.5]);
    expect(run((b) => b.logSoftmax(b.constant([-1000, -1000], [2])))).toEqual(
      [-Math.log(2), -Math.log(2)].map((x) => expect.closeTo(x, 12)),
    );
  });

  it('gathers, scatters and encodes indices', () => {
    const index = (b: GraphBuilder): Value => b.constant([2, 0, 2], [3], 'i32');
    expect(run((b) => b.gather(b.constant(iota(6), [3, 2]), index(b)))).toEqual([4, 5, 0, 1, 4, 5]);
    expect(run((b) => b.scatterAdd(b.constant([1, 2, 4], [3]), index(b), 4))).toEqual([2, 0, 5, 0]);
    expect(run((b) => b.oneHot(b.constant([1, -1, 2], [3], 'i32'), 2))).toEqual([0, 1, 0, 0, 0, 0]);
    expect(run((b) => b.argmax(b.constant([1, 3, 3, 0, 0, -1], [2, 3])))).toEqual([1, 0]);
  });

  it('names node and index when an index is out of range', () => {
    const bad = (): unknown => run((b) => b.gather(b.constant([1, 2], [2]), b.constant([0, 2], [2], 'i32')));
    expect(bad).toThrow(KernelError);
    expect(bad).toThrow('node %2 (gather): index 2 is not in 0..1');
  });

  it('takes empty arrays where that means something', () => {
    expect(run((b) => b.sum(b.constant([], [0, 2]), [0]))).toEqual([0, 0]);
    expect(run((b) => b.matmul(b.constant([], [2, 0]), b.constant([], [0, 1])))).toEqual([0, 0]);
    expect(run((b) => b.softmax(b.constant([], [3, 0])))).toEqual([]);
  });
});

describe('precision', () => {
  it('f32 rounds after every node, f64 does not', () => {
    const b = new GraphBuilder('test');
    b.output('y', b.sub(b.add(b.input('x', []), 1), 1));
    const graph = b.finish();
    const x = { data: Float64Array.of(1e-9), shape: [] };
    expect(evaluate(graph, { x })['y']!.data).toEqual(Float32Array.of(0));
    expect(evaluate(graph, { x }, { precision: 'f64' })['y']!.data[0]).toBeCloseTo(1e-9, 15);
  });
});

describe('conv2d adjoints', () => {
  it('<conv(x, w), dy> = <x, conv_input(dy, w)> = <w, conv_filter(x, dy)>', () => {
    let state = 1;
    const random = (n: number): number[] =>
      Array.from({ length: n }, () => ((state = (state * 48271) % 2147483647) / 2147483647) * 2 - 1);
    for (const [h, w, kh, kw, sy, sx] of [
      [5, 4, 3, 2, 1, 1],
      [7, 8, 3, 3, 2, 3],
      [6, 6, 1, 4, 3, 2],
    ] as const) {
      const b = new GraphBuilder('adjoint');
      const options = { stride: [sy, sx], pad: [1, 0, 2, 1] } as const;
      const x = b.constant(random(2 * 3 * h * w), [2, 3, h, w]);
      const k = b.constant(random(4 * 3 * kh * kw), [4, 3, kh, kw]);
      const y = b.conv2d(x, k, options);
      const dy = b.constant(random(y.shape.reduce((n, d) => n * d, 1)), y.shape);
      const all = [0, 1, 2, 3];
      b.output('y', b.sum(b.mul(y, dy), all));
      b.output('x', b.sum(b.mul(x, b.conv2dInput(dy, k, { ...options, size: [h, w] })), all));
      b.output('w', b.sum(b.mul(k, b.conv2dFilter(x, dy, { ...options, kernel: [kh, kw] })), all));
      const out = evaluate(b.finish(), {}, { precision: 'f64' });
      expect(out['x']!.data[0]).toBeCloseTo(out['y']!.data[0]!, 10);
      expect(out['w']!.data[0]).toBeCloseTo(out['y']!.data[0]!, 10);
    }
  });
});
