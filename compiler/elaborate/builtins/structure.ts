/**
 * Functions that move elements: shapes, joins, cuts, reductions, products of tensors.
 *
 * @module
 */
import type { Node, Shape } from '../../graph/ir.js';
import { sizeOf } from '../../graph/ir.js';
import { broadcastShape } from '../arithmetic.js';
import { affineIn, productOf, showShape, type TensorValue, type Value } from '../values.js';
import { hidden, type Builtin, type BuiltinCall } from './builtin.js';

const x = { name: 'x', type: 'tensor' as const, about: 'any tensor' };

export const structureBuiltins: readonly Builtin[] = [
  {
    name: 'concat',
    params: [
      {
        name: 'xs',
        type: 'tensor',
        variadic: true,
        about: 'tensors that differ in the last dimension alone',
      },
    ],
    result: 'f32[...S, C]',
    about: 'Joins tensors along the last axis.',
    apply: concat,
  },
  {
    name: 'split',
    params: [x, { name: 'n', type: 'int', about: 'number of parts' }],
    result: 'tuple of f32[...S, C / n]',
    about: 'Cuts the last axis into `n` equal parts.',
    apply: split,
  },
  {
    name: 'reshape',
    params: [x, { name: 'shape', type: 'ints', about: 'the new dimensions; one may be -1' }],
    result: 'f32[...shape]',
    about: 'The same elements in C order under other dimensions.',
    apply: reshape,
  },
  {
    name: 'permute',
    params: [x, { name: 'order', type: 'ints', about: 'for each new axis, the old one' }],
    result: 'f32[...]',
    about: 'Reorders the axes.',
    apply: permute,
  },
  {
    name: 'broadcast',
    params: [x, { name: 'shape', type: 'ints', about: 'dimensions to repeat to' }],
    result: 'f32[...shape]',
    about: 'Repeats along axes of size 1 and new leading axes, as arithmetic does.',
    apply(call) {
      const value = call.tensor('x');
      const shape = call.ints('shape');
      const joined = broadcastShape(value.shape, shape);
      if (!joined || joined.join() !== shape.join()) {
        return call.shapeError(
          'x',
          `a shape that broadcasts to \`${showShape(shape)}\``,
          `\`${showShape(value.shape)}\``,
        );
      }
      const b = call.builder;
      const lead = hidden(value);
      const padded = b.reshape(value.node, [
        ...lead,
        ...new Array<number>(shape.length - value.shape.length).fill(1),
        ...value.shape,
      ]);
      return call.make(value, b.broadcast(padded, [...lead, ...shape]), shape, value.degree);
    },
  },
  {
    name: 'mean',
    params: [
      x,
      { name: 'axes', type: 'ints', default: null, about: 'axes to average over; all when left out' },
    ],
    result: 'f32[...]',
    about: 'Average over axes.',
    apply: (call) => reduce(call, (node, axes) => call.builder.mean(node, axes)),
  },
  {
    name: 'sum',
    params: [x, { name: 'axes', type: 'ints', default: null, about: 'axes to add up; all when left out' }],
    result: 'f32[...]',
    about: 'Sum over axes.',
    apply: (call) => reduce(call, (node, axes) => call.builder.sum(node, axes)),
  },
  {
    name: 'matmul',
    params: [
      { name: 'a', type: 'tensor', about: '`f32[...S, M, K]`' },
      { name: 'b', type: 'tensor', about: '`f32[...S, K, N]`, or `f32[...S, N, K]` when transposed' },
      {
        name: 'transpose',
        type: 'bool',
        default: false,
        about: 'whether the last two axes of `b` are swapped',
      },
    ],
    result: 'f32[...S, M, N]',
    about: 'Matrix product over the last two axes; leading axes must be equal.',
    apply: matmul,
  },
  {
    name: 'range',
    params: [{ name: 'n', type: 'int', about: 'length' }],
    result: 'f32[n]',
    about: 'The constant vector 0, 1, ..., n - 1.',
    apply(call) {
      const n = call.number('n');
      if (n < 1 || n > 65_536) {
        return call.fail('MMD0414', 'n', {
          what: 'the length of `range`',
          expected: 'from 1 to 65536',
          found: String(n),
        });
      }
      const node = call.builder.constant(
        Array.from({ length: n }, (_, i) => i),
        [n],
      );
      return { kind: 'tensor', node, shape: [n], batched: false, degree: 'constant' };
    },
  },
  {
    name: 'stop_gradient',
    params: [x],
    result: 'f32[...S]',
    about: 'The same value, through which no gradient flows.',
    apply(call) {
      const value = call.tensor('x');
      return call.make(value, call.builder.stopGradient(value.node), value.shape, value.degree);
    },
  },
  {
    name: 'into',
    params: [
      x,
      { name: 'space', type: 'space', about: 'the space by its name' },
      { name: 'channels', type: 'range', about: 'channels of the space that the tensor fills' },
    ],
    result: 'the type of the space',
    about: 'Places a tensor in a range of the channels of the space; the others are zero.',
    apply: into,
  },
];

