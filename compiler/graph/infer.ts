/**
 * Shape and dtype of every primitive: what a node's type must be, given its attributes and its inputs' types.
 * The builder uses it to make nodes, the verifier to check them.
 *
 * @module
 */
import { GraphError, showType } from './errors.js';
import type { TensorType } from './errors.js';
import { sizeOf } from './ir.js';
import type { Conv2dAttrs, DType, Op, OpAttrs, Shape } from './ir.js';

export { GraphError, showType };
export type { TensorType };

/**
 * Broadcasts shapes as NumPy does: aligned at the last axis, size 1 stretches.
 *
 * @throws GraphError where two sizes differ and neither is 1.
 */
export function broadcastShapes(shapes: readonly Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const lead = rank - shape.length;
    for (let k = 0; k < shape.length; k++) {
      const d = shape[k]!;
      if (d === 1) continue;
      if (out[lead + k] !== 1 && out[lead + k] !== d) {
        throw new GraphError(
          `shapes ${shapes.map((s) => `[${s.join(', ')}]`).join(' and ')} do not broadcast`,
        );
      }
      out[lead + k] = d;
    }
  }
  return out;
}

/** Size of one axis of a slice: how many indices start, start + step, ... lie before (after, for step < 0) stop. */
export function sliceLength(start: number, stop: number, step: number): number {
  return Math.max(0, Math.ceil((stop - start) / step));
}

/** [H', W'] of a convolution over [H, W] with a kernel [kh, kw]. */
export function convSize(
  size: readonly [number, number],
  kernel: readonly [number, number],
  { stride, pad }: Conv2dAttrs,
): [number, number] {
  return [
    Math.floor((size[0] + pad[0] + pad[2] - kernel[0]) / stride[0]) + 1,
    Math.floor((size[1] + pad[1] + pad[3] - kernel[1]) / stride[1]) + 1,
  ];
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, k) => d === b[k]);
}

type Inputs = readonly TensorType[];
type Rule<Attrs> = (inputs: Inputs, attrs: Attrs, declared?: TensorType) => TensorType;

/** Raised inside rules; {@link infer} adds the operation and the operands. */
class Mismatch extends Error {}

function require(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Mismatch(message);
}

function arity(inputs: Inputs, n: number): void {
  require(inputs.length === n, `takes ${n} input${n === 1 ? '' : 's'}, got ${inputs.length}`);
}

function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

function isShape(shape: Shape): boolean {
  return shape.every(isCount) && Number.isSafeInteger(sizeOf(shape));
}

function f32(...types: Inputs): void {
  require(types.every((t) => t.dtype === 'f32'), 'takes f32 operands');
}

function equalTypes(inputs: Inputs): DType {
  const dtype = inputs[0]!.dtype;
  require(inputs.every((t) => t.dtype === dtype), 'takes operands of one dtype');
  return dtype;
}

const leaf: Rule<unknown> = (inputs, _attrs, declared) => {
  arity(inputs, 0);
  require(declared !== undefined && isShape(declared.shape), 'needs a shape of non-negative integers');
  return declared;
};

const constant: Rule<OpAttrs['constant']> = (inputs, { data }, declared) => {
  const type = leaf(inputs, undefined, declared);
  const size = sizeOf(type.shape);
  require(data.length === size ||
    data.length ===
      1, `holds ${data.length} numbers where ${showType(type)} needs ${size} (or one, repeated)`);
  if (type.dtype === 'i32') {
    for (const x of data) require((x | 0) === x, `holds ${x}, which is no 32-bit integer`);
  }
  return type;
};

const unary: Rule<unknown> = (inputs) => {
  arity(inputs, 1);
  f32(...inputs);
  return inputs[0]!;
};

const binary: Rule<unknown> = (inputs) => {
  arity(inputs, 2);
  const dtype = equalTypes(inputs);
  return { shape: broadcastShapes(inputs.map((t) => t.shape)), dtype };
};

const binaryF32: Rule<unknown> = (inputs) => {
  f32(...inputs);
  return binary(inputs, undefined);
};

const comparison: Rule<unknown> = (inputs) => ({ shape: binary(inputs, undefined).shape, dtype: 'f32' });

