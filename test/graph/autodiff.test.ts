import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gradients } from '../../compiler/autodiff/index.js';
import { GraphBuilder, GraphError } from '../../compiler/graph/builder.js';
import type { Value } from '../../compiler/graph/builder.js';
import * as compose from '../../compiler/graph/compose.js';
import { Evaluator, evaluate } from '../../compiler/graph/evaluate.js';
import type { NdArray } from '../../compiler/graph/evaluate.js';
import { OPS } from '../../compiler/graph/infer.js';
import type { Op, Shape } from '../../compiler/graph/ir.js';
import { verify } from '../../compiler/graph/verify.js';
import { distance, filled, Random } from './random.js';

/** A function under test: its operands are made with `arg`, and differentiated with respect to all of them. */
type Case = (b: GraphBuilder, arg: Arg, random: Random) => Value;
type Arg = (shape: readonly number[], low?: number, high?: number) => Value;

/**
 * Compares the gradient of sum(weights * f(args)) with central differences, in float64, in every element.
 *
 * @param order 2 differentiates the sum of squares of the first gradient instead
 * @returns the shapes of the operands
 */
function check(make: Case, seed: number, order: 1 | 2 = 1): readonly Shape[] {
  const random = new Random(seed);
  const b = new GraphBuilder('case');
  const args: Value[] = [];
  const feeds: Record<string, NdArray> = {};
  const y = make(
    b,
    (shape, low = -2, high = 2) => {
      const name = `x${args.length}`;
      const value = b.input(name, shape);
      args.push(value);
      feeds[name] = { data: filled(random, shape, low, high), shape };
      return value;
    },
    random,
  );
  const all = (v: Value): Value =>
    b.sum(
      v,
      v.shape.map((_, k) => k),
    );
  let loss = all(b.mul(y, b.constant(filled(random, y.shape), y.shape)));
  if (order === 2) {
    loss = gradients(b, loss, args)
      .map((g) => all(b.mul(g, g)))
      .reduce((sum, g) => b.add(sum, g));
  }
  const before = b.nodes.length;
  gradients(b, loss, args).forEach((g, k) => {
    expect(g.shape).toEqual(args[k]!.shape);
    b.output(`g${k}`, g);
  });
  const found = evaluate(b.finish(), feeds, { precision: 'f64' });
  expect(verify(b.finish())).toEqual([]);
  const forward = new Evaluator(
    { name: 'loss', nodes: b.nodes.slice(0, before), outputs: [{ name: 'loss', node: loss.id }] },
    'f64',
  );
  const h = order === 1 ? 1e-5 : 1e-4;
  for (const k of args.keys()) {
    const { data } = feeds[`x${k}`]!;
    const numeric = data.map((x, i) => {
      const at = (moved: number): number => {
        data[i] = moved;
        return forward.run(feeds)['loss']!.data[0]!;
      };
      const slope = (at(x + h) - at(x - h)) / (2 * h);
      data[i] = x;
      return slope;
    });
    expect(distance(found[`g${k}`]!.data, numeric), `operand ${k}, seed ${seed}`).toBeLessThan(1e-5);
  }
  return args.map((v) => v.shape);
}

/** Runs a case on arbitrary random numbers; returns what its operands looked like over all runs. */
function checkAll(make: Case, numRuns: number, order: 1 | 2 = 1): { ranks: number[]; sizes: Set<number> } {
  const ranks = new Set<number>();
  const sizes = new Set<number>();
  // The same runs every time: a failure is reported with the number that `check` can be given.
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      for (const shape of check(make, seed, order)) {
        ranks.add(shape.length);
        shape.forEach((d) => sizes.add(d));
      }
    }),
    { numRuns, seed: 1 },
  );
  return { ranks: [...ranks].sort(), sizes };
}

const smooth = (op: (b: GraphBuilder, x: Value) => Value, low?: number, high?: number): Case => {
  return (b, arg, r) => op(b, arg(r.shape(5, 0), low, high));
};

