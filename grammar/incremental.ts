/**
 * Reading a file again after an edit. A file is a row of top-level declarations, and each begins at a line that shows
 * it: what stands between two such lines is read again only when its text has changed. The tree is the one that
 * {@link parse} gives, and its unchanged declarations are the same objects as before, moved to where they now stand.
 *
 * @module
 */
import type { Comment, Import, Range, SourceFile, TopLevel } from './ast.js';
import { MAX_LENGTH, parse, type ParseResult } from './parse.js';
import { MAX_PROBLEMS, type SyntaxProblem } from './problems.js';

interface Part {
  readonly text: string;
  /** What followed it when it was read, where that matters: a part with problems may read otherwise before another. */
  readonly before: string;
  start: number;
  /** Every range in it, each once. */
  readonly ranges: { start: number; end: number }[];
  readonly imports: readonly Import[];
  readonly declarations: readonly TopLevel[];
  readonly comments: readonly Comment[];
  readonly problems: readonly SyntaxProblem[];
}

/** A line that begins an import, a model or a network, whatever stands before it. */
const opening = /^(?:(?:model|network)[ \t]+[A-Za-z_]\w*|import[ \t]*\{)/;
/** Lines that belong to what follows them. */
const leading = /^\s*(?:\/\/[^\r\n]*)?\s*$/;

export class IncrementalParser {
  private parts = new Map<string, Part[]>();

  /** The tree of a text. Trees given earlier for the same file are no longer to be used: their nodes may be moved. */
  parse(text: string): ParseResult {
    const texts = text.length > MAX_LENGTH ? [] : split(text);
    const parts: Part[] = [];
    let start = 0;
    let problems = 0;
    for (const [i, own] of texts.entries()) {
      const part = this.part(own, texts[i + 1] ?? '', start);
      if (!part) break;
      parts.push(part);
      start += own.length;
      problems += part.problems.length;
    }
    const known = new Map<string, Part[]>();
    for (const part of parts) {
      const same = known.get(part.text);
      if (same) same.push(part);
      else known.set(part.text, [part]);
    }
    if (parts.length < texts.length || texts.length === 0 || problems > MAX_PROBLEMS) {
      // The parts that could be read on their own are kept for the next time.
      for (const [own, same] of known) this.parts.set(own, same);
      return parse(text);
    }
    this.parts = known;
    const tree: SourceFile = {
      kind: 'SourceFile',
      range: { start: 0, end: text.length },
      imports: parts.flatMap((part) => part.imports),
      declarations: parts.flatMap((part) => part.declarations),
      comments: parts.flatMap((part) => part.comments),
    };
    return { tree, problems: parts.flatMap((part) => part.problems) };
  }

  /** A part at its place: the known one moved there, or read anew. Undefined where it cannot be read on its own. */
  private part(text: string, following: string, start: number): Part | undefined {
    const known = this.parts.get(text);
    const at = known?.findIndex((part) => part.problems.length === 0 || part.before === following) ?? -1;
    if (known && at >= 0) {
      const [part] = known.splice(at, 1);
      move(part, start);
      return part;
    }
    const read = readPart(text, following);
    if (read) move(read, start);
    return read;
  }
}

/** The texts of the parts of a file, which together are the file. */
function split(text: string): string[] {
  const texts: string[] = [];
  let begin = 0;
  /** Where the comments and blank lines before the line begin. */
  let above = 0;
  for (let line = 0; line < text.length;) {
    let end = text.indexOf('\n', line);
    end = end < 0 ? text.length : end + 1;
    const first = text.charCodeAt(line);
    // `i`, `m` and `n` begin the three words.
    if ((first === 105 || first === 109 || first === 110) && opening.test(text.slice(line, end))) {
      if (above > begin) {
        texts.push(text.slice(begin, above));
        begin = above;
      }
      above = end;
    } else if (!leading.test(text.slice(line, end))) above = end;
    line = end;
  }
  texts.push(text.slice(begin));
  return texts;
}

function readPart(text: string, following: string): Part | undefined {
  let { tree, problems } = parse(text);
  const before = problems.length > 0 ? following : '';
  if (before !== '') {
    // What is wrong may show only by what comes next.
    const joined = parse(text + following);
    const end = text.length;
    const apart = (item: { readonly range: Range }) => item.range.end <= end || item.range.start >= end;
    const within = joined.problems.every(
      (problem) =>
        problem.range.end <= end && (problem.related ?? []).every((other) => other.range.end <= end),
    );
    const items = [...joined.tree.imports, ...joined.tree.declarations];
    // Characters that are no token leave the documentation before them to what comes after.
    const reaches = items.some(
      (item) => 'doc' in item && item.doc && item.doc.range.start < end && item.range.start >= end,
    );
    if (!within || reaches || !items.every(apart)) return undefined;
    const own = <T extends { readonly range: Range }>(list: readonly T[]): T[] =>
      list.filter((item) => item.range.start < end);
    tree = {
      ...joined.tree,
      imports: own(joined.tree.imports),
      declarations: own(joined.tree.declarations),
      comments: own(joined.tree.comments),
    };
    problems = joined.problems;
  }
  // Members outside a model join the model before them, which may be another part.
  if (problems.some(({ kind }) => kind === 'misplaced-declaration' || kind === 'too-many-problems'))
    return undefined;
  const { imports, declarations, comments } = tree;
  const ranges = rangesIn([imports, declarations, comments, problems]);
  return { text, before, start: 0, ranges, imports, declarations, comments, problems };
}

/** Every range below some nodes, each once. */
function rangesIn(roots: readonly object[]): { start: number; end: number }[] {
  const found = new Set<{ start: number; end: number }>();
  const seen = new Set<object>();
  const stack: object[] = [...roots];
  for (let top = stack.pop(); top; top = stack.pop()) {
    if (seen.has(top)) continue;
    seen.add(top);
    if ('start' in top && 'end' in top) {
      found.add(top as { start: number; end: number });
      continue;
    }
    for (const value of Object.values(top))
      if (typeof value === 'object' && value !== null) stack.push(value as object);
  }
  return [...found];
}

function move(part: Part, start: number): void {
  const by = start - part.start;
  if (by === 0) return;
  part.start = start;
  for (const range of part.ranges) {
    range.start += by;
    range.end += by;
  }
}
