/**
 * From text to the tokens that the parser reads: lexing, then one pass that turns words into keywords and keys,
 * applies the rule about line starts, gathers documentation comments and bounds the nesting.
 *
 * @module
 */
import type { ILexingError, IToken, TokenType } from 'chevrotain';
import type { Comment, Doc } from './ast.js';
import { isClosed } from './literals.js';
import type { SyntaxProblem } from './problems.js';
import * as T from './tokens.js';

/** Brackets may be nested this deep: far more than anyone writes, and little enough for every later recursion. */
export const MAX_NESTING = 100;

export interface Scan {
  readonly tokens: IToken[];
  readonly comments: Comment[];
  /** Documentation comments by the offset of the token that follows them. */
  readonly docs: ReadonlyMap<number, Doc>;
  readonly problems: SyntaxProblem[];
}

const CLOSERS = new Map<TokenType, TokenType>([
  [T.RParen, T.LParen],
  [T.RSquare, T.LSquare],
  [T.RCurly, T.LCurly],
]);

const LINE_START = new Map<TokenType, TokenType>([
  [T.LParen, T.LineParen],
  [T.LSquare, T.LineSquare],
  [T.Plus, T.LinePlus],
  [T.Minus, T.LineMinus],
]);

/** Keywords that may stand inside parentheses; any other one shows that a parenthesis before it was left open. */
const INSIDE = new Set(['if', 'else', 'repeat', 'true', 'false'].map(T.keyword));

/** Tokens, comments and lexical problems of a text. Never throws. */
export function scan(text: string): Scan {
  const lexed = T.getLexer().tokenize(text);
  const problems = lexed.errors.map((error) => unexpectedCharacters(text, error)).filter(firstQuote(text));
  const comments = (lexed.groups['comments'] ?? []).map(toComment);
  const tokens = classify(text, lexed.tokens, problems);
  return { tokens, comments, docs: attachDocs(text, comments, tokens), problems };
}

function retag(token: IToken, type: TokenType): void {
  token.tokenType = type;
  token.tokenTypeIdx = type.tokenTypeIdx ?? 0;
}

/** Assigns the derived token types in place; returns the tokens without those inside a bracket nested too deep. */
function classify(text: string, tokens: IToken[], problems: SyntaxProblem[]): IToken[] {
  const open: TokenType[] = [];
  let kept = 0;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    tokens[kept++] = token;
    switch (token.tokenType) {
      case T.Ident: {
        if (i + 1 < tokens.length && tokens[i + 1].tokenType === T.Colon) {
          retag(token, T.Key);
          break;
        }
        const word = T.KEYWORDS.get(token.image);
        if (word === undefined) break;
        retag(token, word);
        if (!INSIDE.has(word)) while (open.length > 0 && open[open.length - 1] !== T.LCurly) open.pop();
        break;
      }
      case T.StringToken:
        if (!isClosed(token.image)) problems.push(unterminated(token));
        break;
      case T.Plus:
      case T.Minus:
        markLineStart(text, tokens, kept, open);
        break;
      case T.LParen:
      case T.LSquare:
      case T.LCurly: {
        const type = token.tokenType;
        if (type !== T.LCurly) markLineStart(text, tokens, kept, open);
        if (open.length < MAX_NESTING) {
          open.push(type);
          break;
        }
        i = skipBracket(tokens, i);
        retag(token, T.TooDeep);
        token.image = text.slice(token.startOffset, endOf(tokens[i]));
        problems.push({
          kind: 'nesting-too-deep',
          range: { start: token.startOffset, end: token.startOffset + 1 },
          message: `brackets may be nested at most ${MAX_NESTING} deep`,
        });
        break;
      }
      case T.RParen:
      case T.RSquare:
      case T.RCurly: {
        const at = open.lastIndexOf(CLOSERS.get(token.tokenType) as TokenType);
        if (at === open.length - 1 || (at >= 0 && token.tokenType === T.RCurly))
          open.length = Math.max(at, 0);
        break;
      }
    }
  }
  tokens.length = kept;
  return tokens;
}

/** Outside parentheses and square brackets, `(` `[` `+` `-` at the start of a line begin something new. */
function markLineStart(text: string, tokens: IToken[], kept: number, open: TokenType[]): void {
  const innermost = open[open.length - 1];
  if (kept < 2 || innermost === T.LParen || innermost === T.LSquare) return;
  const token = tokens[kept - 1];
  if (hasNewline(text, endOf(tokens[kept - 2]), token.startOffset)) {
    retag(token, LINE_START.get(token.tokenType) ?? token.tokenType);
  }
}

