/**
 * Documentation comments in the formatter: the `///` lines of one documentation are one comment, whose Markdown
 * Prettier formats.
 *
 * @module
 */
import type { AstPath, Doc as PrettierDoc, Options } from 'prettier';
import { printer as docPrinter } from 'prettier/doc';
import type { Comment, Doc, Node, SourceFile } from './ast.js';
import type { PlacedComment } from './comments.js';
import { walk } from './visit.js';

/** A documentation comment of several lines, as the formatter holds it. */
export interface DocComment extends PlacedComment {
  /** The text of each line without its slashes, as it was written. */
  readonly lines: readonly string[];
  /** The documentation itself. */
  readonly markdown: string;
  /** The Markdown formatted, once that has been done. */
  formatted?: string;
}

export const isDocComment = (comment: Comment): comment is DocComment => 'lines' in comment;

/** The comments of a file, with those that make up one documentation joined. */
export function joinDocs(tree: SourceFile, text: string): Comment[] {
  const docs: Doc[] = [];
  walk(tree, (node) => {
    if ('doc' in node && typeof node.doc === 'object') docs.push(node.doc);
  });
  docs.sort((a, b) => a.range.start - b.range.start);
  const joined: Comment[] = [];
  let next = 0;
  for (const comment of tree.comments) {
    while (next < docs.length && docs[next].range.end <= comment.range.start) next++;
    const doc = docs[next] as Doc | undefined;
    if (!doc || comment.range.start < doc.range.start) joined.push(comment);
    else if (comment.range.start === doc.range.start) {
      const lines = text
        .slice(doc.range.start, doc.range.end)
        .split('\n')
        .map((line) => line.trim().slice(3));
      const made: DocComment = { ...comment, range: doc.range, lines, markdown: doc.text };
      joined.push(made);
    }
  }
  return joined;
}

type TextToDoc = (text: string, options: Options) => Promise<PrettierDoc>;

/**
 * Prettier's `embed`: formats the documentation of a declaration. It gives nothing in its place: the printer finds the
 * result at the comment.
 */
export function embedDocs(
  path: AstPath<Node>,
):
  | ((textToDoc: TextToDoc, print: unknown, path: AstPath<Node>, options: Options) => Promise<undefined>)
  | null {
  const comments = ((path.node as { comments?: PlacedComment[] }).comments ?? []).filter(
    (comment) => isDocComment(comment) && !comment.moved,
  ) as unknown as DocComment[];
  if (comments.length === 0) return null;
  return async (textToDoc, _print, _path, options) => {
    for (const comment of comments)
      comment.formatted = await formatMarkdown(comment.markdown, textToDoc, options);
    return undefined;
  };
}

/**
 * Markdown laid out by Prettier; undefined where that would not be the end of it, or would change a word: some rare
 * forms (a list in which a rule is meant, say) Prettier reads in another way the second time.
 */
async function formatMarkdown(
  markdown: string,
  textToDoc: TextToDoc,
  options: Options,
): Promise<string | undefined> {
  const once = async (text: string): Promise<string> => {
    const doc = await textToDoc(text, { parser: 'markdown' });
    const { formatted } = docPrinter.printDocToString(doc, { ...options, embeddedInHtml: false } as never);
    return formatted
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n')
      .replace(/^\n+|\n+$/g, '');
  };
  try {
    const formatted = await once(markdown);
    const same = (await once(formatted)) === formatted && wordsOf(formatted) === wordsOf(markdown);
    return same && formatted !== '' ? formatted : undefined;
  } catch {
    // Without Prettier's Markdown, or with a block of code in it that cannot be read: it stays as it is.
    return undefined;
  }
}

/** What Markdown says, without its marks and its layout. */
export const wordsOf = (markdown: string): string => (markdown.match(/[\p{L}\p{N}]+/gu) ?? []).join(' ');

/** The lines of a documentation comment as they are printed, each with its slashes. */
export function docLines(comment: DocComment): string[] {
  const lines =
    comment.formatted?.split('\n').map((line) => (line === '' ? '' : ` ${line}`)) ?? comment.lines;
  return lines.map((line) => `///${line}`.trimEnd());
}
