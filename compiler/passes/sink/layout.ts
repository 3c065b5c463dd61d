/**
 * Values with a transposition that has not been made yet.
 *
 * @module
 */
import type { GraphBuilder, Value } from '../../graph/builder.js';
import { sizeOf } from '../../graph/ir.js';
import type { Shape } from '../../graph/ir.js';
import { compose, identity, inverse, isReshape } from '../../graph/permutation.js';
import { uniformValue } from '../../graph/patterns.js';

/** Stands for transpose(base, perm). */
export interface View {
  readonly base: Value;
  readonly perm: readonly number[];
}

export function shapeOf({ base, perm }: View): number[] {
  return perm.map((p) => base.shape[p]!);
}

/** The shape of the base of a view of `shape`. */
export function baseShape(shape: Shape, perm: readonly number[]): number[] {
  return inverse(perm).map((k) => shape[k]!);
}

/** Whether making the view moves any element. */
export function isPending({ base, perm }: View): boolean {
  return !isReshape(base.shape, perm);
}

/** With leading axes of size 1 up to `rank`, as broadcasting adds them. */
export function lifted(b: GraphBuilder, { base, perm }: View, rank: number): View {
  const lead = rank - perm.length;
  if (lead === 0) return { base, perm };
  const shape = [...new Array<number>(lead).fill(1), ...base.shape];
  return { base: b.reshape(base, shape), perm: [...identity(lead), ...perm.map((p) => p + lead)] };
}

/** Makes views, each once, and knows what making one costs. */
export class Layouts {
  readonly #b: GraphBuilder;
  readonly #made = new Map<string, Value>();

  constructor(b: GraphBuilder) {
    this.#b = b;
  }

  /** Elements moved by {@link make}: none where the data stays as it is, or where it has been made before. */
  cost(view: View, layout: readonly number[]): number {
    const perm = compose(inverse(layout), view.perm);
    const free =
      isReshape(view.base.shape, perm) ||
      uniformValue(view.base) !== undefined ||
      this.#made.has(keyOf(view.base, perm));
    return free ? 0 : sizeOf(view.base.shape);
  }

  /** The value u with view = transpose(u, layout); the identity as layout makes the value itself. */
  make(view: View, layout: readonly number[]): Value {
    const perm = compose(inverse(layout), view.perm);
    const b = this.#b;
    const shape = perm.map((p) => view.base.shape[p]!);
    if (isReshape(view.base.shape, perm)) return b.reshape(view.base, shape);
    const uniform = uniformValue(view.base);
    if (uniform !== undefined) return b.constant([uniform], shape, view.base.dtype);
    const key = keyOf(view.base, perm);
    const made = this.#made.get(key) ?? b.transpose(view.base, perm);
    this.#made.set(key, made);
    return made;
  }
}

function keyOf(base: Value, perm: readonly number[]): string {
  return `${base.id} ${perm.join()}`;
}
