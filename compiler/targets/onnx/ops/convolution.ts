/**
 * Convolution and its two adjoints.
 *
 * @module
 */
import type { Node, NodeOf } from '../../../graph/ir.js';
import type { Emitter } from '../emitter.js';
import { blockedDomain } from '../emitter.js';
import type { LowerTable } from './table.js';

/** Sizes of a kernel: outputs, inputs, rows, columns. */
interface Kernel {
  readonly outC: number;
  readonly inC: number;
  readonly kh: number;
  readonly kw: number;
}

interface Window {
  readonly stride: readonly [number, number];
  readonly pad: readonly number[];
}

/**
 * How much arithmetic the blocked kernel may waste on filling channels up to whole blocks. From 3x3 on it is 1.3 to
 * 1.6 times as fast as Conv on whole blocks, the two changes of layout included; at a waste of 1.45 they break even
 * (bench/ops/convolution.ts). A 1x1 Conv is one product already.
 */
const maxBlockWaste = 1.35;

/** Conv of x [B, C, H, W] with w [O, C, kh, kw] and, where given, bias [O]. */
function conv(x: string, w: string, k: Kernel, { stride, pad }: Window, e: Emitter, bias?: string): string {
  const attributes = {
    pads: { ints: pad },
    strides: { ints: stride },
    kernel_shape: { ints: [k.kh, k.kw] },
  };
  const block = blockFor(k, e);
  if (block === undefined) return e.op('Conv', bias === undefined ? [x, w] : [x, w, bias], attributes);
  const [outC, inC] = [roundUp(k.outC, block), roundUp(k.inC, block)];
  const blocks = [outC / block, block, inC / block, block, k.kh, k.kw];
  const filled = fill(w, [outC - k.outC, inC - k.inC, 0, 0], e);
  const layout = e.transpose(e.reshape(filled, blocks), [0, 2, 4, 5, 3, 1]);
  const inputs = [e.op('ReorderInput', [x], {}, blockedDomain), e.reshape(layout, [outC, inC, k.kh, k.kw])];
  if (bias !== undefined) inputs.push(fill(bias, [outC - k.outC], e));
  const y = e.op('Conv', inputs, attributes, blockedDomain);
  return e.op('ReorderOutput', [y], { channels: { i: k.outC } }, blockedDomain);
}

/** Width of the blocks where the blocked kernel is the better one. */
function blockFor({ outC, inC, kh, kw }: Kernel, e: Emitter): number | undefined {
  const { channelBlock: block } = e.options;
  // The change of layout takes channels in fours.
  if (block === undefined || kh * kw === 1 || inC % 4 !== 0) return undefined;
  const waste = (roundUp(outC, block) * roundUp(inC, block)) / (outC * inC);
  return waste <= maxBlockWaste ? block : undefined;
}

function roundUp(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple;
}

/** Zeros after the end of each axis. */
function fill(value: string, after: readonly number[], e: Emitter): string {
  if (after.every((n) => n === 0)) return value;
  return e.op('Pad', [value, e.i64([...after.map(() => 0), ...after])]);
}

function kernelOf(w: Node): Kernel {
  const [outC, inC, kh, kw] = w.shape as [number, number, number, number];
  return { outC, inC, kh, kw };
}

const conv2d = (n: NodeOf<'conv2d'>, e: Emitter): string =>
  conv(e.value(n, 0), e.value(n, 1), kernelOf(e.source(n, 1)), n.attrs, e);

/**
 * A sum of a convolution that nothing else reads and one value per channel is a convolution with a bias, which
 * saves a pass over the result. Undefined where `n` is no such sum.
 */
export function biasedConv2d(n: NodeOf<'add'>, e: Emitter): string | undefined {
  for (const k of [0, 1] as const) {
    const [c, other] = [e.source(n, k), e.source(n, 1 - k)];
    if (c.op !== 'conv2d' || e.uses(c) > 1) continue;
    const kernel = kernelOf(e.source(c, 1));
    const perChannel = other.shape.length >= 3 && other.shape.at(-3) === kernel.outC;
    if (!perChannel || other.shape.reduce((m, d) => m * d, 1) !== kernel.outC || other.shape.length > 4)
      continue;
    const bias = e.reshape(e.value(n, 1 - k), [kernel.outC]);
    return conv(e.value(c, 0), e.value(c, 1), kernel, c.attrs, e, bias);
  }
  return undefined;
}

/** At stride 1 the adjoint in x is a convolution itself, with the kernel flipped and its channels swapped. */
function conv2dInput(n: NodeOf<'conv2d_input'>, e: Emitter): string {
  const { stride, pad, size } = n.attrs;
  const [dy, w] = [e.value(n, 0), e.value(n, 1)];
  const { outC, inC, kh, kw } = kernelOf(e.source(n, 1));
  const [, , oh, ow] = e.source(n, 0).shape as [number, number, number, number];
  const flippedPad = [kh - 1 - pad[0], kw - 1 - pad[1], kh - 1 - pad[2], kw - 1 - pad[3]];
  if (stride[0] === 1 && stride[1] === 1 && flippedPad.every((p) => p >= 0)) {
    const swapped = { outC: inC, inC: outC, kh, kw };
    return conv(dy, flip(w, kh, kw, e), swapped, { stride, pad: flippedPad }, e);
  }
  // Rows of x that the kernel never reached at the bottom and the right: their gradient is zero.
  const rest = [
    size[0] - ((oh - 1) * stride[0] + kh - pad[0] - pad[2]),
    size[1] - ((ow - 1) * stride[1] + kw - pad[1] - pad[3]),
  ];
  const attributes = { pads: { ints: pad }, strides: { ints: stride }, output_padding: { ints: rest } };
  return e.op('ConvTranspose', [dy, w], attributes);
}