const select: Rule<unknown> = (inputs) => {
  arity(inputs, 3);
  f32(...inputs);
  return { shape: broadcastShapes(inputs.map((t) => t.shape)), dtype: 'f32' };
};

function reduction(mayBeEmpty: boolean): Rule<OpAttrs['sum']> {
  return (inputs, { axes, keep }) => {
    arity(inputs, 1);
    f32(...inputs);
    const { shape } = inputs[0]!;
    require(axes.every(
      (a, k) => isCount(a) && a < shape.length && (k === 0 || axes[k - 1]! < a),
    ), `axes [${axes.join(', ')}] must be increasing and below ${shape.length}`);
    require(mayBeEmpty || axes.every((a) => shape[a] !== 0), 'reduces an empty axis');
    const out = keep
      ? shape.map((d, k) => (axes.includes(k) ? 1 : d))
      : shape.filter((_, k) => !axes.includes(k));
    return { shape: out, dtype: 'f32' };
  };
}

const reshape: Rule<OpAttrs['reshape']> = (inputs, { shape }) => {
  arity(inputs, 1);
  require(isShape(shape), `target shape [${shape.join(', ')}] must hold non-negative integers`);
  require(sizeOf(shape) ===
    sizeOf(
      inputs[0]!.shape,
    ), `[${shape.join(', ')}] holds ${sizeOf(shape)} elements, the operand ${sizeOf(inputs[0]!.shape)}`);
  return { shape, dtype: inputs[0]!.dtype };
};

const transpose: Rule<OpAttrs['transpose']> = (inputs, { perm }) => {
  arity(inputs, 1);
  const { shape, dtype } = inputs[0]!;
  require(perm.length === shape.length &&
    shape.every((_, k) =>
      perm.includes(k),
    ), `perm [${perm.join(', ')}] is no permutation of ${shape.length} axes`);
  return { shape: perm.map((p) => shape[p]!), dtype };
};

const broadcast: Rule<OpAttrs['broadcast']> = (inputs, { shape }) => {
  arity(inputs, 1);
  require(isShape(shape), `target shape [${shape.join(', ')}] must hold non-negative integers`);
  require(sameShape(
    broadcastShapes([inputs[0]!.shape, shape]),
    shape,
  ), `does not broadcast to [${shape.join(', ')}]`);
  return { shape, dtype: inputs[0]!.dtype };
};

const slice: Rule<OpAttrs['slice']> = (inputs, { start, stop, step }) => {
  arity(inputs, 1);
  const { shape, dtype } = inputs[0]!;
  const rank = shape.length;
  require(start.length === rank && stop.length === rank && step.length === rank, `needs ${rank} bounds`);
  const out = shape.map((d, k) => {
    const [a, z, s] = [start[k]!, stop[k]!, step[k]!];
    require([a, z, s].every(Number.isSafeInteger) &&
      s !== 0, `axis ${k}: bounds must be integers, step not 0`);
    const inside = s > 0 ? a >= 0 && a <= d && z >= 0 && z <= d : a >= -1 && a < d && z >= -1 && z < d;
    require(inside, `axis ${k}: ${a} to ${z} by ${s} is outside the axis of size ${d}`);
    return sliceLength(a, z, s);
  });
  return { shape: out, dtype };
};

const pad: Rule<OpAttrs['pad']> = (inputs, { before, after }) => {
  arity(inputs, 1);
  const { shape, dtype } = inputs[0]!;
  require(before.length === shape.length &&
    after.length === shape.length, `needs ${shape.length} counts a side`);
  require(before.every(isCount) && after.every(isCount), 'counts must be non-negative integers');
  return { shape: shape.map((d, k) => before[k]! + d + after[k]!), dtype };
};

const concat: Rule<OpAttrs['concat']> = (inputs, { axis }) => {
  require(inputs.length > 0, 'takes at least one input');
  const dtype = equalTypes(inputs);
  const first = inputs[0]!.shape;
  require(isCount(axis) && axis < first.length, `axis ${axis} must be below ${first.length}`);
  const fits = (s: Shape): boolean =>
    s.length === first.length && s.every((d, k) => k === axis || d === first[k]);
  require(inputs.every((t) => fits(t.shape)), `shapes may differ in axis ${axis} only`);
  return {
    shape: first.map((d, k) => (k === axis ? inputs.reduce((n, t) => n + t.shape[k]!, 0) : d)),
    dtype,
  };
};

