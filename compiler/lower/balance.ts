/**
 * Weighing the terms of the loss by learned variances (Kendall, Gal & Cipolla, "Multi-Task Learning Using Uncertainty to
 * Weigh Losses for Scene Geometry and Semantics", 2018, eq. 7 and 10): a term L of weight w becomes
 *
 *   w [ exp(-s) L + s / 2 ],   s = ln sigma^2, a parameter that begins at 0
 *
 * so that training begins with the fixed weights, and ends, for a term that keeps the value L, at exp(-s) = 1 / (2 L):
 * every term then counts by its weight, whatever its size. L is taken above the least it can be: a density's own
 * constant, which no prediction changes, would otherwise decide, and below zero drive s away without end.
 *
 * @module
 */
import type { Node } from '../graph/ir.js';
import type { ModelNetworks } from './networks.js';

/** Name of the parameter s of a term: `balance.L2.label`. */
export const balanceParameter = (term: string): string => `balance.${term}`;

export class Balance {
  /** exp(-s) by term, scalars: by what its gradient is multiplied. */
  readonly factors = new Map<string, Node>();

  constructor(private readonly networks: ModelNetworks) {}

  /**
   * The part of the loss that a term is.
   * @param term in its unit of the log, a scalar
   * @param options.scale from that unit to the one that is minimised
   * @param options.floor least value of the term, a scalar
   */
  weigh(
    name: string,
    term: Node,
    weight: number,
    { scale = 1, floor }: { readonly scale?: number; readonly floor?: Node } = {},
  ): Node {
    const { info, evaluator } = this.networks;
    const b = evaluator.builder;
    if (info.loss.balance.form === 'fixed' || weight === 0) return b.mul(term, weight * scale);
    const s = b.reshape(
      evaluator.parameters.use(b, {
        name: balanceParameter(name),
        shape: [1],
        init: { form: 'zeros' },
        decay: false,
        trainable: true,
      }),
      [],
    );
    const factor = b.exp(b.neg(s));
    this.factors.set(name, factor);
    const above = b.mul(floor ? b.sub(term, floor) : term, scale);
    return b.mul(b.add(b.mul(factor, above), b.mul(s, 0.5)), weight);
  }
}
