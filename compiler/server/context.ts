/**
 * What a place in a file is for, told by the tokens before it, since while one types the tree there is rarely whole.
 *
 * @module
 */
import type { Model, Network, Node } from '../../grammar/ast.js';
import { scan } from '../../grammar/scan.js';
import { nodesAt } from './occurrences.js';
import type { Parsed } from './workspace.js';

/** A call around a place: `f(a, key: |`. */
export interface CallContext {
  readonly callee: string;
  readonly calleeStart: number;
  /** Number of commas before the place. */
  readonly argument: number;
  /** The name of the argument, where it has one. */
  readonly name?: string;
  /** Whether a piped value is the first argument. */
  readonly piped: boolean;
  /** Whether the place begins an argument. */
  readonly atStart: boolean;
}

export type Context =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'file' }
  | { readonly kind: 'importPath'; readonly prefix: string }
  | { readonly kind: 'importNames'; readonly path?: string }
  | { readonly kind: 'member' }
  | { readonly kind: 'modality' | 'names' | 'type'; readonly of: string }
  | { readonly kind: 'key'; readonly block: readonly string[] }
  | { readonly kind: 'setting'; readonly block: readonly string[]; readonly key: string }
  | { readonly kind: 'expression'; readonly stage: boolean };

export interface Place {
  readonly context: Context;
  readonly call?: CallContext;
  readonly model?: Model;
  readonly network?: Network;
  readonly nodes: readonly Node[];
  /** The word that is being typed. */
  readonly word: { readonly start: number; readonly text: string };
}

interface Token {
  readonly image: string;
  readonly start: number;
  readonly end: number;
}

const members = new Set([
  'modality',
  'space',
  'encoder',
  'backbone',
  'decoder',
  'task',
  'let',
  'process',
  'loss',
  'train',
  'data',
  'eval',
]);
const sections = new Set(['process', 'loss', 'train', 'data', 'eval']);
const openers: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

export function placeAt({ text, tree }: Parsed, offset: number): Place {
  let from = offset;
  while (from > 0 && /\w/.test(text[from - 1])) from--;
  const word = { start: from, text: text.slice(from, offset) };
  const nodes = nodesAt(tree, offset);
  const model = nodes.find((n): n is Model => n.kind === 'Model') ?? modelBefore(tree.declarations, offset);
  const network = nodes.find((n): n is Network => n.kind === 'Network');
  const place = { nodes, word, ...(model && { model }), ...(network && { network }) };
  if (tree.comments.some((c) => c.range.start < offset && offset <= c.range.end))
    return { ...place, context: { kind: 'nothing' } };
  // Far enough back for every bracket around the place: the declaration it is in.
  const begin = declarationStart(text, from);
  const tokens = scan(text.slice(begin, from)).tokens.map(({ image, startOffset }): Token => {
    const start = begin + startOffset;
    return { image, start, end: start + image.length };
  });
  const last = tokens.at(-1);
  if (last?.image.startsWith('"') && !(last.image.length > 1 && last.image.endsWith('"'))) {
    const isPath = tokens.at(-2)?.image === 'from';
    const prefix = text.slice(last.start + 1, offset);
    return { ...place, context: isPath ? { kind: 'importPath', prefix } : { kind: 'nothing' } };
  }
  const open: { readonly index: number; readonly image: string }[] = [];
  for (const [index, { image }] of tokens.entries()) {
    if (image in openers) open.push({ index, image });
    else if (open.length > 0 && image === openers[open[open.length - 1].image]) open.pop();
  }
  const call = callAround(tokens, open);
  return { ...place, ...(call && { call }), context: contextOf(tokens, open, text, offset, call) };
}

/** Where a model is not closed, the place may lie behind all that could be read of it. */
function modelBefore(declarations: readonly (Model | Network)[], offset: number): Model | undefined {
  const last = declarations.findLast((d) => d.range.start <= offset);
  return last?.kind === 'Model' && last.range.end >= offset ? last : undefined;
}

function declarationStart(text: string, offset: number): number {
  for (
    let line = text.lastIndexOf('\n', offset - 1) + 1;
    line > 0;
    line = text.lastIndexOf('\n', line - 2) + 1
  )
    if (/^(?:model|network|import)\b/.test(text.slice(line, line + 8))) return line;
  return 0;
}

function callAround(
  tokens: readonly Token[],
  open: readonly { index: number; image: string }[],
): CallContext | undefined {
  const paren = open.findLast(({ image }) => image === '(' || image === '{');
  if (paren?.image !== '(') return undefined;
  const callee = tokens[paren.index - 1] as Token | undefined;
  if (!callee || !/^[A-Za-z_]\w*$/.test(callee.image) || tokens[paren.index - 2]?.image === 'network')
    return undefined;
  let [argument, depth, first] = [0, 0, paren.index + 1];
  for (let i = paren.index + 1; i < tokens.length; i++) {
    const { image } = tokens[i];
    if (image in openers) depth++;
    else if (Object.values(openers).includes(image)) depth--;
    else if (image === ',' && depth === 0) [argument, first] = [argument + 1, i + 1];
  }
  const name = tokens[first + 1]?.image === ':' ? tokens[first].image : undefined;
  return {
    callee: callee.image,
    calleeStart: callee.start,
    argument,
    piped: tokens[paren.index - 2]?.image === '|>',
    atStart: first >= tokens.length,
    ...(name !== undefined && { name }),
  };
}