function concat(call: BuiltinCall): Value {
  const tensors = call.tensors();
  const lead = (t: TensorValue) => t.shape.slice(0, -1).join();
  const [first] = tensors;
  for (const t of tensors) {
    if (t.shape.length === 0 || lead(t) !== lead(first) || t.shape.length !== first.shape.length) {
      const rest = [...first.shape.slice(0, -1), '_'].join(', ');
      return call.fail('MMD0401', undefined, {
        what: 'every argument of `concat`',
        expected: `\`f32[${rest}]\` like the first`,
        found: `\`${showShape(t.shape)}\``,
      });
    }
  }
  const b = call.builder;
  const batched = tensors.some((t) => t.batched);
  const nodes = tensors.map((t): Node => {
    if (t.batched || !batched) return t.node;
    return b.broadcast(b.reshape(t.node, [1, ...t.shape]), [call.evaluator.batch, ...t.shape]);
  });
  const shape = [
    ...first.shape.slice(0, -1),
    tensors.reduce((sum, t) => sum + t.shape[t.shape.length - 1], 0),
  ];
  const degree = affineIn(...tensors.map((t) => t.degree));
  return { kind: 'tensor', node: b.concat(nodes, -1), shape, batched, degree };
}

function split(call: BuiltinCall): Value {
  const value = call.tensor('x');
  const n = call.number('n');
  const width = value.shape[value.shape.length - 1];
  if (value.shape.length === 0 || n < 1 || width % n !== 0) {
    return call.fail('MMD0407', 'n', {
      dividend: `the last dimension of \`${showShape(value.shape)}\``,
      divisor: n,
    });
  }
  const part = width / n;
  const shape = [...value.shape.slice(0, -1), part];
  const items = Array.from({ length: n }, (_, i) => {
    const dims = value.node.shape;
    const start = dims.map((_, axis) => (axis === dims.length - 1 ? i * part : 0));
    const stop = dims.map((size, axis) => (axis === dims.length - 1 ? (i + 1) * part : size));
    return call.make(value, call.builder.slice(value.node, start, stop), shape, value.degree);
  });
  return { kind: 'tuple', items };
}

function reshape(call: BuiltinCall): Value {
  const value = call.tensor('x');
  const shape = call.ints('shape');
  const total = sizeOf(value.shape);
  const free = shape.indexOf(-1);
  if (free >= 0) {
    const known = shape.reduce((p, d, i) => (i === free ? p : p * d), 1);
    if (known > 0 && total % known === 0) shape[free] = total / known;
  }
  if (shape.some((d) => d < 1) || sizeOf(shape) !== total) {
    return call.shapeError(
      'x',
      `${sizeOf(shape.map((d) => Math.abs(d)))} elements for \`${showShape(call.ints('shape'))}\``,
      `\`${showShape(value.shape)}\` with ${total}`,
    );
  }
  return call.make(
    value,
    call.builder.reshape(value.node, [...hidden(value), ...shape]),
    shape,
    value.degree,
  );
}

