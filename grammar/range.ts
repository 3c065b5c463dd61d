/**
 * Formatting a part of a file: the whole is formatted, and of what that changes only the lines in the range are taken.
 *
 * @module
 */
import { diffArrays } from 'diff';
import type { Options, ParserOptions, Plugin } from 'prettier';
import type { Node, Range } from './ast.js';
import { wordsOf } from './docs.js';
import { parse } from './parse.js';

/** Lines that a formatted text has in place of lines of the text. */
export interface LineChange {
  /** First line that is replaced, from 0. */
  readonly line: number;
  /** How many are replaced. */
  readonly removed: number;
  readonly added: readonly string[];
}

/** What turns one text into the other, as changes of whole lines (with what ends them), in order. */
export function lineChanges(before: string, after: string): LineChange[] {
  const changes: LineChange[] = [];
  let line = 0;
  let [removed, added]: [string[], string[]] = [[], []];
  const settle = (): void => {
    changes.push(...separated(line - removed.length, removed, added));
    [removed, added] = [[], []];
  };
  for (const part of diffArrays(linesOf(before), linesOf(after))) {
    if (part.added) added.push(...part.value);
    else {
      if (part.removed) removed.push(...part.value);
      else settle();
      line += part.value.length;
    }
  }
  settle();
  return changes;
}

/** Splits a change after every line up to which both sides say the same but for white space. */
function separated(line: number, removed: readonly string[], added: readonly string[]): LineChange[] {
  const changes: LineChange[] = [];
  let [from, to, next] = [0, 0, 0];
  let [old, made] = ['', ''];
  for (let end = 0; end < removed.length; end++) {
    old += squeezed(removed[end]);
    while (next < added.length && made.length < old.length) made += squeezed(added[next++]);
    if (old === '' || old !== made) continue;
    changes.push({ line: line + from, removed: end + 1 - from, added: added.slice(to, next) });
    [from, to, old, made] = [end + 1, next, '', ''];
  }
  if (from < removed.length || to < added.length)
    changes.push({ line: line + from, removed: removed.length - from, added: added.slice(to) });
  return changes;
}

const squeezed = (line: string): string => line.replace(/\s+/g, '');

const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/**
 * The text with the lines of its range formatted. Where a change inside the range makes no sense without one outside
 * it, the declarations that the range touches are taken whole, and in the end the file.
 *
 * @throws FormatError when the text has syntax errors
 */
export async function formatRange(
  text: string,
  plugin: Plugin<Node>,
  options: ParserOptions<Node>,
): Promise<string> {
  const { format } = await import('prettier/standalone');
  const { rangeStart, rangeEnd, printWidth, tabWidth, useTabs, proseWrap } = options;
  const layout: Options = { printWidth, tabWidth, useTabs, proseWrap };
  layout.embeddedLanguageFormatting = options.embeddedLanguageFormatting;
  const plugins = [plugin, ...(options.plugins ?? []).filter((item) => item !== plugin)];
  const formatted = await format(text, { ...layout, parser: 'mmd', plugins, endOfLine: 'lf' });
  const changes = lineChanges(text, formatted);
  const range = { start: rangeStart, end: Math.min(rangeEnd, text.length) };
  for (const wanted of [range, aroundDeclarations(text, range)]) {
    const changed = applyWithin(text, changes, wanted);
    if (sameProgram(text, changed)) return changed;
  }
  return formatted;
}

function applyWithin(text: string, changes: readonly LineChange[], range: Range): string {
  const first = countLines(text, range.start);
  const last = countLines(text, Math.max(range.start, range.end - 1));
  const lines = linesOf(text);
  const result: string[] = [];
  let next = 0;
  for (const { line, removed, added } of changes) {
    // An insertion belongs to the line before which it stands.
    if (line > last || line + Math.max(removed, 1) <= first) continue;
    result.push(...lines.slice(next, line), ...added);
    next = line + removed;
  }
  return [...result, ...lines.slice(next)].join('');
}

/** Number of the line of an offset, from 0. */
function countLines(text: string, offset: number): number {
  let count = 0;
  for (let i = text.indexOf('\n'); i >= 0 && i < offset; i = text.indexOf('\n', i + 1)) count++;
  return count;
}

function aroundDeclarations(text: string, range: Range): Range {
  const { tree } = parse(text);
  const touched = [...tree.imports, ...tree.declarations].filter(
    (item) => item.range.start <= range.end && item.range.end >= range.start,
  );
  return {
    start: Math.min(range.start, ...touched.map((item) => item.range.start)),
    end: Math.max(range.end, ...touched.map((item) => item.range.end)),
  };
}

const layoutKeys = new Set(['range', 'opRange', 'keyword', 'comments', 'doc']);

/** Whether two texts read as the same tree and hold the same comments. */
function sameProgram(before: string, after: string): boolean {
  const [a, b] = [parse(before), parse(after)];
  if (b.problems.length > 0) return false;
  const bare = (tree: unknown): string =>
    JSON.stringify(tree, (key, value: unknown) => (layoutKeys.has(key) ? undefined : value));
  const comments = ({ tree }: typeof a): string[] => tree.comments.map((comment) => wordsOf(comment.text));
  return bare(a.tree) === bare(b.tree) && comments(a).join(' ').trim() === comments(b).join(' ').trim();
}
