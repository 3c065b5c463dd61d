import { describe, expect, it } from 'vitest';
import { gradients } from '../../compiler/autodiff/index.js';
import { copyInto, GraphBuilder } from '../../compiler/graph/builder.js';
import { gelu, silu } from '../../compiler/graph/compose.js';
import type { Value } from '../../compiler/graph/builder.js';
import type { Graph } from '../../compiler/graph/ir.js';
import { elementsMoved, stats } from '../../compiler/graph/stats.js';
import { composeAffine } from '../../compiler/passes/affine.js';
import { cse } from '../../compiler/passes/cse.js';
import { dce } from '../../compiler/passes/dce.js';
import { factor } from '../../compiler/passes/factor.js';
import { foldConstants } from '../../compiler/passes/fold.js';
import { optimize, passes } from '../../compiler/passes/index.js';
import { sinkScales } from '../../compiler/passes/scale.js';
import { simplify } from '../../compiler/passes/simplify.js';
import { sinkTransposes } from '../../compiler/passes/sink/sink.js';
import { expectEqual } from './equal.js';
import { Random } from './random.js';
import { randomGraph } from './random-graph.js';

function graphOf(build: (b: GraphBuilder, x: Value) => Value, shape: readonly number[] = [2, 3]): Graph {
  const b = new GraphBuilder('test');
  b.output('y', build(b, b.input('x', shape)));
  return b.finish();
}

/** Operations left after simplification and dropping dead nodes, inputs and constants not counted. */
function left(build: (b: GraphBuilder, x: Value) => Value, shape?: readonly number[]): string[] {
  const graph = graphOf(build, shape);
  const after = dce.run(simplify.run(graph));
  expectEqual(graph, after);
  return after.nodes.filter((n) => n.op !== 'input' && n.op !== 'constant').map((n) => n.op);
}

describe('all passes on random graphs', () => {
  it('compute the same, each and together', () => {
    for (let seed = 1; seed <= 150; seed++) {
      const graph = randomGraph(new Random(seed), 40);
      let before = graph;
      optimize(graph, {
        observe: (pass, after) => {
          expectEqual(before, after, `seed ${seed}, ${pass.name}`);
          before = after;
        },
      });
    }
  });

  it('sinking moves no more elements, and less on the whole', () => {
    let [all, sunk] = [0, 0];
    for (let seed = 1; seed <= 300; seed++) {
      const graph = dce.run(randomGraph(new Random(seed * 13), 30));
      const after = sinkTransposes.run(graph);
      expect(elementsMoved(after), `seed ${seed}`).toBeLessThanOrEqual(elementsMoved(graph));
      all += elementsMoved(graph);
      sunk += elementsMoved(after);
    }
    expect(sunk).toBeLessThan(0.8 * all);
  });

  it('give the same graph again on what they made', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const once = optimize(randomGraph(new Random(seed * 17), 30));
      expect(optimize(once).nodes.length).toBeLessThanOrEqual(once.nodes.length);
    }
  });
});

describe('simplify', () => {
  it('drops what does nothing', () => {
    expect(left((b, x) => b.div(b.mul(b.add(b.sub(b.pow(x, 1), 0), 0), 1), 1))).toEqual([]);
    expect(left((b, x) => b.neg(b.neg(x)))).toEqual([]);
    expect(left((b, x) => b.transpose(b.transpose(x, [1, 0]), [1, 0]))).toEqual([]);
    expect(left((b, x) => b.reshape(b.reshape(x, [6]), [2, 3]))).toEqual([]);
    expect(left((b, x) => b.sum(x, [0], false), [1, 3])).toEqual(['reshape']);
  });

  it('keeps what changes the shape', () => {
    expect(left((b, x) => b.add(x, b.constant([0], [4, 2, 3])))).toEqual(['add']);
    expect(left((b, x) => b.mul(b.constant([1], [2, 3]), x), [3])).toEqual(['mul']);
  });

  it('uses what the operations do by themselves', () => {
    expect(left((b, x) => b.add(b.broadcast(b.sum(x, [0]), [2, 3]), x))).toEqual(['sum', 'add']);
    expect(left((b, x) => b.matmul(b.transpose(x, [1, 0]), x))).toEqual(['matmul']);
    expect(left((b, x) => b.mul(b.mul(x, 2), 3))).toEqual(['mul']);
    expect(left((b, x) => b.add(x, b.neg(b.exp(x))))).toEqual(['exp', 'sub']);
  });
});

