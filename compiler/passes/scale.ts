/**
 * Moves multiplications by a number past operations that are linear, towards the outputs, until they meet another number
 * or a matrix product, which multiplies for nothing (`alpha` of Gemm and FusedMatMul). In (u (erf(u) + 1)) / sqrt(2), a
 * GELU, the last number so ends up in the product that follows, and in its gradients'.
 *
 * @module
 */
import type { GraphBuilder, Value } from '../graph/builder.js';
import { sameShape } from '../graph/infer.js';
import type { Node } from '../graph/ir.js';
import { isGelu, readers, uniformValue } from '../graph/patterns.js';
import { rewrite } from './pass.js';
import type { Pass } from './pass.js';

interface Scaled {
  readonly x: Value;
  readonly by: number;
}

/** `v` as x times a number, where x has its shape. */
function scaled(b: GraphBuilder, v: Value): Scaled | undefined {
  if (v.op !== 'mul' || v.dtype !== 'f32') return undefined;
  const [x, y] = v.inputs.map((id) => b.nodes[id]!) as [Value, Value];
  for (const [value, number] of [
    [x, y],
    [y, x],
  ] as const) {
    const by = uniformValue(number);
    if (by !== undefined && by !== 0 && Number.isFinite(by) && sameShape(value.shape, v.shape))
      return { x: value, by };
  }
  return undefined;
}

/** A matrix product that nothing else reads, with or without a bias: the number after it is its own. */
function isProduct(b: GraphBuilder, once: ReadonlySet<number>, v: Value): boolean {
  if (!once.has(v.id)) return false;
  if (v.op === 'matmul') return true;
  return v.op === 'add' && v.inputs.some((id) => b.nodes[id]!.op === 'matmul' && once.has(id));
}

/** A number that multiplies a reshaped product, before the reshape. */
function raised(b: GraphBuilder, once: ReadonlySet<number>, node: Node, inputs: readonly Value[]) {
  if (node.op !== 'mul') return undefined;
  for (const k of [0, 1]) {
    const [v, by] = [inputs[k]!, uniformValue(inputs[1 - k]!)];
    if (by === undefined || v.op !== 'reshape' || !once.has(v.id) || !sameShape(v.shape, node.shape))
      continue;
    const product = b.nodes[v.inputs[0]!]!;
    if (isProduct(b, once, product)) return b.reshape(b.mul(product, by), node.shape);
  }
  return undefined;
}

/** The result without the number, which then multiplies it. */
function moved(b: GraphBuilder, node: Node, inputs: readonly Value[], at: (k: number) => Scaled | undefined) {
  switch (node.op) {
    // Less to multiply afterwards, whoever else reads the operand.
    case 'sum':
    case 'mean': {
      const s = scaled(b, inputs[0]!);
      return s && { value: b.like(node, [s.x]), by: s.by };
    }
    case 'reshape':
    case 'transpose':
    case 'slice':
    case 'neg': {
      const s = at(0);
      return s && { value: b.like(node, [s.x]), by: s.by };
    }
    case 'mul': {
      for (const k of [0, 1] as const) {
        const s = at(k);
        const other = inputs[1 - k]!;
        if (s === undefined || uniformValue(other) !== undefined) continue;
        // Past a broadcast it would multiply more elements than before.
        if (!sameShape(s.x.shape, node.shape)) continue;
        return { value: b.like(node, k === 0 ? [s.x, other] : [other, s.x]), by: s.by };
      }
      return undefined;
    }
    case 'add':
    case 'sub': {
      const [s, r] = [at(0), at(1)];
      if (s === undefined || r === undefined || s.by !== r.by || !sameShape(s.x.shape, r.x.shape))
        return undefined;
      return { value: b.like(node, [s.x, r.x]), by: s.by };
    }
    default:
      return undefined;
  }
}

export const sinkScales: Pass = {
  name: 'sink-scales',
  about: 'moves multiplications by numbers into matrix products',
  run(graph) {
    const counts = readers(graph);
    const once = new Set<number>();
    const whole = new Set<number>();
    return rewrite(graph, (b, node, inputs) => {
      const found = moved(b, node, inputs, (k) => {
        const s = once.has(inputs[k]!.id) ? scaled(b, inputs[k]!) : undefined;
        return s === undefined || whole.has(s.x.id) || isProduct(b, once, s.x) ? undefined : s;
      });
      const value =
        found === undefined
          ? (raised(b, once, node, inputs) ?? b.like(node, inputs))
          : b.mul(found.value, found.by);
      if (counts[node.id] === 1) once.add(value.id);
      if (isGelu(graph.nodes, node, (n) => counts[n.id]!)) whole.add(value.id);
      return value;
    });
  },
};
