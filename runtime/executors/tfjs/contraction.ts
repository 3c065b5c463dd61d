/**
 * Products and convolutions. TensorFlow.js has fast plain kernels and slow or missing general ones, so everything is
 * brought to a plain one: convolutions with channels last and padding written out, products not transposed.
 *
 * @module
 */
import { sizeOf } from '../../../compiler/graph/ir.js';
import type { Conv2dAttrs, Shape } from '../../../compiler/graph/ir.js';
import type { Kernels, Lowering } from './lowering.js';
import type { TfTensor } from './tf.js';

type Four = readonly [number, number, number, number];

/** [..., M, K] x [..., K, N]. */
export const matmul: Lowering<'matmul'> = (k, node, inputs) => {
  const [a, b] = inputs as readonly [TfTensor, TfTensor];
  const { transposeA, transposeB } = node.attrs;
  const [m, n] = node.shape.slice(-2) as [number, number];
  const lead = node.shape.slice(0, -2);
  const count = sizeOf(lead);
  // One matrix on the right is one product, with the rows of all on the left.
  if (sizeOf(b.shape.slice(0, -2)) === 1 && !(transposeA && count > 1)) {
    const rows = transposeA ? [a.shape[a.shape.length - 2] as number, m] : [count * m, -1];
    const y = k.reshape(b, b.shape.slice(-2));
    return k.reshape(product(k, k.reshape(a, rows), y, transposeA, transposeB), node.shape);
  }
  // TensorFlow's own broadcasting of stacks gives wrong numbers (2.21), so both are written out.
  const [xs, ys] = [stacked(k, a, lead), stacked(k, b, lead)];
  const inner = transposeA
    ? (a.shape[a.shape.length - 2] as number)
    : (a.shape[a.shape.length - 1] as number);
  if (k.device !== 'wasm' || m * inner * n < smallProduct) {
    return k.reshape(k.run('BatchMatMul', { a: xs, b: ys }, { transposeA, transposeB }), node.shape);
  }
  const x = transposeA ? k.transpose(xs, [0, 2, 1]) : xs;
  const y = transposeB ? k.transpose(ys, [0, 2, 1]) : ys;
  const products = Array.from({ length: count }, (_, i) =>
    k.run('BatchMatMul', { a: part(k, x, i), b: part(k, y, i) }, { transposeA: false, transposeB: false }),
  );
  return k.reshape(k.concat(products, 0), node.shape);
};

/** Multiplications of one product below which calling a kernel costs more than the slow kernel does. */
const smallProduct = 4096;

/** A stack of matrices with its leading axes broadcast to `lead`, and these as one. */
function stacked(k: Kernels, x: TfTensor, lead: Shape): TfTensor {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  return k.reshape(k.broadcast(x, [...lead, rows, columns]), [sizeOf(lead), rows, columns]);
}

/** Matrix `i` of a stack, as a stack of one. */
function part(k: Kernels, x: TfTensor, i: number): TfTensor {
  return k.slice(x, [i, 0, 0], [1, ...x.shape.slice(1)]);
}

/**
 * The product of two matrices. On WebAssembly only the plain one is fast (about twenty times), so transposes move first.
 */
function product(k: Kernels, a: TfTensor, b: TfTensor, transposeA: boolean, transposeB: boolean): TfTensor {
  const first = k.device === 'wasm';
  const x = first && transposeA ? k.transpose(a, [1, 0]) : a;
  const y = first && transposeB ? k.transpose(b, [1, 0]) : b;
  const flags = { transposeA: transposeA && !first, transposeB: transposeB && !first };
  return k.run('BatchMatMul', stack(k, x, y), flags);
}

/** x [B, C, H, W], w [O, C, kh, kw]. */
export const conv2d: Lowering<'conv2d'> = (k, { attrs }, [x, w]) => {
  const image = padded(k, k.transpose(x as TfTensor, [0, 2, 3, 1]), attrs.pad);
  const filter = k.transpose(w as TfTensor, [2, 3, 1, 0]);
  return k.transpose(convolve(k, image, filter, attrs.stride), [0, 3, 1, 2]);
};

/**
 * The adjoint in x, as a convolution: dy with `stride - 1` zeros between its pixels, w flipped and its channels swapped.
 */