/** Two operands that broadcast, both ways; `apart` keeps all differences away from zero. */
const two = (op: (b: GraphBuilder, x: Value, y: Value) => Value, low?: number, high?: number): Case => {
  return (b, arg, r) => {
    const shape = r.shape(5, r.bool(0.25) ? 0 : 1);
    const [p, q] = r.bool() ? [shape, r.broadcastable(shape)] : [r.broadcastable(shape), shape];
    return op(b, arg(p, low, high), arg(q, low, high));
  };
};

/** Elements k * 0.1 in random order: no ties and no two within a step of the difference quotient. */
function distinct(b: GraphBuilder, x: Value, r: Random): Value {
  const size = x.shape.reduce((n, d) => n * d, 1);
  const levels = r.permutation(size).map((k) => k * 0.1);
  return b.add(b.mul(x, 0.01), b.constant(levels, x.shape));
}

const lastAxis = (op: (b: GraphBuilder, x: Value) => Value, least = 1): Case => {
  return (b, arg, r) => op(b, arg([...r.shape(4, 0), r.int(least, 4)]));
};

function reduced(op: 'sum' | 'mean' | 'reduceMax'): Case {
  return (b, arg, r) => {
    const shape = r.shape(5, op === 'sum' ? 0 : 1);
    const x = arg(shape);
    return b[op](op === 'reduceMax' ? distinct(b, x, r) : x, r.axes(shape.length), r.bool());
  };
}

interface Conv {
  readonly x: number[];
  readonly w: number[];
  readonly y: number[];
  readonly options: { stride: [number, number]; pad: [number, number, number, number] };
}

function conv(r: Random): Conv {
  const [batch, c, o, h, w] = [r.int(1, 2), r.int(1, 2), r.int(1, 2), r.int(3, 5), r.int(3, 5)];
  const [kh, kw] = [r.int(1, 3), r.int(1, 3)];
  const stride: [number, number] = [r.int(1, 3), r.int(1, 2)];
  const pad: [number, number, number, number] = [r.int(0, 2), r.int(0, 1), r.int(0, 1), r.int(0, 2)];
  const oh = Math.floor((h + pad[0] + pad[2] - kh) / stride[0]) + 1;
  const ow = Math.floor((w + pad[1] + pad[3] - kw) / stride[1]) + 1;
  return { x: [batch, c, h, w], w: [o, c, kh, kw], y: [batch, o, oh, ow], options: { stride, pad } };
}