describe('gradients of neighbouring slices', () => {
  const thirds = (b: GraphBuilder, x: Value): Value[] => [4, 0, 2].map((k) => b.slice(x, [0, k], [2, k + 2]));

  it('join without padding and adding', () => {
    const b = new GraphBuilder('test');
    const x = b.input('x', [2, 6]);
    const [k, q, v] = thirds(b, x) as [Value, Value, Value];
    const loss = b.sum(b.mul(b.mul(b.exp(q), b.sin(k)), v), [0, 1]);
    b.output('g', gradients(b, loss, [x])[0]!);
    const graph = b.finish();
    const after = optimize(graph);
    expect(stats(graph).ops).toMatchObject({ pad: 3 });
    expect(stats(after).ops).toMatchObject({ concat: 1 });
    expect(stats(after).ops.pad).toBeUndefined();
    expectEqual(graph, after);
  });

  it('are added where they overlap or leave a gap', () => {
    const pad = (b: GraphBuilder, x: Value, n: number): Value => b.pad(x, [0, n], [0, 5 - n]);
    for (const [m, n] of [
      [0, 2],
      [0, 4],
      [2, 0],
      [1, 1],
    ] as const) {
      expect(left((b, x) => b.add(pad(b, x, m), pad(b, b.exp(x), n)))).toContain('add');
    }
    expect(left((b, x) => b.add(pad(b, x, 4), pad(b, b.exp(x), 1)))).toEqual(['exp', 'concat', 'pad']);
  });
});

describe('factor', () => {
  /** Elementwise operations of a graph after the pass. */
  const after = (build: (b: GraphBuilder, x: Value) => Value): string[] => {
    const graph = graphOf(build);
    const result = dce.run(factor.run(graph));
    expectEqual(graph, result);
    return result.nodes.filter((n) => n.op !== 'input' && n.op !== 'constant').map((n) => n.op);
  };

  it('takes the gradient out of both terms of a product rule', () => {
    const b = new GraphBuilder('test');
    const [x, w] = [b.input('x', [2, 3]), b.input('w', [2, 3])];
    const [g] = gradients(b, b.sum(b.mul(silu(b, x), w), [0, 1]), [x]);
    b.output('g', g!);
    b.output('y', silu(b, x));
    const graph = optimize(b.finish(), { disable: ['factor'] });
    const result = optimize(graph);
    // sigmoid, y = x s, 1 - s, y (1 - s), the sum, times the gradient.
    expect(stats(result).ops).toMatchObject({ sigmoid: 1, mul: 3, sub: 1, add: 1 });
    expect(stats(graph).ops.mul).toBeGreaterThan(3);
    expectEqual(graph, result);
  });

  it('finds factors in any order and takes out several, powers too', () => {
    const parts = (b: GraphBuilder, x: Value): Value[] => [b.sin(x), b.cos(x), b.tanh(x), b.exp(x)];
    expect(
      after((b, x) => {
        const [p, q, r, s] = parts(b, x) as [Value, Value, Value, Value];
        return b.sub(b.mul(b.mul(p, q), r), b.mul(s, b.mul(q, p)));
      }),
    ).toEqual(['sin', 'cos', 'tanh', 'exp', 'sub', 'mul', 'mul']);
    expect(after((b, x) => b.add(b.mul(x, x), b.mul(b.mul(x, x), b.sin(x))))).toEqual([
      'sin',
      'mul',
      'add',
      'mul',
    ]);
  });

  it('leaves products that others read, and sums without a common factor', () => {
    const b = new GraphBuilder('test');
    const [x, y] = [b.input('x', [2, 3]), b.input('y', [2, 3])];
    const product = b.mul(x, y);
    b.output('p', product);
    b.output('s', b.add(product, b.mul(x, b.sin(y))));
    expect(factor.run(b.finish())).toEqual(b.finish());
    expect(after((c, v) => c.add(c.mul(v, c.sin(v)), c.mul(c.cos(v), c.exp(v))))).toContain('add');
  });

  it('keeps the shape where the factor alone has it', () => {
    const graph = graphOf((b, x) => {
      const row = b.sum(x, [0], true);
      return b.add(b.mul(x, row), b.mul(b.mul(row, x), row));
    });
    expectEqual(graph, factor.run(graph));
  });
});