export const conv2dInput: Lowering<'conv2d_input'> = (k, node, [dy, w]) => {
  const { stride, pad, size } = node.attrs;
  const [, , kh, kw] = (w as TfTensor).shape as unknown as Four;
  const spread = dilate(k, k.transpose(dy as TfTensor, [0, 2, 3, 1]), stride);
  const [, height, width] = spread.shape as unknown as Four;
  const [top, left] = [kh - 1 - pad[0], kw - 1 - pad[1]];
  const around: Four = [top, left, size[0] - height - top + kh - 1, size[1] - width - left + kw - 1];
  const turned = k.run('Reverse', { x: k.transpose(w as TfTensor, [2, 3, 0, 1]) }, { dims: [0, 1] });
  const dx = convolve(k, padded(k, spread, around), turned, [1, 1]);
  return k.transpose(dx, [0, 3, 1, 2]);
};

/** The adjoint in w: one product for every position of the kernel, [C, B H' W'] x [B H' W', O]. */
export const conv2dFilter: Lowering<'conv2d_filter'> = (k, node, [x, dy]) => {
  const { stride, pad, kernel } = node.attrs;
  const [batch, outC, oh, ow] = (dy as TfTensor).shape as unknown as Four;
  const channels = (x as TfTensor).shape[1] as number;
  const gradients = k.reshape(k.transpose(dy as TfTensor, [0, 2, 3, 1]), [batch * oh * ow, outC]);
  const image = padded(k, k.transpose(x as TfTensor, [1, 0, 2, 3]), pad, [2, 3]);
  const products: TfTensor[] = [];
  for (let i = 0; i < kernel[0]; i++) {
    for (let j = 0; j < kernel[1]; j++) {
      const rows = every(k, image, 2, i, stride[0], oh);
      const seen = k.reshape(every(k, rows, 3, j, stride[1], ow), [channels, batch * oh * ow]);
      products.push(product(k, seen, gradients, false, false));
    }
  }
  const all = k.reshape(k.concat(products, 0), [...kernel, channels, outC]);
  return k.transpose(all, [3, 2, 0, 1]);
};

function stack(k: Kernels, a: TfTensor, b: TfTensor): Readonly<Record<string, TfTensor>> {
  return { a: k.reshape(a, [1, ...a.shape]), b: k.reshape(b, [1, ...b.shape]) };
}

function convolve(k: Kernels, x: TfTensor, filter: TfTensor, strides: Conv2dAttrs['stride']): TfTensor {
  const attrs = { strides, pad: 'valid', dataFormat: 'NHWC', dilations: [1, 1] };
  return k.run('Conv2D', { x, filter }, attrs);
}

/** Zeros around an image; a negative count cuts off instead. `axes` are those of height and width. */
function padded(k: Kernels, x: TfTensor, [top, left, bottom, right]: Four, axes = [1, 2]): TfTensor {
  const [h, w] = axes as [number, number];
  const begin = x.shape.map((_, axis) =>
    axis === h ? Math.max(0, -top) : axis === w ? Math.max(0, -left) : 0,
  );
  const size = x.shape.map((d, axis) => {
    const after = axis === h ? bottom : axis === w ? right : 0;
    return d - (begin[axis] as number) - Math.max(0, -after);
  });
  const cut = size.join() === x.shape.join() ? x : k.slice(x, begin, size);
  const paddings = x.shape.map((_, axis): readonly [number, number] =>
    axis === h
      ? [Math.max(0, top), Math.max(0, bottom)]
      : axis === w
        ? [Math.max(0, left), Math.max(0, right)]
        : [0, 0],
  );
  return k.pad(cut, paddings);
}

/** [B, H, W, C] with zeros between pixels: [B, (H - 1) sh + 1, (W - 1) sw + 1, C]. */
function dilate(k: Kernels, x: TfTensor, [sh, sw]: Conv2dAttrs['stride']): TfTensor {
  if (sh === 1 && sw === 1) return x;
  const [batch, h, w, c] = x.shape as unknown as Four;
  const apart = k.reshape(x, [batch, h, 1, w, 1, c]);
  const spread = k.pad(apart, [
    [0, 0],
    [0, 0],
    [0, sh - 1],
    [0, 0],
    [0, sw - 1],
    [0, 0],
  ]);
  const whole = k.reshape(spread, [batch, h * sh, w * sw, c]);
  return k.slice(whole, [0, 0, 0, 0], [batch, (h - 1) * sh + 1, (w - 1) * sw + 1, c]);
}

/** `count` elements of an axis from `begin` on, `step` apart. */
export function every(
  k: Kernels,
  x: TfTensor,
  axis: number,
  begin: number,
  step: number,
  count: number,
): TfTensor {
  if (step === 1) {
    const size = x.shape.map((d, i) => (i === axis ? count : d));
    return k.slice(
      x,
      x.shape.map((_, i) => (i === axis ? begin : 0)),
      size,
    );
  }
  const indices = k.ints(Array.from({ length: count }, (_, i) => begin + i * step));
  return k.run('GatherV2', { x, indices }, { axis, batchDims: 0 });
}