const cases: { readonly [K in Op]?: Case } = {
  neg: smooth((b, x) => b.neg(x)),
  exp: smooth((b, x) => b.exp(x)),
  log: smooth((b, x) => b.log(x), 0.5, 2),
  sqrt: smooth((b, x) => b.sqrt(x), 0.5, 2),
  sin: smooth((b, x) => b.sin(x)),
  cos: smooth((b, x) => b.cos(x)),
  tanh: smooth((b, x) => b.tanh(x)),
  sigmoid: smooth((b, x) => b.sigmoid(x)),
  erf: smooth((b, x) => b.erf(x)),
  abs: (b, arg, r) => b.abs(b.sub(distinct(b, arg(r.shape(5, 0)), r), 0.45)),
  sign: (b, arg, r) => b.sign(b.sub(distinct(b, arg(r.shape(5, 0)), r), 0.45)),
  add: two((b, x, y) => b.add(x, y)),
  sub: two((b, x, y) => b.sub(x, y)),
  mul: two((b, x, y) => b.mul(x, y)),
  div: two((b, x, y) => b.div(x, y), 0.5, 2),
  pow: two((b, x, y) => b.pow(x, y), 0.5, 2),
  max: (b, arg, r) => two((_, x, y) => b.max(distinct(b, x, r), b.sub(distinct(b, y, r), 0.05)))(b, arg, r),
  min: (b, arg, r) => two((_, x, y) => b.min(distinct(b, x, r), b.sub(distinct(b, y, r), 0.05)))(b, arg, r),
  less: (b, arg, r) => two((_, x, y) => b.less(distinct(b, x, r), b.sub(distinct(b, y, r), 0.05)))(b, arg, r),
  equal: (b, arg, r) =>
    two((_, x, y) => b.equal(distinct(b, x, r), b.sub(distinct(b, y, r), 0.05)))(b, arg, r),
  select: (b, arg, r) => {
    const shape = r.shape(5, 0);
    const mask = r.broadcastable(shape);
    const c = b.constant(
      filled(r, mask).map((x) => (x < 0 ? 0 : 1)),
      mask,
    );
    return b.select(c, arg(r.broadcastable(shape)), arg(shape));
  },
  sum: reduced('sum'),
  mean: reduced('mean'),
  reduce_max: reduced('reduceMax'),
  reshape: (b, arg, r) => {
    const shape = r.shape(5, r.bool(0.2) ? 0 : 1);
    if (shape.includes(0)) return b.reshape(arg(shape), [0, 3]);
    return b.reshape(arg(shape), r.bool() ? [-1, 1] : [...shape].reverse());
  },
  transpose: (b, arg, r) => {
    const shape = r.shape(5, 0);
    return b.transpose(arg(shape), r.permutation(shape.length));
  },
  broadcast: (b, arg, r) => {
    const shape = r.shape(5, 0);
    return b.broadcast(arg(r.broadcastable(shape)), shape);
  },
  slice: (b, arg, r) => {
    const shape = r.shape(5, 0, r.pick([2, 2, 7]));
    const step = shape.map(() => r.pick([-3, -2, -1, 1, 2, 3]));
    const start = shape.map((d, k) => (step[k]! < 0 ? r.int(Math.min(0, d - 1), d - 1) : r.int(0, d)));
    const stop = shape.map((d, k) => (step[k]! < 0 ? r.int(-1, d - 1) : r.int(0, d)));
    // Bounds are given as the node has them; a start of -1 would be read as the last element.
    const fixed = start.map((s, k) => (s === -1 ? 0 : Math.min(s, shape[k]!)));
    if (shape.some((d, k) => d === 0 && step[k]! < 0))
      return b.slice(
        arg(shape),
        shape.map(() => 0),
        shape,
      );
    return b.slice(arg(shape), fixed, stop, step);
  },
  pad: (b, arg, r) => {
    const shape = r.shape(5, 0);
    return b.pad(
      arg(shape),
      shape.map(() => r.int(0, 2)),
      shape.map(() => r.int(0, 2)),
    );
  },
  concat: (b, arg, r) => {
    const shape = [...r.shape(4), 2];
    const axis = r.int(0, shape.length - 1);
    const parts = Array.from({ length: r.int(1, 3) }, () =>
      shape.map((d, k) => (k === axis ? r.int(0, 3) : d)),
    );
    return b.concat(
      parts.map((p) => arg(p)),
      axis,
    );
  },
  matmul: (b, arg, r) => {
    const lead = r.shape(3, r.bool(0.1) ? 0 : 1, 2);
    const [m, k, n] = [r.int(1, 3), r.int(0, 3), r.int(1, 3)];
    const options = { transposeA: r.bool(), transposeB: r.bool() };
    const side = (rows: number, columns: number, swap: boolean): number[] => [
      ...(r.bool() ? lead : r.broadcastable(lead)),
      ...(swap ? [columns, rows] : [rows, columns]),
    ];
    return b.matmul(arg(side(m, k, options.transposeA)), arg(side(k, n, options.transposeB)), options);
  },
  conv2d: (b, arg, r) => {
    const c = conv(r);
    return b.conv2d(arg(c.x), arg(c.w), c.options);
  },
  conv2d_input: (b, arg, r) => {
    const c = conv(r);
    return b.conv2dInput(arg(c.y), arg(c.w), { ...c.options, size: [c.x[2]!, c.x[3]!] });
  },
  conv2d_filter: (b, arg, r) => {
    const c = conv(r);
    return b.conv2dFilter(arg(c.x), arg(c.y), { ...c.options, kernel: [c.w[2]!, c.w[3]!] });
  },
  softmax: lastAxis((b, x) => b.softmax(x), 0),
  log_softmax: lastAxis((b, x) => b.logSoftmax(x), 0),
  normalize: lastAxis((b, x) => b.normalize(x, 1e-2)),
  rstd: lastAxis((b, x) => b.rstd(x, 1e-1)),
  gather: (b, arg, r) => {
    const index = r.shape(2, 0);
    const rows = r.int(1, 4);
    const at = filled(r, index, 0, rows).map(Math.floor);
    return b.gather(arg([rows, ...r.shape(4, 0, 2)]), b.constant(at, index, 'i32'));
  },
  scatter_add: (b, arg, r) => {
    const index = r.shape(2, 0);
    const rows = r.int(1, 4);
    const at = filled(r, index, 0, rows).map(Math.floor);
    return b.scatterAdd(arg([...index, ...r.shape(3, 0)]), b.constant(at, index, 'i32'), rows);
  },
  stop_gradient: undefined,
  cast: (b, arg, r) => {
    const x = distinct(b, arg(r.shape(5, 0)), r);
    return b.mul(x, b.cast(b.cast(b.add(x, 0.05), 'i32'), 'f32'));
  },
};

