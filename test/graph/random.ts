/** Numbers for tests: a seeded generator (SplitMix-like), small shapes, and comparison by relative distance. */
import type { Shape } from '../../compiler/graph/ir.js';
import { sizeOf } from '../../compiler/graph/ir.js';

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform on [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
  }

  /** An integer in [from, to]. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)]!;
  }

  bool(p = 0.5): boolean {
    return this.next() < p;
  }

  uniform(size: number, low: number, high: number): Float64Array {
    return Float64Array.from({ length: size }, () => low + (high - low) * this.next());
  }

  /** Rank and sizes at random; `least` 0 allows empty axes. */
  shape(maxRank: number, least = 1, most = 3): number[] {
    return Array.from({ length: this.int(0, maxRank) }, () => this.int(least, most));
  }

  permutation(n: number): number[] {
    const perm = Array.from({ length: n }, (_, k) => k);
    for (let k = n - 1; k > 0; k--) {
      const j = this.int(0, k);
      [perm[k], perm[j]] = [perm[j]!, perm[k]!];
    }
    return perm;
  }

  /** Some of the axes of a shape, none to all. */
  axes(rank: number): number[] {
    return Array.from({ length: rank }, (_, k) => k).filter(() => this.bool());
  }

  /** A shape that broadcasts to `shape`: leading axes dropped, some sizes 1. */
  broadcastable(shape: Shape): number[] {
    return shape.slice(this.int(0, shape.length)).map((d) => (this.bool(0.4) ? 1 : d));
  }
}

/** The largest |a - b| / (1 + |b|). */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i]! - b[i]!) / (1 + Math.abs(b[i]!));
    if (!(d <= worst)) worst = Number.isNaN(d) ? Infinity : d;
  }
  return worst;
}

export function filled(random: Random, shape: Shape, low = -1, high = 1): Float64Array {
  return random.uniform(sizeOf(shape), low, high);
}
