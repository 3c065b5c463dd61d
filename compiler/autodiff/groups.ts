/**
 * The derivative of a normalisation over groups of channels, with the multiplication per channel that follows it.
 *
 * @module
 */
import type { Value } from '../graph/builder.js';
import { sameShape } from '../graph/infer.js';
import { sizeOf } from '../graph/ir.js';
import type { Pullback } from './rule.js';

/**
 * The gradient of `normalize` over [B, G, N] where the result, seen as [B, C, ...S] with N = C / G |S|, is multiplied by
 * w per channel ([B or 1, C or 1, 1, ...]), as in a group norm. With y the normalised values and r = 1 / deviation the
 * general dx = r (g - mean(g) - y mean(g y)), g = dy w, becomes
 *
 *     dx = dy (w r) - (y (r m2) + r m1),  m1 = sum_c w_c sum_S(dy) / N,  m2 = sum_c w_c sum_S(dy y) / N.
 *
 * The sums over S are those of the gradients of w and of the bias, so that they are there already, and all but three
 * products and a difference is small.
 *
 * @returns undefined where the gradient has another form
 */
export function perChannel({ b, g, node, inputs: [x] }: Pullback<'normalize'>): Value | undefined {
  const scaled = g.op === 'reshape' ? b.nodes[g.inputs[0]!]! : undefined;
  if (scaled?.op !== 'mul' || node.shape.length !== 3) return undefined;
  const [batch, groups, width] = node.shape as readonly [number, number, number];
  const [rows, channels, ...space] = scaled.shape as readonly [number, number, ...number[]];
  const positions = sizeOf(space);
  if (rows !== batch || channels === undefined || positions < 2) return undefined;
  if (channels % groups !== 0 || (channels / groups) * positions !== width) return undefined;
  const found = operands(scaled.inputs.map((id) => b.nodes[id]!) as [Value, Value], scaled);
  if (found === undefined) return undefined;
  const { dy, w, perRow } = found;

  const ones = space.map(() => 1);
  const over = space.map((_, k) => k + 2);
  const y = b.reshape(node, scaled.shape);
  const r = b.rstd(x!, node.attrs.eps);
  const small = b.reshape(w, perRow);
  /** r times the mean over a group of w times a sum per channel, for every channel. */
  const mean = (sum: Value): Value => {
    const grouped = b.reshape(b.mul(sum, small), [batch, groups, channels / groups]);
    return spread(b.mul(b.mul(b.sum(grouped, [2], true), 1 / width), r));
  };
  const spread = (v: Value): Value =>
    b.reshape(b.broadcast(v, [batch, groups, channels / groups]), [batch, channels, ...ones]);
  const away = b.add(b.mul(y, mean(b.sum(b.mul(dy, y), over))), mean(b.sum(dy, over)));
  const own = b.mul(dy, b.mul(b.reshape(w, [...perRow, ...ones]), spread(r)));
  return b.reshape(b.sub(own, away), node.shape);
}

/** The operands of a product: the one with its shape, and the one that is the same in all of S. */
function operands(pair: readonly [Value, Value], { shape }: Value) {
  for (const [dy, w] of [pair, [pair[1], pair[0]]] as const) {
    const lead = shape.length - w.shape.length;
    const padded = [...new Array<number>(Math.max(lead, 0)).fill(1), ...w.shape];
    if (sameShape(dy.shape, shape) && padded.slice(2).every((d) => d === 1))
      return { dy, w, perRow: padded.slice(0, 2) };
  }
  return undefined;
}
