/**
 * Derivatives of reductions and of the primitives that move elements.
 *
 * @module
 */
import type { GraphBuilder, Value } from '../graph/builder.js';
import { sizeOf } from '../graph/ir.js';
import type { NodeOf, Op, Shape } from '../graph/ir.js';
import { kept, unbroadcast } from './rule.js';
import type { Rule } from './rule.js';

type Moving =
  | 'sum'
  | 'mean'
  | 'reduce_max'
  | 'reshape'
  | 'transpose'
  | 'broadcast'
  | 'slice'
  | 'pad'
  | 'concat'
  | 'cast'
  | 'stop_gradient';

/** A reduction's gradient with its axes back, as size 1. */
function unreduce(b: GraphBuilder, g: Value, x: Shape, axes: readonly number[]): Value {
  return b.reshape(g, kept(x, axes));
}

/**
 * The adjoint of a slice: puts the gradient back where its elements came from, zeros elsewhere. A negative step is
 * undone by reversing; a step s spreads the elements as the first column of [n, s].
 */
function unslice(b: GraphBuilder, g: Value, x: Shape, { start, step }: NodeOf<'slice'>['attrs']): Value {
  if (sizeOf(g.shape) === 0) return b.constant([0], x);
  const n = g.shape;
  const reversed = b.slice(
    g,
    n.map((d, k) => (step[k]! < 0 ? d - 1 : 0)),
    n.map((d, k) => (step[k]! < 0 ? -1 : d)),
    step.map((s) => Math.sign(s)),
  );
  const stride = step.map(Math.abs);
  const first = start.map((s, k) => (step[k]! < 0 ? s + (n[k]! - 1) * step[k]! : s));
  const spread = dilate(b, reversed, stride);
  return b.pad(
    spread,
    first,
    x.map((d, k) => d - first[k]! - spread.shape[k]!),
  );
}

/** Puts stride - 1 zeros between neighbours along each axis. */
function dilate(b: GraphBuilder, x: Value, stride: readonly number[]): Value {
  if (stride.every((s) => s === 1)) return x;
  const pairs = x.shape.flatMap((d) => [d, 1]);
  const wide = b.pad(
    b.reshape(x, pairs),
    pairs.map(() => 0),
    stride.flatMap((s) => [0, s - 1]),
  );
  const grid = b.reshape(
    wide,
    x.shape.map((d, k) => d * stride[k]!),
  );
  const stop = x.shape.map((d, k) => (d - 1) * stride[k]! + 1);
  return b.slice(
    grid,
    stop.map(() => 0),
    stop,
  );
}

export const moving: { readonly [K in Moving]: Rule<K> } = {
  sum: ({ b, g, node, inputs: [x] }) => [b.broadcast(unreduce(b, g, x!.shape, node.attrs.axes), x!.shape)],
  mean: ({ b, g, node, inputs: [x] }) => {
    const count = sizeOf(node.attrs.axes.map((a) => x!.shape[a]!));
    return [b.broadcast(unreduce(b, b.mul(g, 1 / count), x!.shape, node.attrs.axes), x!.shape)];
  },
  // Ties share the gradient equally.
  reduce_max: ({ b, g, node, inputs: [x] }) => {
    const { axes } = node.attrs;
    const largest = b.equal(x!, unreduce(b, node, x!.shape, axes));
    const share = b.div(unreduce(b, g, x!.shape, axes), b.sum(largest, axes, true));
    return [b.mul(largest, share)];
  },
  reshape: ({ b, g, inputs: [x] }) => [b.reshape(g, x!.shape)],
  transpose: ({ b, g, node }) => {
    const inverse = new Array<number>(node.attrs.perm.length);
    node.attrs.perm.forEach((p, k) => (inverse[p] = k));
    return [b.transpose(g, inverse)];
  },
  broadcast: ({ b, g, inputs: [x] }) => [unbroadcast(b, g, x!.shape)],
  slice: ({ b, g, node, inputs: [x] }) => [unslice(b, g, x!.shape, node.attrs)],
  pad: ({ b, g, node, inputs: [x] }) => {
    const { before } = node.attrs;
    return [
      b.slice(
        g,
        before,
        before.map((n, k) => n + x!.shape[k]!),
      ),
    ];
  },
  concat: ({ b, g, node, inputs, wants }) => {
    const { axis } = node.attrs;
    let at = 0;
    return inputs.map((x, k) => {
      const from = at;
      at += x.shape[axis]!;
      if (!wants(k)) return undefined;
      return b.slice(
        g,
        g.shape.map((_, a) => (a === axis ? from : 0)),
        g.shape.map((d, a) => (a === axis ? from + x.shape[axis]! : d)),
      );
    });
  },
  // Only f32 carries gradients, so that a cast that has one to pass is between equal dtypes.
  cast: ({ g, inputs: [x] }) => [x!.dtype === 'f32' ? g : undefined],
  stop_gradient: () => [undefined],
};

/** Primitives whose derivative is zero wherever it exists, and those that have no operands. */
export const constantAlmostEverywhere: { readonly [K in Flat]: Rule<K> } = {
  input: () => [],
  parameter: () => [],
  constant: () => [],
  sign: () => [undefined],
  less: () => [undefined, undefined],
  equal: () => [undefined, undefined],
  one_hot: () => [undefined],
  argmax: () => [undefined],
};

type Flat = Extract<
  Op,
  'input' | 'parameter' | 'constant' | 'sign' | 'less' | 'equal' | 'one_hot' | 'argmax'
>;
