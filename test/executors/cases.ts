/**
 * One generator per primitive: a small random graph around it, and inputs in the primitive's domain.
 *
 * @module
 */
import fc from 'fast-check';
import { GraphBuilder } from '../../compiler/graph/builder.js';
import type { Value } from '../../compiler/graph/builder.js';
import type { Graph, Op, Shape } from '../../compiler/graph/ir.js';
import { sizeOf } from '../../compiler/graph/ir.js';
import type { Tensor } from '../../runtime/executors/executor.js';

export interface Problem {
  readonly graph: Graph;
  readonly feeds: Record<string, Tensor>;
}

/** Draws and feeds. */
export class Draw {
  readonly b = new GraphBuilder('case');
  readonly feeds: Record<string, Tensor> = {};
  private count = 0;

  constructor(private readonly g: fc.GeneratorValue) {}

  int(min: number, max: number): number {
    return this.g(fc.integer, { min, max });
  }

  bool(): boolean {
    return this.g(fc.boolean);
  }

  shape(minRank: number, maxRank: number, maxSize = 6): number[] {
    return this.g(() =>
      fc.array(fc.integer({ min: 1, max: maxSize }), { minLength: minRank, maxLength: maxRank }),
    );
  }

  /** Values in [low, high), from a seed: shrinking them one by one would tell nothing. */
  f32(shape: Shape, low = -2, high = 2): Value {
    const seed = this.int(0, 0x7fffffff);
    let state = seed ^ 0x5bd1e995;
    const next = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return low + ((state >>> 8) / 2 ** 24) * (high - low);
    };
    return this.feed(Float32Array.from({ length: sizeOf(shape) }, next), shape);
  }

  /** Small integers as f32, so that equality and ties occur. */
  steps(shape: Shape): Value {
    return this.feed(
      Float32Array.from({ length: sizeOf(shape) }, () => this.int(-2, 2)),
      shape,
    );
  }

  i32(shape: Shape, min: number, max: number): Value {
    return this.feed(
      Int32Array.from({ length: sizeOf(shape) }, () => this.int(min, max)),
      shape,
    );
  }

  /** Two or more shapes that broadcast together. */
  broadcastable(count: number): number[][] {
    const full = this.shape(0, 4, 5);
    return Array.from({ length: count }, () => {
      const own = full.map((d) => (this.bool() && this.bool() ? 1 : d));
      return own.slice(this.int(0, Math.min(1, own.length)));
    });
  }

  axes(rank: number): number[] {
    const all = Array.from({ length: rank }, (_, k) => k);
    return this.g(fc.subarray, all, { minLength: Math.min(1, rank) });
  }

  perm(rank: number): number[] {
    const all = Array.from({ length: rank }, (_, k) => k);
    return this.g(() => fc.shuffledSubarray(all, { minLength: rank, maxLength: rank }));
  }

  private feed(data: Float32Array | Int32Array, shape: Shape): Value {
    const name = `x${this.count++}`;
    this.feeds[name] = { data, shape };
    return this.b.input(name, shape, data instanceof Int32Array ? 'i32' : 'f32');
  }
}

type Unary = 'neg' | 'exp' | 'log' | 'sqrt' | 'sin' | 'cos' | 'tanh' | 'sigmoid' | 'erf' | 'abs' | 'sign';
type Binary = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'pow';

const unary =
  (op: Unary, low = -4, high = 4) =>
  (d: Draw): Value =>
    d.b[op](d.f32(d.shape(0, 4), low, high));

const binary =
  (op: Binary, low = -2, high = 2) =>
  (d: Draw): Value => {
    const [sa, sb] = d.broadcastable(2) as [number[], number[]];
    return d.b[op](d.f32(sa, low, high), d.f32(sb, low, high));
  };

const integers =
  (op: 'add' | 'sub' | 'mul' | 'max' | 'min', otherwise: (d: Draw) => Value) =>
  (d: Draw): Value => {
    if (d.int(0, 3) > 0) return otherwise(d);
    const [sa, sb] = d.broadcastable(2) as [number[], number[]];
    return d.b[op](d.i32(sa, -9, 9), d.i32(sb, -9, 9));
  };

const compare =
  (op: 'less' | 'equal') =>
  (d: Draw): Value => {
    const [sa, sb] = d.broadcastable(2) as [number[], number[]];
    return d.bool() ? d.b[op](d.steps(sa), d.steps(sb)) : d.b[op](d.i32(sa, -1, 1), d.i32(sb, -1, 1));
  };