function permute(call: BuiltinCall): Value {
  const value = call.tensor('x');
  const order = call.ints('order');
  const sorted = [...order].sort((a, b) => a - b);
  if (order.length !== value.shape.length || sorted.some((axis, i) => axis !== i)) {
    return call.fail('MMD0414', 'order', {
      what: 'the order of `permute`',
      expected: `each axis from 0 to ${value.shape.length - 1} once, for \`${showShape(value.shape)}\``,
      found: `[${order.join(', ')}]`,
    });
  }
  const perm = value.batched ? [0, ...order.map((axis) => axis + 1)] : order;
  const shape = order.map((axis) => value.shape[axis]);
  return call.make(value, call.builder.transpose(value.node, perm), shape, value.degree);
}

function reduce(call: BuiltinCall, make: (node: Node, axes: readonly number[]) => Node): Value {
  const value = call.tensor('x');
  const rank = value.shape.length;
  const axes = call.missing('axes')
    ? value.shape.map((_, i) => i)
    : call.ints('axes').map((a) => (a < 0 ? a + rank : a));
  if (axes.some((a) => a < 0 || a >= rank) || new Set(axes).size !== axes.length) {
    return call.fail('MMD0414', 'axes', {
      what: 'the axes',
      expected: `different axes of \`${showShape(value.shape)}\``,
      found: `[${axes.join(', ')}]`,
    });
  }
  const shape = value.shape.filter((_, i) => !axes.includes(i));
  const shifted = axes.map((a) => a + (value.batched ? 1 : 0)).sort((a, b) => a - b);
  return call.make(value, make(value.node, shifted), shape, value.degree);
}

function matmul(call: BuiltinCall): Value {
  const [a, b] = [call.tensor('a'), call.tensor('b')];
  const transpose = call.bool('transpose');
  const rank = a.shape.length;
  const inner = b.shape[transpose ? b.shape.length - 1 : b.shape.length - 2];
  const columns = b.shape[transpose ? b.shape.length - 2 : b.shape.length - 1];
  const fits =
    rank >= 2 && b.shape.length === rank && a.shape.slice(0, -2).join() === b.shape.slice(0, -2).join();
  if (!fits || inner !== a.shape[rank - 1]) {
    return call.fail('MMD0410', undefined, {
      operator: 'matmul',
      left: `\`${showShape(a.shape)}\``,
      right: `\`${showShape(b.shape)}\`${transpose ? ' transposed' : ''}`,
    });
  }
  const node = call.builder.matmul(a.node, b.node, { transposeB: transpose });
  const shape: Shape = [...a.shape.slice(0, -1), columns];
  return {
    kind: 'tensor',
    node,
    shape,
    batched: a.batched || b.batched,
    degree: productOf(a.degree, b.degree),
  };
}

function into(call: BuiltinCall): Value {
  const value = call.tensor('x');
  const space = call.value('space') as Extract<Value, { kind: 'space' }>;
  const range = call.value('channels') as Extract<Value, { kind: 'range' }>;
  const total = space.shape[space.shape.length - 1];
  const [from, to] = [range.from ?? 0, range.to ?? total];
  if (from < 0 || to > total || from >= to) {
    return call.fail('MMD0414', 'channels', {
      what: 'the channels',
      expected: `a range inside 0..${total}, the channels of the space`,
      found: `${from}..${to}`,
    });
  }
  const wanted = [...space.shape.slice(0, -1), to - from];
  if (value.shape.join() !== wanted.join()) {
    return call.fail(
      'MMD0401',
      'x',
      {
        what: `\`into\` with channels ${from}..${to}`,
        expected: `\`${showShape(wanted)}\``,
        found: `\`${showShape(value.shape)}\``,
      },
      { help: `\`|> project([${wanted.join(', ')}])\` makes any tensor fit` },
    );
  }
  const none = value.node.shape.map(() => 0);
  const last = none.length - 1;
  const node = call.builder.pad(
    value.node,
    none.map((n, axis) => (axis === last ? from : n)),
    none.map((n, axis) => (axis === last ? total - to : n)),
  );
  call.evaluator.placed.set(node, { from, to });
  return call.make(value, node, space.shape, value.degree);
}
