/**
 * Constants and primitives that move data.
 *
 * @module
 */
import { sizeOf } from '../../../graph/ir.js';
import type { NodeOf, Shape } from '../../../graph/ir.js';
import { literalOf } from '../emitter.js';
import type { Emitter } from '../emitter.js';
import type { LowerTable } from './table.js';

/** Larger arrays of one value are written as a fill, not as data. */
const fillAbove = 256;

/** Repeats of the last axis up to here are made by Concat. */
const fewRepeats = 8;
/** Largest array of ones that is stored in a model for a broadcast. */
const maxOnes = 4096;

/** [B, C, h, k, w, l] as B, C, h, w and the factors k and l. */
export function tiles(shape: Shape): { image: Shape; by: readonly [number, number] } | undefined {
  const [B, C, h, k, w, l] = shape as readonly [number, number, number, number, number, number];
  return shape.length === 6 && sizeOf(shape) > 0 ? { image: [B, C, h, w], by: [k, l] } : undefined;
}

/** Repeats every pixel of images, [B, C, h, 1, w, 1] -> [B, C, h, k, w, l]: onnxruntime's Resize takes half the time. */
function enlarged(n: NodeOf<'broadcast'>, e: Emitter): string | undefined {
  const input = e.source(n, 0);
  const found = tiles(n.shape);
  if (found === undefined || e.options.provider === 'webgpu' || n.dtype !== 'f32') return undefined;
  const [B, C, h, w] = found.image as readonly [number, number, number, number];
  const [k, l] = found.by;
  if (input.shape.join() !== [B, C, h, 1, w, 1].join() || k < 2 || l < 2) return undefined;
  const scales = e.f32([1, 1, k, l], [4]);
  const large = e.op('Resize', [e.reshape(e.value(n, 0), found.image), '', scales], {
    mode: { s: 'nearest' },
    coordinate_transformation_mode: { s: 'asymmetric' },
    nearest_mode: { s: 'floor' },
  });
  return e.reshape(large, n.shape);
}

/**
 * Expand copies runs of elements, and is slow where the run is one: that part is done first, by Concat where it
 * repeats a few times (5 times as fast) and by a product with ones where it repeats often
 * (1.4 to 3 times). See bench/ops/scatter.ts.
 */
function broadcast(n: NodeOf<'broadcast'>, e: Emitter): string {
  const large = enlarged(n, e);
  if (large !== undefined) return large;
  const to = n.shape;
  const input = e.source(n, 0);
  const from = [...to.map(() => 1), ...input.shape].slice(input.shape.length);
  let value = from.length === input.shape.length ? e.value(n, 0) : e.reshape(e.value(n, 0), from);
  let reached = from;
  // The trailing axes that have size 1 in the input: [first, rank).
  let first = to.length;
  while (first > 0 && from[first - 1] === 1) first--;
  const block = to.slice(first);
  const repeats = sizeOf(block);
  if (n.dtype === 'f32' && repeats > 1 && repeats <= maxOnes) {
    value =
      block.length === 1 && repeats <= fewRepeats
        ? e.op('Concat', new Array<string>(repeats).fill(value), { axis: { i: first } })
        : e.op('Mul', [value, e.f32([1], block)]);
    reached = [...from.slice(0, first), ...block];
  }
  return reached.join() === to.join() ? value : e.op('Expand', [value, e.i64(to)]);
}

export const shape = {
  constant: (n, e) => {
    const { data } = n.attrs;
    if (data.length === 1 && sizeOf(n.shape) > fillAbove) {
      return e.op('ConstantOfShape', [e.i64(n.shape)], { value: { t: literalOf(n.dtype, data, [1]) } });
    }
    return n.dtype === 'f32' ? e.f32(data, n.shape) : e.i32(data, n.shape);
  },
  reshape: (n, e) => e.reshape(e.value(n, 0), n.shape),
  transpose: (n, e) => e.transpose(e.value(n, 0), n.attrs.perm),
  broadcast,
  slice: (n, e) => {
    const { shape: size } = e.source(n, 0);
    let value = e.value(n, 0);
    const axes: number[] = [];
    const start: number[] = [];
    const stop: number[] = [];
    const step: number[] = [];
    size.forEach((d, axis) => {
      const [a, b, s] = [n.attrs.start[axis] ?? 0, n.attrs.stop[axis] ?? d, n.attrs.step[axis] ?? 1];
      if (a === 0 && b === d && s === 1) return;
      // onnxruntime's Slice on WebGPU is wrong where it goes backwards (1.30).
      if (s < 0 && e.options.provider === 'webgpu') {
        const taken = Array.from({ length: n.shape[axis] ?? 0 }, (_, k) => a + k * s);
        value = e.op('Gather', [value, e.i64(taken)], { axis: { i: axis } });
        return;
      }
      axes.push(axis);
      start.push(a);
      // In ONNX a stop of -1 is the last element; "before the first" is anything below -d.
      stop.push(b < 0 ? -d - 1 : b);
      step.push(s);
    });
    if (axes.length === 0) return value;
    return e.op('Slice', [value, e.i64(start), e.i64(stop), e.i64(axes), e.i64(step)]);
  },
  pad: (n, e) => e.op('Pad', [e.value(n, 0), e.i64([...n.attrs.before, ...n.attrs.after])]),
  concat: (n, e) => {
    const values = n.inputs.map((_, k) => e.value(n, k));
    return values.length === 1
      ? (values[0] as string)
      : e.op('Concat', values, { axis: { i: n.attrs.axis } });
  },
} satisfies Partial<LowerTable>;
