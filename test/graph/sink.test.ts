import { describe, expect, it } from 'vitest';
import { gradients } from '../../compiler/autodiff/index.js';
import { GraphBuilder } from '../../compiler/graph/builder.js';
import type { Value } from '../../compiler/graph/builder.js';
import type { Graph } from '../../compiler/graph/ir.js';
import { elementsMoved, stats } from '../../compiler/graph/stats.js';
import { optimize } from '../../compiler/passes/index.js';
import { reshapeBase } from '../../compiler/passes/sink/reshape.js';
import { expectEqual } from './equal.js';
import { unet } from './unet.js';

function transposes(graph: Graph): number {
  return stats(graph).ops.transpose ?? 0;
}

function makeUNet(attention: boolean, train: boolean): Graph {
  const b = new GraphBuilder('unet');
  const y = unet(b, b.input('x', [2, 8, 8, 3]), b.input('time', [2, 8]), { attention });
  b.output('y', y);
  if (train) {
    const parameters = b.nodes.filter((n) => n.op === 'parameter');
    const loss = b.mean(b.mul(y, y), [0, 1, 2, 3]);
    gradients(b, loss, parameters).forEach((g, k) => b.output(`g${k}`, g));
  }
  return b.finish();
}

describe('a U-Net', () => {
  it('keeps transpositions at its two ends only', () => {
    const graph = makeUNet(false, false);
    const sunk = optimize(graph);
    expect(transposes(graph)).toBeGreaterThan(40);
    expect(transposes(sunk)).toBe(2);
    expectEqual(graph, sunk);
  });

  it('and one more where tokens join the image again', () => {
    const graph = makeUNet(true, false);
    const sunk = optimize(graph);
    expect(transposes(sunk)).toBe(3);
    expectEqual(graph, sunk);
  });

  it('stays clean in training', () => {
    const graph = makeUNet(true, true);
    const sunk = optimize(graph);
    expect(elementsMoved(sunk)).toBeLessThan(0.03 * elementsMoved(graph));
    expect(transposes(sunk)).toBeLessThanOrEqual(8);
    expectEqual(graph, sunk);
  });
});

/** How many transpositions are left of a function of an image x [2, 4, 6, 3] whose first step is a convolution. */
function left(build: (b: GraphBuilder, x: Value) => Value): number {
  const b = new GraphBuilder('test');
  const x = b.input('x', [2, 3, 4, 6]);
  const nhwc = b.transpose(b.conv2d(x, b.parameter('w', [3, 3, 1, 1])), [0, 2, 3, 1]);
  const y = build(b, nhwc);
  const nchw = y.shape.length === 4 ? b.transpose(y, [0, 3, 1, 2]) : y;
  b.output('y', nchw.shape.length === 4 ? b.conv2d(nchw, b.parameter('v', [1, nchw.shape[1]!, 1, 1])) : nchw);
  const graph = b.finish();
  const sunk = optimize(graph);
  expectEqual(graph, sunk);
  return transposes(sunk);
}

describe('what transpositions pass', () => {
  const cases: readonly [name: string, build: (b: GraphBuilder, x: Value) => Value][] = [
    ['elementwise operations', (b, x) => b.sin(b.neg(x))],
    ['a bias [C]', (b, x) => b.add(x, b.parameter('c', [3]))],
    ['[B, 1, 1, C]', (b, x) => b.mul(b.parameter('c', [2, 1, 1, 3]), x)],
    ['scalars', (b, x) => b.sub(1, x)],
    ['a mask [H, W, 1]', (b, x) => b.select(b.parameter('c', [4, 6, 1]), x, 0)],
    ['means over positions', (b, x) => b.add(x, b.mean(x, [1, 2], true))],
    ['concatenation', (b, x) => b.concat([x, b.exp(b.neg(b.abs(x)))], -1)],
    [
      'slices and padding',
      (b, x) => b.pad(b.slice(x, [0, 3, 0, 0], [2, -1, 6, 3], [1, -2, 1, 1]), [0, 1, 0, 0], [0, 0, 2, 0]),
    ],
    ['products with broadcasting', (b, x) => b.mul(x, b.broadcast(b.sum(x, [3], true), x.shape))],
    ['one matrix over channels', (b, x) => b.matmul(x, b.parameter('m', [3, 5]))],
    [
      'tokens [B, HW, C] into a product',
      (b, x) => b.matmul(b.reshape(x, [2, 24, 3]), b.parameter('m', [3, 5])),
    ],
    ['a loss', (b, x) => b.mean(b.mul(x, x), [0, 1, 2, 3])],
    ['the mean of all positions', (b, x) => b.mean(x, [1, 2])],
  ];
  for (const [name, build] of cases) it(name, () => expect(left(build)).toBe(0));

  it('not where order matters, and then once for all users', () => {
    expect(left((b, x) => b.add(b.softmax(x), b.normalize(x, 0.1)))).toBe(2);
    expect(left((b, x) => b.reshape(x, [2, 72]))).toBe(1);
  });
});

describe('a reshape of a transposed array', () => {
  it('is one of the base where merged axes lie side by side', () => {
    // transpose([2, 5, 3, 4], [0, 2, 3, 1]) is [2, 3, 4, 5].
    expect(reshapeBase([2, 3, 4, 5], [0, 2, 3, 1], [2, 12, 5])).toEqual({
      shape: [2, 5, 12],
      perm: [0, 2, 1],
    });
    expect(reshapeBase([2, 3, 4, 5], [0, 2, 3, 1], [1, 2, 3, 2, 1, 2, 5])).toEqual({
      shape: [1, 2, 5, 3, 2, 1, 2],
      perm: [0, 1, 3, 4, 5, 6, 2],
    });
  });

  it('is none where they do not', () => {
    expect(reshapeBase([2, 3, 4, 5], [0, 2, 3, 1], [6, 20])).toBeUndefined();
    expect(reshapeBase([2, 3, 4, 5], [0, 3, 2, 1], [6, 20])).toBeUndefined();
  });
});
