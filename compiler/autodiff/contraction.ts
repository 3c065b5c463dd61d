/**
 * Derivatives of matrix products, convolutions, the primitives over the last axis, and gathering.
 *
 * @module
 */
import type { GraphBuilder, Value } from '../graph/builder.js';
import { sizeOf } from '../graph/ir.js';
import type { NodeOf } from '../graph/ir.js';
import { perChannel } from './groups.js';
import { unbroadcast } from './rule.js';
import type { Rule } from './rule.js';

type Contracting =
  | 'matmul'
  | 'conv2d'
  | 'conv2d_input'
  | 'conv2d_filter'
  | 'softmax'
  | 'log_softmax'
  | 'normalize'
  | 'rstd'
  | 'gather'
  | 'scatter_add';

type Flags = NodeOf<'matmul'>['attrs'];

/** With C = A' B' (primes for the flags): dA' = g B'^T, transposed again where A was. */
function gradientOfA(b: GraphBuilder, g: Value, y: Value, { transposeA, transposeB }: Flags): Value {
  return transposeA
    ? b.matmul(y, g, { transposeA: transposeB, transposeB: true })
    : b.matmul(g, y, { transposeB: !transposeB });
}

/** dB' = A'^T g, transposed again where B was. */
function gradientOfB(b: GraphBuilder, g: Value, x: Value, { transposeA, transposeB }: Flags): Value {
  return transposeB
    ? b.matmul(g, x, { transposeA: true, transposeB: transposeA })
    : b.matmul(x, g, { transposeA: !transposeA });
}

/** A stack of matrices as one tall matrix [-1, N]. */
function tall(b: GraphBuilder, x: Value): Value {
  const last = x.shape[x.shape.length - 1]!;
  return b.reshape(x, [sizeOf(x.shape.slice(0, -1)), last]);
}

const matmul: Rule<'matmul'> = ({ b, g, node, inputs, wants }) => {
  const [x, y] = inputs as readonly [Value, Value];
  const da = wants(0) ? unbroadcast(b, gradientOfA(b, g, y, node.attrs), x.shape) : undefined;
  if (!wants(1)) return [da, undefined];
  // One matrix applied to a stack (a linear layer): the sum over the stack is part of one product, not done afterwards.
  const shared = y.shape.length === 2 && x.shape.length > 2 && !node.attrs.transposeA;
  const [left, gradient] = shared ? [tall(b, x), tall(b, g)] : [x, g];
  return [da, unbroadcast(b, gradientOfB(b, gradient, left, node.attrs), y.shape)];
};

const sumLast = (b: GraphBuilder, x: Value): Value => b.sum(x, [-1], true);
const meanLast = (b: GraphBuilder, x: Value): Value => b.mean(x, [-1], true);

function spatial(x: Value): [number, number] {
  return [x.shape[2]!, x.shape[3]!];
}

export const contracting: { readonly [K in Contracting]: Rule<K> } = {
  matmul,

  // The three convolutions are one trilinear form in (x, w, dy); each is its derivative in one of them.
  conv2d: ({ b, g, node: { attrs }, inputs: [x, w], wants }) => [
    wants(0) ? b.conv2dInput(g, w!, { ...attrs, size: spatial(x!) }) : undefined,
    wants(1) ? b.conv2dFilter(x!, g, { ...attrs, kernel: spatial(w!) }) : undefined,
  ],
  conv2d_input: ({ b, g, node: { attrs }, inputs: [dy, w], wants }) => [
    wants(0) ? b.conv2d(g, w!, attrs) : undefined,
    wants(1) ? b.conv2dFilter(g, dy!, { ...attrs, kernel: spatial(w!) }) : undefined,
  ],
  conv2d_filter: ({ b, g, node: { attrs }, inputs: [x, dy], wants }) => [
    wants(0) ? b.conv2dInput(dy!, g, { ...attrs, size: spatial(x!) }) : undefined,
    wants(1) ? b.conv2d(x!, g, attrs) : undefined,
  ],

  softmax: ({ b, g, node }) => [b.mul(node, b.sub(g, sumLast(b, b.mul(g, node))))],
  log_softmax: ({ b, g, node }) => [b.sub(g, b.mul(b.exp(node), sumLast(b, g)))],
  // y = (x - mean) r gives dx = r (g - mean(g) - y mean(g y)).
  normalize: (p) => {
    const grouped = perChannel(p);
    if (grouped !== undefined) return [grouped];
    const { b, g, node, inputs } = p;
    const [x] = inputs;
    const centred = b.sub(b.sub(g, meanLast(b, g)), b.mul(node, meanLast(b, b.mul(g, node))));
    return [b.mul(centred, b.rstd(x!, node.attrs.eps))];
  },
  // dr/dx = -r^3 (x - mean) / n = -r^2 y / n.
  rstd: ({ b, g, node, inputs: [x] }) => {
    const n = x!.shape[x!.shape.length - 1]!;
    const scale = b.mul(b.mul(g, b.mul(node, node)), -1 / n);
    return [b.mul(scale, b.normalize(x!, node.attrs.eps))];
  },

  gather: ({ b, g, inputs: [table, index] }) => [b.scatterAdd(g, index!, table!.shape[0]!), undefined],
  scatter_add: ({ b, g, inputs: [, index] }) => [b.gather(g, index!), undefined],
};
