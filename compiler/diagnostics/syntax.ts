/**
 * The parser's problems as diagnostics. The grammar is below the table and words its problems itself; here they
 * get their codes.
 *
 * @module
 */
import type { SyntaxProblem, SyntaxProblemKind } from '../../grammar/problems.js';
import type { Diagnostics } from './collect.js';

const codes = {
  'unexpected-character': 'MMD0101',
  'unterminated-string': 'MMD0102',
  'bad-number': 'MMD0103',
  'unexpected-token': 'MMD0104',
  'unclosed-block': 'MMD0105',
  'nesting-too-deep': 'MMD0106',
  'file-too-large': 'MMD0107',
  'bad-escape': 'MMD0108',
  'missing-expression': 'MMD0109',
  'missing-name': 'MMD0110',
  'missing-else': 'MMD0111',
  'reserved-word': 'MMD0112',
  'chained-comparison': 'MMD0113',
  'misplaced-declaration': 'MMD0114',
  'unclosed-bracket': 'MMD0115',
  'too-many-problems': 'MMD0116',
} as const satisfies Record<SyntaxProblemKind, string>;

/** Reports what the parser found in `file`. */
export function reportSyntax(
  diagnostics: Diagnostics,
  file: string,
  problems: readonly SyntaxProblem[],
): void {
  for (const { kind, range, message, related = [] } of problems) {
    const labels = related.map((r) => ({ file, range: r.range, message: r.message }));
    diagnostics.report(codes[kind], { file, range }, { message }, { labels });
  }
}
