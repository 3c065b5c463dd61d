/**
 * Sums and means over the axes that training needs: biases, pooling, normalisation.
 *
 * @module
 */
import type { Emitter } from '../../compiler/targets/onnx/emitter.js';
import { compare, size, sizes } from './harness.js';
import type { Case, Dims } from './harness.js';

const reduce =
  (op: string, axes: readonly number[]) =>
  (e: Emitter, [x]: readonly string[]): string =>
    e.op(op, [x!, e.i64(axes)], { keepdims: { i: 0 } });

const plain = (axes: readonly number[]): Case => ({ label: 'ReduceSum', body: reduce('ReduceSum', axes) });

/** Inner axes by a product with ones, the rest by ReduceSum. */
function trailing(outer: number, inner: number, out: Dims, then: readonly number[] = [], mid?: Dims): Case {
  return {
    label: 'product with ones over the inner axes',
    body: (e, [x]) => {
      const y = e.op('MatMul', [e.reshape(x!, [outer, inner]), e.f32([1], [inner, 1])]);
      if (mid === undefined) return e.reshape(y, out);
      return e.op('ReduceSum', [e.reshape(y, mid), e.i64(then)], { keepdims: { i: 0 } });
    },
  };
}

for (const [b, c, h] of sizes([
  [64, 32, 28],
  [64, 64, 14],
  [64, 96, 7],
] as const)) {
  const hw = h * h;
  await compare(
    `sum [${b}, ${c}, ${h}, ${h}] over 0, 2, 3`,
    [[b, c, h, h]],
    [c],
    [
      plain([0, 2, 3]),
      trailing(b * c, hw, [c], [0], [b, c]),
      {
        label: 'ReduceSum over 2, 3, then over 0',
        body: (e, [x]) =>
          e.op('ReduceSum', [e.op('ReduceSum', [x!, e.i64([2, 3])], { keepdims: { i: 0 } }), e.i64([0])], {
            keepdims: { i: 0 },
          }),
      },
      {
        label: 'GlobalAveragePool, then ReduceSum over 0',
        body: (e, [x]) =>
          e.op('Mul', [
            e.op('ReduceSum', [e.op('GlobalAveragePool', [x!]), e.i64([0, 2, 3])], { keepdims: { i: 0 } }),
            e.f32([hw]),
          ]),
      },
      {
        label: 'ReduceSum over 0, then over 2, 3',
        body: (e, [x]) =>
          e.op('ReduceSum', [e.op('ReduceSum', [x!, e.i64([0])], { keepdims: { i: 0 } }), e.i64([1, 2])], {
            keepdims: { i: 0 },
          }),
      },
    ],
  );
  await compare(
    `sum [${b}, ${c}, ${h}, ${h}] over 2, 3`,
    [[b, c, h, h]],
    [b, c],
    [plain([2, 3]), trailing(b * c, hw, [b, c])],
  );
  await compare(
    `sum [${b}, ${c}, ${h}, ${h}] over 0`,
    [[b, c, h, h]],
    [c, h, h],
    [
      plain([0]),
      {
        label: 'product with ones',
        body: (e, [x]) =>
          e.reshape(e.op('MatMul', [e.f32([1], [1, b]), e.reshape(x!, [b, c * hw])]), [c, h, h]),
      },
    ],
  );
  await compare(
    `sum [${b}, ${c}, ${h}, ${h}] over 1 (channels)`,
    [[b, c, h, h]],
    [b, h, h],
    [
      plain([1]),
      {
        label: 'product with ones',
        body: (e, [x]) =>
          e.reshape(e.op('MatMul', [e.f32([1], [1, c]), e.reshape(x!, [b, c, hw])]), [b, h, h]),
      },
    ],
  );
}

for (const [b, t, d] of sizes([
  [32, 64, 128],
  [64, 196, 128],
] as const)) {
  await compare(
    `sum [${b}, ${t}, ${d}] over 0, 1`,
    [[b, t, d]],
    [d],
    [
      plain([0, 1]),
      {
        label: 'product with ones',
        body: (e, [x]) => e.reshape(e.op('MatMul', [e.f32([1], [1, b * t]), e.reshape(x!, [b * t, d])]), [d]),
      },
      {
        label: 'Gemm, ones transposed',
        body: (e, [x]) =>
          e.reshape(e.op('Gemm', [e.reshape(x!, [b * t, d]), e.f32([1], [b * t, 1])], { transA: { i: 1 } }), [
            d,
          ]),
      },
    ],
  );
  await compare(
    `sum [${b}, ${t}, ${d}] over 1`,
    [[b, t, d]],
    [b, d],
    [
      plain([1]),
      {
        label: 'product with ones',
        body: (e, [x]) => e.reshape(e.op('MatMul', [e.f32([1], [1, t]), x!]), [b, d]),
      },
    ],
  );
  await compare(
    `sum [${b}, ${t}, ${d}] over 2`,
    [[b, t, d]],
    [b, t],
    [plain([2]), trailing(b * t, d, [b, t])],
  );
  await compare(
    `sum [${b}, ${t}, ${d}] over everything`,
    [[b, t, d]],
    [],
    [
      plain([0, 1, 2]),
      {
        label: 'over 2, then the rest',
        body: (e, [x]) =>
          e.op('ReduceSum', [e.op('ReduceSum', [x!, e.i64([2])], { keepdims: { i: 0 } }), e.i64([0, 1])], {
            keepdims: { i: 0 },
          }),
      },
      {
        label: 'product with ones, then the rest',
        body: (e, [x]) =>
          e.op(
            'ReduceSum',
            [e.op('MatMul', [e.reshape(x!, [b * t, d]), e.f32([1], [d, 1])]), e.i64([0, 1])],
            { keepdims: { i: 0 } },
          ),
      },
    ],
  );
}

