/**
 * Where the formatter puts comments. A comment belongs to an item of a list (a declaration, statement, entry,
 * argument, stage of a pipe and so on): before it, or behind it at the end of its line. One inside an item, between
 * the operands of a sum say, is moved before or behind that item; one between a construct and its braces moves
 * behind the opening brace. This keeps formatting stable and every comment in the file.
 *
 * @module
 */
import type { Comment, Node, SourceFile } from './ast.js';
import { docLines, isDocComment } from './docs.js';
import { children, walk } from './visit.js';

/** A comment while the formatter is at work; the last three are Prettier's names. */
export interface PlacedComment extends Comment {
  /** Away from where it was written, where `///` could come to document something: printed as a plain comment. */
  moved?: boolean;
  leading?: boolean;
  trailing?: boolean;
  printed?: boolean;
  placement?: 'ownLine' | 'endOfLine' | 'remaining';
  enclosingNode?: Node;
}

/** The comments that belong to a node. Prettier keeps them on the node itself, having emptied the file's own list. */
export function commentsOf(node: Node): PlacedComment[] {
  return (node as { comments?: PlacedComment[] }).comments ?? [];
}

const parents = new WeakMap<Node, Node>();

/** Remembers parents; must have seen a tree before {@link place} is used on it. */
export function linkParents(tree: SourceFile): void {
  walk(tree, (node, parent) => {
    if (parent) parents.set(node, parent);
  });
}

/** The items of a list, or undefined for nodes that are no list. An empty list has no place for a comment either. */
function itemsOf(node: Node): readonly Node[] | undefined {
  switch (node.kind) {
    case 'SourceFile':
      return children(node);
    case 'Model':
      return node.members;
    case 'Block':
      return node.entries;
    case 'Body':
      return [...node.statements, node.result];
    case 'Import':
      return nonEmpty(node.names);
    case 'Network':
      return nonEmpty(node.params);
    case 'Call':
      return nonEmpty(node.args);
    case 'NamedType':
      return nonEmpty(node.args ?? []);
    case 'List':
    case 'Tuple':
      return nonEmpty(node.items);
    case 'Paren':
      return [node.inner];
    case 'Repeat':
      return node.stages;
    case 'Pipe':
      return pipeItems(node);
    default:
      return undefined;
  }
}

const nonEmpty = (items: readonly Node[]): readonly Node[] | undefined =>
  items.length > 0 ? items : undefined;

/** The head of the pipe that `node` is part of, and its stages. */
function pipeItems(node: Node & { kind: 'Pipe' }): Node[] {
  const items: Node[] = [];
  let at: Node = topPipe(node);
  for (; at.kind === 'Pipe'; at = at.left) items.unshift(at.stage);
  return [at, ...items];
}

function topPipe(node: Node): Node {
  let top = node;
  for (let up = parents.get(top); up?.kind === 'Pipe' && up.left === top; up = parents.get(top)) top = up;
  return top;
}

/** True for the first operand of a pipe, before which there is no place for a comment. */
function isPipeHead(node: Node): boolean {
  const parent = parents.get(node);
  return parent?.kind === 'Pipe' && parent.left === node;
}

/** Prettier's handler for comments of every placement: decides all of them. */
export function place(comment: PlacedComment, text: string, _options: unknown, tree: Node): boolean {
  let enclosing: Node = comment.enclosingNode ?? tree;
  let ownLine = comment.placement === 'ownLine';
  const braces = bracesAfter(enclosing, comment, text);
  if (braces) {
    add(braces, comment, 'dangling', true);
    return true;
  }
  let inside: Node | undefined;
  for (;;) {
    const items = itemsOf(enclosing);
    if (items && inside === undefined) return between(enclosing, items, comment, ownLine);
    // Only one comment fits behind an item: another one from inside it goes before it.
    if (items && !ownLine && commentsOf(inside as Node).some((other) => !other.leading)) ownLine = true;
    if (items?.includes(inside as Node) && !(ownLine && isPipeHead(inside as Node))) {
      add(inside as Node, comment, ownLine ? 'leading' : 'trailing', true);
      return true;
    }
    inside = enclosing.kind === 'Pipe' ? topPipe(enclosing) : enclosing;
    enclosing = parents.get(inside) ?? tree;
  }
}

/** Places a comment that stands directly in a list. */
function between(list: Node, items: readonly Node[], comment: PlacedComment, ownLine: boolean): boolean {
  const { start, end } = comment.range;
  const previous = items.findLast((item) => item.range.end <= start);
  const next = items.find((item) => item.range.start >= end);
  const braced = list.kind === 'Model' || list.kind === 'Block' || list.kind === 'Body';
  if (items.length === 0 || (braced && previous === undefined && !ownLine))
    add(list, comment, 'dangling', false);
  else if (previous && (!ownLine || !next)) add(previous, comment, 'trailing', false);
  else if (next && isPipeHead(next)) add(previous ?? next, comment, 'trailing', true);
  else if (next) add(next, comment, 'leading', false);
  return true;
}

/**
 * The construct with braces whose opening brace comes after the comment while what it belongs to stands before:
 * `if c // here`, `process // here`, `model A // here`.
 */
function bracesAfter(enclosing: Node, comment: PlacedComment, text: string): Node | undefined {
  const { end } = comment.range;
  if (enclosing.kind === 'Model') {
    const first = enclosing.members[0]?.range.start ?? enclosing.range.end;
    const open = text.slice(end, first).replaceAll(/\/\/[^\n]*/g, '');
    return open.includes('{') ? enclosing : undefined;
  }
  const next = children(enclosing).find((child) => child.range.start >= end);
  if (next?.kind === 'If' && enclosing.kind === 'If') return next.then;
  return (next?.kind === 'Body' || next?.kind === 'Block') && enclosing.kind !== 'SourceFile'
    ? next
    : undefined;
}

function add(
  node: Node,
  comment: PlacedComment,
  where: 'leading' | 'trailing' | 'dangling',
  moved: boolean,
): void {
  const comments = ((node as { comments?: PlacedComment[] }).comments ??= []);
  comment.leading = where === 'leading';
  comment.trailing = where === 'trailing';
  // Only one comment fits behind something on its line; a second one comes to stand before what follows.
  comment.moved = moved || (where !== 'leading' && comments.some((other) => !other.leading));
  comment.printed = false;
  comments.push(comment);
}

/** The lines of a comment as they are printed; only a documentation has several. */
export function commentLines(comment: PlacedComment): string[] {
  if (!isDocComment(comment))
    return [`${comment.doc && !comment.moved ? '///' : '//'}${comment.text}`.trimEnd()];
  return comment.moved ? comment.lines.map((line) => `//${line}`.trimEnd()) : docLines(comment);
}
