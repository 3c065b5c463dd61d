/**
 * Composes maps x a + b by numbers per row or channel: (x a + b) c + d = x (a c) + (b c + d), where the products and sums
 * in brackets are small. A group norm that is scaled and shifted by an embedding then takes two passes over the data
 * and not four, and its gradient half as many. Equal up to rounding.
 *
 * @module
 */
import type { GraphBuilder, Value } from '../graph/builder.js';
import { sameShape } from '../graph/infer.js';
import { sizeOf } from '../graph/ir.js';
import type { Node } from '../graph/ir.js';
import { readers, uniformValue } from '../graph/patterns.js';
import { rewrite } from './pass.js';
import type { Pass } from './pass.js';

/** What is at least this many times smaller than the data counts as small. */
const smallness = 8;

/** x a + b; the offset may be missing. */
interface Affine {
  readonly x: Value;
  readonly a: Value;
  readonly b: Value | undefined;
}

/** The operands of `v` where one has its shape and the other is small, but no single number (`sink-scales` has those). */
function split(b: GraphBuilder, v: Value): { large: Value; small: Value } | undefined {
  const [p, q] = v.inputs.map((id) => b.nodes[id]!) as [Value, Value];
  for (const [large, small] of [
    [p, q],
    [q, p],
  ] as const) {
    if (isSmall(small, v) && sameShape(large.shape, v.shape)) return { large, small };
  }
  return undefined;
}

function isSmall(v: Value, beside: Value): boolean {
  return uniformValue(v) === undefined && sizeOf(v.shape) * smallness <= sizeOf(beside.shape);
}

/** `v` as x a + b, with values in between that nothing else reads. */
function affine(b: GraphBuilder, once: ReadonlySet<number>, v: Value): Affine | undefined {
  if (v.dtype !== 'f32' || !once.has(v.id)) return undefined;
  const parts = v.op === 'mul' || v.op === 'add' ? split(b, v) : undefined;
  if (parts === undefined) return undefined;
  if (v.op === 'mul') return { x: parts.large, a: parts.small, b: undefined };
  const inner = parts.large.op === 'mul' ? affine(b, once, parts.large) : undefined;
  return inner && { ...inner, b: parts.small };
}

/** `node`, which multiplies or adds to what is affine already, as one map. */
function composed(b: GraphBuilder, once: ReadonlySet<number>, node: Node, inputs: readonly Value[]) {
  if ((node.op !== 'mul' && node.op !== 'add') || node.dtype !== 'f32') return undefined;
  for (const k of [0, 1]) {
    const [v, other] = [inputs[k]!, inputs[1 - k]!];
    if (!sameShape(v.shape, node.shape) || !isSmall(other, v)) continue;
    const inner = affine(b, once, v);
    if (inner === undefined) continue;
    const scale = node.op === 'mul' ? b.mul(inner.a, other) : inner.a;
    const offset = inner.b && (node.op === 'mul' ? b.mul(inner.b, other) : b.add(inner.b, other));
    // A sum of x a and one more value is affine as it is.
    if (node.op === 'add' && offset === undefined) continue;
    if (![scale, offset].every((s) => s === undefined || isSmall(s, v))) continue;
    const scaled = b.mul(inner.x, scale);
    return { scaled, value: offset === undefined ? scaled : b.add(scaled, offset) };
  }
  return undefined;
}

export const composeAffine: Pass = {
  name: 'compose-affine',
  about: 'composes multiplications and additions by numbers per row or channel',
  run(graph) {
    const counts = readers(graph);
    const once = new Set<number>();
    return rewrite(graph, (b, node, inputs) => {
      const made = composed(b, once, node, inputs);
      const value = made?.value ?? b.like(node, inputs);
      if (counts[node.id] === 1) once.add(value.id);
      if (made !== undefined) once.add(made.scaled.id);
      return value;
    });
  },
};
