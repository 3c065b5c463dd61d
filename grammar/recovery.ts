/**
 * How the parser goes on after an error. No rule ever throws: a token that is missing is reported and taken as
 * read, and a list that meets something foreign skips to where its next item can begin. A place is reported only
 * once, so that one mistake makes one problem.
 *
 * @module
 */
import type { IToken, TokenType } from 'chevrotain';
import { EmbeddedActionsParser, EOF } from 'chevrotain';
import type { Name, Range } from './ast.js';
import type { SyntaxProblem, SyntaxProblemKind } from './problems.js';
import { endOf, hasNewline } from './scan.js';
import * as T from './tokens.js';

const word = T.keyword;

/** Keywords that begin a declaration of a file. */
export const TOP_LEVEL: ReadonlySet<TokenType> = new Set(['import', 'model', 'network'].map(word));
/** Keywords that begin a member of a model, `let` apart, which also begins a statement. */
export const MEMBERS: ReadonlySet<TokenType> = new Set(
  [
    'modality',
    'space',
    'encoder',
    'backbone',
    'decoder',
    'task',
    'process',
    'loss',
    'train',
    'data',
    'eval',
  ].map(word),
);
export const LET = word('let');
export const REQUIRE = word('require');

/** What an operand can begin with. */
const OPERAND = new Set<TokenType>([
  ...[T.Ident, T.NumberToken, T.StringToken, T.LParen, T.LineParen, T.LSquare, T.LineSquare],
  ...[T.Minus, T.LineMinus, T.Bang, T.TooDeep, word('true'), word('false'), word('if')],
]);
export const OPENERS = new Set<TokenType>([T.LParen, T.LineParen, T.LSquare, T.LineSquare, T.LCurly]);
export const CLOSERS = new Set<TokenType>([T.RParen, T.RSquare, T.RCurly]);
/** Keywords that begin anything but an expression. */
export const STATEMENTS: ReadonlySet<TokenType> = new Set([...TOP_LEVEL, ...MEMBERS, LET, REQUIRE]);

/** The next tokens that may follow a name in a declaration, which shows that a keyword was meant as a name. */
const AFTER_NAME = new Set([T.Equals, T.Colon, T.LCurly, T.Comma, T.Arrow, T.LParen, T.RCurly, T.RParen]);

export abstract class RecoveringParser extends EmbeddedActionsParser {
  protected text = '';
  protected problems: SyntaxProblem[] = [];
  /** Offset of the token at which the last problem was found; nothing more is reported there. */
  protected reportedAt = -1;
  /** Offset of the last token that was itself reported as being in the way. */
  protected blamed = -1;
  /** Offsets of strings without an end, ascending: brackets left open on such a line are their fault. */
  private unterminated: readonly number[] = [];

  /** Offsets of characters that were dropped and of strings without an end, ascending. */
  private broken: readonly number[] = [];

  /** Makes the parser ready for another text; `problems` holds what was found in its tokens. */
  protected prepare(text: string, tokens: IToken[], problems: SyntaxProblem[]): void {
    const offsets = (...kinds: SyntaxProblemKind[]): number[] =>
      problems.filter((problem) => kinds.includes(problem.kind)).map((problem) => problem.range.start);
    this.text = text;
    this.problems = problems;
    this.reportedAt = -1;
    this.blamed = -1;
    this.unterminated = offsets('unterminated-string');
    this.broken = offsets('unexpected-character', 'unterminated-string').sort((a, b) => a - b);
    this.input = tokens;
  }

  protected next(): TokenType {
    return this.LA(1).tokenType;
  }

  /** Offset of the next token, or of the end of the text. */
  protected get here(): number {
    const token = this.LA(1);
    return this.atEnd() ? this.text.length : token.startOffset;
  }

  /** Offset after the last token read. */
  protected get last(): number {
    const token = this.LA(0);
    return token.image === '' || token.startOffset === undefined ? 0 : endOf(token);
  }

  protected atEnd(): boolean {
    return this.LA(1).tokenType === EOF;
  }

