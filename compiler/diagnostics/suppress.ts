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
import { removed } from './edits.js';
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
  const silenced = new Set<Diagnostic>();
  for (const file of files) {
    const comments = readAllowances(file, found);
    if (comments.length === 0) continue;
    const warnings = list.filter((d) => d.file === file.file && d.severity !== 'error');
    for (const d of match(warnings, comments.flat())) silenced.add(d);
    if (!file.complete) continue;
    for (const siblings of comments) {
      for (const [at, { code, range, used }] of siblings.entries()) {
        if (used) continue;
        const fixes = [removal(file, siblings, at)];
        found.push(diagnostic('MMD0332', { file: file.file, range }, { code }, { fixes }));
      }
    }
  }
  return [...list.filter((d) => !silenced.has(d)), ...found];
}

/** The warnings that an allowance covers; marks those that are used. One sweep over the file. */
function match(warnings: readonly Diagnostic[], allowances: readonly Allowance[]): Diagnostic[] {
  const waiting = allowances.toSorted((a, b) => b.covers.start - a.covers.start);
  let open: Allowance[] = [];
  return warnings
    .toSorted((a, b) => a.range.start - b.range.start)
    .filter(({ code, range: { start } }) => {
      while (waiting.length > 0 && waiting[waiting.length - 1].covers.start <= start)
        open.push(waiting.pop() as Allowance);
      open = open.filter(({ covers }) => covers.end >= start);
      const covering = open.filter((allowance) => allowance.code === code);
      for (const allowance of covering) allowance.used = true;
      return covering.length > 0;
    });
}

/** The codes of each comment. */
function readAllowances(file: CommentedFile, found: Diagnostic[]): Allowance[][] {
  const comments = file.tree.comments.flatMap((comment) => {
    const match = comment.doc ? null : pattern.exec(comment.text);
    return match ? [{ comment, match }] : [];
  });
  if (comments.length === 0) return [];
  const covered = coverage(file);
  return comments.map(({ comment, match: [, head, codes, reason] }) => {
    const covers = covered(comment);
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

/** What a comment of the file is about. Lines and nodes are gone through once for all of them. */
function coverage({ text, tree }: CommentedFile): (comment: Comment) => Range {
  const lines = new LineMap(text);
  /** The next line with code, by line. */
  const next: number[] = [];
  for (let line = lines.lineCount; line >= 1; line--) {
    const below = next[line + 1] ?? line + 1;
    next[line] = /^\s*(?:\/\/.*)?$/.test(lines.lineText(line)) ? below : line;
  }
  /** How far the nodes that start at an offset reach. */
  const extents = new Map<number, number>();
  walk(tree, (node) => {
    const { start } = node.range;
    extents.set(start, Math.max(extents.get(start) ?? start, extent(node)));
  });
  return ({ range }) => {
    const { line } = lines.position(range.start);
    const own = next[line] !== line;
    const about = own ? (next[line + 1] ?? line + 1) : line;
    const start = lines.offset(about, 1);
    const content = lines.lineText(about);
    const end = start + content.length;
    const first = start + content.length - content.trimStart().length;
    return { start, end: own ? Math.max(end, extents.get(first) ?? end) : end };
  };
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
function removal(file: CommentedFile, siblings: readonly Allowance[], at: number): Fix {
  const edit = (range: Range) => [{ file: file.file, range, text: '' }];
  const { code, comment, range } = siblings[at];
  if (!siblings.some((a) => a.used)) {
    const whole = removed(file.text, comment.range, true);
    return { title: 'remove the comment', safe: true, edits: edit(whole) };
  }
  const usedBefore = siblings.slice(0, at).some((a) => a.used);
  const withComma = usedBefore
    ? { start: siblings[at - 1].range.end, end: range.end }
    : { start: range.start, end: siblings[at + 1].range.start };
  return { title: `remove ${code}`, safe: true, edits: edit(withComma) };
}
