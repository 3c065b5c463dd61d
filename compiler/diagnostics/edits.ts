/**
 * Ranges of edits that remove something.
 *
 * @module
 */
import type { Range } from '../../grammar/ast.js';

const isBreak = (c: string | undefined): boolean => c === undefined || c === '\n' || c === '\r';
const isBlank = (c: string | undefined): boolean => c === ' ' || c === '\t';

/**
 * What to remove with a range: where nothing else stands on its lines, these lines with their end; otherwise the
 * range and, with `blanks`, what separates it from what stands before it.
 */
export function removed(text: string, { start, end }: Range, blanks = false): Range {
  let from = start;
  while (from > 0 && isBlank(text[from - 1])) from--;
  let to = end;
  while (isBlank(text[to])) to++;
  if (isBreak(text[from - 1]) && isBreak(text[to])) {
    const ending = text.startsWith('\r\n', to) ? 2 : to < text.length ? 1 : 0;
    return { start: from, end: to + ending };
  }
  return { start: blanks ? from : start, end };
}
