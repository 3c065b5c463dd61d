/** Trees without what layout may change. */
import type { SourceFile } from '../../grammar/ast.js';

const LAYOUT = new Set(['range', 'opRange', 'keyword', 'comments']);

/** A tree without ranges and comments; documentation stays. */
export const bare = (tree: SourceFile): unknown =>
  JSON.parse(JSON.stringify(tree, (key, value: unknown) => (LAYOUT.has(key) ? undefined : value)));

/** The words of all comments, in no particular order: a stray `///` may have become a `//`. */
export const words = (tree: SourceFile): string[] =>
  tree.comments.map((comment) => comment.text.trim()).sort();
