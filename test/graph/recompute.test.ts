import { describe, expect, it } from 'vitest';
import { gradients } from '../../compiler/autodiff/index.js';
import { GraphBuilder } from '../../compiler/graph/builder.js';
import { gelu } from '../../compiler/graph/compose.js';
import type { Graph } from '../../compiler/graph/ir.js';
import { stats } from '../../compiler/graph/stats.js';
import { cse } from '../../compiler/passes/cse.js';
import { optimize, optional } from '../../compiler/passes/index.js';
import { recomputed } from '../../compiler/passes/recompute.js';
import { expectEqual } from './equal.js';
import { Random } from './random.js';
import { randomGraph } from './random-graph.js';

/** The gradients of a perceptron of `depth` layers, [64, 128] wide. */
function perceptron(depth: number): Graph {
  const b = new GraphBuilder('perceptron');
  const weights = Array.from({ length: depth }, (_, k) => b.input(`w${k}`, [128, 128]));
  const biases = Array.from({ length: depth }, (_, k) => b.input(`b${k}`, [128]));
  let x = b.input('x', [64, 128]);
  weights.forEach((w, k) => (x = b.add(x, gelu(b, b.add(b.matmul(x, w), biases[k]!)))));
  const loss = b.mean(b.mul(x, x), [0, 1]);
  b.output('loss', loss);
  gradients(b, loss, [...weights, ...biases]).forEach((g, k) => b.output(`g${k}`, g));
  return optimize(b.finish());
}

const peak = (graph: Graph): number => stats(graph).peakBytes;

describe('recompute', () => {
  it('computes the same on random graphs', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const graph = randomGraph(new Random(seed * 7), 60);
      expectEqual(graph, recomputed(graph));
    }
  });

  it('computes the same gradients of a perceptron in less memory', () => {
    const graph = perceptron(8);
    const less = recomputed(graph);
    expectEqual(graph, less);
    expect(peak(less)).toBeLessThan(0.95 * peak(graph));
    // Error functions are computed twice, products of matrices are not.
    expect(stats(less).ops.erf).toBeGreaterThan(stats(graph).ops.erf!);
    expect(stats(less).flops).toBe(stats(graph).flops);
  });

  it('computes no more again than the budget asks for', () => {
    const graph = perceptron(8);
    const [most, least] = [peak(graph), peak(recomputed(graph))];
    expect(recomputed(graph, most)).toBe(graph);
    const between = recomputed(graph, (most + least) / 2);
    expect(peak(between)).toBeLessThanOrEqual((most + least) / 2);
    expect(between.nodes.length).toBeLessThan(recomputed(graph).nodes.length);
    expect(between.nodes.length).toBeGreaterThan(graph.nodes.length);
  });

  it('is not undone by looking for common expressions', () => {
    const less = recomputed(perceptron(4));
    expect(stats(cse.run(less)).ops.erf).toBe(stats(less).ops.erf);
  });

  it('runs when a budget is given, and is seen by its name', () => {
    const graph = perceptron(4);
    const seen: string[] = [];
    const observe = ({ name }: { name: string }): void => void seen.push(name);
    expect(peak(optimize(graph, { memory: 0, observe }))).toBeLessThan(peak(graph));
    expect(seen.at(-1)).toBe('recompute');
    expect(optional.map(({ name }) => name)).toEqual(['recompute']);
    optimize(graph, { observe: ({ name }) => expect(name).not.toBe('recompute') });
  });
});
