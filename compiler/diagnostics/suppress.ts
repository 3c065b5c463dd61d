/**
 * Comments that silence a warning: `// mmdc-allow MMD0321: kept for the next version`. One at the end of a line holds
 * for that line; one on a line of its own for the statement, declaration or entry that follows it (of a model or
 * network its head alone). Errors are never silenced.
 *
 * @module
 */
import type { Comment, Node, Range, SourceFile } from '../../grammar/ast.js';
import { LineMap } from '../../grammar/lines.js';
import { walk } from '../../grammar/visit.js';
import type { Diagnostic, Fix } from './diagnostic.js';
import { diagnostic, findRow } from './table.js';

export interface CommentedFile {
  readonly file: string;
  readonly text: string;
  readonly tree: SourceFile;
  /**
   * Whether every warning there is for the file has been looked for, so that a comment without one is unused. Not so
   * after an error, which ends the analysis early, and in a file that is only imported, whose models are not built.
   */
  readonly complete: boolean;
}

/** One code of one comment. */
interface Allowance {
  readonly comment: Comment;
  readonly code: string;
  /** Of the code, in the file. */
  readonly range: Range;
  readonly covers: Range;
  used: boolean;
}

/** Codes, commas and an optional reason. */
const pattern = /^(\s*mmdc-allow\b)([^:]*)(?::(.*))?$/;

/** The diagnostics that are left, and what is wrong with the comments. */
export function suppress(list: readonly Diagnostic[], files: Iterable<CommentedFile>): Diagnostic[] {
  const found: Diagnostic[] = [];
  const allowances = new Map<string, Allowance[]>();
  const commented = [...files];
  for (const file of commented) allowances.set(file.file, readAllowances(file, found));
  const left = list.filter((d) => {
    if (d.severity === 'error') return true;
    const matching = (allowances.get(d.file) ?? []).filter(
      ({ code, covers }) => code === d.code && d.range.start >= covers.start && d.range.start <= covers.end,
    );
    for (const allowance of matching) allowance.used = true;
    return matching.length === 0;
  });
  for (const file of commented) {
    if (!file.complete) continue;
    const all = allowances.get(file.file) ?? [];
    for (const allowance of all.filter((a) => !a.used)) {
      const { code, range } = allowance;
      const fixes = [removal(file, allowance, all)];
      found.push(diagnostic('MMD0332', { file: file.file, range }, { code }, { fixes }));
    }
  }
  return [...left, ...found];
}

function readAllowances(file: CommentedFile, found: Diagnostic[]): Allowance[] {
  const lines = new LineMap(file.text);
  return file.tree.comments.flatMap((comment) => {
    const match = comment.doc ? null : pattern.exec(comment.text);
    if (!match) return [];
    const [, head, codes, reason] = match;
    const covers = covered(file, lines, comment);
    const base = comment.range.start + 2 + head.length;
    const read: Allowance[] = [];
    for (const word of codes.matchAll(/[^\s,]+/g)) {
      const range = { start: base + word.index, end: base + word.index + word[0].length };
      const row = findRow(word[0]);
      if (row && row.row.severity !== 'error') {
        read.push({ comment, code: row.code, range, covers, used: false });
        continue;
      }
      const what = row ? 'an error' : 'no code';
      found.push(diagnostic('MMD0333', { file: file.file, range }, { text: word[0], found: what }));
    }
    const place = { file: file.file, range: comment.range };
    if (codes.trim() === '')
      found.push(diagnostic('MMD0333', place, { text: comment.text.trim(), found: 'without a code' }));
    else if (read.length > 0 && (reason ?? '').trim() === '')
      found.push(diagnostic('MMD0331', place, { codes: read.map((a) => a.code).join(', ') }));
    return read;
  });
}

/** What a comment is about. */
function covered({ text, tree }: CommentedFile, lines: LineMap, comment: Comment): Range {
  const { line } = lines.position(comment.range.start);
  const lineRange = (n: number): Range => ({
    start: lines.offset(n, 1),
    end: lines.offset(n, lines.lineText(n).length + 1),
  });
  if (text.slice(lines.offset(line, 1), comment.range.start).trim() !== '') return lineRange(line);
  let next = line + 1;
  while (next <= lines.lineCount && /^\s*(?:\/\/.*)?$/.test(lines.lineText(next))) next++;
  const first = lineRange(next);
  let end = first.end;
  walk(tree, (node) => {
    const { start } = node.range;
    if (start < first.start || start > first.end || text.slice(first.start, start).trim() !== '') return;
    end = Math.max(end, extent(node));
  });
  return { start: first.start, end };
}

/** How far a comment before a node reaches into it. */
function extent(node: Node): number {
  switch (node.kind) {
    case 'Network':
      return node.body.range.start;
    case 'Import':
    case 'Let':
    case 'Require':
    case 'Param':
    case 'Modality':
    case 'Space':
    case 'Encoder':
    case 'Backbone':
    case 'Decoder':
    case 'Task':
    case 'Section':
    case 'Entry':
      return node.range.end;
    default:
      return node.range.start;
  }
}

/** Removes the comment, or one of its codes where another is needed. */
function removal(file: CommentedFile, allowance: Allowance, all: readonly Allowance[]): Fix {
  const siblings = all.filter((a) => a.comment === allowance.comment);
  const edit = (range: Range) => [{ file: file.file, range, text: '' }];
  if (siblings.some((a) => a.used)) {
    const at = siblings.indexOf(allowance);
    const usedBefore = siblings.slice(0, at).some((a) => a.used);
    const range = usedBefore
      ? { start: siblings[at - 1].range.end, end: allowance.range.end }
      : { start: allowance.range.start, end: siblings[at + 1].range.start };
    return { title: `remove ${allowance.code}`, safe: true, edits: edit(range) };
  }
  const { start, end } = allowance.comment.range;
  const before = /(^|\r\n|\n|\r)?[ \t]*$/.exec(file.text.slice(0, start)) as RegExpExecArray;
  const blank = start - before[0].length;
  // On a line of its own the line goes; behind something, what separates it.
  if (before[1] === undefined)
    return { title: 'remove the comment', safe: true, edits: edit({ start: blank, end }) };
  const ending = /^(?:\r\n|\n|\r)?/.exec(file.text.slice(end)) as RegExpExecArray;
  const range = { start: blank + before[1].length, end: end + ending[0].length };
  return { title: 'remove the comment', safe: true, edits: edit(range) };
}
