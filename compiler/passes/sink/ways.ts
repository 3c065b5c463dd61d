/**
 * How each operation can work on operands whose transposition is still pending.
 *
 * @module
 */
import { sizeOf } from '../../graph/ir.js';
import type { NodeOf } from '../../graph/ir.js';
import { isReshape } from '../../graph/permutation.js';
import { baseShape, isPending, lifted, shapeOf } from './layout.js';
import type { View } from './layout.js';
import { matmulWays } from './matmul.js';
import { reshapeBase } from './reshape.js';
import type { Context, Way } from './way.js';

/** Ways besides the one that has all operands in order. */
export function ways(context: Context): readonly Way[] {
  const { node } = context;
  switch (node.op) {
    case 'neg':
    case 'exp':
    case 'log':
    case 'sqrt':
    case 'sin':
    case 'cos':
    case 'tanh':
    case 'sigmoid':
    case 'erf':
    case 'abs':
    case 'sign':
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'max':
    case 'min':
    case 'pow':
    case 'less':
    case 'equal':
    case 'select':
    case 'cast':
    case 'stop_gradient':
      return aligned(context, (operands) => context.b.like(node, operands));
    case 'concat':
      return aligned(context, (operands, layout) => context.b.concat(operands, layout[node.attrs.axis]!));
    case 'sum':
    case 'mean':
    case 'reduce_max':
      return [reduced(context, node)];
    case 'softmax':
    case 'log_softmax':
    case 'normalize':
    case 'rstd':
      return overLast(context);
    case 'slice':
      return [sliced(context, node)];
    case 'pad':
      return [padded(context, node)];
    case 'broadcast':
      return [stretched(context, node)];
    case 'reshape':
      return reshaped(context, node);
    case 'matmul':
      return matmulWays(context, node.attrs);
    default:
      return [];
  }
}

function result(base: View['base'], perm: readonly number[]): View {
  return { base, perm };
}

/** Elementwise operations and concatenation: all operands in one layout, that of any of them. */
function aligned(
  context: Context,
  build: (operands: View['base'][], layout: readonly number[]) => View['base'],
): Way[] {
  const { b, layouts, node } = context;
  const rank = node.shape.length;
  const operands = context.inputs.map((view) => (view.perm.length === rank ? view : undefined));
  const candidates = new Map<string, readonly number[]>();
  for (const view of operands) {
    if (view !== undefined && isPending(view)) candidates.set(view.perm.join(), view.perm);
  }
  const full = (view: View): View => (view.perm.length === rank ? view : lifted(b, view, rank));
  return [...candidates.values()].map((layout) => ({
    cost: context.inputs.reduce((sum, view) => sum + layouts.cost(full(view), layout), 0),
    pending: !isReshape(baseShape(node.shape, layout), layout),
    build: () =>
      result(
        build(
          context.inputs.map((view) => layouts.make(full(view), layout)),
          layout,
        ),
        layout,
      ),
  }));
}

/** One operand whose base is worked on as it is. */
function onBase(perm: readonly number[], base: readonly number[], build: () => View['base']): Way {
  return { cost: 0, pending: !isReshape(base, perm), build: () => result(build(), perm) };
}

type Reduction = NodeOf<'sum' | 'mean' | 'reduce_max'>;

function reduced({ b, inputs }: Context, node: Reduction): Way {
  const { base, perm } = inputs[0]!;
  const { axes, keep } = node.attrs;
  const baseAxes = axes.map((a) => perm[a]!);
  // Without the reduced axes, the others are renumbered in base order.
  const left = perm.filter((_, k) => !axes.includes(k));
  const out = keep ? perm : left.map((p) => left.filter((q) => q < p).length);
  const method = node.op === 'reduce_max' ? 'reduceMax' : node.op;
  return onBase(out, baseShape(node.shape, out), () => b[method](base, baseAxes, keep));
}

function overLast({ b, inputs, node }: Context): Way[] {
  const { base, perm } = inputs[0]!;
  const last = perm.length - 1;
  if (perm[last] !== last) return [];
  return [onBase(perm, baseShape(node.shape, perm), () => b.like(node, [base]))];
}

function sliced({ b, inputs }: Context, node: NodeOf<'slice'>): Way {
  const { base, perm } = inputs[0]!;
  const { start, stop, step } = node.attrs;
  const own = (values: readonly number[]): number[] => baseShape(values, perm);
  // A start of -1 in a node lies before the first element, so that the slice is empty; the builder would read it as the last.
  const empty = sizeOf(node.shape) === 0;
  return onBase(perm, own(node.shape), () =>
    empty ? b.constant([0], own(node.shape), node.dtype) : b.slice(base, own(start), own(stop), own(step)),
  );
}

function padded({ b, inputs }: Context, node: NodeOf<'pad'>): Way {
  const { base, perm } = inputs[0]!;
  const { before, after } = node.attrs;
  const own = (values: readonly number[]): number[] => baseShape(values, perm);
  return onBase(perm, own(node.shape), () => b.pad(base, own(before), own(after)));
}

function stretched({ b, inputs }: Context, node: NodeOf<'broadcast'>): Way {
  const { base, perm } = lifted(b, inputs[0]!, node.shape.length);
  const shape = baseShape(node.shape, perm);
  return onBase(perm, shape, () => b.broadcast(base, shape));
}

function reshaped({ b, inputs }: Context, node: NodeOf<'reshape'>): Way[] {
  const view = inputs[0]!;
  if (sizeOf(node.shape) === 0) return [];
  const moved = reshapeBase(shapeOf(view), view.perm, node.shape);
  if (moved === undefined) return [];
  return [onBase(moved.perm, moved.shape, () => b.reshape(view.base, moved.shape))];
}
