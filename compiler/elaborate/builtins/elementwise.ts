/**
 * Functions applied to every element, and along the last axis.
 *
 * @module
 */
import type { GraphBuilder } from '../../graph/builder.js';
import { gelu, silu } from '../../graph/compose.js';
import type { Node } from '../../graph/ir.js';
import { nonlinearIn } from '../values.js';
import type { Builtin } from './builtin.js';

const functions: Record<string, [about: string, make: (b: GraphBuilder, x: Node) => Node]> = {
  relu: ['max(x, 0).', (b, x) => b.max(x, 0)],
  silu: ['x sigmoid(x) (Elfwing et al., 2018).', silu],
  gelu: ['x Phi(x), the exact Gaussian error linear unit (Hendrycks & Gimpel, 2016).', gelu],
  tanh: ['Hyperbolic tangent.', (b, x) => b.tanh(x)],
  sigmoid: ['1 / (1 + exp(-x)).', (b, x) => b.sigmoid(x)],
  exp: ['Exponential.', (b, x) => b.exp(x)],
  sqrt: ['Square root; the gradient at 0 is infinite.', (b, x) => b.sqrt(x)],
  sin: ['Sine.', (b, x) => b.sin(x)],
  cos: ['Cosine.', (b, x) => b.cos(x)],
  abs: ['Absolute value.', (b, x) => b.abs(x)],
  softmax: ['Softmax over the last axis.', (b, x) => b.softmax(x)],
};

export const elementwiseBuiltins: readonly Builtin[] = Object.entries(functions).map(
  ([name, [about, make]]) => ({
    name,
    params: [{ name: 'x', type: 'tensor', about: 'any tensor' }],
    result: 'f32[...S]',
    about,
    apply(call) {
      const x = call.tensor('x');
      return call.make(x, make(call.builder, x.node), x.shape, nonlinearIn(x.degree));
    },
  }),
);