function contextOf(
  tokens: readonly Token[],
  open: readonly { index: number; image: string }[],
  text: string,
  offset: number,
  call: CallContext | undefined,
): Context {
  const at = (back: number): string => tokens.at(-back)?.image ?? '';
  const braces = open.filter(({ image }) => image === '{');
  const first = tokens[0]?.image;
  if (first === 'import' && (braces.length > 0 || !text.slice(tokens[0].start, offset).includes('\n'))) {
    if (braces.length === 0) return { kind: 'nothing' };
    const path = /^[^"\n]*from\s*"([^"\n]*)"/.exec(text.slice(offset))?.[1];
    return { kind: 'importNames', ...(path !== undefined && { path }) };
  }
  if (braces.length === 0 && first !== 'network')
    return first === 'model' && at(1) !== '}' ? { kind: 'nothing' } : { kind: 'file' };
  if (braces.length === 0)
    return at(1) === ':' || at(1) === '->' || open.some(({ image }) => image === '[')
      ? { kind: 'type', of: 'network' }
      : { kind: 'file' };
  if (first === 'network') {
    return declares(at(1))
      ? { kind: 'nothing' }
      : { kind: 'expression', stage: at(1) === '|>' || isRepeat(tokens, open) };
  }
  // A model: which member, and where in it.
  const body = braces[0].index;
  const start = tokens.findLastIndex(
    ({ image }, i) =>
      i > body && members.has(image) && tokens[i + 1]?.image !== ':' && depthAt(tokens, body, i) === 0,
  );
  const member = tokens[start]?.image;
  if (member === undefined) return { kind: 'member' };
  const inner = open.filter(({ index }) => index > start);
  const own = inner.filter(({ image }) => image === '{');
  const newLine = text.slice(tokens.at(-1)?.end ?? 0, offset).includes('\n');
  const block =
    own.length > 0 && !isRepeat(tokens, open) ? own.map(({ index }) => tokens[index - 1].image) : undefined;
  if (block && (sections.has(member) || own[0].index > start + 1)) {
    const isIf = tokens.slice(start, own[0].index).some(({ image }) => image === 'if');
    if (!isIf) {
      const path = sections.has(member)
        ? [member, ...block.slice(1)]
        : [member, tokens[start + 1].image, ...block.slice(1)];
      const keyAt = tokens.findLastIndex(
        ({ image }, i) =>
          i > own[own.length - 1].index &&
          image === ':' &&
          depthAt(tokens, own[own.length - 1].index, i) === 0,
      );
      const after = tokens.slice(keyAt + 1);
      const ended =
        keyAt < 0 || (after.length > 0 && (newLine || at(1) === ',') && inner.at(-1)?.image === '{');
      if (ended) return { kind: 'key', block: path };
      if (call) return { kind: 'expression', stage: false };
      return { kind: 'setting', block: path, key: tokens[keyAt - 1].image };
    }
  }
  const position = tokens.length - 1 - start;
  if (
    inner.length === 0 &&
    newLine &&
    position > 1 &&
    !['=', '|>', ':', ',', '->', '+', '-', '*', '/'].includes(at(1))
  )
    return { kind: 'member' };
  if (position === 0)
    return member === 'encoder' || member === 'decoder'
      ? { kind: 'modality', of: member }
      : { kind: 'nothing' };
  if (sections.has(member)) return { kind: 'member' };
  if (member === 'task')
    return position >= 2 && inner.length === 0
      ? { kind: 'names', of: tokens[start + 1].image }
      : { kind: 'nothing' };
  if (member === 'modality' || member === 'space') {
    if (inner.length > 0) return { kind: 'expression', stage: false };
    return at(1) === ':' ? { kind: 'type', of: member } : { kind: 'nothing' };
  }
  if (!tokens.slice(start).some(({ image }) => image === '=')) return { kind: 'nothing' };
  return { kind: 'expression', stage: at(1) === '|>' || isRepeat(tokens, open) };
}

/** Whether a place right behind this token declares a name. */
const declares = (image: string): boolean => image === 'let' || image === 'network';

/** Whether the innermost bracket is a `repeat(n) {`, which holds stages, and one begins. */
function isRepeat(tokens: readonly Token[], open: readonly { index: number; image: string }[]): boolean {
  const last = open.at(-1);
  if (last?.image !== '{' || tokens[last.index - 1]?.image !== ')') return false;
  let depth = 0;
  for (let i = last.index - 1; i > 0; i--) {
    if (tokens[i].image === ')') depth++;
    else if (tokens[i].image === '(' && --depth === 0)
      return tokens[i - 1].image === 'repeat' && last.index === tokens.length - 1;
  }
  return false;
}

/** How deep in brackets a token is, counted from an opening one. */
function depthAt(tokens: readonly Token[], from: number, to: number): number {
  let depth = 0;
  for (let i = from + 1; i < to; i++) {
    if (tokens[i].image in openers) depth++;
    else if (Object.values(openers).includes(tokens[i].image)) depth--;
  }
  return depth;
}
