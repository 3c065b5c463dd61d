/**
 * What goes wrong when a graph is prepared or run.
 *
 * @module
 */
import type { Graph, Origin } from '../../compiler/graph/ir.js';

export interface RunFaultOptions {
  /** The graph node that failed, where that is known; its origin goes with it. */
  readonly graph?: Graph;
  readonly node?: number;
  readonly cause?: unknown;
}

/** A graph could not be prepared or run. `node` and `origin` lead back to the spec where the engine names a node. */
export class RunFault extends Error {
  readonly node?: number;
  readonly origin?: Origin;

  constructor(message: string, options: RunFaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RunFault';
    if (options.node !== undefined) {
      this.node = options.node;
      const origin = options.graph?.nodes[options.node]?.origin;
      if (origin !== undefined) this.origin = origin;
    }
  }
}
