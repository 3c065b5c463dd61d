/** Random graphs over all primitives, for laws that hold for every graph. */
import { GraphBuilder } from '../../compiler/graph/builder.js';
import type { Value } from '../../compiler/graph/builder.js';
import { gelu } from '../../compiler/graph/compose.js';
import { sizeOf } from '../../compiler/graph/ir.js';
import type { Graph } from '../../compiler/graph/ir.js';
import { filled } from './random.js';
import type { Random } from './random.js';

const largest = 2000;

/** A bounded function of any value, so that nothing overflows however deep the graph. */
type Step = (b: GraphBuilder, x: Value, pick: () => Value, r: Random) => Value | undefined;

/** `x` with size 1 or cut sizes where needed, so that it broadcasts with `y`. */
function matched(b: GraphBuilder, x: Value, y: Value): Value {
  const lead = Math.max(0, x.shape.length - y.shape.length);
  const flat =
    lead > 0
      ? b.mean(
          x,
          Array.from({ length: lead }, (_, k) => k),
        )
      : x;
  const offset = y.shape.length - flat.shape.length;
  const stop = flat.shape.map((d, k) => (d === y.shape[k + offset] ? d : 1));
  return b.slice(
    flat,
    stop.map(() => 0),
    stop,
  );
}

/** Some reshape of a shape that splits, merges and adds sizes of 1. */
function reshaped(shape: readonly number[], r: Random): number[] {
  const out: number[] = [];
  for (const d of shape) {
    const divisors = Array.from({ length: d }, (_, k) => k + 1).filter((k) => d % k === 0);
    const how = r.next();
    if (how < 0.3) {
      const first = r.pick(divisors);
      out.push(first, d / first);
    } else if (how < 0.5 && out.length > 0) out[out.length - 1]! *= d;
    else out.push(d);
    if (r.bool(0.15)) out.push(1);
  }
  return out.length > 6 ? [...shape] : out;
}

const rank4 = (x: Value): boolean => x.shape.length === 4 && sizeOf(x.shape) > 0;

