/** Two graphs compute the same: in float64, on the same random feeds. */
import { expect } from 'vitest';
import { evaluate } from '../../compiler/graph/evaluate.js';
import type { NdArray } from '../../compiler/graph/evaluate.js';
import type { Graph } from '../../compiler/graph/ir.js';
import { distance, filled, Random } from './random.js';

export function feedsOf(graph: Graph): Record<string, NdArray> {
  const random = new Random(5);
  const feeds: Record<string, NdArray> = {};
  for (const node of graph.nodes) {
    if (node.op !== 'input' && node.op !== 'parameter') continue;
    const data = filled(random, node.shape);
    feeds[node.attrs.name] = {
      data: node.dtype === 'f32' ? data : new Int32Array(data.length),
      shape: node.shape,
    };
  }
  return feeds;
}

export function expectEqual(a: Graph, b: Graph, what = ''): void {
  const feeds = feedsOf(a);
  const [before, after] = [a, b].map((g) => evaluate(g, feeds, { precision: 'f64' }));
  expect(Object.keys(after!), what).toEqual(Object.keys(before!));
  for (const [name, value] of Object.entries(before!)) {
    expect(after![name]!.shape, what).toEqual(value.shape);
    expect(distance(after![name]!.data, value.data), `${what} ${name}`).toBeLessThan(1e-9);
  }
}