// 2x2 average pooling, as the standard library writes it, and its relatives in channels-last.
for (const [b, c, h] of sizes([
  [64, 32, 28],
  [64, 64, 14],
] as const)) {
  const half = h / 2;
  const view = [b, c, half, 2, half, 2];
  const out = [b, c, half, half];
  await compare(`mean [${view.join(', ')}] over 3, 5`, [view], out, [
    { label: 'ReduceMean', body: reduce('ReduceMean', [3, 5]) },
    {
      label: 'ReduceMean over 5, then 3',
      body: (e, [x]) =>
        e.op('ReduceMean', [e.op('ReduceMean', [x!, e.i64([5])], { keepdims: { i: 0 } }), e.i64([3])], {
          keepdims: { i: 0 },
        }),
    },
    {
      label: 'AveragePool',
      body: (e, [x]) =>
        e.op('AveragePool', [e.reshape(x!, [b, c, h, h])], {
          kernel_shape: { ints: [2, 2] },
          strides: { ints: [2, 2] },
        }),
    },
    {
      label: 'four strided slices, added',
      body: (e, [x]) => {
        const v = e.reshape(x!, [b, c, h, h]);
        const parts = [0, 1].flatMap((i) =>
          [0, 1].map((j) => e.op('Slice', [v, e.i64([i, j]), e.i64([h, h]), e.i64([2, 3]), e.i64([2, 2])])),
        );
        return e.op('Mul', [e.op('Sum', parts), e.f32([0.25])]);
      },
    },
    {
      label: 'product with a pooling matrix over 5, ReduceMean 3',
      body: (e, [x]) => {
        const y = e.op('MatMul', [e.reshape(x!, [b * c * half * h, 2]), e.f32([0.5], [2, 1])]);
        return e.op('ReduceMean', [e.reshape(y, [b, c, half, 2, half]), e.i64([3])], { keepdims: { i: 0 } });
      },
    },
  ]);
  const small = [b, c, half, 1, half, 1];
  await compare(`broadcast [${small.join(', ')}] to [${view.join(', ')}]`, [small], view, [
    { label: 'Expand', body: (e, [x]) => e.op('Expand', [x!, e.i64(view)]) },
    {
      label: 'Resize nearest',
      body: (e, [x]) => {
        const y = e.op('Resize', [e.reshape(x!, out), '', '', e.i64([b, c, h, h])], {
          mode: { s: 'nearest' },
          coordinate_transformation_mode: { s: 'asymmetric' },
          nearest_mode: { s: 'floor' },
        });
        return e.reshape(y, view);
      },
    },
    {
      label: 'Resize nearest by scales (Upsample kernel)',
      body: (e, [x]) => {
        const y = e.op('Resize', [e.reshape(x!, out), '', e.f32([1, 1, 2, 2], [4])], {
          mode: { s: 'nearest' },
          coordinate_transformation_mode: { s: 'asymmetric' },
          nearest_mode: { s: 'floor' },
        });
        return e.reshape(y, view);
      },
    },
    {
      label: 'Concat twice',
      body: (e, [x]) => {
        const cols = e.op('Concat', [x!, x!], { axis: { i: 5 } });
        return e.op('Concat', [cols, cols], { axis: { i: 3 } });
      },
    },
    {
      label: 'product with ones for columns, Concat for rows',
      body: (e, [x]) => {
        const cols = e.reshape(
          e.op('MatMul', [e.reshape(x!, [b * c * half * half, 1]), e.f32([1], [1, 2])]),
          [b, c, half, 1, h],
        );
        return e.reshape(e.op('Concat', [cols, cols], { axis: { i: 3 } }), view);
      },
    },
    {
      label: 'Mul with ones of the full shape',
      body: (e, [x]) => e.op('Mul', [x!, e.f32([1], [1, 1, 1, 2, 1, 2])]),
    },
    { label: 'Tile', body: (e, [x]) => e.op('Tile', [x!, e.i64([1, 1, 1, 2, 1, 2])]) },
    {
      label: 'Expand rows of Mul columns',
      body: (e, [x]) => {
        const cols = e.op('Mul', [x!, e.f32([1], [2])]);
        return e.op('Expand', [cols, e.i64(view)]);
      },
    },
  ]);
}
void size;

// Sums of products per row and channel.
for (const [b, c, h] of sizes([
  [32, 32, 32],
  [32, 96, 32],
  [64, 96, 7],
] as const)) {
  const x = [b, c, h, h];
  const rows = [b * c, 1, h * h];
  await compare(
    `sum of x y over pixels [${x.join(', ')}]`,
    [x, x],
    [b, c],
    [
      {
        label: 'Mul, ReduceSum',
        body: (e, [v, w]) =>
          e.op('ReduceSum', [e.op('Mul', [v!, w!]), e.i64([2, 3])], { keepdims: { i: 0 } }),
      },
      {
        label: 'FusedMatMul of rows',
        body: (e, [v, w]) => {
          const operands = [e.reshape(v!, rows), e.reshape(w!, rows)];
          return e.reshape(e.op('FusedMatMul', operands, { transB: { i: 1 } }, 'com.microsoft'), [b, c]);
        },
      },
    ],
  );
}
