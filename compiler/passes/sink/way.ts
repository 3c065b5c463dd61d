/**
 * What the rules are given and what they answer.
 *
 * @module
 */
import type { GraphBuilder } from '../../graph/builder.js';
import type { Node } from '../../graph/ir.js';
import type { Layouts, View } from './layout.js';

/** One way to compute a node: what must be moved first, and the result. */
export interface Way {
  /** Elements that are moved before the operation. */
  readonly cost: number;
  /** Whether the result is a view that still has to be made. */
  readonly pending: boolean;
  build(): View;
}

/** What rules work with. */
export interface Context {
  readonly b: GraphBuilder;
  readonly layouts: Layouts;
  readonly node: Node;
  readonly inputs: readonly View[];
  /** Whether the result, left pending, meets an operation downstream that takes it up for free. */
  readonly absorbed: boolean;
}