const reduce =
  (op: 'sum' | 'mean' | 'reduceMax') =>
  (d: Draw): Value => {
    const shape = d.shape(1, 5);
    return d.b[op](d.f32(shape), d.axes(shape.length), d.bool());
  };

interface Convolution {
  readonly x: number[];
  readonly w: number[];
  readonly dy: number[];
  readonly options: { stride: [number, number]; pad: [number, number, number, number] };
}

function convolution(d: Draw): Convolution {
  const [kh, kw] = [d.int(1, 4), d.int(1, 4)];
  const stride: [number, number] = d.bool() ? [1, 1] : [d.int(1, 3), d.int(1, 3)];
  // Padding may exceed the kernel: then the adjoint is no plain convolution.
  const pad: [number, number, number, number] = [d.int(0, 3), d.int(0, 3), d.int(0, 3), d.int(0, 3)];
  const [h, w] = [d.int(kh, 8), d.int(kw, 8)];
  const [batch, inC, outC] = [d.int(1, 3), d.int(1, 4), d.int(1, 4)];
  const out = [
    Math.floor((h + pad[0] + pad[2] - kh) / stride[0]) + 1,
    Math.floor((w + pad[1] + pad[3] - kw) / stride[1]) + 1,
  ];
  return {
    x: [batch, inC, h, w],
    w: [outC, inC, kh, kw],
    dy: [batch, outC, ...out],
    options: { stride, pad },
  };
}

