/**
 * The children of syntax nodes, in source order.
 *
 * @module
 */
import type { Node } from './ast.js';

/** Properties that hold children, by kind of node; documentation and comments are not children. */
export const VISITOR_KEYS: Readonly<Record<Node['kind'], readonly string[]>> = {
  SourceFile: ['imports', 'declarations'],
  Import: ['names', 'path'],
  ImportName: ['imported', 'local'],
  Model: ['name', 'base', 'members'],
  Network: ['name', 'params', 'result', 'body'],
  Param: ['name', 'type', 'default'],
  Body: ['statements', 'result'],
  Let: ['names', 'value'],
  Require: ['condition', 'message'],
  Modality: ['name', 'type', 'derived', 'options'],
  Space: ['name', 'type'],
  Encoder: ['name', 'value', 'options'],
  Backbone: ['name', 'value', 'options'],
  Decoder: ['name', 'value', 'options'],
  Task: ['name', 'given', 'produced', 'options'],
  Section: ['block'],
  Block: ['entries'],
  Entry: ['key', 'value', 'block'],
  NamedType: ['name', 'args'],
  ListType: ['element'],
  ErrorType: [],
  RestDim: ['name'],
  Number: [],
  String: [],
  Bool: [],
  Ref: ['name'],
  Call: ['callee', 'args'],
  Arg: ['name', 'value'],
  Pipe: ['left', 'stage'],
  Repeat: ['count', 'stages'],
  Unary: ['operand'],
  Binary: ['left', 'right'],
  Index: ['target', 'index'],
  Range: ['from', 'to'],
  List: ['items'],
  Tuple: ['items'],
  Paren: ['inner'],
  If: ['condition', 'then', 'otherwise'],
  Error: [],
  Name: [],
  Doc: [],
  Comment: [],
};

/** The children of a node in source order. Imports and declarations of a file are merged. */
export function children(node: Node): Node[] {
  const found: Node[] = [];
  const properties = node as unknown as Readonly<Record<string, Node | readonly Node[] | undefined>>;
  for (const key of VISITOR_KEYS[node.kind]) {
    const value = properties[key];
    if (value === undefined) continue;
    if (!Array.isArray(value)) found.push(value as Node);
    else for (const item of value as readonly Node[]) found.push(item);
  }
  if (node.kind === 'ImportName' && node.imported === node.local) found.pop();
  if (node.kind === 'SourceFile') found.sort((a, b) => a.range.start - b.range.start);
  return found;
}

/** Calls `visit` for a node and all below it, parents first. */
export function walk(node: Node, visit: (node: Node, parent: Node | undefined) => void): void {
  const stack: [Node, Node | undefined][] = [[node, undefined]];
  for (let top = stack.pop(); top; top = stack.pop()) {
    visit(...top);
    const below = children(top[0]);
    for (let i = below.length - 1; i >= 0; i--) stack.push([below[i], top[0]]);
  }
}
