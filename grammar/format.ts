/**
 * The formatter. Prettier is loaded on first use, so that reading files never waits for it.
 *
 * @module
 */
import type { SyntaxProblem } from './problems.js';

/** Thrown instead of formatting a text with syntax errors. */
export class FormatError extends Error {
  override readonly name = 'FormatError';

  constructor(readonly problems: readonly SyntaxProblem[]) {
    super(`the file has syntax errors: ${problems[0]?.message ?? ''}`);
  }
}

export interface FormatOptions {
  /** Lines are broken when they would be longer than this many columns; 100 unless told. */
  readonly width?: number;
  /** How lines end in the result; `lf` unless told. `auto` keeps what the first line ends with. */
  readonly endOfLine?: 'lf' | 'crlf' | 'auto';
}

/**
 * Formats a file. The result reads as the same tree, holds every comment, and is its own formatted form.
 *
 * @throws FormatError with the problems, when the text has syntax errors
 */
export async function format(text: string, options: FormatOptions = {}): Promise<string> {
  const [prettier, { default: plugin }] = await Promise.all([
    import('prettier/standalone'),
    import('./prettier.js'),
  ]);
  return prettier.format(text, {
    parser: 'mmd',
    plugins: [plugin],
    printWidth: options.width ?? 100,
    endOfLine: options.endOfLine ?? 'lf',
  });
}