export const cases: { readonly [K in Op]: (d: Draw) => Value } = {
  input: (d) => d.f32(d.shape(0, 4)),
  parameter: (d) => {
    const value = d.b.parameter('weight', [2, 3]);
    d.feeds['weight'] = { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] };
    return value;
  },
  constant: (d) => {
    const shape = d.shape(0, 4);
    const one = d.bool();
    const data = Array.from({ length: one ? 1 : sizeOf(shape) }, () => d.int(-5, 5));
    const large = d.bool() && one ? [20, 30] : shape;
    return d.b.constant(data, large, d.bool() ? 'i32' : 'f32');
  },
  neg: unary('neg'),
  exp: unary('exp'),
  log: unary('log', 0.01, 9),
  sqrt: unary('sqrt', 0, 9),
  sin: unary('sin', -30, 30),
  cos: unary('cos', -30, 30),
  tanh: unary('tanh'),
  sigmoid: unary('sigmoid', -30, 30),
  erf: unary('erf'),
  abs: unary('abs'),
  sign: (d) => d.b.sign(d.steps(d.shape(0, 3))),
  add: integers('add', binary('add')),
  sub: integers('sub', binary('sub')),
  mul: integers('mul', binary('mul')),
  div: binary('div', 0.5, 3),
  max: integers('max', binary('max')),
  min: integers('min', binary('min')),
  pow: binary('pow', 0.3, 3),
  less: compare('less'),
  equal: compare('equal'),
  select: (d) => {
    const [sc, sa, sb, sd] = d.broadcastable(4) as [number[], number[], number[], number[]];
    const [a, b] = [d.f32(sa), d.f32(sb)];
    const kind = d.int(0, 2);
    if (kind === 0) return d.b.select(d.steps(sc), a, b);
    const c = kind === 1 ? d.b.less(d.steps(sc), d.steps(sd)) : d.b.equal(d.steps(sc), d.steps(sd));
    return d.b.select(c, a, b);
  },
  sum: reduce('sum'),
  mean: reduce('mean'),
  reduce_max: reduce('reduceMax'),
  reshape: (d) => {
    const shape = d.shape(0, 4);
    return d.b.reshape(d.bool() ? d.f32(shape) : d.i32(shape, -9, 9), [1, -1, 1]);
  },
  transpose: (d) => {
    const shape = d.shape(0, 5);
    return d.b.transpose(d.f32(shape), d.perm(shape.length));
  },
  broadcast: (d) => {
    const to = d.shape(0, 5, 4).map((n) => (d.int(0, 5) === 0 ? 12 : n));
    const from = to.map((n) => (d.bool() ? 1 : n)).slice(d.int(0, to.length));
    return d.b.broadcast(d.int(0, 4) === 0 ? d.i32(from, -9, 9) : d.f32(from), to);
  },
  slice: (d) => {
    const shape = d.shape(1, 4, 7);
    const [start, stop, step]: [number[], number[], number[]] = [[], [], []];
    for (const n of shape) {
      const by = d.int(1, 3) * (d.bool() ? 1 : -1);
      const [low, high] = [d.int(0, n - 1), d.int(0, n - 1)].sort((a, b) => a - b) as [number, number];
      step.push(by);
      start.push(by > 0 ? low : high);
      stop.push(by > 0 ? high + 1 : low - 1);
    }
    return d.b.slice(d.bool() ? d.f32(shape) : d.i32(shape, -9, 9), start, stop, step);
  },
  pad: (d) => {
    const shape = d.shape(1, 4, 4);
    return d.b.pad(
      d.f32(shape),
      shape.map(() => d.int(0, 3)),
      shape.map(() => d.int(0, 3)),
    );
  },
  concat: (d) => {
    const shape = d.shape(1, 4, 4);
    const axis = d.int(0, shape.length - 1);
    const parts = Array.from({ length: d.int(1, 4) }, () =>
      d.f32(shape.map((n, k) => (k === axis ? d.int(1, 4) : n))),
    );
    return d.b.concat(parts, axis);
  },
  matmul: (d) => {
    const [m, k, n] = [d.int(1, 7), d.int(1, 7), d.int(1, 7)];
    const [leadA, leadB] = d.broadcastable(2) as [number[], number[]];
    const flags = { transposeA: d.bool(), transposeB: d.bool() };
    const [a, b] = [flags.transposeA ? [k, m] : [m, k], flags.transposeB ? [n, k] : [k, n]];
    return d.b.matmul(d.f32([...leadA, ...a]), d.f32([...leadB, ...b]), flags);
  },
  conv2d: (d) => {
    const c = convolution(d);
    return d.b.conv2d(d.f32(c.x), d.f32(c.w), c.options);
  },
  conv2d_input: (d) => {
    const c = convolution(d);
    const size = c.x.slice(2) as [number, number];
    return d.b.conv2dInput(d.f32(c.dy), d.f32(c.w), { ...c.options, size });
  },
  conv2d_filter: (d) => {
    const c = convolution(d);
    const kernel = c.w.slice(2) as [number, number];
    return d.b.conv2dFilter(d.f32(c.x), d.f32(c.dy), { ...c.options, kernel });
  },
  softmax: (d) => d.b.softmax(d.f32(d.shape(1, 4, 9), -20, 20)),
  log_softmax: (d) => d.b.logSoftmax(d.f32(d.shape(1, 4, 9), -20, 20)),
  normalize: (d) => d.b.normalize(d.f32([...d.shape(0, 3), d.int(2, 40)], -2, 3), 1e-5),
  rstd: (d) => d.b.rstd(d.f32([...d.shape(0, 3), d.int(2, 40)], -2, 3), 1e-5),
  gather: (d) => {
    const rows = d.int(1, 9);
    return d.b.gather(d.f32([rows, ...d.shape(0, 3, 4)]), d.i32(d.shape(0, 3, 4), 0, rows - 1));
  },
  scatter_add: (d) => {
    // Both sides of the size at which the lowering changes.
    const rows = d.bool() ? d.int(1, 9) : d.int(257, 300);
    const index = d.shape(0, 3, 5);
    return d.b.scatterAdd(
      d.f32([...index, ...d.shape(0, 2, 4)]),
      d.i32(index, 0, Math.min(rows, 4) - 1),
      rows,
    );
  },
  one_hot: (d) => d.b.oneHot(d.i32(d.shape(0, 3, 5), -2, 7), d.int(1, 6)),
  argmax: (d) => d.b.argmax(d.steps(d.shape(1, 4, 9))),
  cast: (d) => {
    if (d.bool()) return d.b.cast(d.i32(d.shape(0, 3), -9, 9), 'f32');
    return d.b.cast(d.f32(d.shape(0, 3), -9, 9), 'i32');
  },
  stop_gradient: (d) => d.b.stopGradient(d.f32(d.shape(0, 3))),
};

/** A random graph around one primitive. */
export function problem(op: Op, g: fc.GeneratorValue): Problem {
  const d = new Draw(g);
  d.b.output('y', cases[op](d));
  return { graph: d.b.finish(), feeds: d.feeds };
}
