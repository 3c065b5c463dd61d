/**
 * Convolution and its two adjoints: which ONNX form is fastest. 3x3 kernels, stride 1, padding 1, unless said.
 *
 * @module
 */
import { blockedDomain } from '../../compiler/targets/onnx/emitter.js';
import type { Emitter } from '../../compiler/targets/onnx/emitter.js';
import { compare, sizes as chosen } from './harness.js';
import type { Case } from './harness.js';

const pads = { pads: { ints: [1, 1, 1, 1] } };
const sizes: [b: number, c: number, o: number, h: number][] = [
  [64, 32, 32, 28],
  [64, 64, 64, 14],
  [64, 96, 96, 7],
  [64, 192, 96, 14],
  [32, 96, 32, 32],
  // Channels that do not fill blocks of 16.
  [64, 24, 24, 28],
  [64, 24, 48, 14],
];
const wanted = process.env['BENCH_ONLY'];

for (const [b, c, o, h] of chosen(sizes)) {
  const flops = 2 * b * h * h * c * o * 9;
  const hw = h * h;
  const title = `B ${b}, C ${c}, O ${o}, ${h}x${h}`;
  if (!wanted || wanted === 'forward')
    await compare(
      `conv2d ${title}`,
      [
        [b, c, h, h],
        [o, c, 3, 3],
      ],
      [b, o, h, h],
      [
        { label: 'Conv', body: (e, [x, w]) => e.op('Conv', [x!, w!], pads) },
        {
          label: 'blocked by 16 (AVX-512)',
          body: (e, [x, w]) => {
            const [oo, cc] = [Math.ceil(o / 16) * 16, Math.ceil(c / 16) * 16];
            const filled = e.op('Pad', [w!, e.i64([0, 0, 0, 0, oo - o, cc - c, 0, 0])]);
            const blocks = e.reshape(filled, [oo / 16, 16, cc / 16, 16, 3, 3]);
            const layout = e.reshape(e.transpose(blocks, [0, 2, 4, 5, 3, 1]), [oo, cc, 3, 3]);
            const xs = e.op('ReorderInput', [x!], {}, blockedDomain);
            const y = e.op('Conv', [xs, layout], { ...pads, kernel_shape: { ints: [3, 3] } }, blockedDomain);
            return e.op('ReorderOutput', [y], { channels: { i: o } }, blockedDomain);
          },
        },
        {
          label: '3x3 taps in NCHW, concat, one batched MatMul',
          body: (e, [x, w]) => {
            const cols = e.op('Concat', taps(e, x!, h), { axis: { i: 1 } });
            const wt = e.reshape(e.transpose(w!, [0, 2, 3, 1]), [o, 9 * c]);
            return e.reshape(e.op('MatMul', [wt, e.reshape(cols, [b, 9 * c, hw])]), [b, o, h, h]);
          },
        },
        {
          label: 'channels-last, concat of taps, one Gemm',
          body: (e, [x, w]) => {
            const p = e.op('Pad', [e.transpose(x!, [0, 2, 3, 1]), e.i64([0, 1, 1, 0, 0, 1, 1, 0])]);
            const cols = e.op(
              'Concat',
              ij((i, j) => slice(e, p, [i, j], [i + h, j + h], [1, 2])),
              { axis: { i: 3 } },
            );
            const wt = e.reshape(e.transpose(w!, [0, 2, 3, 1]), [o, 9 * c]);
            const y = e.op('Gemm', [e.reshape(cols, [b * hw, 9 * c]), wt], { transB: { i: 1 } });
            return e.transpose(e.reshape(y, [b, h, h, o]), [0, 3, 1, 2]);
          },
        },
      ],
      flops,
    );

  if (!wanted || wanted === 'input')
    await compare(
      `conv2d_input ${title}`,
      [
        [b, o, h, h],
        [o, c, 3, 3],
      ],
      [b, c, h, h],
      [
        {
          label: 'Conv with flipped weights',
          body: (e, [dy, w]) => {
            const s = e.op('Slice', [
              e.transpose(w!, [1, 0, 2, 3]),
              e.i64([-1, -1]),
              e.i64([-4, -4]),
              e.i64([2, 3]),
              e.i64([-1, -1]),
            ]);
            return e.op('Conv', [dy!, s], pads);
          },
        },
        { label: 'ConvTranspose', body: (e, [dy, w]) => e.op('ConvTranspose', [dy!, w!], pads) },
      ],
      flops,
    );

  if (!wanted || wanted === 'filter')
    await compare(
      `conv2d_filter ${title}`,
      [
        [b, c, h, h],
        [b, o, h, h],
      ],
      [o, c, 3, 3],
      filterCases(b, c, o, h),
      flops,
    );
}