describe('sink-scales', () => {
  it('brings the numbers of a GELU to the products around it', () => {
    const b = new GraphBuilder('test');
    const [x, w] = [b.input('x', [4, 3]), b.input('w', [3, 3])];
    const bias = b.input('bias', [3]);
    const h = b.reshape(b.add(b.matmul(x, w), bias), [2, 2, 3]);
    b.output('y', b.matmul(b.reshape(gelu(b, h), [4, 3]), w));
    // Read again, as a gradient does: otherwise it stays whole.
    b.output('e', b.add(b.erf(b.mul(h, Math.SQRT1_2)), 1));
    const graph = b.finish();
    const result = optimize(graph);
    expectEqual(graph, result);
    const scaled = result.nodes.filter(
      (n) => n.op === 'mul' && n.inputs.some((i) => result.nodes[i]!.op === 'constant'),
    );
    expect(scaled.map((n) => n.shape)).toEqual([
      [4, 3],
      [4, 3],
    ]);
  });

  it('leaves a GELU whole that has no gradient', () => {
    const graph = optimize(graphOf((b, x) => b.exp(b.reshape(gelu(b, x), [6]))));
    const number = graph.nodes.find((n) => n.op === 'reshape')!.inputs[0]!;
    expect(graph.nodes[number]!.op).toBe('mul');
  });

  it('multiplies sums, not what is summed', () => {
    const graph = graphOf((b, x) => b.sum(b.mul(b.exp(x), 3), [0]));
    const result = dce.run(sinkScales.run(graph));
    expect(result.nodes.at(-1)).toMatchObject({ op: 'mul', shape: [3] });
    expectEqual(graph, result);
  });

  it('never multiplies more elements', () => {
    const graph = graphOf((b, x) => b.mul(b.mul(b.sum(x, [0], true), 3), x));
    expect(sinkScales.run(graph)).toEqual(graph);
  });
});

describe('fold-constants', () => {
  it('folds small results, one number where that says it all', () => {
    const graph = graphOf((b, x) => b.add(x, b.broadcast(b.exp(b.mul(b.scalar(0), 3)), [2, 3])));
    const after = dce.run(foldConstants.run(graph));
    expect(after.nodes.map((n) => n.op)).toEqual(['input', 'constant', 'add']);
    expect(after.nodes[1]).toMatchObject({ shape: [2, 3], attrs: { data: Float64Array.of(1) } });
    expectEqual(graph, after);
  });

  it('leaves large results and indices out of range to run time', () => {
    const large = graphOf((b) => b.cast(b.oneHot(b.constant([1], [3000], 'i32'), 4), 'f32'));
    expect(foldConstants.run(large).nodes.some((n) => n.op === 'one_hot')).toBe(true);
    const bad = graphOf((b) => b.gather(b.constant([1, 2], [2]), b.constant([5], [], 'i32')));
    expect(foldConstants.run(bad).nodes.some((n) => n.op === 'gather')).toBe(true);
  });
});

describe('cse', () => {
  it('merges equal nodes, operands of commutative ones in either order', () => {
    const graph = graphOf((b, x) => b.mul(b.add(b.exp(x), x), b.add(x, b.exp(x))));
    const after = dce.run(cse.run(graph));
    expect(after.nodes.map((n) => n.op)).toEqual(['input', 'exp', 'add', 'mul']);
    expectEqual(graph, after);
  });

  it('keeps the order where it matters', () => {
    const graph = graphOf((b, x) => b.concat([b.sub(x, b.exp(x)), b.sub(b.exp(x), x)], 0));
    expectEqual(graph, cse.run(graph));
  });

  it('tells apart 0 and -0, dtypes, shapes and attributes', () => {
    const b = new GraphBuilder('test');
    const all = [b.scalar(0), b.scalar(-0), b.constant([0], [], 'i32'), b.constant([0], [1])];
    all.push(b.sum(b.constant([0], [2, 2]), [0]), b.sum(b.constant([0], [2, 2]), [1]));
    all.forEach((v, k) => b.output(`y${k}`, v));
    expect(new Set(cse.run(b.finish()).outputs.map((o) => o.node)).size).toBe(all.length);
  });
});

describe('dce', () => {
  it('keeps the interface', () => {
    const b = new GraphBuilder('test');
    b.input('unused', [2]);
    b.exp(b.parameter('p', [2]));
    b.output('y', b.scalar(1));
    expect(dce.run(b.finish()).nodes.map((n) => n.op)).toEqual(['input', 'parameter', 'constant']);
  });
});

