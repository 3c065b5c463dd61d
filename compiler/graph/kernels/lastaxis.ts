/**
 * Primitives over the last axis.
 *
 * @module
 */
import type { Data, Kernel, NdArray } from './array.js';

/** Calls `row` with the offset of each run along the last axis and its length. */
function overLast(x: NdArray, row: (at: number, n: number, index: number) => void): void {
  const n = x.shape[x.shape.length - 1]!;
  if (x.data.length === 0) return;
  for (let at = 0, index = 0; at < x.data.length; at += n, index++) row(at, n, index);
}

function largest(x: Data, at: number, n: number): number {
  let most = -Infinity;
  for (let k = 0; k < n; k++) most = Math.max(most, x[at + k]!);
  return most;
}

export const softmax: Kernel<'softmax'> = (_node, [x], out) => {
  const { data } = x!;
  overLast(x!, (at, n) => {
    const most = largest(data, at, n);
    let sum = 0;
    for (let k = 0; k < n; k++) sum += Math.exp(data[at + k]! - most);
    for (let k = 0; k < n; k++) out[at + k] = Math.exp(data[at + k]! - most) / sum;
  });
};

export const logSoftmax: Kernel<'log_softmax'> = (_node, [x], out) => {
  const { data } = x!;
  overLast(x!, (at, n) => {
    const most = largest(data, at, n);
    let sum = 0;
    for (let k = 0; k < n; k++) sum += Math.exp(data[at + k]! - most);
    const shift = most + Math.log(sum);
    for (let k = 0; k < n; k++) out[at + k] = data[at + k]! - shift;
  });
};

/** Mean, and 1 / sqrt(biased variance + eps), in two passes: the one-pass formula cancels. */
function moments(x: Data, at: number, n: number, eps: number): readonly [number, number] {
  let mean = 0;
  for (let k = 0; k < n; k++) mean += x[at + k]!;
  mean /= n;
  let variance = 0;
  for (let k = 0; k < n; k++) variance += (x[at + k]! - mean) ** 2;
  return [mean, 1 / Math.sqrt(variance / n + eps)];
}

export const normalize: Kernel<'normalize'> = (node, [x], out) => {
  const { data } = x!;
  overLast(x!, (at, n) => {
    const [mean, scale] = moments(data, at, n, node.attrs.eps);
    for (let k = 0; k < n; k++) out[at + k] = (data[at + k]! - mean) * scale;
  });
};

export const rstd: Kernel<'rstd'> = (node, [x], out) => {
  overLast(x!, (at, n, index) => {
    out[index] = moments(x!.data, at, n, node.attrs.eps)[1];
  });
};

export const argmax: Kernel<'argmax'> = (_node, [x], out) => {
  const { data } = x!;
  overLast(x!, (at, n, index) => {
    let best = 0;
    for (let k = 1; k < n; k++) if (data[at + k]! > data[at + best]!) best = k;
    out[index] = best;
  });
};
