/**
 * Matrix products of operands whose transposition is still pending.
 *
 * @module
 */
import type { GraphBuilder, Value } from '../../graph/builder.js';
import { sizeOf } from '../../graph/ir.js';
import type { NodeOf } from '../../graph/ir.js';
import { identity, isReshape, swapLast } from '../../graph/permutation.js';
import type { View } from './layout.js';
import type { Context, Way } from './way.js';

type Flags = NodeOf<'matmul'>['attrs'];

export function matmulWays(context: Context, flags: Flags): readonly Way[] {
  return [byFlags(context, flags), ...linear(context, flags)];
}

/** Where a side is only to be swapped in its last two axes, its flag does that; otherwise it is put in order. */
function byFlags({ b, layouts, inputs, node }: Context, flags: Flags): Way {
  const swapped = inputs.map((view) => {
    const rank = view.perm.length;
    return layouts.cost(view, identity(rank)) > 0 && layouts.cost(view, swapLast(rank)) === 0;
  });
  const layout = inputs.map((view, k) => (swapped[k] ? swapLast : identity)(view.perm.length));
  return {
    cost: inputs.reduce((sum, view, k) => sum + layouts.cost(view, layout[k]!), 0),
    pending: false,
    build: () => {
      const [x, y] = inputs.map((view, k) => layouts.make(view, layout[k]!)) as [Value, Value];
      const base = b.matmul(x, y, {
        transposeA: flags.transposeA !== swapped[0],
        transposeB: flags.transposeB !== swapped[1],
      });
      return { base, perm: identity(node.shape.length) };
    },
  };
}

/**
 * One matrix w [C, N] applied to the last axis of a stack whose base has that axis further in front, as [L, C, R]: both
 * x^T w, which has N last, and w^T x, which has N where C was, are products of the data as it lies.
 */
function linear({ b, layouts, inputs, node }: Context, flags: Flags): readonly Way[] {
  const [x, w] = inputs as readonly [View, View];
  const rank = x.perm.length;
  if (rank < 3 || w.perm.length !== 2 || flags.transposeA || sizeOf(node.shape) === 0) return [];
  const at = x.perm[rank - 1]!;
  const others = x.perm.slice(0, -1);
  const ordered = others.every((p, k) => k === 0 || others[k - 1]! < p);
  if (!ordered || at === rank - 1) return [];
  const { shape } = x.base;
  const [lead, rest] = [shape.slice(0, at), shape.slice(at + 1)];
  const n = node.shape[rank - 1]!;
  const plain = identity(2);
  const operands = (): readonly [Value, Value] => [stack(b, x.base, at), layouts.make(w, plain)];
  const cost = layouts.cost(w, plain);
  const last: Way = {
    cost,
    pending: false,
    build: () => {
      const [data, weights] = operands();
      const y = b.matmul(data, weights, { transposeA: true, transposeB: flags.transposeB });
      return { base: b.reshape(y, node.shape), perm: identity(rank) };
    },
  };
  const inPlace: Way = {
    cost,
    pending: !isReshape([...lead, n, ...rest], x.perm),
    build: () => {
      const [data, weights] = operands();
      const y = b.matmul(weights, data, { transposeA: !flags.transposeB });
      return { base: b.reshape(y, [...lead, n, ...rest]), perm: x.perm };
    },
  };
  return [last, inPlace];
}

/** As [L, C, R] with C the axis `at`. */
function stack(b: GraphBuilder, x: Value, at: number): Value {
  return b.reshape(x, [sizeOf(x.shape.slice(0, at)), x.shape[at]!, sizeOf(x.shape.slice(at + 1))]);
}
