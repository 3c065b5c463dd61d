/**
 * Takes common factors out of sums: a b + a c = a (b + c). Derivatives of products are full of them, since both terms
 * carry the gradient that came in: g s + g x s (1 - s), the gradient of x s with s = sigmoid(x), becomes
 * g (s + y (1 - s)) with the product y = x s that is there already. Each factor saves a pass over the data. Equal up to
 * rounding, and where a factor is infinite or zero up to NaN.
 *
 * @module
 */
import type { GraphBuilder, Value } from '../graph/builder.js';
import { sameShape } from '../graph/infer.js';
import { readers } from '../graph/patterns.js';
import { rewrite } from './pass.js';
import { uniformValue } from '../graph/patterns.js';
import type { Pass } from './pass.js';

/** Products of more factors are looked at as they are. */
const mostFactors = 6;

/** Works on the builder's values: which are read once in the graph that is copied, and which products exist. */
class Factoring {
  /** Values that nothing but their one reader needs. */
  readonly once = new Set<number>();
  private readonly products = new Map<string, Value>();

  constructor(private readonly b: GraphBuilder) {}

  /** Makes a product known. */
  add(v: Value): void {
    if (v.op === 'mul') this.products.set(key(v.inputs[0]!, v.inputs[1]!), v);
  }

  /** Factors of `v`: those of its operands where it is a product that nothing else reads. */
  factors(v: Value, outermost = true): Value[] {
    if (v.op !== 'mul' || (!outermost && !this.once.has(v.id))) return [v];
    const all = v.inputs.flatMap((id) => this.factors(this.b.nodes[id]!, false));
    return all.length > mostFactors ? [v] : all;
  }

  /** The product, made of products that exist as far as there are any; the number of those that do not. */
  multiply(factors: readonly Value[], build: boolean): { value: Value | undefined; made: number } {
    let rest = [...factors];
    let made = 0;
    for (const [i, x] of factors.entries()) {
      for (const y of factors.slice(i + 1)) {
        const known = this.products.get(key(x.id, y.id));
        // A product that only this sum reads does not stay.
        if (known === undefined || this.once.has(known.id)) continue;
        const [at, other] = [rest.indexOf(x), rest.lastIndexOf(y)];
        if (at < 0 || other < 0 || at === other) continue;
        rest = [...rest.filter((_, k) => k !== at && k !== other), known];
      }
    }
    let value = rest[0];
    for (const factor of rest.slice(1)) {
      made++;
      if (build) value = this.b.mul(value!, factor);
    }
    return { value, made };
  }
}

function key(a: number, b: number): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

function without(factors: readonly Value[], taken: readonly Value[]): Value[] {
  const left = [...factors];
  for (const f of taken) left.splice(left.indexOf(f), 1);
  return left;
}

function common(p: readonly Value[], q: readonly Value[]): Value[] {
  const left = [...q];
  return p.filter((f) => {
    const at = left.indexOf(f);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

function subsets<T>(items: readonly T[]): T[][] {
  return items.reduce<T[][]>((all, item) => [...all, ...all.map((s) => [...s, item])], [[]]);
}

/** x + y or x - y, where both are products with a factor in common. */
function factored(b: GraphBuilder, f: Factoring, node: Value, x: Value, y: Value): Value | undefined {
  if (node.dtype !== 'f32' || !f.once.has(x.id) || !f.once.has(y.id)) return undefined;
  const [p, q] = [f.factors(x), f.factors(y)];
  const shared = common(p, q).filter((v) => uniformValue(v) === undefined);
  const plain = f.multiply(p, false).made + f.multiply(q, false).made;
  let best: { taken: Value[]; made: number } | undefined;
  for (const taken of subsets(shared)) {
    const [l, r] = [without(p, taken), without(q, taken)];
    if (taken.length === 0) continue;
    const made = f.multiply(l, false).made + f.multiply(r, false).made + taken.length;
    if (made < plain && (best === undefined || made < best.made)) best = { taken, made };
  }
  if (best === undefined) return undefined;
  const side = (all: readonly Value[]): Value | number =>
    f.multiply(without(all, best.taken), true).value ?? 1;
  const [l, r] = [side(p), side(q)];
  if (typeof l === 'number' && typeof r === 'number') return undefined;
  let value = node.op === 'add' ? b.add(l, r) : b.sub(l, r);
  for (const factor of best.taken) value = b.mul(value, factor);
  return sameShape(value.shape, node.shape) ? value : undefined;
}

export const factor: Pass = {
  name: 'factor',
  about: 'takes common factors out of sums',
  run(graph) {
    const counts = readers(graph);
    let f: Factoring | undefined;
    return rewrite(graph, (b, node, inputs) => {
      f ??= new Factoring(b);
      const value =
        node.op === 'add' || node.op === 'sub'
          ? (factored(b, f, node, inputs[0]!, inputs[1]!) ?? b.like(node, inputs))
          : b.like(node, inputs);
      if (counts[node.id] === 1) f.once.add(value.id);
      f.add(value);
      return value;
    });
  },
};
