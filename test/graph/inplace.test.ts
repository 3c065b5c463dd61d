/** In-place planning changes where values lie and nothing else. */
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../compiler/graph/builder.js';
import { Evaluator } from '../../compiler/graph/evaluate.js';
import type { NdArray } from '../../compiler/graph/evaluate.js';
import { planInPlace } from '../../compiler/graph/inplace.js';
import { sizeOf } from '../../compiler/graph/ir.js';
import type { Graph } from '../../compiler/graph/ir.js';
import { filled, Random } from './random.js';
import { randomGraph } from './random-graph.js';

function feedsOf(graph: Graph, random: Random): Record<string, NdArray> {
  const feeds: Record<string, NdArray> = {};
  for (const { op, attrs, shape, dtype } of graph.nodes) {
    if (op !== 'input' && op !== 'parameter') continue;
    const data = filled(random, shape);
    feeds[attrs.name] = { data: dtype === 'i32' ? new Int32Array(sizeOf(shape)) : data, shape };
  }
  return feeds;
}

describe('in-place planning', () => {
  it('gives the same bits on random graphs, run after run, and leaves feeds as they are', () => {
    let planned = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const graph = randomGraph(new Random(seed), 40);
      planned += planInPlace(graph).size;
      const feeds = feedsOf(graph, new Random(seed));
      const before = structuredClone(feeds);
      for (const precision of ['f32', 'f64'] as const) {
        const expected = new Evaluator(graph, precision, false).run(feeds);
        const evaluator = new Evaluator(graph, precision);
        for (const run of [1, 2]) expect(evaluator.run(feeds), `seed ${seed}, run ${run}`).toEqual(expected);
      }
      expect(feeds).toEqual(before);
    }
    // Otherwise the comparison says nothing.
    expect(planned).toBeGreaterThan(150);
  });

  it('overwrites an operand at its last use only', () => {
    const b = new GraphBuilder('chain');
    const x = b.input('x', [4]);
    const e = b.exp(x); // fed: not overwritten
    const s = b.sin(e); // e is read again below
    const m = b.mul(e, s); // takes e
    const n = b.neg(m); // takes m
    b.output('n', n);
    expect([...planInPlace(b.finish())]).toEqual([
      [m.id, 0],
      [n.id, 0],
    ]);
  });

  it('keeps what a view, an output or a broadcast still needs', () => {
    const b = new GraphBuilder('kept');
    const e = b.exp(b.input('x', [4]));
    const view = b.reshape(e, [2, 2]);
    b.neg(e);
    b.output('through a view', b.sin(view));
    b.output('a', b.cos(e));
    const kept = b.tanh(b.input('y', [4]));
    b.output('kept', b.reshape(kept, [4, 1]));
    b.output('wide', b.add(b.sqrt(kept), b.constant([1, 2, 3, 4, 5], [5, 1])));
    const graph = b.finish();
    const plan = planInPlace(graph);
    const ops = [...plan.keys()].map((id) => graph.nodes[id]!.op);
    // Only the last reader of e takes its memory.
    expect(ops).toEqual(['cos']);
  });
});
