/**
 * What can be wrong with the form of a file.
 *
 * @module
 */
import type { Range } from './ast.js';

export type SyntaxProblemKind =
  | 'unexpected-character'
  | 'unterminated-string'
  | 'bad-escape'
  | 'bad-number'
  | 'unexpected-token'
  | 'missing-expression'
  | 'missing-name'
  | 'missing-else'
  | 'reserved-word'
  | 'chained-comparison'
  | 'misplaced-declaration'
  | 'unclosed-block'
  | 'unclosed-bracket'
  | 'nesting-too-deep'
  | 'file-too-large'
  | 'too-many-problems';

/** One thing wrong, in the user's words. A range may be empty: then something is missing at that place. */
export interface SyntaxProblem {
  readonly kind: SyntaxProblemKind;
  readonly range: Range;
  readonly message: string;
  /** What could have stood there, as the user would write it. */
  readonly expected?: readonly string[];
  /** Other places involved, such as the bracket that is not closed. */
  readonly related?: readonly { readonly range: Range; readonly message: string }[];
}

/** No more problems than this are reported for a file; the last one then says that there are more. */
export const MAX_PROBLEMS = 100;

/** Sorts by place and cuts off what is more than anyone reads. */
export function settle(problems: SyntaxProblem[]): SyntaxProblem[] {
  problems.sort((a, b) => a.range.start - b.range.start || a.range.end - b.range.end);
  if (problems.length <= MAX_PROBLEMS) return problems;
  const last = problems[MAX_PROBLEMS - 1];
  return [
    ...problems.slice(0, MAX_PROBLEMS - 1),
    {
      kind: 'too-many-problems',
      range: last.range,
      message: `${problems.length - MAX_PROBLEMS + 1} more syntax errors from here on are not listed`,
    },
  ];
}
