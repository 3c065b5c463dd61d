/**
 * What renderers need from the files that diagnostics point into.
 *
 * @module
 */
import type { Range } from '../../../grammar/ast.js';
import { LineMap } from '../../../grammar/lines.js';

/** The text of a file, or undefined where there is none (it could not be read, or is not text). */
export type Source = (file: string) => string | undefined;

/** The lines of a file. */
export type Lines = (file: string) => LineMap | undefined;

/** Cuts every file into lines once, however many diagnostics point into it. */
export function linesOf(source: Source): Lines {
  const cache = new Map<string, LineMap | undefined>();
  return (file) => {
    if (!cache.has(file)) {
      const text = source(file);
      cache.set(file, text === undefined ? undefined : new LineMap(text));
    }
    return cache.get(file);
  };
}

/** The range within the text, in order, whatever was asked for. */
export function clamp(map: LineMap, range: Range): Range {
  const within = (offset: number) => Math.max(0, Math.min(offset, map.text.length));
  const start = within(range.start);
  return { start, end: Math.max(start, within(range.end)) };
}