const matmul: Rule<OpAttrs['matmul']> = (inputs, { transposeA, transposeB }) => {
  arity(inputs, 2);
  f32(...inputs);
  const [a, b] = inputs.map((t) => t.shape) as [Shape, Shape];
  require(a.length >= 2 && b.length >= 2, 'takes matrices or stacks of matrices');
  const ends = (s: Shape, swap: boolean): [number, number] => {
    const [m, n] = [s[s.length - 2]!, s[s.length - 1]!];
    return swap ? [n, m] : [m, n];
  };
  const [m, k] = ends(a, transposeA);
  const [k2, n] = ends(b, transposeB);
  const flags = `${transposeA ? ', first transposed' : ''}${transposeB ? ', second transposed' : ''}`;
  require(k === k2, `inner sizes ${k} and ${k2} differ${flags}`);
  return { shape: [...broadcastShapes([a.slice(0, -2), b.slice(0, -2)]), m, n], dtype: 'f32' };
};

function convParts(x: TensorType, y: TensorType, { stride, pad: p }: Conv2dAttrs): void {
  f32(x, y);
  require(x.shape.length === 4 && y.shape.length === 4, 'takes operands of rank 4');
  require(stride.every(
    (s) => Number.isSafeInteger(s) && s > 0,
  ), `stride [${stride.join(', ')}] must be positive`);
  require(p.every(isCount), `pad [${p.join(', ')}] must not be negative`);
}

const conv2d: Rule<OpAttrs['conv2d']> = (inputs, attrs) => {
  arity(inputs, 2);
  convParts(inputs[0]!, inputs[1]!, attrs);
  const [b, c, h, w] = inputs[0]!.shape as [number, number, number, number];
  const [o, c2, kh, kw] = inputs[1]!.shape as [number, number, number, number];
  require(c === c2, `x has ${c} channels, w expects ${c2}`);
  require(kh > 0 && kw > 0, 'kernel must not be empty');
  const [oh, ow] = convSize([h, w], [kh, kw], attrs);
  require(oh > 0 && ow > 0, `kernel ${kh}x${kw} is larger than the padded image`);
  return { shape: [b, o, oh, ow], dtype: 'f32' };
};

const conv2dInput: Rule<OpAttrs['conv2d_input']> = (inputs, attrs) => {
  arity(inputs, 2);
  convParts(inputs[0]!, inputs[1]!, attrs);
  const [b, o, h, w] = inputs[0]!.shape as [number, number, number, number];
  const [o2, c, kh, kw] = inputs[1]!.shape as [number, number, number, number];
  require(o === o2, `dy has ${o} channels, w gives ${o2}`);
  const [oh, ow] = convSize(attrs.size, [kh, kw], attrs);
  require(oh === h && ow === w, `size [${attrs.size.join(', ')}] gives dy [${oh}, ${ow}], not [${h}, ${w}]`);
  return { shape: [b, c, ...attrs.size], dtype: 'f32' };
};

const conv2dFilter: Rule<OpAttrs['conv2d_filter']> = (inputs, attrs) => {
  arity(inputs, 2);
  convParts(inputs[0]!, inputs[1]!, attrs);
  const [b, c, h, w] = inputs[0]!.shape as [number, number, number, number];
  const [b2, o, oh, ow] = inputs[1]!.shape as [number, number, number, number];
  require(b === b2, `batch sizes ${b} and ${b2} differ`);
  const [h2, w2] = convSize([h, w], attrs.kernel, attrs);
  require(oh === h2 &&
    ow === w2, `kernel [${attrs.kernel.join(', ')}] gives dy [${h2}, ${w2}], not [${oh}, ${ow}]`);
  return { shape: [o, c, ...attrs.kernel], dtype: 'f32' };
};

const overLast: Rule<unknown> = (inputs) => {
  const type = unary(inputs, undefined);
  require(type.shape.length >= 1, 'needs a last axis');
  return type;
};

function statistic(attrs: { readonly eps: number }): void {
  require(Number.isFinite(attrs.eps) && attrs.eps >= 0, `eps ${attrs.eps} must be a non-negative number`);
}