const untested: readonly Op[] = ['input', 'parameter', 'constant', 'one_hot', 'argmax', 'stop_gradient'];

/** Ranks of the operands, together. */
function ranksOf(op: Op): number[] {
  if (op.startsWith('conv2d')) return [4];
  const least = { softmax: 1, log_softmax: 1, normalize: 1, rstd: 1, concat: 1, gather: 1, matmul: 2 }[
    op as 'softmax'
  ];
  return [0, 1, 2, 3, 4, 5].slice(least ?? 0);
}

/** A convolution has no empty operands, and the largest of nothing does not exist. */
const neverEmpty: readonly Op[] = ['conv2d', 'conv2d_input', 'conv2d_filter', 'reduce_max', 'mean'];

describe('a normalisation over groups, multiplied per channel', () => {
  /** [B, C, ...S] over C / 2 groups, as a group norm has it. */
  const groups =
    (w: (b: number, c: number) => readonly number[], space = [2, 3]): Case =>
    (b, arg, r) => {
      const [rows, channels] = [r.int(1, 3), 2 * r.int(1, 3)];
      const shape = [rows, channels, ...space];
      const x = b.reshape(arg(shape), [
        rows,
        channels / 2,
        (shape.reduce((n, d) => n * d, 1) / rows / channels) * 2,
      ]);
      return b.mul(b.reshape(b.normalize(x, 1e-2), shape), arg(w(rows, channels)));
    };
  const weights: Readonly<Record<string, Case>> = {
    'one weight a channel': groups((_, c) => [1, c, 1, 1]),
    'without the axis of rows': groups((_, c) => [c, 1, 1]),
    'one weight a row and channel': groups((b, c) => [b, c, 1, 1]),
    'one weight a row': groups((b) => [b, 1, 1, 1]),
    'in three dimensions': groups((_, c) => [1, c, 1, 1, 1], [2, 1, 3]),
    'weights that differ by place': groups((_, c) => [1, c, 2, 1]),
  };
  for (const [name, make] of Object.entries(weights)) {
    it(name, () => checkAll(make, 12) && undefined);
    it(`${name}, twice`, () => checkAll(make, 4, 2) && undefined);
  }
});

describe('gradients against central differences in float64', () => {
  it('every primitive has a case', () => {
    expect(OPS.filter((op) => cases[op] === undefined)).toEqual(untested);
  });

  for (const [op, make] of Object.entries(cases)) {
    if (make === undefined) continue;
    it(op, () => {
      const { ranks, sizes } = checkAll(make, 40);
      // What is meant by random shapes: every rank that the primitive has, axes of size 1, and empty ones.
      expect(ranks).toEqual(ranksOf(op as Op));
      expect(sizes).toContain(1);
      if (!neverEmpty.includes(op as Op)) expect(sizes).toContain(0);
    });
  }

  it('compositions', () => {
    const all: readonly ((b: GraphBuilder, x: Value) => Value)[] = [
      compose.square,
      compose.silu,
      compose.gelu,
      compose.softplus,
      (b, x) => compose.rsqrt(b, b.add(compose.square(b, x), 1)),
      (b, x) => (x.shape.length === 0 ? x : compose.logsumexp(b, x, [-1])),
      (b, x) => compose.relu(b, b.add(x, 3)),
    ];
    for (const f of all)
      for (let seed = 1; seed <= 5; seed++) check((b, arg, r) => f(b, arg(r.shape(3))), seed);
  });
});

