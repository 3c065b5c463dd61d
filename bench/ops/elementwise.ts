/**
 * Activations and their gradients, normalisation, softmax, explicit broadcasts, transposes and row sums.
 *
 * @module
 */
import { compare, sizes } from './harness.js';

const ms = 'com.microsoft';

for (const x of sizes([
  [64, 64, 28, 28],
  [32, 64, 512],
] as const)) {
  await compare(`silu [${x.join(', ')}]`, [x], x, [
    {
      label: 'Mul(x, Sigmoid(x))',
      body: (e, [v]) => e.op('Neg', [e.op('Mul', [v!, e.op('Sigmoid', [v!])])]),
    },
    { label: 'QuickGelu', body: (e, [v]) => e.op('Neg', [e.op('QuickGelu', [v!], { alpha: { f: 1 } }, ms)]) },
    { label: 'Neg alone (floor)', body: (e, [v]) => e.op('Neg', [v!]) },
  ]);
  await compare(`silu and its gradient, given x and dy [${x.join(', ')}]`, [x, x], x, [
    {
      label: 's kept: y = x s; dy s + dy x s (1 - s)',
      body: (e, [v, d]) => {
        const s = e.op('Sigmoid', [v!]);
        const y = e.op('Mul', [v!, s]);
        const g = e.op('Mul', [e.op('Mul', [e.op('Mul', [d!, v!]), s]), e.op('Sub', [e.f32([1]), s])]);
        return e.op('Add', [e.op('Add', [e.op('Mul', [d!, s]), g]), y]);
      },
    },
    {
      label: 's + y (1 - s), times dy',
      body: (e, [v, d]) => {
        const s = e.op('Sigmoid', [v!]);
        const y = e.op('Mul', [v!, s]);
        const g = e.op('Mul', [d!, e.op('Add', [s, e.op('Mul', [y, e.op('Sub', [e.f32([1]), s])])])]);
        return e.op('Add', [g, y]);
      },
    },
    {
      label: 's + y - y s, times dy',
      body: (e, [v, d]) => {
        const s = e.op('Sigmoid', [v!]);
        const y = e.op('Mul', [v!, s]);
        const g = e.op('Mul', [d!, e.op('Sub', [e.op('Add', [s, y]), e.op('Mul', [y, s])])]);
        return e.op('Add', [g, y]);
      },
    },
    {
      label: 'QuickGelu and a second Sigmoid',
      body: (e, [v, d]) => {
        const y = e.op('QuickGelu', [v!], { alpha: { f: 1 } }, ms);
        const s = e.op('Sigmoid', [v!]);
        const g = e.op('Mul', [d!, e.op('Sub', [e.op('Add', [s, y]), e.op('Mul', [y, s])])]);
        return e.op('Add', [g, y]);
      },
    },
  ]);
  await compare(`gelu [${x.join(', ')}]`, [x], x, [
    {
      label: 'x/2 (1 + Erf(x / sqrt 2)), graph optimiser may fuse',
      body: (e, [v]) =>
        e.op('Mul', [
          e.op('Mul', [v!, e.f32([0.5])]),
          e.op('Add', [e.op('Erf', [e.op('Mul', [v!, e.f32([Math.SQRT1_2])])]), e.f32([1])]),
        ]),
    },
    { label: 'Gelu', body: (e, [v]) => e.op('Gelu', [v!]) },
    { label: 'Erf alone', body: (e, [v]) => e.op('Erf', [v!]) },
    { label: 'Tanh alone', body: (e, [v]) => e.op('Tanh', [v!]) },
    { label: 'Sigmoid alone', body: (e, [v]) => e.op('Sigmoid', [v!]) },
    { label: 'Exp alone', body: (e, [v]) => e.op('Exp', [v!]) },
    { label: 'Sqrt alone', body: (e, [v]) => e.op('Sqrt', [v!]) },
    { label: 'Pow(x, 2)', body: (e, [v]) => e.op('Pow', [v!, e.f32([2])]) },
    { label: 'Mul(x, x)', body: (e, [v]) => e.op('Mul', [v!, v!]) },
    { label: 'Sin alone', body: (e, [v]) => e.op('Sin', [v!]) },
  ]);
}

