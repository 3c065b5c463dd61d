/**
 * Measures of generated vectors against wanted ones, row by row.
 *
 * @module
 */
import { sameWidth, type Points } from './points.js';

/** Cosine of every row of `a` with the same row of `b`; 0 where one is zero. @throws RangeError when they do not pair */
export function cosines(a: Points, b: Points): Float64Array {
  samePairs(a, b);
  return Float64Array.from({ length: a.n }, (_, i) => cosine(a, i, b, i));
}

export interface Retrieval {
  /** Share of rows whose wanted row is the nearest by cosine, of all wanted rows. */
  readonly top1: number;
  readonly top5: number;
  /** Mean rank of the wanted row, from 1. */
  readonly meanRank: number;
  readonly medianRank: number;
}

/**
 * How well the rows of `made` find theirs among all of `wanted`, by cosine. Equal ones count half, so that a constant
 * gets the rank of guessing.
 * @throws RangeError when they do not pair
 */
export function retrieval(made: Points, wanted: Points): Retrieval {
  samePairs(made, wanted);
  const ranks = Float64Array.from({ length: made.n }, (_, i) => {
    const own = cosine(made, i, wanted, i);
    let rank = 1;
    for (let j = 0; j < wanted.n; j++) {
      if (j === i) continue;
      const other = cosine(made, i, wanted, j);
      rank += other > own ? 1 : other === own ? 0.5 : 0;
    }
    return rank;
  });
  const share = (k: number) => ranks.filter((rank) => rank <= k).length / ranks.length;
  const sorted = Float64Array.from(ranks).sort();
  return {
    top1: share(1),
    top5: share(5),
    meanRank: ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length,
    medianRank: sorted[sorted.length >> 1]!,
  };
}

/** CLIP score of one pair (Hessel et al., 2021): max(100 cos, 0). The network of the embeddings belongs beside it. */
export function clipScore(cos: number): number {
  return Math.max(100 * cos, 0);
}

function cosine(a: Points, i: number, b: Points, j: number): number {
  const { d } = a;
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let k = 0; k < d; k++) {
    const [x, y] = [a.data[i * d + k]!, b.data[j * d + k]!];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb);
}

function samePairs(a: Points, b: Points): void {
  sameWidth(a, b);
  if (a.n !== b.n) throw new RangeError(`${a.n} rows do not pair with ${b.n}`);
}