function ij<T>(f: (i: number, j: number) => T): T[] {
  return [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => f(i, j)));
}

function slice(e: Emitter, x: string, from: number[], to: number[], axes: number[]): string {
  return e.op('Slice', [x, e.i64(from), e.i64(to), e.i64(axes)]);
}

function taps(e: Emitter, x: string, h: number): string[] {
  const p = e.op('Pad', [x, e.i64([0, 0, 1, 1, 0, 0, 1, 1])]);
  return ij((i, j) => slice(e, p, [i, j], [i + h, j + h], [2, 3]));
}

function filterCases(b: number, c: number, o: number, h: number): Case[] {
  const hw = h * h;
  const tA = { transA: { i: 1 } };
  const tB = { transB: { i: 1 } };
  const stack = (e: Emitter, parts: string[]): string =>
    e.transpose(e.reshape(e.op('Concat', parts, { axis: { i: 0 } }), [3, 3, o, c]), [2, 3, 0, 1]);
  const hwbc = (e: Emitter, x: string): string =>
    e.op('Pad', [e.transpose(x, [2, 3, 0, 1]), e.i64([1, 1, 0, 0, 1, 1, 0, 0])]);
  return [
    {
      label: 'taps of HWBC, one Gemm each (dy rows)',
      body: (e, [x, dy]) => {
        const p = hwbc(e, x!);
        const d = e.reshape(e.transpose(dy!, [2, 3, 0, 1]), [hw * b, o]);
        return stack(
          e,
          ij((i, j) =>
            e.op('Gemm', [d, e.reshape(slice(e, p, [i, j], [i + h, j + h], [0, 1]), [hw * b, c])], tA),
          ),
        );
      },
    },
    {
      label: 'the same, dy as [O, HWB]',
      body: (e, [x, dy]) => {
        const p = hwbc(e, x!);
        const d = e.reshape(e.transpose(dy!, [1, 2, 3, 0]), [o, hw * b]);
        return stack(
          e,
          ij((i, j) =>
            e.op('MatMul', [d, e.reshape(slice(e, p, [i, j], [i + h, j + h], [0, 1]), [hw * b, c])]),
          ),
        );
      },
    },
    {
      label: 'taps of HWBC, concat, one Gemm',
      body: (e, [x, dy]) => {
        const p = hwbc(e, x!);
        const d = e.reshape(e.transpose(dy!, [1, 2, 3, 0]), [o, hw * b]);
        const cols = e.op(
          'Concat',
          ij((i, j) => slice(e, p, [i, j], [i + h, j + h], [0, 1])),
          { axis: { i: 3 } },
        );
        const y = e.op('MatMul', [d, e.reshape(cols, [hw * b, 9 * c])]);
        return e.transpose(e.reshape(y, [o, 3, 3, c]), [0, 3, 1, 2]);
      },
    },
    {
      label: 'taps of BHWC, dy as [O, BHW]',
      body: (e, [x, dy]) => {
        const p = e.op('Pad', [e.transpose(x!, [0, 2, 3, 1]), e.i64([0, 1, 1, 0, 0, 1, 1, 0])]);
        const d = e.reshape(e.transpose(dy!, [1, 0, 2, 3]), [o, b * hw]);
        return stack(
          e,
          ij((i, j) =>
            e.op('MatMul', [d, e.reshape(slice(e, p, [i, j], [i + h, j + h], [1, 2]), [b * hw, c])]),
          ),
        );
      },
    },
    {
      label: 'taps of dy as BHWC, x as [C, BHW]',
      body: (e, [x, dy]) => {
        const p = e.op('Pad', [e.transpose(dy!, [0, 2, 3, 1]), e.i64([0, 1, 1, 0, 0, 1, 1, 0])]);
        const still = e.reshape(e.transpose(x!, [1, 0, 2, 3]), [c, b * hw]);
        const parts = ij((i, j) => {
          const view = slice(e, p, [2 - i, 2 - j], [2 - i + h, 2 - j + h], [1, 2]);
          return e.op('MatMul', [still, e.reshape(view, [b * hw, o])]);
        });
        return e.transpose(e.reshape(e.op('Concat', parts, { axis: { i: 0 } }), [3, 3, c, o]), [3, 2, 0, 1]);
      },
    },
    {
      label: 'taps of HWBC in two transposes, dy as [O, HWB]',
      body: (e, [x, dy]) => {
        const t = e.transpose(e.transpose(x!, [0, 2, 3, 1]), [1, 2, 0, 3]);
        const p = e.op('Pad', [t, e.i64([1, 1, 0, 0, 1, 1, 0, 0])]);
        const d = e.reshape(e.transpose(dy!, [1, 2, 3, 0]), [o, hw * b]);
        return stack(
          e,
          ij((i, j) =>
            e.op('MatMul', [d, e.reshape(slice(e, p, [i, j], [i + h, j + h], [0, 1]), [hw * b, c])]),
          ),
        );
      },
    },
    {
      label: 'taps of BHWC, batched each, sum over B',
      body: (e, [x, dy]) => {
        const p = e.op('Pad', [e.transpose(x!, [0, 2, 3, 1]), e.i64([0, 1, 1, 0, 0, 1, 1, 0])]);
        const d = e.reshape(dy!, [b, o, hw]);
        return stack(
          e,
          ij((i, j) =>
            e.op(
              'ReduceSum',
              [
                e.op('MatMul', [d, e.reshape(slice(e, p, [i, j], [i + h, j + h], [1, 2]), [b, hw, c])]),
                e.i64([0]),
              ],
              { keepdims: { i: 0 } },
            ),
          ),
        );
      },
    },
    {
      label: 'taps in NCHW, concat, batched, sum over B',
      body: (e, [x, dy]) => {
        const cols = e.reshape(e.op('Concat', taps(e, x!, h), { axis: { i: 1 } }), [b, 9 * c, hw]);
        const y = e.op('FusedMatMul', [e.reshape(dy!, [b, o, hw]), cols], tB, 'com.microsoft');
        const s = e.op('ReduceSum', [y, e.i64([0])], { keepdims: { i: 0 } });
        return e.transpose(e.reshape(s, [o, 3, 3, c]), [0, 3, 1, 2]);
      },
    },
    {
      label: 'taps in NCHW, batched each, sum over B',
      body: (e, [x, dy]) => {
        const d = e.reshape(dy!, [b, o, hw]);
        return stack(
          e,
          taps(e, x!, h).map((tap) => {
            const y = e.op('FusedMatMul', [d, e.reshape(tap, [b, c, hw])], tB, 'com.microsoft');
            return e.reshape(e.op('ReduceSum', [y, e.i64([0])], { keepdims: { i: 0 } }), [o, c]);
          }),
        );
      },
    },
    {
      label: 'Conv with swapped axes',
      body: (e, [x, dy]) => {
        const y = e.op('Conv', [e.transpose(x!, [1, 0, 2, 3]), e.transpose(dy!, [1, 0, 2, 3])], pads);
        return e.transpose(y, [1, 0, 2, 3]);
      },
    },
    {
      label: 'rows shared: 3 column taps, Gemm per row',
      body: (e, [x, dy]) => {
        const p = hwbc(e, x!);
        const d = e.reshape(e.transpose(dy!, [1, 2, 3, 0]), [o, hw * b]);
        const wide = e.op(
          'Concat',
          [0, 1, 2].map((j) => slice(e, p, [j], [j + h], [1])),
          { axis: { i: 3 } },
        );
        const rows = [0, 1, 2].map((i) =>
          e.op('MatMul', [d, e.reshape(slice(e, wide, [i], [i + h], [0]), [hw * b, 3 * c])]),
        );
        return e.transpose(e.reshape(e.op('Concat', rows, { axis: { i: 0 } }), [3, o, 3, c]), [1, 3, 0, 2]);
      },
    },
  ];
}
