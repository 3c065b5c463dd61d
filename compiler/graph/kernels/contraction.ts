/**
 * Matrix products and convolutions as plain loops, ordered so that the innermost one walks memory forwards. Every
 * result is accumulated in float64.
 *
 * @module
 */
import { sizeOf } from '../ir.js';
import type { Conv2dAttrs } from '../ir.js';
import { broadcastStrides, forEachRow } from './array.js';
import type { Data, Kernel, NdArray } from './array.js';

type Four = readonly [number, number, number, number];

/** One product: a (M x K at `at`, or K x M if `ta`) times b (K x N, or N x K if `tb`) into out (M x N). */
function product(
  [a, aAt, ta]: readonly [Data, number, boolean],
  [b, bAt, tb]: readonly [Data, number, boolean],
  [out, outAt]: readonly [Data, number],
  [M, N, K]: readonly [number, number, number],
): void {
  const row = new Float64Array(K);
  const acc = new Float64Array(N);
  for (let i = 0; i < M; i++) {
    for (let k = 0; k < K; k++) row[k] = a[ta ? aAt + k * M + i : aAt + i * K + k]!;
    if (tb) {
      for (let j = 0; j < N; j++) {
        let sum = 0;
        const at = bAt + j * K;
        for (let k = 0; k < K; k++) sum += row[k]! * b[at + k]!;
        acc[j] = sum;
      }
    } else {
      acc.fill(0);
      for (let k = 0; k < K; k++) {
        const x = row[k]!;
        const at = bAt + k * N;
        for (let j = 0; j < N; j++) acc[j]! += x * b[at + j]!;
      }
    }
    out.set(acc, outAt + i * N);
  }
}

export const matmul: Kernel<'matmul'> = (node, inputs, out) => {
  const [a, b] = inputs as readonly [NdArray, NdArray];
  const { transposeA, transposeB } = node.attrs;
  const lead = node.shape.slice(0, -2);
  const [M, N] = node.shape.slice(-2) as [number, number];
  const K = a.shape[a.shape.length - (transposeA ? 2 : 1)]!;
  if (out.length === 0) return;
  const aStrides = broadcastStrides(a.shape.slice(0, -2), lead).map((s) => s * M * K);
  const bStrides = broadcastStrides(b.shape.slice(0, -2), lead).map((s) => s * K * N);
  // A trailing axis of size 1 makes every product a row of its own.
  const walk = {
    shape: [...lead, 1],
    strides: [
      [...aStrides, 0],
      [...bStrides, 0],
    ],
  };
  let outAt = 0;
  forEachRow(walk, [0, 0], ([aAt, bAt]) => {
    product([a.data, aAt!, transposeA], [b.data, bAt!, transposeB], [out, outAt], [M, N, K]);
    outAt += M * N;
  });
};

/** The output columns whose input column lies inside the image: ix = ox * stride + shift in [0, width). */
function columns(shift: number, stride: number, width: number, count: number): readonly [number, number] {
  const first = Math.max(0, Math.ceil(-shift / stride));
  const last = Math.min(count - 1, Math.floor((width - 1 - shift) / stride));
  return [first, last];
}

/**
 * The loop nest all three convolutions share: for one kernel position, the runs of output elements (contiguous from
 * `out`) and input elements (from `at`, apart by the stride) that it joins.
 */
function joined(
  [H, W]: readonly [number, number],
  [OH, OW]: readonly [number, number],
  [ky, kx]: readonly [number, number],
  { stride, pad }: Conv2dAttrs,
  run: (at: number, out: number, n: number) => void,
): void {
  const [first, last] = columns(kx - pad[1], stride[1], W, OW);
  if (last < first) return;
  for (let oy = 0; oy < OH; oy++) {
    const iy = oy * stride[0] + ky - pad[0];
    if (iy < 0 || iy >= H) continue;
    run(iy * W + first * stride[1] + kx - pad[1], oy * OW + first, last - first + 1);
  }
}

export const conv2d: Kernel<'conv2d'> = (node, inputs, out) => {
  const [x, w] = inputs.map((i) => i.data) as [Data, Data];
  const [B, C, H, W] = inputs[0]!.shape as Four;
  const [O, , KH, KW] = inputs[1]!.shape as Four;
  const [, , OH, OW] = node.shape as Four;
  const step = node.attrs.stride[1];
  const plane = new Float64Array(OH * OW);
  for (let b = 0; b < B; b++) {
    for (let o = 0; o < O; o++) {
      plane.fill(0);
      for (let c = 0; c < C; c++) {
        const base = (b * C + c) * H * W;
        for (let ky = 0; ky < KH; ky++) {
          for (let kx = 0; kx < KW; kx++) {
            const weight = w[((o * C + c) * KH + ky) * KW + kx]!;
            joined([H, W], [OH, OW], [ky, kx], node.attrs, (at, to, n) => {
              for (let k = 0, i = base + at; k < n; k++, i += step) plane[to + k]! += weight * x[i]!;
            });
          }
        }
      }
      out.set(plane, (b * O + o) * OH * OW);
    }
  }
};

export const conv2dInput: Kernel<'conv2d_input'> = (node, inputs, out) => {
  const [dy, w] = inputs.map((i) => i.data) as [Data, Data];
  const [B, O, OH, OW] = inputs[0]!.shape as Four;
  const [, C, KH, KW] = inputs[1]!.shape as Four;
  const [H, W] = node.attrs.size;
  const step = node.attrs.stride[1];
  const plane = new Float64Array(H * W);
  for (let b = 0; b < B; b++) {
    for (let c = 0; c < C; c++) {
      plane.fill(0);
      for (let o = 0; o < O; o++) {
        const base = (b * O + o) * OH * OW;
        for (let ky = 0; ky < KH; ky++) {
          for (let kx = 0; kx < KW; kx++) {
            const weight = w[((o * C + c) * KH + ky) * KW + kx]!;
            joined([H, W], [OH, OW], [ky, kx], node.attrs, (at, from, n) => {
              for (let k = 0, i = at; k < n; k++, i += step) plane[i]! += weight * dy[base + from + k]!;
            });
          }
        }
      }
      out.set(plane, (b * C + c) * H * W);
    }
  }
};

export const conv2dFilter: Kernel<'conv2d_filter'> = (node, inputs, out) => {
  const [x, dy] = inputs.map((i) => i.data) as [Data, Data];
  const [B, C, H, W] = inputs[0]!.shape as Four;
  const [, O, OH, OW] = inputs[1]!.shape as Four;
  const [KH, KW] = node.attrs.kernel;
  const step = node.attrs.stride[1];
  const acc = new Float64Array(sizeOf(node.shape));
  for (let b = 0; b < B; b++) {
    for (let o = 0; o < O; o++) {
      const dyBase = (b * O + o) * OH * OW;
      for (let c = 0; c < C; c++) {
        const xBase = (b * C + c) * H * W;
        for (let ky = 0; ky < KH; ky++) {
          for (let kx = 0; kx < KW; kx++) {
            let sum = 0;
            joined([H, W], [OH, OW], [ky, kx], node.attrs, (at, from, n) => {
              for (let k = 0, i = xBase + at; k < n; k++, i += step) sum += x[i]! * dy[dyBase + from + k]!;
            });
            acc[((o * C + c) * KH + ky) * KW + kx]! += sum;
          }
        }
      }
    }
  }
  out.set(acc);
};
