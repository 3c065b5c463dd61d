/**
 * Permutations of axes: out axis k is axis perm[k] of the operand.
 *
 * @module
 */
import type { Shape } from './ir.js';

export function identity(rank: number): number[] {
  return Array.from({ length: rank }, (_, k) => k);
}

export function inverse(perm: readonly number[]): number[] {
  const result = new Array<number>(perm.length);
  perm.forEach((p, k) => (result[p] = k));
  return result;
}

/** First `inner`, then `outer`. */
export function compose(outer: readonly number[], inner: readonly number[]): number[] {
  return outer.map((k) => inner[k]!);
}

/** Whether transposing an array of `shape` leaves its data as it is: axes of size 1 may go anywhere. */
export function isReshape(shape: Shape, perm: readonly number[]): boolean {
  const moving = perm.filter((p) => shape[p] !== 1);
  return moving.every((p, k) => k === 0 || moving[k - 1]! < p);
}

/** The perm that swaps the last two of `rank` axes. */
export function swapLast(rank: number): number[] {
  const perm = identity(rank);
  perm.splice(rank - 2, 2, rank - 1, rank - 2);
  return perm;
}