const steps: readonly Step[] = [
  (b, x) => b.neg(x),
  (b, x) => b.tanh(x),
  (b, x) => b.sigmoid(x),
  (b, x) => b.sin(b.abs(x)),
  (b, x) => b.erf(b.cos(x)),
  (b, x) => b.log(b.add(b.exp(b.neg(b.abs(x))), 1)),
  (b, x) => b.sqrt(b.add(b.mul(x, x), 1)),
  (b, x, pick) => b.add(x, matched(b, pick(), x)),
  (b, x, pick) => b.tanh(b.sub(matched(b, pick(), x), x)),
  (b, x, pick) => b.tanh(b.mul(x, matched(b, pick(), x))),
  (b, x, pick, r) => {
    const [p, q, s] = [matched(b, pick(), x), matched(b, pick(), x), r.pick([2, 0.5, -1])];
    return b.tanh(
      b[r.pick(['add', 'sub'] as const)](b.mul(b.mul(x, p), s), b.mul(q, r.bool() ? x : b.mul(p, x))),
    );
  },
  (b, x) => gelu(b, b.tanh(x)),
  (b, x, pick) => b.max(x, matched(b, pick(), x)),
  (b, x, pick) => b.div(matched(b, pick(), x), b.add(b.abs(x), 1)),
  (b, x, pick) => b.select(b.less(x, matched(b, pick(), x)), x, matched(b, pick(), x)),
  (b, x, _pick, r) => b.mul(x, r.pick([0, 1, -1, 0.5])),
  (b, x, _pick, r) => b.add(r.pick([0, 1]), x),
  (b, x, _pick, r) => b.pow(b.sigmoid(x), r.pick([1, 2, -1, 0.5])),
  (b, x, _pick, r) =>
    b[r.pick(['sum', 'mean', 'reduceMax'] as const)](b.tanh(x), r.axes(x.shape.length), r.bool()),
  (b, x, _pick, r) => b.reshape(x, reshaped(x.shape, r)),
  (b, x, _pick, r) => b.reshape(x, reshaped(x.shape, r)),
  (b, x, _pick, r) => b.transpose(x, r.permutation(x.shape.length)),
  (b, x, _pick, r) => b.transpose(x, r.permutation(x.shape.length)),
  (b, x) => (rank4(x) ? b.transpose(x, [0, 3, 1, 2]) : undefined),
  (b, x) => (rank4(x) ? b.transpose(x, [0, 2, 3, 1]) : undefined),
  (b, x, _pick, r) =>
    b.broadcast(x, [
      ...r.shape(Math.min(1, 5 - x.shape.length), 1, 2),
      ...x.shape.map((d) => (d === 1 ? r.int(1, 3) : d)),
    ]),
  (b, x, _pick, r) => {
    const step = x.shape.map(() => r.pick([-2, -1, 1, 1, 2]));
    const start = x.shape.map((d, k) => (step[k]! < 0 ? r.int(0, d - 1) : r.int(0, d - 1)));
    return b.slice(
      x,
      start,
      x.shape.map((d, k) => (step[k]! < 0 ? -1 : d)),
      step,
    );
  },
  (b, x, _pick, r) =>
    b.pad(
      x,
      x.shape.map(() => r.int(0, 1)),
      x.shape.map(() => r.int(0, 1)),
    ),
  (b, x, _pick, r) => {
    if (x.shape.length === 0) return undefined;
    const axis = r.int(0, x.shape.length - 1);
    return b.concat([x, b.cos(x), b.broadcast(matched(b, b.sum(x, [axis], true), x), x.shape)], axis);
  },
  (b, x, _pick, r) => {
    if (x.shape.length < 2) return undefined;
    const k = x.shape.at(-1)!;
    const n = r.int(1, 4);
    const transposeB = r.bool();
    const w = b.constant(filled(r, [k, n]), transposeB ? [n, k] : [k, n]);
    return b.tanh(b.matmul(x, w, { transposeB }));
  },
  (b, x) => (x.shape.length < 2 ? undefined : b.tanh(b.matmul(x, b.sin(x), { transposeB: true }))),
  (b, x) => (x.shape.length < 2 ? undefined : b.tanh(b.matmul(x, x, { transposeA: true }))),
  (b, x, _pick, r) => {
    if (!rank4(x)) return undefined;
    const w = b.constant(filled(r, [2, x.shape[1]!, 2, 1]), [2, x.shape[1]!, 2, 1]);
    return b.tanh(b.conv2d(x, w, { stride: [1, r.int(1, 2)], pad: [1, 0, 0, 1] }));
  },
  (b, x, _pick, r) => {
    if (x.shape.length === 0) return undefined;
    return b[r.pick(['softmax', 'logSoftmax'] as const)](x);
  },
  (b, x) => (x.shape.length === 0 ? undefined : b.normalize(x, 0.1)),
  (b, x) => (x.shape.length === 0 ? undefined : b.rstd(x, 0.1)),
  (b, x) => (x.shape.length === 0 ? undefined : b.oneHot(b.argmax(x), 3)),
  (b, x) => (x.shape.length === 0 ? undefined : b.gather(x, b.constant([0, x.shape[0]! - 1], [2], 'i32'))),
  (b, x) => b.stopGradient(x),
  (b, _x, _pick, r) => b.constant(r.bool() ? [r.next()] : filled(r, [2, 3]), [2, 3]),
  (b, x) => b.cast(b.cast(b.mul(b.sin(x), 5), 'i32'), 'f32'),
];

/** A graph of `size` random steps over inputs "x0" and "x1"; outputs "y0", "y1" ... */
export function randomGraph(r: Random, size: number): Graph {
  const b = new GraphBuilder('random');
  const values: Value[] = [b.input('x0', [2, 2, 4, 3]), b.input('x1', r.shape(4))];
  // Later values more often, so that graphs grow deep.
  const pick = (): Value => values[Math.max(r.int(0, values.length - 1), r.int(0, values.length - 1))]!;
  while (values.length < size) {
    const y = r.pick(steps)(b, pick(), pick, r);
    if (y !== undefined && sizeOf(y.shape) <= largest && y.shape.length <= 6) values.push(y);
  }
  values.slice(-2).forEach((v, k) => b.output(`y${k}`, v));
  b.output('y2', pick());
  return b.finish();
}
