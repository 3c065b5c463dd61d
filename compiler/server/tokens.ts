/**
 * Semantic tokens: what words mean where their form does not show it.
 *
 * @module
 */
import type { SemanticTokens } from 'vscode-languageserver-types';
import type { Node } from '../../grammar/ast.js';
import { KEYWORDS } from '../../grammar/tokens.js';
import { scan } from '../../grammar/scan.js';
import { walk } from '../../grammar/visit.js';
import { occurrences } from './navigation.js';
import type { SymbolKind } from './occurrences.js';
import { positionAt } from './positions.js';
import type { Checked } from './workspace.js';

export const tokenTypes = [
  'keyword',
  'class',
  'function',
  'parameter',
  'variable',
  'property',
  'type',
  'enumMember',
  'typeParameter',
  'event',
] as const;
export const tokenModifiers = ['declaration', 'readonly', 'defaultLibrary'] as const;

type TokenType = (typeof tokenTypes)[number];

const ofSymbol: Readonly<Record<SymbolKind, TokenType>> = {
  model: 'class',
  network: 'function',
  modality: 'property',
  space: 'variable',
  backbone: 'variable',
  task: 'event',
  let: 'variable',
  parameter: 'parameter',
  dimension: 'typeParameter',
  import: 'function',
  builtin: 'function',
};

interface Token {
  readonly start: number;
  readonly end: number;
  readonly type: TokenType;
  readonly modifiers: number;
}

/** All tokens of a file that have a meaning of their own, or those in a range. */
export function semanticTokens(
  checked: Checked,
  range?: { readonly start: number; readonly end: number },
): SemanticTokens {
  const found = new Map<number, Token>();
  const add = (start: number, end: number, type: TokenType, modifiers = 0): void => {
    if (end > start && !found.has(start)) found.set(start, { start, end, type, modifiers });
  };
  for (const { range: at, symbol, declaration } of occurrences(checked)) {
    const value = symbol.key === 'builtin:t' || symbol.key === 'builtin:given';
    const library = symbol.kind === 'builtin' || symbol.file?.startsWith('std/');
    const fixed = symbol.kind === 'let' || symbol.kind === 'dimension';
    add(
      at.start,
      at.end,
      value ? 'variable' : ofSymbol[symbol.kind],
      (declaration ? 1 : 0) | (fixed ? 2 : 0) | (library ? 4 : 0),
    );
  }
  walk(checked.tree, (node: Node) => {
    if (node.kind === 'NamedType') add(node.name.range.start, node.name.range.end, 'type', 4);
    else if (node.kind === 'Entry') add(node.key.range.start, node.key.range.end, 'property');
    else if (node.kind === 'Arg' && node.name) add(node.name.range.start, node.name.range.end, 'parameter');
    else if (node.kind === 'Ref' && !found.has(node.range.start))
      add(node.name.range.start, node.name.range.end, 'enumMember');
    else if (node.kind === 'Call') add(node.callee.range.start, node.callee.range.end, 'enumMember');
  });
  for (const { image, startOffset, tokenType } of scan(checked.text).tokens)
    if (KEYWORDS.get(image) === tokenType) add(startOffset, startOffset + image.length, 'keyword');
  const inside = (token: Token): boolean => !range || (token.start < range.end && token.end > range.start);
  return {
    data: encode(
      checked,
      [...found.values()].filter(inside).sort((a, b) => a.start - b.start),
    ),
  };
}

/** The protocol's form: five numbers a token, places relative to the token before. */
function encode({ lines }: Checked, tokens: readonly Token[]): number[] {
  const data: number[] = [];
  let [line, character] = [0, 0];
  for (const { start, end, type, modifiers } of tokens) {
    const at = positionAt(lines, start);
    data.push(
      at.line - line,
      at.line === line ? at.character - character : at.character,
      end - start,
      tokenTypes.indexOf(type),
      modifiers,
    );
    ({ line, character } = at);
  }
  return data;
}
