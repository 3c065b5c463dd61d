/**
 * Derivatives of the elementwise primitives. Gradients of broadcast operands are left in the result's shape.
 *
 * @module
 */
import type { Op } from '../graph/ir.js';
import type { Value } from '../graph/builder.js';
import type { Pullback, Rule } from './rule.js';

/** A rule of one operand, given as the factor on the gradient. */
function factor<K extends Op>(f: (p: Pullback<K>, x: Value) => Value): Rule<K> {
  return (p) => [p.b.mul(p.g, f(p, p.inputs[0]!))];
}

/** max and min: the chosen operand takes the gradient; at ties each takes half. */
function extremum<K extends 'max' | 'min'>(
  chosen: (p: Pullback<K>, self: Value, other: Value) => Value,
): Rule<K> {
  return (p) => {
    const { b, g, inputs } = p;
    const [x, y] = inputs as readonly [Value, Value];
    const tie = b.mul(b.equal(x, y), 0.5);
    const share = (self: Value, other: Value): Value => b.mul(g, b.add(chosen(p, self, other), tie));
    return [p.wants(0) ? share(x, y) : undefined, p.wants(1) ? share(y, x) : undefined];
  };
}

type Elementwise =
  | 'neg'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'sin'
  | 'cos'
  | 'tanh'
  | 'sigmoid'
  | 'erf'
  | 'abs'
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'max'
  | 'min'
  | 'pow'
  | 'select';

export const elementwise: { readonly [K in Elementwise]: Rule<K> } = {
  neg: ({ b, g }) => [b.neg(g)],
  exp: factor(({ node }) => node),
  log: ({ b, g, inputs: [x] }) => [b.div(g, x!)],
  sqrt: ({ b, g, node }) => [b.div(b.mul(g, 0.5), node)],
  sin: factor(({ b }, x) => b.cos(x)),
  cos: factor(({ b }, x) => b.neg(b.sin(x))),
  tanh: factor(({ b, node }) => b.sub(1, b.mul(node, node))),
  sigmoid: factor(({ b, node }) => b.mul(node, b.sub(1, node))),
  // 2 / sqrt(pi) exp(-x^2), with the factor in the exponent.
  erf: factor(({ b }, x) => b.exp(b.sub(Math.log(2 / Math.sqrt(Math.PI)), b.mul(x, x)))),
  abs: factor(({ b }, x) => b.sign(x)),

  add: ({ g }) => [g, g],
  sub: ({ b, g, wants }) => [g, wants(1) ? b.neg(g) : undefined],
  mul: ({ b, g, inputs: [x, y], wants }) => [
    wants(0) ? b.mul(g, y!) : undefined,
    wants(1) ? b.mul(g, x!) : undefined,
  ],
  div: ({ b, g, node, inputs: [, y], wants }) => {
    const quotient = b.div(g, y!);
    return [quotient, wants(1) ? b.neg(b.mul(quotient, node)) : undefined];
  },
  max: extremum(({ b }, self, other) => b.less(other, self)),
  min: extremum(({ b }, self, other) => b.less(self, other)),
  // y x^(y - 1), and x^y log x, which needs a positive base.
  pow: ({ b, g, node, inputs: [x, y], wants }) => [
    wants(0) ? b.mul(g, b.mul(y!, b.pow(x!, b.sub(y!, 1)))) : undefined,
    wants(1) ? b.mul(g, b.mul(node, b.log(x!))) : undefined,
  ],
  select: ({ b, g, inputs: [c], wants }) => [
    undefined,
    wants(1) ? b.select(c!, g, 0) : undefined,
    wants(2) ? b.select(c!, 0, g) : undefined,
  ],
};
