import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyInto, GraphBuilder, GraphError } from '../../compiler/graph/builder.js';
import type { Value } from '../../compiler/graph/builder.js';
import { broadcastShapes } from '../../compiler/graph/infer.js';
import type { Graph, Node } from '../../compiler/graph/ir.js';
import { stats } from '../../compiler/graph/stats.js';
import { assertValid, verify } from '../../compiler/graph/verify.js';
import { Random } from './random.js';
import { randomGraph } from './random-graph.js';

const builder = (): GraphBuilder => new GraphBuilder('test');

describe('the builder', () => {
  it('folds what does nothing', () => {
    const b = builder();
    const x = b.input('x', [2, 3]);
    const same: readonly Value[] = [
      b.reshape(x, [2, 3]),
      b.reshape(x, [-1, 3]),
      b.broadcast(x, [2, 3]),
      b.transpose(x, [0, 1]),
      b.slice(x, [0, 0], [2, 3]),
      b.pad(x, [0, 0], [0, 0]),
      b.concat([x], 1),
      b.sum(x, []),
      b.cast(x, 'f32'),
    ];
    for (const v of same) expect(v).toBe(x);
    expect(b.nodes).toEqual([x]);
  });

  it('normalises axes and bounds', () => {
    const b = builder();
    const x = b.input('x', [2, 3, 4]);
    expect(b.sum(x, [-1, 0]).attrs).toEqual({ axes: [0, 2], keep: false });
    expect(b.concat([x, x], -2).attrs).toEqual({ axis: 1 });
    expect(b.slice(x, [0, -2, 0], [2, 3, -1]).attrs).toEqual({
      start: [0, 1, 0],
      stop: [2, 3, 3],
      step: [1, 1, 1],
    });
    expect(b.slice(x, [1, 0, 0], [-1, 3, 4], [-1, 1, 1]).shape).toEqual([2, 3, 4]);
  });

  it("makes numbers constants of the other operand's dtype", () => {
    const b = builder();
    const sum = b.add(2, b.input('i', [3], 'i32'));
    expect(sum.dtype).toBe('i32');
    expect(b.nodes[sum.inputs[0]!]).toMatchObject({ op: 'constant', dtype: 'i32', shape: [] });
  });

  it('attaches origins while they are set', () => {
    const b = builder();
    const x = b.input('x', []);
    b.origin = { file: 'a.mmd', start: 1, end: 2 };
    const y = b.exp(x);
    b.origin = undefined;
    expect([x, y, b.exp(y)].map((v) => v.origin?.file)).toEqual([undefined, 'a.mmd', undefined]);
  });

  it('goes on after finish, which is a snapshot', () => {
    const b = builder();
    b.output('y', b.scalar(1));
    const first = b.finish();
    b.exp(b.nodes[0]!);
    expect(first.nodes.length).toBe(1);
    expect(b.finish().nodes.length).toBe(2);
  });

  const faults: readonly [what: string, make: (b: GraphBuilder, x: Value) => unknown, message: string][] = [
    [
      'shapes',
      (b, x) => b.add(x, b.input('y', [4])),
      'add(f32[2, 3], f32[4]): shapes [2, 3] and [4] do not broadcast',
    ],
    [
      'dtypes',
      (b, x) => b.mul(x, b.input('y', [3], 'i32')),
      'mul(f32[2, 3], i32[3]): takes operands of one dtype',
    ],
    ['integers', (b) => b.exp(b.input('y', [3], 'i32')), 'exp(i32[3]): takes f32 operands'],
    ['axes', (b, x) => b.sum(x, [2]), 'axes [2] must be increasing and below 2'],
    ['an axis twice', (b, x) => b.mean(x, [1, -1]), 'axes [1, 1] must be increasing'],
    ['an empty mean', (b) => b.mean(b.input('y', [0]), [0]), 'mean(f32[0]): reduces an empty axis'],
    ['sizes', (b, x) => b.reshape(x, [4]), '[4] holds 4 elements, the operand 6'],
    ['a free size', (b, x) => b.reshape(x, [4, -1]), '[4, -1] leaves no size for -1'],
    ['two free sizes', (b, x) => b.reshape(x, [-1, -1]), 'leaves no size for -1'],
    ['perms', (b, x) => b.transpose(x, [0, 0]), 'perm [0, 0] is no permutation of 2 axes'],
    ['targets', (b, x) => b.broadcast(x, [3]), 'broadcast(f32[2, 3]): does not broadcast to [3]'],
    ['shrinking', (b, x) => b.broadcast(x, [1, 3]), 'does not broadcast to [1, 3]'],
    ['bounds', (b, x) => b.slice(x, [0, 0], [2, 4]), 'axis 1: 0 to 4 by 1 is outside the axis of size 3'],
    ['steps', (b, x) => b.slice(x, [0, 0], [2, 3], [1, 0]), 'step not 0'],
    ['padding', (b, x) => b.pad(x, [0, -1], [0, 0]), 'counts must be non-negative integers'],
    ['concatenation', (b, x) => b.concat([x, b.input('y', [3, 3])], 1), 'shapes may differ in axis 1 only'],
    ['nothing to concatenate', (b) => b.concat([], 0), 'takes at least one input'],
    ['products', (b, x) => b.matmul(x, x), 'matmul(f32[2, 3], f32[2, 3]): inner sizes 3 and 2 differ'],
    ['flags', (b, x) => b.matmul(x, b.input('y', [3, 1]), { transposeA: true }), 'differ, first transposed'],
    [
      'channels',
      (b) => b.conv2d(b.input('y', [1, 2, 4, 4]), b.input('w', [1, 3, 1, 1])),
      'x has 2 channels, w expects 3',
    ],
    [
      'kernels',
      (b) => b.conv2d(b.input('y', [1, 1, 2, 2]), b.input('w', [1, 1, 3, 1])),
      'kernel 3x1 is larger than the padded image',
    ],
    [
      'adjoint sizes',
      (b) => b.conv2dInput(b.input('y', [1, 1, 2, 2]), b.input('w', [1, 1, 1, 1]), { size: [3, 2] }),
      'size [3, 2] gives dy [3, 2], not [2, 2]',
    ],
    ['indices', (b, x) => b.gather(x, x), 'takes an i32 index'],
    [
      'updates',
      (b, x) => b.scatterAdd(x, b.input('y', [3], 'i32'), 4),
      'updates must begin with the shape of the index',
    ],
    ['constants', (b) => b.constant([1, 2], [3]), 'holds 2 numbers where f32[3] needs 3'],
    ['integer constants', (b) => b.constant([1.5], [], 'i32'), 'holds 1.5, which is no 32-bit integer'],
    ['negative sizes', (b) => b.input('y', [-1]), 'needs a shape of non-negative integers'],
    ['names', (b) => b.parameter('x', []), 'parameter "x": graph "test" has that name already'],
    ['outputs', (b, x) => (b.output('o', x), b.output('o', x)), 'output "o" exists already'],
    [
      'other graphs',
      (b) => b.exp(builder().scalar(1)),
      'constant f32[] belongs to another graph than "test"',
    ],
  ];
  for (const [what, make, message] of faults) {
    it(`refuses wrong ${what}`, () => {
      const fault = (): unknown => {
        const b = builder();
        return make(b, b.input('x', [2, 3]));
      };
      expect(fault).toThrow(GraphError);
      expect(fault).toThrow(message);
    });
  }

  it('broadcasts like counting from the last axis', () => {
    const shape = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 });
    fc.assert(
      fc.property(shape, shape, (p, q) => {
        const sizes = Array.from({ length: Math.max(p.length, q.length) }, (_, k) => {
          const [a, c] = [p.at(-1 - k) ?? 1, q.at(-1 - k) ?? 1];
          return a === c || c === 1 ? a : a === 1 ? c : NaN;
        }).reverse();
        if (sizes.some(Number.isNaN)) expect(() => broadcastShapes([p, q])).toThrow(GraphError);
        else expect(broadcastShapes([p, q])).toEqual(sizes);
      }),
    );
  });
});

