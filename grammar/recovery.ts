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
const LET = word('let');
const REQUIRE = word('require');

/** What an operand can begin with. */
const OPERAND = new Set<TokenType>([
  ...[T.Ident, T.NumberToken, T.StringToken, T.LParen, T.LineParen, T.LSquare, T.LineSquare],
  ...[T.Minus, T.LineMinus, T.Bang, T.TooDeep, word('true'), word('false'), word('if')],
]);
const OPENERS = new Set<TokenType>([T.LParen, T.LineParen, T.LSquare, T.LineSquare, T.LCurly]);
const CLOSERS = new Set<TokenType>([T.RParen, T.RSquare, T.RCurly]);
/** Keywords that begin anything but an expression. */
export const STATEMENTS: ReadonlySet<TokenType> = new Set([...TOP_LEVEL, ...MEMBERS, LET, REQUIRE]);
/** What a list in parentheses or square brackets cannot hold: one of these shows that it was left open. */
const LIST_STOPS: ReadonlySet<TokenType> = new Set([...STATEMENTS, T.RCurly]);

/** The next tokens that may follow a name in a declaration, which shows that a keyword was meant as a name. */
const AFTER_NAME = new Set([T.Equals, T.Colon, T.LCurly, T.Comma, T.Arrow, T.LParen, T.RCurly, T.RParen]);

export abstract class RecoveringParser extends EmbeddedActionsParser {
  protected text = '';
  protected problems: SyntaxProblem[] = [];
  /** Offset of the token at which the last problem was found; nothing more is reported there. */
  private reportedAt = -1;
  /** Offsets of strings without an end, ascending: brackets left open on such a line are their fault. */
  private unterminated: readonly number[] = [];
  /** How many lists in parentheses and in square brackets are being read. */
  private readonly openLists = new Map<TokenType, number>();

  /** Offsets of characters that were dropped and of strings without an end, ascending. */
  private broken: readonly number[] = [];

