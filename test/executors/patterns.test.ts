/** Patterns that the lowering to ONNX has a form of its own for: that it is used, and that it computes the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Value } from '../../compiler/graph/builder.js';
import { lowerToOnnx } from '../../compiler/targets/onnx/index.js';
import type { Tensor } from '../../runtime/executors/executor.js';
import { OrtExecutor } from '../../runtime/executors/ort/executor.js';
import { Draw } from './cases.js';
import { present } from './present.js';
import { evaluate, expectClose } from './support.js';

const patterns: readonly {
  readonly name: string;
  readonly make: (d: Draw) => Value;
  /** Operator that is used, on the processor. */
  readonly op: string;
  /** Operators that are not. */
  readonly not?: RegExp;
}[] = [
  {
    name: 'a scale and shift per channel',
    make: (d) => d.b.add(d.b.mul(d.f32([2, 3, 4, 5]), d.f32([1, 3, 1, 1])), d.f32([3, 1, 1])),
    op: 'BatchNormalization',
    not: /\.(Add|Mul)/,
  },
  {
    name: 'nearest-neighbour enlargement',
    make: (d) => d.b.reshape(d.b.broadcast(d.f32([2, 3, 4, 1, 5, 1]), [2, 3, 4, 2, 5, 3]), [2, 3, 8, 15]),
    op: 'Resize',
  },
  {
    name: 'means of tiles',
    make: (d) => d.b.mean(d.f32([2, 3, 4, 2, 5, 3]), [3, 5]),
    op: 'AveragePool',
    not: /\.Reduce/,
  },
  {
    name: 'sums of tiles, axes kept',
    make: (d) => d.b.sum(d.f32([2, 3, 4, 2, 5, 2]), [3, 5], true),
    op: 'AveragePool',
    not: /\.Reduce/,
  },
  {
    name: 'sums of products over long rows',
    make: (d) => d.b.sum(d.b.mul(d.f32([2, 3, 16, 32]), d.f32([2, 3, 16, 32])), [2, 3]),
    op: 'FusedMatMul',
    not: /\.(ReduceSum|Mul)/,
  },
  {
    name: 'one number against axes of size 1 at the end',
    make: (d) => d.b.max(d.b.mul(d.f32([2, 7, 5, 1, 1]), d.f32([1])), d.f32([])),
    op: 'Reshape',
  },
  {
    name: 'weight gradients of few channels',
    make: (d) =>
      d.b.conv2dFilter(d.f32([2, 3, 6, 5]), d.f32([2, 9, 6, 5]), { pad: [1, 1, 1, 1], kernel: [3, 3] }),
    op: 'MatMul',
    not: /MatMul\.2/,
  },
  {
    name: 'weight gradients from more channels to fewer',
    make: (d) =>
      d.b.conv2dFilter(d.f32([2, 24, 6, 5]), d.f32([2, 10, 5, 5]), { pad: [1, 0, 0, 1], kernel: [3, 2] }),
    op: 'MatMul',
  },
];

describe.each(patterns)('$name', ({ make, op, not }) => {
  const made = (): { d: Draw; graph: ReturnType<Draw['b']['finish']> } => {
    const [g] = fc.sample(fc.gen(), { numRuns: 1, seed: 3 }) as [fc.GeneratorValue];
    const d = new Draw(g);
    d.b.output('y', make(d));
    return { d, graph: d.b.finish() };
  };

  it(`is ${op} in the model`, () => {
    const text = String.fromCharCode(...lowerToOnnx(made().graph, { provider: 'cpu', contrib: true }).bytes);
    expect(text).toMatch(new RegExp(`\\.${op}`));
    if (not) expect(text).not.toMatch(not);
  });

  it.skipIf(!present.includes('ort')).each(['native', 'wasm'] as const)('is right, %s', async (backend) => {
    const { d, graph } = made();
    const executor = await OrtExecutor.create({ backend, threads: 1 });
    const program = await executor.prepare(graph);
    const actual = await program.run(d.feeds);
    for (const [name, value] of Object.entries(evaluate(graph, d.feeds)))
      expectClose(actual[name] as Tensor, value);
    await program.dispose();
  });
});