  protected from(start: number): Range {
    return { start, end: Math.max(start, this.last) };
  }

  protected onSameLine(): boolean {
    return !hasNewline(this.text, this.last, this.here);
  }

  protected startsOperand(): boolean {
    return OPERAND.has(this.LA(1).tokenType);
  }

  // ------------------------------------------------------------ reporting

  protected problem(
    kind: SyntaxProblemKind,
    range: Range,
    message: string,
    expected?: readonly string[],
  ): void {
    this.problems.push(expected ? { kind, range, message, expected } : { kind, range, message });
  }

  /**
   * Reports that something else was expected here, unless this place was reported already. What is missing at the
   * end of a line is reported there, and not where the next line begins.
   *
   * @param where completes the sentence: where it was expected, or why
   * @param foreign the next token itself is in the way, wherever it stands
   */
  protected expected(
    kind: SyntaxProblemKind,
    expected: readonly string[],
    where: string,
    foreign = false,
  ): void {
    if (this.alreadyReported()) return;
    const token = this.LA(1);
    if (token.tokenType === T.LinePlus) {
      const message = 'a `+` at the start of a line continues nothing: put it at the end of the line before';
      this.problem('unexpected-token', { start: this.here, end: endOf(token) }, message);
      return;
    }
    const wanted = `expected ${oneOf(expected)}${where}`;
    const last = this.last;
    if (this.atEnd() || !(foreign || this.onSameLine())) {
      this.problem(kind, { start: last, end: last }, wanted, expected);
    } else {
      this.blamed = this.here;
      const range = { start: this.here, end: endOf(token) };
      this.problem(kind, range, `${wanted}, found ${describe(token)}`, expected);
    }
  }

  /**
   * True when nothing more is to be said about the next token: it, or the one right before it, was reported. From
   * now on it counts as reported.
   */
  private alreadyReported(): boolean {
    const here = this.here;
    if (this.reportedAt === here || this.RECORDING_PHASE) return true;
    const follows = this.blamed >= 0 && this.blamed === this.LA(0).startOffset && this.onSameLine();
    this.reportedAt = here;
    return follows || this.next() === T.TooDeep || this.isBroken();
  }

  /** True when something was reported at or after an offset. */
  protected reportedSince(offset: number): boolean {
    return this.reportedAt >= offset;
  }

  /** Whether the next token, or what was dropped right before it, is no token at all: that is the mistake then. */
  private isBroken(): boolean {
    return firstFrom(this.broken, this.last) <= this.here;
  }

  /** Reports the next token with a message of its own. */
  protected refuse(kind: SyntaxProblemKind, message: string): void {
    this.reportAt(kind, { start: this.here, end: endOf(this.LA(1)) }, message);
  }

  /** Reports a range, unless the place that has been reached was reported already. */
  protected reportAt(kind: SyntaxProblemKind, range: Range, message: string): void {
    if (this.alreadyReported()) return;
    if (range.start === this.here) this.blamed = range.start;
    this.problem(kind, range, message);
  }

  // ------------------------------------------------------------ single tokens

  /** Reads the token, or reports that it is missing and goes on as if it were there. */
  protected token(index: number, type: TokenType, written: string, where: string): boolean {
    if (this.RECORDING_PHASE || this.LA(1).tokenType === type) {
      this.consume(index, type);
      return true;
    }
    this.expected('unexpected-token', [written], where);
    return false;
  }

  /** Reads a name to be declared or referred to; a missing one is empty. */
  protected nameOf(index: number, what: string): Name {
    const token = this.LA(1);
    const type = token.tokenType;
    if (this.RECORDING_PHASE || type === T.Ident) return toName(this.consume(index, T.Ident));
    const reserved = T.KEYWORDS.has(token.image);
    if (type === T.Key && !reserved) return toName(this.consume(index, T.Key));
    if (reserved && this.onSameLine() && (type === T.Key || AFTER_NAME.has(this.LA(2).tokenType))) {
      this.refuse('reserved-word', `\`${token.image}\` is a word of the language and cannot be ${what}`);
      return toName(this.consume(index, type));
    }
    this.expected('missing-name', [what], '');
    return { kind: 'Name', range: { start: this.last, end: this.last }, text: '' };
  }

