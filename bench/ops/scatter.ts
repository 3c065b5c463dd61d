/**
 * Summing rows into a table (the gradient of a lookup), and explicit broadcasts along inner axes.
 *
 * @module
 */
import { compare, sizes } from './harness.js';

for (const [m, n, d] of sizes([
  [64, 10, 64],
  [4096, 256, 128],
  [4096, 4096, 128],
] as const)) {
  // Indices are computed from the last column of the updates, so that every alternative gets the same ones.
  const index = (
    e: Parameters<Parameters<typeof compare>[3][0]['body']>[0],
    x: string,
    to: 6 | 7,
  ): string => {
    const column = e.reshape(e.op('Slice', [x, e.i64([d - 1]), e.i64([d]), e.i64([1])]), [m]);
    return e.cast(e.op('Mul', [e.op('Abs', [column]), e.f32([n - 0.01])]), to);
  };
  await compare(
    `scatter_add [${m}, ${d}] to [${n}, ${d}]`,
    [[m, d]],
    [n, d],
    [
      {
        label: 'one-hot, Gemm',
        body: (e, [x]) => {
          const range = e.i32(
            Array.from({ length: n }, (_, k) => k),
            [n],
          );
          const hot = e.cast(e.op('Equal', [e.reshape(index(e, x!, 6), [m, 1]), range]), 1);
          return e.op('Gemm', [hot, x!], { transA: { i: 1 } });
        },
      },
      {
        label: 'one-hot by rows of the table, MatMul',
        body: (e, [x]) => {
          const range = e.i32(
            Array.from({ length: n }, (_, k) => k),
            [n, 1],
          );
          const hot = e.cast(e.op('Equal', [range, index(e, x!, 6)]), 1);
          return e.op('MatMul', [hot, x!]);
        },
      },
      {
        label: 'ScatterElements, add',
        body: (e, [x]) => {
          const i = e.op('Expand', [e.reshape(index(e, x!, 6), [m, 1]), e.i64([m, d])]);
          return e.op('ScatterElements', [e.f32([0], [n, d]), i, x!], {
            axis: { i: 0 },
            reduction: { s: 'add' },
          });
        },
      },
      {
        label: 'ScatterND, add',
        body: (e, [x]) =>
          e.op('ScatterND', [e.f32([0], [n, d]), e.reshape(index(e, x!, 7), [m, 1]), x!], {
            reduction: { s: 'add' },
          }),
      },
    ],
  );
}

for (const [from, to] of sizes([
  [
    [64, 14, 1, 14, 1, 32],
    [64, 14, 2, 14, 2, 32],
  ],
  [
    [64, 32, 14, 1, 14, 1],
    [64, 32, 14, 2, 14, 2],
  ],
  [
    [64, 32, 14, 1, 14],
    [64, 32, 14, 2, 14],
  ],
  [
    [64, 32, 14, 14, 1],
    [64, 32, 14, 14, 2],
  ],
  [
    [64, 32, 7, 1, 7, 1],
    [64, 32, 7, 4, 7, 4],
  ],
  [
    [64, 7, 1, 7, 1, 16],
    [64, 7, 4, 7, 4, 16],
  ],
  [
    [64, 1, 128],
    [64, 64, 128],
  ],
  [
    [1, 64, 128],
    [64, 64, 128],
  ],
  [
    [64, 64, 1],
    [64, 64, 128],
  ],
  [
    [64, 32, 1, 1],
    [64, 32, 28, 28],
  ],
  [
    [1, 32, 1, 1],
    [64, 32, 28, 28],
  ],
] as const)) {
  await compare(`broadcast [${from.join(', ')}] to [${to.join(', ')}]`, [from], to, [
    { label: 'Expand', body: (e, [x]) => e.op('Expand', [x!, e.i64(to)]) },
    {
      label: 'Concat, innermost axis first',
      body: (e, [x]) => {
        let y = x!;
        for (let axis = to.length - 1; axis >= 0; axis--) {
          const k = to[axis]! / from[axis]!;
          if (k > 1) y = e.op('Concat', new Array<string>(k).fill(y), { axis: { i: axis } });
        }
        return y;
      },
    },
    {
      label: 'Mul with ones',
      body: (e, [x]) =>
        e.op('Mul', [
          x!,
          e.f32(
            [1],
            to.map((d, k) => d / from[k]!),
          ),
        ]),
    },
  ]);
}

// Nearest-neighbour enlargement.
for (const [b, c, h] of sizes([
  [32, 96, 8],
  [32, 64, 16],
] as const)) {
  const to = [b, c, 2 * h, 2 * h];
  await compare(`enlarging [${b}, ${c}, ${h}, ${h}]`, [[b, c, h, h]], to, [
    {
      label: 'Concat, Expand',
      body: (e, [x]) => {
        const one = e.reshape(x!, [b, c, h, 1, h, 1]);
        const wide = e.op('Concat', [one, one], { axis: { i: 5 } });
        return e.reshape(e.op('Expand', [wide, e.i64([b, c, h, 2, h, 2])]), to);
      },
    },
    {
      label: 'Resize',
      body: (e, [x]) =>
        e.op('Resize', [x!, '', e.f32([1, 1, 2, 2], [4])], {
          mode: { s: 'nearest' },
          coordinate_transformation_mode: { s: 'asymmetric' },
          nearest_mode: { s: 'floor' },
        }),
    },
  ]);
}
