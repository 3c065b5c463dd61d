/**
 * Local algebra: operations that do nothing, pairs that undo each other, broadcasts that the next operation does itself.
 * Rules hold for
 * infinities and NaN too, up to rounding and the sign of zero.
 *
 * @module
 */
import type { GraphBuilder, Value } from '../graph/builder.js';
import { broadcastShapes, sameShape } from '../graph/infer.js';
import { sizeOf } from '../graph/ir.js';
import type { Graph, Node, Op } from '../graph/ir.js';
import { compose, isReshape, swapLast } from '../graph/permutation.js';
import { rewrite } from './pass.js';
import { uniformValue } from '../graph/patterns.js';
import type { Pass } from './pass.js';

type Rule = (b: GraphBuilder, node: Node, inputs: readonly Value[]) => Value | undefined;

/** `x` in place of a node, where that has the node's type. */
function instead(node: Node, x: Value | undefined): Value | undefined {
  return x !== undefined && x.dtype === node.dtype && sameShape(x.shape, node.shape) ? x : undefined;
}

function operand(b: GraphBuilder, v: Value, k = 0): Value {
  return b.nodes[v.inputs[k]!]!;
}

/** The operand of `v` where `v` is such an operation. */
function under(b: GraphBuilder, v: Value, op: Op): Value | undefined {
  return v.op === op ? operand(b, v) : undefined;
}

/** The range of one axis that a zero-padded value fills, where the others are not padded. */
function filled(v: Value): { axis: number; from: number; to: number } | undefined {
  if (v.op !== 'pad') return undefined;
  const { before, after } = v.attrs;
  const axes = [...v.shape.keys()].filter((k) => before[k] !== 0 || after[k] !== 0);
  const [axis] = axes;
  if (axis === undefined || axes.length > 1) return undefined;
  return { axis, from: before[axis]!, to: v.shape[axis]! - after[axis]! };
}

/** Two padded values side by side: what the gradients of neighbouring slices, such as queries and keys, add up to. */
function sideBySide(b: GraphBuilder, x: Value, y: Value): Value | undefined {
  const [p, q] = [filled(x), filled(y)];
  if (p === undefined || q === undefined || p.axis !== q.axis || !sameShape(x.shape, y.shape))
    return undefined;
  if (q.to === p.from) return sideBySide(b, y, x);
  if (p.to !== q.from) return undefined;
  const joined = b.concat([operand(b, x), operand(b, y)], p.axis);
  const around = (n: number): number[] => x.shape.map((_, k) => (k === p.axis ? n : 0));
  return b.pad(joined, around(p.from), around(x.shape[p.axis]! - q.to));
}

const add: Rule = (b, node, inputs) => {
  const [x, y] = inputs as readonly [Value, Value];
  const joined = sideBySide(b, x, y);
  if (joined !== undefined) return joined;
  if (uniformValue(y) === 0) return instead(node, x);
  if (uniformValue(x) === 0) return instead(node, y);
  const [negX, negY] = [under(b, x, 'neg'), under(b, y, 'neg')];
  if (negY !== undefined) return b.sub(x, negY);
  return negX === undefined ? undefined : b.sub(y, negX);
};

const sub: Rule = (b, node, inputs) => {
  const [x, y] = inputs as readonly [Value, Value];
  if (uniformValue(y) === 0) return instead(node, x);
  if (uniformValue(x) === 0 && node.dtype === 'f32' && sameShape(y.shape, node.shape)) return b.neg(y);
  const negY = under(b, y, 'neg');
  return negY === undefined ? undefined : b.add(x, negY);
};

const mul: Rule = (b, node, [x, y]) => {
  for (const [v, w] of [
    [x!, y!],
    [y!, x!],
  ] as const) {
    const c = uniformValue(w);
    if (c === 1) return instead(node, v);
    if (c === -1 && node.dtype === 'f32') return instead(node, v) && b.neg(v);
    // (u * c1) * c2
    if (c === undefined || v.op !== 'mul' || node.dtype !== 'f32') continue;
    const [p, q] = [operand(b, v, 0), operand(b, v, 1)];
    const [cp, cq] = [uniformValue(p), uniformValue(q)];
    if (cq !== undefined && sameShape(p.shape, node.shape)) return b.mul(p, c * cq);
    if (cp !== undefined && sameShape(q.shape, node.shape)) return b.mul(q, c * cp);
  }
  return undefined;
};

const div: Rule = (_b, node, [x, y]) => (uniformValue(y!) === 1 ? instead(node, x) : undefined);

const pow: Rule = (b, node, [x, y]) => {
  if (!sameShape(x!.shape, node.shape)) return undefined;
  switch (uniformValue(y!)) {
    case 1:
      return x;
    case 2:
      return b.mul(x!, x!);
    case -1:
      return b.div(1, x!);
    default:
      return undefined;
  }
};