describe('copyInto', () => {
  it('copies nodes as they are', () => {
    const graph = randomGraph(new Random(4), 40);
    const b = new GraphBuilder('copy');
    const copies = copyInto(b, graph);
    expect(b.nodes).toEqual(graph.nodes);
    expect([...copies.keys()]).toEqual(graph.nodes.map((n) => n.id));
    expect(b.finish().outputs).toEqual([]);
  });

  it('puts other values in their place', () => {
    const b = builder();
    b.exp(b.parameter('p', [2]));
    const into = builder();
    const packed = into.input('packed', [5]);
    copyInto(into, b.finish(), (node) =>
      node.op === 'parameter' ? into.slice(packed, [1], [3]) : undefined,
    );
    expect(into.nodes.map((n) => n.op)).toEqual(['input', 'slice', 'exp']);
  });

  it('infers types anew', () => {
    const b = builder();
    b.exp(b.input('x', [2]));
    const into = builder();
    const wide = into.input('x', [7]);
    const copies = copyInto(into, b.finish(), (node) => (node.op === 'input' ? wide : undefined));
    expect(copies.get(1)?.shape).toEqual([7]);
  });
});

describe('verify', () => {
  it('finds nothing wrong with what the builder makes', () => {
    for (let seed = 1; seed < 20; seed++) expect(verify(randomGraph(new Random(seed), 40))).toEqual([]);
  });

  const b = builder();
  b.output('y', b.sum(b.exp(b.input('x', [2, 3])), [1]));
  const good = b.finish();
  /** The graph with fields of one node replaced. */
  const broken = (id: number, fields: object): Graph => ({
    ...good,
    nodes: good.nodes.map((n) => (n.id === id ? ({ ...n, ...fields } as Node) : n)),
  });

  const faults: readonly [graph: Graph, message: string][] = [
    [broken(1, { id: 5 }), '%1: has id 5'],
    [broken(1, { inputs: [1] }), '%1: uses %1, which does not come before it'],
    [broken(1, { inputs: [2] }), '%1: uses %2, which does not come before it'],
    [broken(1, { inputs: [] }), '%1: exp(): takes 1 input, got 0'],
    [broken(1, { op: 'tan' }), '%1: "tan" is no primitive'],
    [broken(1, { shape: [3, 2] }), '%1: exp gives f32[2, 3], declared f32[3, 2]'],
    [broken(1, { dtype: 'i32' }), '%1: exp gives f32[2, 3], declared i32[2, 3]'],
    [broken(0, { dtype: 'f64' }), '%0: has dtype f64'],
    [broken(0, { shape: [2.5] }), 'needs a shape of non-negative integers'],
    [broken(2, { attrs: { axes: [3], keep: false } }), 'axes [3] must be increasing and below 2'],
    [broken(2, { attrs: { axes: [1] } }), '%2: attribute keep of sum must be true or false'],
    [broken(2, { attrs: { axes: [1], keep: false, dims: 1 } }), '%2: sum has no attribute "dims"'],
    [{ ...good, outputs: [...good.outputs, { name: 'y', node: 0 }] }, 'output "y" exists twice'],
    [{ ...good, outputs: [{ name: 'y', node: 3 }] }, 'output "y" is %3, which does not exist'],
    [broken(1, { op: 'input', inputs: [], attrs: { name: 'x' } }), '%1: name "x" is taken'],
  ];
  for (const [graph, message] of faults) {
    it(`finds: ${message}`, () => {
      expect(
        verify(graph)
          .map((p) => p.message)
          .join('\n'),
      ).toContain(message);
      expect(() => assertValid(graph, 'a test')).toThrow('graph "test" is malformed after a test:\n  ');
    });
  }
});

