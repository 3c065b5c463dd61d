/**
 * From text to tree.
 *
 * @module
 */
import type { SourceFile } from './ast.js';
import { MmdParser } from './parser.js';
import type { SyntaxProblem } from './problems.js';
import { settle } from './problems.js';
import { scan } from './scan.js';

/**
 * Longest text that is read, in UTF-16 units. A thousand times more than anyone writes; what bounds it is memory, of
 * which a hostile text takes some 150 bytes a character.
 */
export const MAX_LENGTH = 4 * 1024 * 1024;

let parser: MmdParser | undefined;

export interface ParseResult {
  readonly tree: SourceFile;
  /** In source order, at most 100. Empty exactly when the text is a well-formed file. */
  readonly problems: readonly SyntaxProblem[];
}

/**
 * Reads a file. Never throws: whatever cannot be read is reported, and the tree holds the rest, with `ErrorExpr`
 * and empty names where something is missing. Offsets refer to `text` as it is, byte-order mark and `\r` included.
 */
export function parse(text: string): ParseResult {
  if (text.length > MAX_LENGTH)
    return refused(text, `${Math.ceil(text.length / 2 ** 20)} million characters`);
  const scanned = scan(text);
  parser ??= new MmdParser();
  const problems = scanned.problems;
  const tree = parser.read(text, scanned, problems);
  return { tree, problems: settle(problems) };
}

function refused(text: string, size: string): ParseResult {
  const range = { start: 0, end: text.length };
  return {
    tree: { kind: 'SourceFile', range, imports: [], declarations: [], comments: [] },
    problems: [
      {
        kind: 'file-too-large',
        range: { start: 0, end: 0 },
        message: `the file is too large: ${size}, and at most ${MAX_LENGTH / 2 ** 20} million are read`,
      },
    ],
  };
}