const neg: Rule = (b, _node, [x]) => {
  if (x!.op === 'sub') return b.sub(operand(b, x!, 1), operand(b, x!, 0));
  return under(b, x!, 'neg');
};

const select: Rule = (_b, node, [c, x, y]) => {
  const condition = uniformValue(c!);
  return condition === undefined ? undefined : instead(node, condition !== 0 ? x : y);
};

/** A reduction over axes of size 1. */
const reduction: Rule = (b, node, [x]) =>
  sizeOf(node.shape) === sizeOf(x!.shape) && sizeOf(x!.shape) > 0 ? b.reshape(x!, node.shape) : undefined;

const reshape: Rule = (b, node, [x]) => {
  const inner = under(b, x!, 'reshape');
  return inner === undefined ? undefined : b.reshape(inner, node.shape);
};

const transpose: Rule = (b, node, [x]) => {
  if (node.op !== 'transpose') return undefined;
  if (isReshape(x!.shape, node.attrs.perm)) return b.reshape(x!, node.shape);
  return x!.op === 'transpose'
    ? b.transpose(operand(b, x!), compose(node.attrs.perm, x!.attrs.perm))
    : undefined;
};

const concat: Rule = (b, node, inputs) => {
  if (node.op !== 'concat') return undefined;
  const { axis } = node.attrs;
  const nested = inputs.some((v) => v.op === 'concat' && v.attrs.axis === axis);
  if (!nested) return undefined;
  const parts = inputs.flatMap((v) =>
    v.op === 'concat' && v.attrs.axis === axis ? v.inputs.map((_, k) => operand(b, v, k)) : [v],
  );
  return b.concat(parts, axis);
};

const broadcast: Rule = (b, node, [x]) => {
  const inner = under(b, x!, 'broadcast');
  return inner === undefined ? undefined : b.broadcast(inner, node.shape);
};

const stopGradient: Rule = (_b, _node, [x]) =>
  x!.op === 'stop_gradient' || x!.op === 'constant' ? x : undefined;

/** A transposition of the last two axes becomes a flag of the product. */
const matmul: Rule = (b, node, inputs) => {
  if (node.op !== 'matmul') return undefined;
  const [x, y] = inputs.map((v) => {
    const swapped = v.op === 'transpose' && sameShape(v.attrs.perm, swapLast(v.shape.length));
    return swapped ? operand(b, v) : undefined;
  });
  if (x === undefined && y === undefined) return undefined;
  return b.matmul(x ?? inputs[0]!, y ?? inputs[1]!, {
    transposeA: node.attrs.transposeA !== (x !== undefined),
    transposeB: node.attrs.transposeB !== (y !== undefined),
  });
};

const rules: { readonly [K in Op]?: Rule } = {
  add,
  sub,
  mul,
  div,
  pow,
  neg,
  select,
  sum: reduction,
  mean: reduction,
  reduce_max: reduction,
  reshape,
  transpose,
  broadcast,
  concat,
  stop_gradient: stopGradient,
  matmul,
};

const broadcasting: ReadonlySet<Op> = new Set<Op>([
  ...(['add', 'sub', 'mul', 'div', 'max', 'min', 'pow', 'less', 'equal', 'select'] as const),
]);

/** Elementwise operations broadcast by themselves. */
function unbroadcast(b: GraphBuilder, node: Node, inputs: readonly Value[]): Value | undefined {
  if (!broadcasting.has(node.op)) return undefined;
  let operands = inputs;
  for (const k of inputs.keys()) {
    const smaller = under(b, operands[k]!, 'broadcast');
    if (smaller === undefined) continue;
    const tried = operands.map((v, j) => (j === k ? smaller : v));
    if (sameShape(broadcastShapes(tried.map((v) => v.shape)), node.shape)) operands = tried;
  }
  return operands === inputs ? undefined : b.like(node, operands);
}

/** Rules feed one another in both directions; more rounds than this have never been needed. */
const mostRounds = 8;

function simplifyOnce(graph: Graph): { graph: Graph; changed: boolean } {
  let changed = false;
  const result = rewrite(graph, (b, node, inputs) => {
    const value = rules[node.op]?.(b, node, inputs) ?? unbroadcast(b, node, inputs);
    changed ||= value !== undefined;
    return value;
  });
  return { graph: result, changed };
}

export const simplify: Pass = {
  name: 'simplify',
  about: 'removes operations that do nothing or undo each other',
  run(graph) {
    let state = { graph, changed: true };
    for (let round = 0; round < mostRounds && state.changed; round++) state = simplifyOnce(state.graph);
    return state.graph;
  },
};