describe('stats', () => {
  it('counts', () => {
    const b = builder();
    const x = b.input('x', [2, 3, 8, 8]);
    const y = b.conv2d(x, b.parameter('w', [4, 3, 3, 3]), { pad: [1, 1, 1, 1] });
    const flat = b.reshape(b.exp(y), [2, 256]);
    b.output('y', b.matmul(flat, b.parameter('v', [10, 256]), { transposeB: true }));
    b.exp(flat);
    const s = stats(b.finish());
    expect(s).toEqual({
      nodes: 7,
      ops: { conv2d: 1, exp: 1, input: 1, matmul: 1, parameter: 2, reshape: 1 },
      flops: 2 * (2 * 4 * 64) * 27 + 2 * 20 * 256,
      parameters: 108 + 2560,
      activationBytes: 4 * (512 + 512 + 20),
      peakBytes: 4 * 1024,
      moved: 0,
    });
  });

  it('counts the same work for a convolution and its adjoints', () => {
    const options = { stride: [2, 2], pad: [1, 1, 1, 1] } as const;
    const flops = (make: (b: GraphBuilder, x: Value, w: Value, dy: Value) => Value): number => {
      const b = builder();
      const [x, w, dy] = [
        b.input('x', [2, 3, 8, 8]),
        b.input('w', [4, 3, 3, 3]),
        b.input('dy', [2, 4, 4, 4]),
      ];
      b.output('y', make(b, x, w, dy));
      return stats(b.finish()).flops;
    };
    const forward = flops((b, x, w) => b.conv2d(x, w, options));
    expect(forward).toBe(2 * 2 * 4 * 16 * 27);
    expect(flops((b, _x, w, dy) => b.conv2dInput(dy, w, { ...options, size: [8, 8] }))).toBe(forward);
    expect(flops((b, x, _w, dy) => b.conv2dFilter(x, dy, { ...options, kernel: [3, 3] }))).toBe(forward);
  });
});
