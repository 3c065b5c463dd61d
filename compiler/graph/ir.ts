/**
 * The graph: A-normal form over a small set of typed primitives. Every value has a static shape and dtype; the
 * batch axis is an ordinary leading axis. `node.id` is its index in `graph.nodes`, and inputs come before their
 * users, so the array is the schedule. Everything the compiler derives (training step, sampling step, backward
 * pass) is such a graph, and every executor and target reads nothing else.
 *
 * @module
 */

/** `f32` holds reals (masks and comparisons included, as 0 and 1), `i32` indices. */
export type DType = 'f32' | 'i32';

export type Shape = readonly number[];

/** Where a node comes from: a source file and the range in it, with the path of named uses that led there. */
export interface Origin {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** Attributes of each primitive; the comment gives inputs -> output. B-broadcast: shapes are broadcast as in NumPy. */
export interface OpAttrs {
  // ---- leaves
  /** () -> a value fed on every run. Inputs and parameters share one name space. */
  input: { readonly name: string };
  /** () -> a trainable array. Training and sampling graphs read these from one packed vector instead. */
  parameter: { readonly name: string };
  /** () -> fixed data in C order; one element means every element has that value. */
  constant: { readonly data: readonly number[] | Float64Array };

  // ---- elementwise, one f32 input
  neg: None;
  exp: None;
  log: None;
  sqrt: None;
  sin: None;
  cos: None;
  tanh: None;
  sigmoid: None;
  erf: None;
  abs: None;
  /** -1, 0 or 1. */
  sign: None;

  // ---- elementwise, two inputs of equal dtype, B-broadcast; i32 wraps around
  add: None;
  sub: None;
  mul: None;
  /** i32: the quotient is truncated towards zero. */
  div: None;
  max: None;
  min: None;
  /** f32 only; the gradient with respect to the exponent needs a positive base. */
  pow: None;
  /** a < b as f32 0/1. */
  less: None;
  /** a == b as f32 0/1. */
  equal: None;
  /** (c, a, b) -> a where c != 0, else b; all f32, B-broadcast. */
  select: None;

  // ---- reductions of one f32 input over `axes` (sorted, non-negative); `keep` leaves them as size 1.
  // Only sum may reduce an axis of size 0.
  sum: { readonly axes: readonly number[]; readonly keep: boolean };
  mean: { readonly axes: readonly number[]; readonly keep: boolean };
  /** Largest element; the gradient is shared equally among ties. */
  reduce_max: { readonly axes: readonly number[]; readonly keep: boolean };

  // ---- shape
  reshape: { readonly shape: Shape };
  /** out axis k is input axis perm[k]. */
  transpose: { readonly perm: readonly number[] };
  /** Explicit NumPy broadcast to `shape`. */
  broadcast: { readonly shape: Shape };
  /** Python-like start/stop/step per axis, already normalised into the axis: step may be negative, then stop may be -1. */
  slice: {
    readonly start: readonly number[];
    readonly stop: readonly number[];
    readonly step: readonly number[];
  };
  /** Zero padding, counts per axis, never negative. */
  pad: { readonly before: readonly number[]; readonly after: readonly number[] };
  /** One or more inputs. */
  concat: { readonly axis: number };

  // ---- contractions
  /** [..., M, K] x [..., K, N] -> [..., M, N]; leading axes B-broadcast; flags swap the last two axes of a side. */
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean };
  /** x [B, C, H, W], w [O, C, kh, kw] -> [B, O, H', W'], cross-correlation with zero padding. */
  conv2d: Conv2dAttrs;
  /** (dy [B, O, H', W'], w [O, C, kh, kw]) -> [B, C, H, W]: the adjoint of conv2d in x. `size` is [H, W]. */
  conv2d_input: Conv2dAttrs & { readonly size: readonly [number, number] };
  /** (x [B, C, H, W], dy [B, O, H', W']) -> [O, C, kh, kw]: the adjoint of conv2d in w. `kernel` is [kh, kw]. */
  conv2d_filter: Conv2dAttrs & { readonly kernel: readonly [number, number] };

  // ---- over the last axis, f32
  softmax: None;
  log_softmax: None;
  /** (x - mean) / sqrt(var + eps) with the biased variance: layer normalisation without its affine part. */
  normalize: { readonly eps: number };
  /** 1 / sqrt(var + eps), last axis kept as size 1. */
  rstd: { readonly eps: number };

  // ---- indices
  /** (table [N, ...S], index i32 [...I]) -> [...I, ...S]. Indices must be in range. */
  gather: None;
  /** (updates [...I, ...S], index i32 [...I]) -> [N, ...S]: sums rows; the adjoint of gather. `rows` is N. */
  scatter_add: { readonly rows: number };
  /** i32 [...I] -> f32 [...I, depth]; an index outside 0..depth-1 gives a row of zeros. */
  one_hot: { readonly depth: number };
  /** Over the last axis, first of ties: f32 [...S, N] -> i32 [...S]. */
  argmax: None;

  // ---- the rest
  /** f32 to i32 truncates towards zero. */
  cast: { readonly to: DType };
  /** Identity whose gradient is zero. */
  stop_gradient: None;
}

type None = Readonly<Record<never, never>>;

export interface Conv2dAttrs {
  readonly stride: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pad: readonly [number, number, number, number];
}

export type Op = keyof OpAttrs;

export interface NodeOf<K extends Op> {
  readonly id: number;
  readonly op: K;
  readonly inputs: readonly number[];
  readonly attrs: OpAttrs[K];
  readonly shape: Shape;
  readonly dtype: DType;
  readonly origin?: Origin;
}

export type Node = { [K in Op]: NodeOf<K> }[Op];

export interface Output {
  readonly name: string;
  readonly node: number;
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly outputs: readonly Output[];
}

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  let n = 1;
  for (const d of shape) n *= d;
  return n;
}
