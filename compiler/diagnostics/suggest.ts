/**
 * "Did you mean": the candidate closest to a name that was not found.
 *
 * @module
 */
import type { Place } from './diagnostic.js';
import type { Extras } from './table.js';

/** Names longer than this are not compared: nobody mistypes them, and the cost is quadratic. */
const LONGEST = 64;

/**
 * The candidate closest to `name`, or undefined where none is close: at most one edit in three characters
 * (insert, delete, substitute, transpose neighbours; a change of case alone is free). Equal distances are
 * decided by the longer common prefix, then by the order of the candidates.
 */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  if (name === '' || name.length > LONGEST) return undefined;
  let best: string | undefined;
  let bestScore = Infinity;
  const lower = name.toLowerCase();
  for (const candidate of new Set(candidates)) {
    if (candidate === name || candidate === '' || candidate.length > LONGEST) continue;
    const limit = Math.max(1, Math.floor(Math.max(name.length, candidate.length) / 3));
    if (Math.abs(candidate.length - name.length) > limit) continue;
    const other = candidate.toLowerCase();
    const distance = editDistance(lower, other, limit);
    // One-letter names are all one substitution apart: only another case is a likely slip there.
    if (distance > limit || distance >= Math.min(name.length, candidate.length)) continue;
    const score = distance - commonPrefix(lower, other) / (2 * LONGEST);
    if (score < bestScore) {
      bestScore = score;
      best = candidate;
    }
  }
  return best;
}

/**
 * What to add to the report of a name that was not found: the help "did you mean" and its fix, or, where
 * nothing is close, the names there are (if `list` allows that many).
 */
export function suggestName(
  place: Place,
  name: string,
  candidates: Iterable<string>,
  list = 12,
): Pick<Extras, 'help' | 'fixes'> {
  const known = [...new Set(candidates)];
  const near = didYouMean(name, known);
  if (near !== undefined) {
    const edits = [{ file: place.file, range: place.range, text: near }];
    return {
      help: `did you mean \`${near}\`?`,
      fixes: [{ title: `replace by \`${near}\``, safe: false, edits }],
    };
  }
  if (known.length === 0 || known.length > list) return {};
  return { help: `there ${known.length === 1 ? 'is' : 'are'} ${enumerate(known.map((k) => `\`${k}\``))}` };
}

/** "a", "a and b", "a, b and c". */
export function enumerate(items: readonly string[], conjunction = 'and'): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} ${conjunction} ${items.at(-1)}`;
}

/**
 * Damerau-Levenshtein distance in its restricted form (optimal string alignment: no part is edited twice).
 * Anything above `limit` is reported as `limit + 1`.
 */
export function editDistance(a: string, b: string, limit = Infinity): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let d = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        d = Math.min(d, beforeLast[j - 2]! + 1);
      }
      row.push(d);
      least = Math.min(least, d);
    }
    // A transposition reaches back two rows, so one row above the limit proves nothing yet.
    if (least > limit + 1) return limit + 1;
    beforeLast = last;
    last = row;
  }
  return Math.min(last[b.length]!, limit + 1);
}

function commonPrefix(a: string, b: string): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}
