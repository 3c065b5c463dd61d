/** Trees without what layout may change. */
import type { Comment, Node, SourceFile } from '../../grammar/ast.js';
import { children } from '../../grammar/visit.js';

const LAYOUT = new Set(['range', 'opRange', 'keyword', 'comments']);

/** What Markdown says without its marks and layout, which the formatter of documentation may change. */
const said = (markdown: string): string => (markdown.match(/[\p{L}\p{N}]+/gu) ?? []).join(' ');

/** A tree without ranges and comments; documentation stays, as its words. */
export const bare = (tree: SourceFile): unknown =>
  JSON.parse(
    JSON.stringify(tree, (key, value: unknown) => {
      if (key === 'doc' && typeof value === 'object') return said((value as { text: string }).text);
      return LAYOUT.has(key) ? undefined : value;
    }),
  );

/** The words of all comments, in no particular order: a stray `///` may have become a `//`. */
export const words = (tree: SourceFile): string[] =>
  tree.comments.flatMap((comment) => comment.text.match(/[\p{L}\p{N}]+/gu) ?? []).sort();

/**
 * Where a comment is: the lists of items (declarations, members, statements, entries) around it, outermost first, each
 * with the number of items before it and whether it is inside the next one.
 */
export function homeOf(tree: SourceFile, comment: Comment): string[] {
  const home: string[] = [];
  const { start } = comment.range;
  for (let list: Node | undefined = tree; list;) {
    const items: readonly Node[] = itemsOf(list);
    const before = items.filter((item) => item.range.end <= start).length;
    const inside: Node | undefined = items.find((item) => item.range.start < start && start < item.range.end);
    home.push(`${before}${inside ? '+' : ''}`);
    list = inside && innermostList(inside, start);
  }
  return home;
}

const itemsOf = (list: Node): readonly Node[] => {
  if (list.kind === 'SourceFile') return children(list);
  if (list.kind === 'Model') return list.members;
  if (list.kind === 'Block') return list.entries;
  return list.kind === 'Body' ? [...list.statements, list.result] : [];
};

/** The first list on the way from an item to an offset. */
function innermostList(item: Node, offset: number): Node | undefined {
  const open: Node[] = [item];
  for (let node = open.shift(); node; node = open.shift()) {
    const isList = node.kind === 'Model' || node.kind === 'Block' || node.kind === 'Body';
    if (isList && node.range.start <= offset && offset < node.range.end) return node;
    open.push(...children(node).filter((child) => child.range.start <= offset && offset < child.range.end));
  }
  return undefined;
}

/**
 * Whether a comment is still in its place: between the same items, or, where it stood inside an item that has no room
 * for it, right before, right behind or inside that item.
 */
export function sameHome(before: readonly string[], after: readonly string[]): boolean {
  for (const [depth, at] of before.entries()) {
    if (after[depth] === at) continue;
    const inside = at.endsWith('+');
    const count = Number.parseInt(at);
    // Moved out of the item, before or behind it.
    if (inside && after.length === depth + 1)
      return [String(count), String(count + 1)].includes(after[depth]);
    // Behind the opening brace of what follows it: `model A // here {`.
    return after.length > depth && after[depth] === `${count}+`;
  }
  // Behind the opening brace of an item of its own.
  return after.length === before.length || before[before.length - 1].endsWith('+');
}
