/**
 * Lists: how the parser skips what does not belong in one, and where one ends although its bracket is missing.
 *
 * @module
 */
import type { IToken, TokenType } from 'chevrotain';
import { EOF } from 'chevrotain';
import type { SyntaxProblem } from './problems.js';
import { CLOSERS, OPENERS, RecoveringParser, STATEMENTS } from './recovery.js';
import { hasNewline } from './scan.js';
import * as T from './tokens.js';

/** What a list in parentheses or square brackets cannot hold: one of these shows that it was left open. */
const LIST_STOPS: ReadonlySet<TokenType> = new Set([...STATEMENTS, T.RCurly, T.Arrow]);

export abstract class ListParser extends RecoveringParser {
  /** How many lists in parentheses and in square brackets are being read. */
  private readonly openLists = new Map<TokenType, number>();

  protected override prepare(text: string, tokens: IToken[], problems: SyntaxProblem[]): void {
    super.prepare(text, tokens, problems);
    this.openLists.clear();
  }

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
    this.reportedAt = this.blamed = this.here;
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
    this.reportedAt = this.blamed = this.here;
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
    return this.listEnds(closer, LIST_STOPS) && !(type === T.RCurly && this.isStray(closer));
  }

  /** Whether a `}` in a list is one too many: then all open lists of the kind are still closed on its line. */
  private isStray(closer: TokenType): boolean {
    let missing = this.openLists.get(closer) ?? 0;
    let depth = 0;
    for (let i = 2; i < 200; i++) {
      const token = this.LA(i);
      const type = token.tokenType;
      if (type === EOF || hasNewline(this.text, this.here, token.startOffset)) return false;
      if (OPENERS.has(type)) depth++;
      else if (depth > 0) depth -= CLOSERS.has(type) ? 1 : 0;
      else if (type === closer && --missing === 0) return true;
      else if (type === T.RCurly) return false;
    }
    return false;
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