const normalize: Rule<OpAttrs['normalize']> = (inputs, attrs) => {
  statistic(attrs);
  return overLast(inputs, undefined);
};

const rstd: Rule<OpAttrs['rstd']> = (inputs, attrs) => {
  statistic(attrs);
  const { shape } = overLast(inputs, undefined);
  require(shape[shape.length - 1] !== 0, 'reduces an empty axis');
  return { shape: [...shape.slice(0, -1), 1], dtype: 'f32' };
};

function isIndex(type: TensorType): void {
  require(type.dtype === 'i32', 'takes an i32 index');
}

const gather: Rule<unknown> = (inputs) => {
  arity(inputs, 2);
  const [table, index] = inputs as readonly [TensorType, TensorType];
  isIndex(index);
  require(table.shape.length >= 1, 'takes a table of rows');
  return { shape: [...index.shape, ...table.shape.slice(1)], dtype: table.dtype };
};

const scatterAdd: Rule<OpAttrs['scatter_add']> = (inputs, { rows }) => {
  arity(inputs, 2);
  const [updates, index] = inputs as readonly [TensorType, TensorType];
  f32(updates);
  isIndex(index);
  const lead = index.shape.length;
  require(updates.shape.length >= lead &&
    sameShape(updates.shape.slice(0, lead), index.shape), 'updates must begin with the shape of the index');
  require(isCount(rows), `rows ${rows} must be a count`);
  return { shape: [rows, ...updates.shape.slice(lead)], dtype: 'f32' };
};

const oneHot: Rule<OpAttrs['one_hot']> = (inputs, { depth }) => {
  arity(inputs, 1);
  isIndex(inputs[0]!);
  require(isCount(depth), `depth ${depth} must be a count`);
  return { shape: [...inputs[0]!.shape, depth], dtype: 'f32' };
};

const argmax: Rule<unknown> = (inputs) => {
  const { shape } = overLast(inputs, undefined);
  require(shape[shape.length - 1] !== 0, 'reduces an empty axis');
  return { shape: shape.slice(0, -1), dtype: 'i32' };
};

const rules: { readonly [K in Op]: Rule<OpAttrs[K]> } = {
  input: leaf,
  parameter: leaf,
  constant,
  neg: unary,
  exp: unary,
  log: unary,
  sqrt: unary,
  sin: unary,
  cos: unary,
  tanh: unary,
  sigmoid: unary,
  erf: unary,
  abs: unary,
  sign: unary,
  add: binary,
  sub: binary,
  mul: binary,
  div: binary,
  max: binary,
  min: binary,
  pow: binaryF32,
  less: comparison,
  equal: comparison,
  select,
  sum: reduction(true),
  mean: reduction(false),
  reduce_max: reduction(false),
  reshape,
  transpose,
  broadcast,
  slice,
  pad,
  concat,
  matmul,
  conv2d,
  conv2d_input: conv2dInput,
  conv2d_filter: conv2dFilter,
  softmax: overLast,
  log_softmax: overLast,
  normalize,
  rstd,
  gather,
  scatter_add: scatterAdd,
  one_hot: oneHot,
  argmax,
  cast: (inputs, { to }) => {
    arity(inputs, 1);
    return { shape: inputs[0]!.shape, dtype: to };
  },
  stop_gradient: (inputs) => {
    arity(inputs, 1);
    return inputs[0]!;
  },
};

/** Every primitive, in the order of {@link OpAttrs}. */
export const OPS = Object.keys(rules) as readonly Op[];

/**
 * The type of an operation's result.
 *
 * @param declared the type a leaf (input, parameter, constant) was declared with; other operations ignore it
 * @throws GraphError naming the operation and the operands' types when they do not fit.
 */
export function infer<K extends Op>(
  op: K,
  inputs: readonly TensorType[],
  attrs: OpAttrs[K],
  declared?: TensorType,
): TensorType {
  const rule: Rule<OpAttrs[K]> = rules[op];
  try {
    return rule(inputs, attrs, declared);
  } catch (e) {
    if (!(e instanceof Mismatch || e instanceof GraphError)) throw e;
    throw new GraphError(`${op}(${inputs.map(showType).join(', ')}): ${e.message}`);
  }
}
