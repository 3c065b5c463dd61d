/**
 * Places as the protocol has them: lines and columns from 0, columns in UTF-16 units.
 *
 * @module
 */
import type { Position, Range as TextRange, TextEdit } from 'vscode-languageserver-types';
import type { Range } from '../../grammar/ast.js';
import type { LineMap } from '../../grammar/lines.js';
import { lineChanges } from '../../grammar/range.js';

export function positionAt(lines: LineMap, offset: number): Position {
  const { line, column } = lines.position(offset);
  return { line: line - 1, character: column - 1 };
}

export function rangeAt(lines: LineMap, { start, end }: Range): TextRange {
  return { start: positionAt(lines, start), end: positionAt(lines, end) };
}

export function offsetAt(lines: LineMap, { line, character }: Position): number {
  return lines.offset(line + 1, character + 1);
}

/** What turns one text into another, line by line, so that cursors and marks elsewhere stay. */
export function editsBetween(before: string, after: string): TextEdit[] {
  return lineChanges(before, after).map(({ line, removed, added }) => ({
    range: { start: { line, character: 0 }, end: { line: line + removed, character: 0 } },
    newText: added.join(''),
  }));
}

export const covers = (range: Range, offset: number): boolean => range.start <= offset && offset <= range.end;