/** [O, C, kh, kw] -> [C, O, kh, kw] with both kernel axes reversed. */
function flip(w: string, kh: number, kw: number, e: Emitter): string {
  const swapped = e.transpose(w, [1, 0, 2, 3]);
  if (kh === 1 && kw === 1) return swapped;
  const [from, to] = [e.i64([-1, -1]), e.i64([-kh - 1, -kw - 1])];
  return e.op('Slice', [swapped, from, to, e.i64([2, 3]), e.i64([-1, -1])]);
}

/** How one operand of a weight gradient is moved against the other: views of it with zeros around. */
interface Shifts {
  /** Zeros at the top, the left, the bottom and the right. */
  readonly pad: readonly number[];
  /** Rows and columns of a view. */
  readonly size: readonly [number, number];
  readonly stride: readonly [number, number];
  /** Where the view for each kernel position starts, in order. */
  readonly starts: readonly (readonly [number, number])[];
}

/**
 * `kept` [B, P, H, W] against every view of `moved` [B, Q, ...]: products [P, Q], one per kernel position. The views
 * are channels-last, so that they are copied in runs of W Q elements. Both transposes move one axis only, for which
 * there are fast kernels.
 */
function againstViews(kept: Node, moved: Node, { pad, size, stride, starts }: Shifts, e: Emitter): string[] {
  const [batch, P] = kept.shape as [number, number];
  const Q = moved.shape[1] as number;
  const rows = batch * size[0] * size[1];
  const channelsLast = e.transpose(e.values[moved.id] as string, [0, 2, 3, 1]);
  const padded = pad.some((p) => p > 0)
    ? e.op('Pad', [channelsLast, e.i64([0, ...pad.slice(0, 2), 0, 0, ...pad.slice(2), 0])])
    : channelsLast;
  const left = e.reshape(e.transpose(e.values[kept.id] as string, [1, 0, 2, 3]), [P, rows]);
  return starts.map((from) => {
    const to = from.map((f, axis) => f + ((size[axis] as number) - 1) * (stride[axis] as number) + 1);
    const view = e.op('Slice', [padded, e.i64(from), e.i64(to), e.i64([1, 2]), e.i64(stride)]);
    return e.op('MatMul', [left, e.reshape(view, [rows, Q])]);
  });
}

/**
 * One product per kernel position. Measured against im2col in both layouts, batched products and Conv with swapped axes
 * (bench/ops/convolution.ts): fastest throughout, 95-150 GFLOP/s on one core where Conv itself has 105-140, and
 * Conv with swapped axes 40-75. At stride 1 either operand can be the one whose views are copied; it is the one with
 * fewer channels, which takes 0.6 of the time at 96 to 32 channels.
 */
function conv2dFilter(n: NodeOf<'conv2d_filter'>, e: Emitter): string {
  const { stride, pad, kernel } = n.attrs;
  const [kh, kw] = kernel;
  const [x, dy] = [e.source(n, 0), e.source(n, 1)];
  const [inC, outC] = [x.shape[1] as number, dy.shape[1] as number];
  const at = Array.from({ length: kh * kw }, (_, k) => [Math.floor(k / kw), k % kw] as const);
  const around = [kh - 1 - pad[0], kw - 1 - pad[1], kh - 1 - pad[2], kw - 1 - pad[3]];
  const either = stride[0] === 1 && stride[1] === 1 && around.every((p) => p >= 0);
  const moveGradient = either && outC < inC && at.length > 1;
  const products = moveGradient
    ? againstViews(
        x,
        dy,
        {
          pad: around,
          size: x.shape.slice(2) as [number, number],
          stride,
          starts: at.map(([i, j]) => [kh - 1 - i, kw - 1 - j]),
        },
        e,
      )
    : againstViews(dy, x, { pad, size: dy.shape.slice(2) as [number, number], stride, starts: at }, e);
  if (products.length === 1) return e.reshape(products[0] as string, n.shape);
  const rest = moveGradient ? [inC, outC] : [outC, inC];
  const stacked = e.reshape(e.op('Concat', products, { axis: { i: 0 } }), [kh, kw, ...rest]);
  return e.transpose(stacked, moveGradient ? [3, 2, 0, 1] : [2, 3, 0, 1]);
}

export const convolutions = {
  conv2d,
  conv2d_input: conv2dInput,
  conv2d_filter: conv2dFilter,
} satisfies Partial<LowerTable>;
