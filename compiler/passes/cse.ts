/**
 * Merges nodes that compute the same thing.
 *
 * @module
 */
import type { Value } from '../graph/builder.js';
import type { Node, Op } from '../graph/ir.js';
import { rewrite } from './pass.js';
import type { Pass } from './pass.js';

const commutative: ReadonlySet<Op> = new Set<Op>(['add', 'mul', 'max', 'min', 'equal']);

/** Equal for nodes that compute the same value; leaves that are fed have none. */
function keyOf(node: Node, inputs: readonly Value[]): string | undefined {
  if (node.op === 'input' || node.op === 'parameter') return undefined;
  if (node.op === 'constant') {
    // Joined alone, -0 would read as 0.
    const data = Array.from(node.attrs.data, (x) => (Object.is(x, -0) ? '-0' : String(x)));
    return `constant ${node.dtype} [${node.shape.join()}] ${data.join()}`;
  }
  const ids = inputs.map((v) => v.id);
  if (commutative.has(node.op)) ids.sort((a, b) => a - b);
  return `${node.op} ${ids.join()} ${JSON.stringify(node.attrs)}`;
}

export const cse: Pass = {
  name: 'cse',
  about: 'computes equal expressions once',
  run(graph) {
    const seen = new Map<string, Value>();
    return rewrite(graph, (b, node, inputs) => {
      const key = keyOf(node, inputs);
      if (key === undefined) return undefined;
      const first = seen.get(key) ?? b.like(node, inputs);
      seen.set(key, first);
      return first;
    });
  },
};
