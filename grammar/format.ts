/**
 * The formatter. Prettier is loaded on first use, so that reading files never waits for it.
 *
 * @module
 */
import type { Range } from './ast.js';
import type { LineColumn } from './lines.js';
import { LineMap } from './lines.js';
import type { SyntaxProblem } from './problems.js';

/** Thrown instead of formatting a text with syntax errors. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  /** Place of the first problem, from which Prettier makes a code frame. */
  readonly loc: { readonly start: LineColumn; readonly end: LineColumn };

  constructor(
    readonly problems: readonly SyntaxProblem[],
    text: string,
  ) {
    super(`the file has syntax errors: ${problems[0]?.message ?? ''}`);
    const lines = new LineMap(text);
    const { start, end } = problems[0]?.range ?? { start: 0, end: 0 };
    this.loc = { start: lines.position(start), end: lines.position(end) };
  }
}

export interface FormatOptions {
  /** Lines are broken when they would be longer than this many columns; 100 unless told. */
  readonly width?: number;
  /** Only what stands on the lines from `start` to `end`, offsets into the text, is changed. */
  readonly range?: Range;
  /** How lines end in the result; `lf` unless told. `auto` keeps what the first line ends with. */
  readonly endOfLine?: 'lf' | 'crlf' | 'auto';
}

/**
 * Formats a file. The result reads as the same tree, holds every comment, and is its own formatted form.
 *
 * @throws FormatError with the problems, when the text has syntax errors
 */
export async function format(text: string, options: FormatOptions = {}): Promise<string> {
  const [prettier, { default: plugin }, markdown] = await Promise.all([
    import('prettier/standalone'),
    import('./prettier.js'),
    import('prettier/plugins/markdown'),
  ]);
  const { width = 100, range, endOfLine = 'lf' } = options;
  return prettier.format(text, {
    parser: 'mmd',
    plugins: [plugin, markdown],
    printWidth: width,
    endOfLine,
    ...(range && { rangeStart: range.start, rangeEnd: range.end }),
  });
}
