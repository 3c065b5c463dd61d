/**
 * The passes in their order, and running them.
 *
 * @module
 */
import type { Graph } from '../graph/ir.js';
import { assertValid } from '../graph/verify.js';
import { composeAffine } from './affine.js';
import { cse } from './cse.js';
import { dce } from './dce.js';
import { factor } from './factor.js';
import { foldConstants } from './fold.js';
import type { Pass } from './pass.js';
import { recompute, recomputed } from './recompute.js';
import { sinkScales } from './scale.js';
import { simplify } from './simplify.js';
import { sinkTransposes } from './sink/sink.js';

export type { Pass } from './pass.js';

/**
 * Sinking works best on a graph without needless broadcasts and duplicates, and leaves reshapes and constants for
 * another round.
 */
export const passes: readonly Pass[] = [
  dce,
  foldConstants,
  simplify,
  cse,
  sinkTransposes,
  foldConstants,
  simplify,
  cse,
  composeAffine,
  factor,
  sinkScales,
  simplify,
  cse,
  dce,
];

/** Run after the others, and only when asked for: it saves memory and costs time. */
export const optional: readonly Pass[] = [recompute];

export interface OptimizeOptions {
  /** Names of passes that are left out. */
  readonly disable?: readonly string[];
  /**
   * Runs `recompute`: bytes that computed values may occupy at one time; 0 computes everything again that can be.
   * For the graph that is run: a backward pass that is still to be made needs other values.
   */
  readonly memory?: number | undefined;
  /** Called after every pass with its result. */
  readonly observe?: (pass: Pass, graph: Graph) => void;
}

/**
 * Runs the passes; the verifier runs on the graph itself and after each.
 *
 * @throws RangeError when `disable` names no pass
 * @throws GraphError when the graph is malformed, naming the pass that made it so
 */
export function optimize(graph: Graph, { disable = [], memory, observe }: OptimizeOptions = {}): Graph {
  const unknown = disable.find((name) => !passes.some((p) => p.name === name));
  if (unknown !== undefined) {
    const known = [...new Set(passes.map((p) => p.name))].join(', ');
    throw new RangeError(`no pass is called "${unknown}"; there are ${known}`);
  }
  assertValid(graph, 'construction');
  let current = graph;
  for (const pass of passes) {
    if (disable.includes(pass.name)) continue;
    current = pass.run(current);
    assertValid(current, pass.name);
    observe?.(pass, current);
  }
  if (memory === undefined) return current;
  current = recomputed(current, memory);
  assertValid(current, recompute.name);
  observe?.(recompute, current);
  return current;
}