for (const [rows, width] of sizes([
  [2048, 128],
  [512, 6272],
] as const)) {
  const x = [rows, width];
  const axes = { keepdims: { i: 1 } };
  await compare(`normalise [${rows}, ${width}]`, [x], x, [
    {
      label: 'LayerNormalization',
      body: (e, [v]) => e.ops('LayerNormalization', [v!, e.f32([1], [width])], 1, { axis: { i: -1 } })[0]!,
    },
    {
      label: 'LayerNormalization with Mean and InvStdDev',
      body: (e, [v]) => e.ops('LayerNormalization', [v!, e.f32([1], [width])], 3, { axis: { i: -1 } })[0]!,
    },
    {
      label: 'means and differences',
      body: (e, [v]) => {
        const c = e.op('Sub', [v!, e.op('ReduceMean', [v!, e.i64([1])], axes)]);
        const variance = e.op('ReduceMean', [e.op('Mul', [c, c]), e.i64([1])], axes);
        return e.op('Div', [c, e.op('Sqrt', [e.op('Add', [variance, e.f32([1e-5])])])]);
      },
    },
    {
      label: 'InstanceNormalization',
      body: (e, [v]) =>
        e.reshape(
          e.op('InstanceNormalization', [
            e.reshape(v!, [1, rows, width]),
            e.f32([1], [rows]),
            e.f32([0], [rows]),
          ]),
          x,
        ),
    },
  ]);
}

await compare(
  'softmax [512, 64, 64]',
  [[512, 64, 64]],
  [512, 64, 64],
  [{ label: 'Softmax', body: (e, [v]) => e.op('Softmax', [v!], { axis: { i: -1 } }) }],
);

for (const [from, to] of sizes([
  [
    [64, 32, 1, 1],
    [64, 32, 28, 28],
  ],
  [
    [64, 1, 1, 32],
    [64, 28, 28, 32],
  ],
  [
    [64, 1, 28, 28],
    [64, 32, 28, 28],
  ],
  [
    [64, 28, 28, 1],
    [64, 28, 28, 32],
  ],
  [
    [2048, 1],
    [2048, 128],
  ],
] as const)) {
  await compare(`broadcast [${from.join(', ')}] to [${to.join(', ')}]`, [from], to, [
    { label: 'Expand', body: (e, [v]) => e.op('Expand', [v!, e.i64(to)]) },
    {
      label: 'Mul with ones',
      body: (e, [v]) =>
        e.op('Mul', [
          v!,
          e.f32(
            [1],
            to.map((d, k) => (from[k] === d ? 1 : d)),
          ),
        ]),
    },
  ]);
}

for (const [shape, perm] of sizes([
  [
    [64, 32, 28, 28],
    [0, 2, 3, 1],
  ],
  [
    [64, 28, 28, 32],
    [0, 3, 1, 2],
  ],
  [
    [64, 64, 14, 14],
    [2, 3, 0, 1],
  ],
  [
    [64, 64, 14, 14],
    [1, 2, 3, 0],
  ],
  [
    [64, 64, 14, 14],
    [1, 0, 2, 3],
  ],
  [
    [32, 64, 4, 32],
    [0, 2, 1, 3],
  ],
  [
    [64, 7, 4, 7, 4, 16],
    [0, 1, 3, 2, 4, 5],
  ],
] as const)) {
  const out = perm.map((k) => shape[k] as number);
  await compare(`transpose [${shape.join(', ')}] by ${perm.join(', ')}`, [shape], out, [
    { label: 'Transpose', body: (e, [v]) => e.op('Transpose', [v!], { perm: { ints: perm } }) },
    ...(perm.join() === '2,3,0,1'
      ? [
          {
            label: 'Transpose of the merged matrix',
            body: (e: Parameters<Parameters<typeof compare>[3][0]['body']>[0], [v]: readonly string[]) =>
              e.reshape(e.op('Transpose', [e.reshape(v!, [64 * 64, 196])], { perm: { ints: [1, 0] } }), out),
          },
        ]
      : []),
  ]);
}

// One number against axes of size 1 at the end, and a scale and shift per channel.
for (const x of sizes([[64, 28, 28, 1]] as const)) {
  await compare(`a number times [${x.join(', ')}]`, [x, [1]], x, [
    { label: 'Mul', body: (e, [v, c]) => e.op('Mul', [v!, c!]) },
    {
      label: 'without the last axis',
      body: (e, [v, c]) => e.reshape(e.op('Mul', [e.reshape(v!, x.slice(0, 3)), e.reshape(c!, [])]), x),
    },
  ]);
}
for (const x of sizes([
  [64, 96, 7, 7],
  [32, 32, 32, 32],
  [32, 96, 32, 32],
] as const)) {
  const channels = x[1];
  const row = [1, channels, 1, 1];
  await compare(`x a + b per channel [${x.join(', ')}]`, [x, row, row], x, [
    { label: 'Mul, Add', body: (e, [v, a, b]) => e.op('Add', [e.op('Mul', [v!, a!]), b!]) },
    {
      label: 'BatchNormalization',
      body: (e, [v, a, b]) => {
        const [scale, offset] = [e.reshape(a!, [channels]), e.reshape(b!, [channels])];
        const inputs = [v!, scale, offset, e.f32([0], [channels]), e.f32([1], [channels])];
        return e.op('BatchNormalization', inputs, { epsilon: { f: 0 } });
      },
    },
  ]);
}
