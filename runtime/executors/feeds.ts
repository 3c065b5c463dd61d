/**
 * Matching what a caller has with what a graph wants: passes drop inputs that nothing depends on.
 *
 * @module
 */
import type { Graph } from '../../compiler/graph/ir.js';
import type { Tensor } from './executor.js';

/** Names of a graph's inputs. */
export function inputNames(graph: Graph): ReadonlySet<string> {
  return new Set(graph.nodes.flatMap((node) => (node.op === 'input' ? [node.attrs.name] : [])));
}

/** Those of `feeds` that are wanted. */
export function pickFeeds(
  feeds: Readonly<Record<string, Tensor>>,
  wanted: ReadonlySet<string>,
): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => wanted.has(name)));
}