  /** Makes the parser ready for another text; `problems` holds what was found in its tokens. */
  protected prepare(text: string, tokens: IToken[], problems: SyntaxProblem[]): void {
    const offsets = (...kinds: SyntaxProblemKind[]): number[] =>
      problems.filter((problem) => kinds.includes(problem.kind)).map((problem) => problem.range.start);
    this.text = text;
    this.problems = problems;
    this.reportedAt = -1;
    this.unterminated = offsets('unterminated-string');
    this.broken = offsets('unexpected-character', 'unterminated-string').sort((a, b) => a - b);
    this.openLists.clear();
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
    const follows = this.reportedAt >= 0 && this.reportedAt === this.LA(0).startOffset && this.onSameLine();
    this.reportedAt = here;
    return follows || this.next() === T.TooDeep || this.isBroken();
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
    if (!this.alreadyReported()) this.problem(kind, range, message);
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
      if (type === EOF || type === T.RCurly || STATEMENTS.has(type) || ahead > 100) return false;
      ahead++;
    }
    if (!lines && hasNewline(this.text, this.last, this.LA(ahead).startOffset)) return false;
    for (; ahead > 1; ahead--) this.SKIP_TOKEN();
    return this.token(index, T.LCurly, '', '');
  }

  /**
   * Skips a `}` behind which declarations of the same model follow, and reports it unless its line was reported.
   */
  protected extraBrace(): boolean {
    const after = this.LA(2).tokenType;
    if (this.RECORDING_PHASE || this.next() !== T.RCurly || !(MEMBERS.has(after) || after === LET))
      return false;
    if (this.reportedAt < 0 || hasNewline(this.text, this.reportedAt, this.here)) {
      this.refuse(
        'unexpected-token',
        `\`${this.LA(2).image}\` follows this \`}\` in the same model: is there one too many?`,
      );
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

  // ------------------------------------------------------------ lists

  /** Skips one token, or one bracket with all that it holds, but no declaration. */
  private skip(): void {
    let depth = 0;
    do {
      const type = this.next();
      if (OPENERS.has(type)) depth++;
      else if (CLOSERS.has(type)) depth--;
      this.SKIP_TOKEN();
    } while (depth > 0 && !this.atEnd() && !STATEMENTS.has(this.next()));
  }

  /**
   * Called where no further item of a list could be read. False when the list ends here: at its closer, at the
   * end of the file or before what `stops` it. Otherwise reports what stands in the way, skips to where an item
   * `starts` and returns true.
   */
  protected resume(list: {
    closer: TokenType;
    stops: ReadonlySet<TokenType>;
    starts: () => boolean;
    expected: readonly string[];
  }): boolean {
    if (this.RECORDING_PHASE || this.listEnds(list.closer, list.stops)) return false;
    this.expected('unexpected-token', list.expected, '', true);
    do this.skip();
    while (!this.listEnds(list.closer, list.stops) && !list.starts());
    // What ended the search is not what was wrong.
    this.reportedAt = this.here;
    return true;
  }

  private listEnds(closer: TokenType, stops: ReadonlySet<TokenType>): boolean {
    const type = this.next();
    return type === closer || this.atEnd() || stops.has(type);
  }

  /**
   * Items between an opening bracket that has been read and `closer`, separated by commas, the last one optional.
   * A rule may use this once, and no `MANY` or `OPTION` without a number beside it.
   *
   * @param starts whether the next token can begin an item
   * @param what the items, in the singular with its article
   */
  protected commaList(closer: TokenType, what: string, starts: () => boolean, item: () => void): void {
    const written = closer === T.RParen ? '`)`' : closer === T.RSquare ? '`]`' : '`}`';
    let comma = true;
    let broken = false;
    const outer = this.openLists.get(closer) ?? 0;
    this.openLists.set(closer, outer + 1);
    do {
      this.MANY({
        GATE: () => !broken,
        DEF: () => {
          item();
          comma = this.OPTION(() => this.CONSUME(T.Comma)) !== undefined;
          if (comma || this.next() === closer || !starts()) return;
          // On one line a comma was forgotten; across lines perhaps the closing bracket.
          broken = !this.onSameLine() && !this.closesSoon(closer);
          if (!broken) this.expected('unexpected-token', ['`,`', written], '');
        },
      });
    } while (!broken && this.nextItem(closer, [comma ? what : '`,`', written]));
    this.openLists.set(closer, outer);
  }

  /** Like {@link resume}, for items between commas. */
  private nextItem(closer: TokenType, expected: readonly string[]): boolean {
    if (this.RECORDING_PHASE || this.commaListEnds(closer)) return false;
    this.expected('unexpected-token', expected, '', true);
    while (!this.commaListEnds(closer) && this.next() !== T.Comma) this.skip();
    const found = this.next() === T.Comma;
    if (found) this.SKIP_TOKEN();
    this.reportedAt = this.here;
    return found;
  }

  /** Reports a comma where only one value may stand, and skips to the closing bracket. */
  protected single(closer: TokenType, message: string): void {
    if (this.RECORDING_PHASE || this.next() !== T.Comma) return;
    this.refuse('unexpected-token', message);
    while (!this.commaListEnds(closer)) this.skip();
  }

  /** A closing bracket of the other kind ends the list only if it closes something outer. */
  private commaListEnds(closer: TokenType): boolean {
    const type = this.next();
    if (type !== closer && (type === T.RParen || type === T.RSquare))
      return (this.openLists.get(type) ?? 0) > 0;
    return this.listEnds(closer, LIST_STOPS);
  }

  /** Whether the bracket closes within the next tokens, before a declaration or a brace that closes something outer. */
  private closesSoon(closer: TokenType): boolean {
    let depth = 0;
    for (let i = 1; i < 200; i++) {
      const type = this.LA(i).tokenType;
      if (depth === 0 && type === closer) return true;
      if (OPENERS.has(type)) depth++;
      else if (CLOSERS.has(type) && --depth < 0) return false;
      if (STATEMENTS.has(type)) return false;
    }
    return false;
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