  /**
   * Reads `{`, or reports that it is missing and skips to it.
   *
   * @param lines whether to look for it on the next lines too
   */
  protected openBrace(index: number, where: string, lines: boolean): boolean {
    if (this.RECORDING_PHASE || this.next() === T.LCurly) return this.token(index, T.LCurly, '', '');
    this.expected('unexpected-token', ['`{`'], where);
    let ahead = 1;
    while (this.LA(ahead).tokenType !== T.LCurly) {
      const token = this.LA(ahead);
      const type = token.tokenType;
      if (type === EOF || STATEMENTS.has(type) || ahead > 100) return false;
      if (type === T.RCurly && (!lines || hasNewline(this.text, this.last, token.startOffset))) return false;
      ahead++;
    }
    if (!lines && hasNewline(this.text, this.last, this.LA(ahead).startOffset)) return false;
    for (; ahead > 1; ahead--) this.SKIP_TOKEN();
    return this.token(index, T.LCurly, '', '');
  }

  /**
   * Skips a `}` behind which the same construct goes on, and reports it unless its line was reported.
   *
   * @param goesOn whether a token of this type, on the line of the brace or not, only continues the construct
   */
  protected extraBrace(goesOn: (type: TokenType, sameLine: boolean) => boolean): boolean {
    const after = this.LA(2);
    if (this.RECORDING_PHASE || this.next() !== T.RCurly || after.tokenType === EOF) return false;
    const sameLine = !hasNewline(this.text, this.here, after.startOffset);
    if (!goesOn(after.tokenType, sameLine)) return false;
    if (this.reportedAt < 0 || hasNewline(this.text, this.reportedAt, this.here)) {
      this.refuse('unexpected-token', `${describe(after)} follows this \`}\`: is it one too many?`);
    }
    this.SKIP_TOKEN();
    return true;
  }

  /** Reads the bracket that closes the one at `open`, or reports the open one. */
  protected close(index: number, type: TokenType, open: number): void {
    if (this.RECORDING_PHASE || this.LA(1).tokenType === type) {
      this.consume(index, type);
      return;
    }
    if (this.alreadyReported()) return;
    const string = firstFrom(this.unterminated, open);
    if (string < this.here && !hasNewline(this.text, open, string)) return;
    const opener = this.text[open];
    const closer = type === T.RParen ? ')' : type === T.RSquare ? ']' : '}';
    const end = this.last;
    this.problems.push({
      kind: type === T.RCurly ? 'unclosed-block' : 'unclosed-bracket',
      range: { start: open, end: open + 1 },
      message: `this \`${opener}\` is not closed: expected \`${closer}\` before ${describe(this.LA(1))}`,
      expected: [`\`${closer}\``],
      related: [{ range: { start: end, end }, message: `expected \`${closer}\` here at the latest` }],
    });
  }
}

/** The first of ascending numbers that is at least `least`, or infinity. */
function firstFrom(ascending: readonly number[], least: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] < least) low = middle + 1;
    else high = middle;
  }
  return ascending[low] ?? Infinity;
}

export function toName(token: IToken): Name {
  const start = token.startOffset;
  return { kind: 'Name', range: { start, end: start + token.image.length }, text: token.image };
}

/** `a`, `a or b`, `a, b or c` */
export function oneOf(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} or ${items[items.length - 1]}`;
}

/** A token as the user sees it. */
export function describe(token: IToken): string {
  if (token.tokenType === EOF) return 'the end of the file';
  const image = token.image.length > 30 ? `${token.image.slice(0, 27)}...` : token.image;
  if (token.tokenType === T.NumberToken) return `the number ${image}`;
  if (token.tokenType === T.StringToken) return `the text ${image}`;
  return `\`${image}\``;
}
