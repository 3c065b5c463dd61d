/**
 * Functions that are compositions of primitives.
 *
 * @module
 */
import type { GraphBuilder, Value } from './builder.js';

export function square(b: GraphBuilder, x: Value): Value {
  return b.mul(x, x);
}

/** 1 / sqrt(x) */
export function rsqrt(b: GraphBuilder, x: Value): Value {
  return b.div(1, b.sqrt(x));
}

/**
 * max(x, 0) as x (0 < x): the derivative at 0 is 0, as everywhere in the field, where max would share it among ties;
 * and NaN stays NaN. x must be above -Infinity.
 */
export function relu(b: GraphBuilder, x: Value): Value {
  return b.mul(x, b.less(0, x));
}

/** x sigmoid(x), also called swish. */
export function silu(b: GraphBuilder, x: Value): Value {
  return b.mul(x, b.sigmoid(x));
}

/**
 * x Phi(x) with the normal distribution function, not its tanh approximation (Hendrycks & Gimpel, arXiv 1606.08415), as
 * u (1 + erf(u)) / sqrt(2) with u = x / sqrt(2): both numbers can become part of matrix products before and after it.
 */
export function gelu(b: GraphBuilder, x: Value): Value {
  const u = b.mul(x, Math.SQRT1_2);
  return b.mul(b.mul(u, b.add(b.erf(u), 1)), Math.SQRT1_2);
}

/** log(1 + exp(x)) as max(x, 0) + log(1 + exp(-|x|)), which overflows nowhere. */
export function softplus(b: GraphBuilder, x: Value): Value {
  return b.add(relu(b, x), b.log(b.add(b.exp(b.neg(b.abs(x))), 1)));
}

/**
 * log sum exp(x) over `axes`. The largest element is taken out first; it is a constant to the gradient, which is
 * softmax(x) whatever is taken out. Axes must not be empty, nor all their elements -Infinity.
 */
export function logsumexp(b: GraphBuilder, x: Value, axes: readonly number[], keep = false): Value {
  const largest = b.stopGradient(b.reduceMax(x, axes, true));
  const sum = b.add(b.log(b.sum(b.exp(b.sub(x, largest)), axes, true)), largest);
  return keep ? sum : b.reshape(sum, b.sum(x, axes).shape);
}
