/**
 * Moving a transposition from before a reshape to after it.
 *
 * @module
 */
import type { Shape } from '../../graph/ir.js';
import { baseShape } from './layout.js';

/** Axes that a reshape turns into one another: consecutive, of equal products, and as few as possible. */
interface Group {
  readonly from: number[];
  readonly to: number[];
}

/**
 * The groups of a reshape, in order. Axes of size 1 belong to nothing in `from` and are left out there; in `to` they
 * join the group before them (`leading` where there is none).
 */
function groupsOf(from: Shape, to: Shape): { groups: Group[]; leading: number[] } {
  const groups: Group[] = [];
  const leading: number[] = [];
  let [i, j] = [0, 0];
  while (i < from.length || j < to.length) {
    if (to[j] === 1) {
      (groups.at(-1)?.to ?? leading).push(j++);
      continue;
    }
    if (from[i] === 1) {
      i++;
      continue;
    }
    const group: Group = { from: [i], to: [j] };
    let [p, q] = [from[i++]!, to[j++]!];
    while (p !== q) {
      if (p < q) {
        if (from[i] !== 1) group.from.push(i);
        p *= from[i++]!;
      } else {
        group.to.push(j);
        q *= to[j++]!;
      }
    }
    groups.push(group);
  }
  return { groups, leading };
}

/** reshape(transpose(base, perm), to) as transpose(reshape(base, shape), perm'). */
export interface Moved {
  readonly shape: number[];
  readonly perm: number[];
}

/**
 * Possible where the axes of every group lie side by side, in order, in the base too.
 *
 * @param from shape of the reshape's operand, which is transpose(base, perm); no size is 0
 */
export function reshapeBase(from: Shape, perm: readonly number[], to: Shape): Moved | undefined {
  const { groups, leading } = groupsOf(from, to);
  const base = baseShape(from, perm);
  // Base axes of size over 1, in base order, as axes of `from`.
  const order = base.flatMap((d, axis) => (d === 1 ? [] : [perm.indexOf(axis)]));
  const first = new Map(groups.map((g) => [g.from[0]!, g]));
  const axes = [...leading];
  for (let k = 0; k < order.length;) {
    const group = first.get(order[k]!);
    if (group === undefined || group.from.some((axis, n) => order[k + n] !== axis)) return undefined;
    axes.push(...group.to);
    k += group.from.length;
  }
  // `axes` lists the axes of `to` in the order of the new base.
  return { shape: axes.map((axis) => to[axis]!), perm: to.map((_, axis) => axes.indexOf(axis)) };
}