describe('second derivatives', () => {
  const twice: readonly Op[] = [
    'div',
    'pow',
    'tanh',
    'slice',
    'matmul',
    'conv2d',
    'conv2d_input',
    'conv2d_filter',
    'softmax',
    'log_softmax',
    'normalize',
    'rstd',
    'gather',
    'scatter_add',
  ];
  for (const op of twice) {
    it(op, () => {
      checkAll(cases[op]!, 6, 2);
    });
  }
});

describe('what gradients are where there is none', () => {
  const gradient = (make: (b: GraphBuilder, x: Value) => Value, x: readonly number[]): number[] => {
    const b = new GraphBuilder('test');
    const v = b.input('x', [x.length]);
    const y = make(b, v);
    b.output('g', gradients(b, b.sum(y, [...y.shape.keys()]), [v])[0]!);
    return [...evaluate(b.finish(), { x: { data: Float64Array.from(x), shape: [x.length] } })['g']!.data];
  };

  it('ties share', () => {
    expect(gradient((b, x) => b.max(x, 1), [0, 1, 2])).toEqual([0, 0.5, 1]);
    expect(gradient((b, x) => b.min(x, 1), [0, 1, 2])).toEqual([1, 0.5, 0]);
    expect(gradient((b, x) => b.reduceMax(x, [0], true), [3, 1, 3])).toEqual([0.5, 0, 0.5]);
    expect(gradient((b, x) => compose.relu(b, x), [-1, 0, 1])).toEqual([0, 0, 1]);
    expect(gradient((b, x) => b.abs(x), [-1, 0, 1])).toEqual([-1, 0, 1]);
  });

  it('stop_gradient, sign and indices pass nothing on', () => {
    expect(gradient((b, x) => b.mul(x, b.stopGradient(x)), [2, 3])).toEqual([2, 3]);
    expect(gradient((b, x) => b.sign(x), [2])).toEqual([0]);
    expect(gradient((b, x) => b.oneHot(b.argmax(b.reshape(x, [1, 2])), 2), [2, 3])).toEqual([0, 0]);
  });

  it('zeros for what the loss does not depend on, ones for the loss itself', () => {
    const b = new GraphBuilder('test');
    const [x, y] = [b.input('x', [2]), b.input('y', [3])];
    const loss = b.sum(x, [0]);
    const [gy, gl] = gradients(b, loss, [y, loss]);
    b.output('y', gy!);
    b.output('loss', gl!);
    const feeds = { x: { data: Float64Array.of(1, 2), shape: [2] } };
    expect(evaluate(b.finish(), feeds)).toEqual({
      y: { data: new Float32Array(3), shape: [3] },
      loss: { data: Float32Array.of(1), shape: [] },
    });
  });

  it('with respect to values inside the graph', () => {
    expect(gradient((b, x) => b.mul(x, x), [3])).toEqual([6]);
    const b = new GraphBuilder('test');
    const x = b.scalar(3);
    const y = b.mul(x, x);
    b.output('dy', gradients(b, b.mul(y, y), [y])[0]!);
    expect(evaluate(b.finish(), {})['dy']!.data[0]).toBe(18);
  });

  it('refuses a loss that is no scalar, and integers', () => {
    const b = new GraphBuilder('test');
    const x = b.input('x', [2]);
    expect(() => gradients(b, x, [x])).toThrow('the loss must be an f32 scalar, got f32[2]');
    const i = b.input('i', [], 'i32');
    expect(() => gradients(b, b.sum(x, [0]), [i])).toThrow(GraphError);
  });

  it('is the same graph every time, and carries origins', () => {
    const make = (): GraphBuilder => {
      const b = new GraphBuilder('test');
      b.origin = { file: 'a.mmd', start: 1, end: 2 };
      const x = b.input('x', [2, 3]);
      const y = b.mul(b.exp(x), b.sin(x));
      b.origin = undefined;
      gradients(b, b.sum(b.add(y, x), [0, 1]), [x]);
      return b;
    };
    expect(make().finish()).toEqual(make().finish());
    const backward = make().nodes.filter((n) => n.op === 'cos');
    expect(backward.map((n) => n.origin?.file)).toEqual(['a.mmd']);
  });
});