/** Index of the token that closes the bracket at `i`, or of the last one before a declaration or the end. */
function skipBracket(tokens: IToken[], i: number): number {
  let depth = 0;
  for (let j = i; j < tokens.length; j++) {
    const type = tokens[j].tokenType;
    if (type === T.LParen || type === T.LSquare || type === T.LCurly) depth++;
    else if (CLOSERS.has(type) && --depth === 0) return j;
  }
  return tokens.length - 1;
}

/** Offset after the last character of a token. */
export const endOf = (token: IToken): number => token.startOffset + token.image.length;

/** True when a line ends between two offsets. */
export function hasNewline(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (T.isNewline(text.charCodeAt(i))) return true;
  return false;
}

function toComment(token: IToken): Comment {
  const { image, startOffset: start } = token;
  const doc = image.startsWith('///') && !image.startsWith('////');
  return {
    kind: 'Comment',
    range: { start, end: start + image.length },
    doc,
    text: image.slice(doc ? 3 : 2),
  };
}

/**
 * Joins `///` lines that follow each other without a gap and gives each run to the token after it. A `///` behind
 * something on its line documents nothing.
 */
function attachDocs(text: string, comments: Comment[], tokens: IToken[]): Map<number, Doc> {
  const docs = new Map<number, Doc>();
  let t = 0;
  for (let c = 0; c < comments.length; c++) {
    if (!comments[c].doc) continue;
    const first = comments[c];
    while (t < tokens.length && tokens[t].startOffset < first.range.start) t++;
    if (t > 0 && !hasNewline(text, endOf(tokens[t - 1]), first.range.start)) continue;
    const next = t < tokens.length ? tokens[t].startOffset : Infinity;
    const lines = [docLine(first)];
    while (continuesDoc(text, comments[c], comments[c + 1], next)) lines.push(docLine(comments[++c]));
    // A later run before the same token takes the place of an earlier one, which then is a plain comment.
    docs.set(next, {
      kind: 'Doc',
      range: { start: first.range.start, end: comments[c].range.end },
      text: lines.join('\n'),
    });
  }
  return docs;
}

/** True when `next` is a `///` on the line right below `previous`. */
function continuesDoc(text: string, previous: Comment, next: Comment | undefined, limit: number): boolean {
  if (!next?.doc || next.range.start > limit) return false;
  return /^(?:\r\n|\n|\r)[^\r\n]*$/.test(text.slice(previous.range.end, next.range.start));
}

/** A line of documentation: without one leading space and what trails. */
const docLine = (comment: Comment): string => comment.text.replace(/^ /, '').trimEnd();

function unterminated(token: IToken): SyntaxProblem {
  return {
    kind: 'unterminated-string',
    range: { start: token.startOffset, end: endOf(token) },
    message: 'this string is not closed on its line: expected `"`',
    expected: ['`"`'],
  };
}

function unexpectedCharacters(text: string, error: ILexingError): SyntaxProblem {
  const { offset: start, length } = error;
  const range = { start, end: start + length };
  const found = text.slice(start, start + Math.min(length, 20));
  return { kind: 'unexpected-character', range, message: explain(found) };
}

/** Leaves out the closing one of two single quotes on a line. */
function firstQuote(text: string): (problem: SyntaxProblem) => boolean {
  let opened = -1;
  return ({ range }) => {
    if (text[range.start] !== "'" && text[range.start] !== '`') return true;
    const closes = opened >= 0 && !hasNewline(text, opened, range.start);
    opened = closes ? -1 : range.start;
    return !closes;
  };
}

/** Says why a character is not part of the language, and what was probably meant. */
function explain(found: string): string {
  const shown = JSON.stringify(found).slice(1, -1);
  const first = found[0];
  if (first === ';') return 'statements and entries end without `;`';
  if (first === "'" || first === '`') return `strings are written between double quotes, not \`${shown}\``;
  if (first === '#') return 'comments begin with `//`, not with `#`';
  if (first === '&' || first === '|')
    return `there is no operator \`${first}\`; did you mean \`${first}${first}\`?`;
  if (first === '.') return 'a `.` is only part of numbers (`0.5`) and ranges (`a..b`)';
  if (/\p{L}/u.test(found))
    return `names are written with the letters a to z, digits and \`_\`; found \`${shown}\``;
  return `unexpected \`${shown}\``;
}
