/**
 * The token types of `.mmd` and its lexer. Words are lexed as `Ident`; {@link scan} then turns reserved words
 * into keyword tokens and settles what depends on the surroundings.
 *
 * @module
 */
import type { CustomPatternMatcherReturn, TokenType } from 'chevrotain';
import { createToken, Lexer } from 'chevrotain';

/** Types that no pattern produces: {@link scan} assigns them. */
const derived = (name: string): TokenType => createToken({ name, pattern: Lexer.NA });

export const Ident = createToken({ name: 'Ident', pattern: /[A-Za-z_]\w*/ });
/** A word, reserved or not, followed by a colon: the key of an entry, the name of an argument or of a declaration. */
export const Key = derived('Key');

/** Takes in whatever is glued to the digits, so that `2x` is one bad number and not two good tokens. */
export const NumberToken = createToken({
  name: 'Number',
  pattern: /[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9][0-9_]*)?\w*/,
});

/**
 * A string up to its closing quote, or unterminated up to the end of the line. A function, because a regular
 * expression with a repeated alternative overflows the engine's stack on strings of some megabytes.
 */
function matchString(text: string, offset: number): CustomPatternMatcherReturn | null {
  if (text.charCodeAt(offset) !== 34) return null;
  for (let i = offset + 1; ; i++) {
    const c = text.charCodeAt(i);
    if (c === 34) return [text.substring(offset, i + 1)];
    if (c === 92 && i + 1 < text.length && !isNewline(text.charCodeAt(i + 1))) i++;
    else if (i >= text.length || isNewline(c)) return [text.substring(offset, i)];
  }
}

/** True for the characters that end a line. */
export const isNewline = (charCode: number): boolean => charCode === 10 || charCode === 13;

export const StringToken = createToken({
  name: 'String',
  pattern: matchString,
  start_chars_hint: ['"'],
  line_breaks: false,
});

const WhiteSpace = createToken({
  name: 'WhiteSpace',
  pattern: /[ \t\r\n\f\u00a0\ufeff]+/,
  group: Lexer.SKIPPED,
});
const CommentToken = createToken({ name: 'Comment', pattern: /\/\/[^\n\r]*/, group: 'comments' });

export const Arrow = createToken({ name: 'Arrow', pattern: '->' });
export const PipeOp = createToken({ name: 'PipeOp', pattern: '|>' });
export const Ellipsis = createToken({ name: 'Ellipsis', pattern: '...' });
export const DotDot = createToken({ name: 'DotDot', pattern: '..' });
/** Every infix operator but `-`, which is also a prefix, and `^`, which binds tighter than prefixes. */
export const InfixOp = createToken({ name: 'InfixOp', pattern: /==|!=|<=|>=|&&|\|\||[<>*/%]/ });
export const Plus = createToken({ name: 'Plus', pattern: '+' });
export const Minus = createToken({ name: 'Minus', pattern: '-' });
export const Caret = createToken({ name: 'Caret', pattern: '^' });
export const Bang = createToken({ name: 'Bang', pattern: '!' });
export const Equals = createToken({ name: 'Equals', pattern: '=' });
export const Colon = createToken({ name: 'Colon', pattern: ':' });
export const Comma = createToken({ name: 'Comma', pattern: ',' });
export const LParen = createToken({ name: 'LParen', pattern: '(' });
export const RParen = createToken({ name: 'RParen', pattern: ')' });
export const LSquare = createToken({ name: 'LSquare', pattern: '[' });
export const RSquare = createToken({ name: 'RSquare', pattern: ']' });
export const LCurly = createToken({ name: 'LCurly', pattern: '{' });
export const RCurly = createToken({ name: 'RCurly', pattern: '}' });

/** The same characters at the start of a line outside parentheses, where they do not continue an expression. */
export const LineParen = derived('LineParen');
export const LineSquare = derived('LineSquare');
export const LinePlus = derived('LinePlus');
export const LineMinus = derived('LineMinus');

/** Stands for a bracket nested too deep and all that it holds. */
export const TooDeep = derived('TooDeep');

/** Reserved words. `from` and `as` mean something only inside an import and stay free elsewhere. */
export const KEYWORDS: ReadonlyMap<string, TokenType> = new Map(
  [
    ...['import', 'model', 'network', 'modality', 'space', 'encoder', 'backbone', 'decoder', 'task'],
    ...[
      'process',
      'loss',
      'train',
      'data',
      'eval',
      'let',
      'require',
      'if',
      'else',
      'repeat',
      'true',
      'false',
    ],
  ].map((word) => [word, derived(`Keyword ${word}`)]),
);

/** The token type of a reserved word. */
export function keyword(word: string): TokenType {
  const type = KEYWORDS.get(word);
  if (!type) throw new Error(`${word} is not a keyword`);
  return type;
}

/** In the order in which the lexer tries them: longer operators before their prefixes. */
const LEXED: TokenType[] = [
  ...[WhiteSpace, Ident, CommentToken, NumberToken, StringToken, Arrow, PipeOp, Ellipsis, DotDot, InfixOp],
  ...[Comma, Colon, LParen, RParen, LSquare, RSquare, LCurly, RCurly, Equals, Plus, Minus, Caret, Bang],
];

export const VOCABULARY: TokenType[] = [
  ...LEXED,
  ...KEYWORDS.values(),
  ...[Key, LineParen, LineSquare, LinePlus, LineMinus, TooDeep],
];

let lexer: Lexer | undefined;

/**
 * The lexer, made on first use.
 *
 * @param validate check the definitions themselves; only tests need to
 */
export function getLexer(validate = false): Lexer {
  if (validate) return createLexer(true);
  lexer ??= createLexer(false);
  return lexer;
}

const createLexer = (validate: boolean): Lexer =>
  new Lexer(VOCABULARY, {
    positionTracking: 'onlyOffset',
    ensureOptimizations: true,
    skipValidations: !validate,
  });