describe('optimize', () => {
  it('leaves out what is disabled, and refuses unknown names', () => {
    const graph = randomGraph(new Random(1), 30);
    for (const { name } of passes) {
      const seen: string[] = [];
      optimize(graph, { disable: [name], observe: (pass) => seen.push(pass.name) });
      expect(seen.length).toBeGreaterThan(0);
      expect(seen).not.toContain(name);
    }
    expect(() => optimize(graph, { disable: ['inline'] })).toThrow('no pass is called "inline"');
  });

  it('names the pass that broke a graph', () => {
    const graph = graphOf((b, x) => b.exp(x));
    const bad: Graph = { ...graph, outputs: [{ name: 'y', node: 9 }] };
    expect(() => optimize(bad)).toThrow(
      'malformed after construction:\n  output "y" is %9, which does not exist',
    );
  });

  it('keeps origins', () => {
    const b = new GraphBuilder('test');
    const x = b.input('x', [2, 3]);
    b.origin = { file: 'a.mmd', start: 3, end: 4 };
    b.output('y', b.exp(b.mul(x, 1)));
    expect(optimize(b.finish()).nodes.find((n) => n.op === 'exp')?.origin?.start).toBe(3);
  });

  it('is deterministic', () => {
    const graph = randomGraph(new Random(3), 60);
    expect(optimize(graph)).toEqual(optimize(graph));
    expect(stats(optimize(graph)).nodes).toBeLessThan(stats(graph).nodes);
  });
});

describe('compose-affine', () => {
  const composed = (build: (b: GraphBuilder, x: Value) => Value, shape = [4, 3, 4, 4]): Graph => {
    const graph = graphOf(build, shape);
    const after = dce.run(composeAffine.run(graph));
    expectEqual(graph, after);
    return after;
  };
  /** Operations on whole arrays. */
  const passes = (graph: Graph): string[] =>
    graph.nodes.filter((n) => n.shape.length === 4 && n.shape[2] === 4 && n.op !== 'input').map((n) => n.op);
  const channel = (b: GraphBuilder, name: string, rows = 1) => b.input(name, [rows, 3, 1, 1]);

  it('makes one map of a scale and shift per channel and one per row', () => {
    const graph = composed((b, x) => {
      const first = b.add(b.mul(x, channel(b, 'w')), channel(b, 'b'));
      return b.add(b.mul(channel(b, 's', 4), first), channel(b, 'h', 4));
    });
    expect(passes(graph)).toEqual(['mul', 'add']);
  });

  it('leaves alone what is read elsewhere, single numbers, and what is no map', () => {
    const twice = composed((b, x) => {
      const first = b.add(b.mul(x, channel(b, 'w')), channel(b, 'b'));
      b.output('also', first);
      return b.mul(first, channel(b, 's', 4));
    });
    expect(passes(twice)).toEqual(['mul', 'add', 'mul']);
    expect(passes(composed((b, x) => b.add(b.add(x, channel(b, 'b')), channel(b, 'h', 4))))).toEqual([
      'add',
      'add',
    ]);
    const large = (b: GraphBuilder) => b.input('y', [4, 3, 4, 4]);
    expect(passes(composed((b, x) => b.add(b.mul(x, channel(b, 'w')), large(b))))).toEqual(['mul', 'add']);
  });

  it('halves the passes of a group norm with modulation, and its gradient still is that of the plain graph', () => {
    const build = (optimise: (g: Graph) => Graph): Graph => {
      const f = new GraphBuilder('forward');
      const x = f.input('x', [2, 4, 3, 3]);
      const y = f.reshape(f.normalize(f.reshape(x, [2, 2, 18]), 1e-5), x.shape);
      const one = f.add(f.mul(y, f.input('w', [1, 4, 1, 1])), f.input('b', [1, 4, 1, 1]));
      const two = f.add(f.mul(one, f.input('s', [2, 4, 1, 1])), f.input('h', [2, 4, 1, 1]));
      f.output('loss', f.sum(f.mul(f.sin(two), f.input('c', [2, 4, 3, 3])), [0, 1, 2, 3]));
      const forward = optimise(f.finish());
      const b = new GraphBuilder('step');
      const copies = copyInto(b, forward, () => undefined);
      const inputs = forward.nodes.filter((n) => n.op === 'input').map((n) => copies.get(n.id)!);
      gradients(b, copies.get(forward.outputs[0]!.node)!, inputs).forEach((g, k) => b.output(`g${k}`, g));
      return b.finish();
    };
    const [plain, fast] = [build((g) => g), build((g) => optimize(g))];
    expectEqual(plain, fast);
    const large = (g: Graph) =>
      optimize(g).nodes.filter((n) => n.shape.reduce((m, d) => m * d, 1) === 72 && n.op !== 'reshape').length;
    expect(large(fast)).toBeLessThanOrEqual(large(plain) - 2);
  });
});
