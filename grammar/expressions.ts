/**
 * Expressions and the bodies that hold them. Loosest first: `|>`, `||`, `&&`, comparisons, `+ -`, `* / %`, prefix
 * `- !`, `^`, then indexing and calls. Infix operators are read as one flat chain and ordered by precedence
 * afterwards, which keeps the recursion shallow and the parser fast.
 *
 * @module
 */
import type { IToken, ParserMethod, TokenType, TokenVocabulary } from 'chevrotain';
import type * as ast from './ast.js';
import { ListParser } from './lists.js';
import { readNumber, readString } from './literals.js';
import { OperatorStack } from './operators.js';
import { LET, MEMBERS, REQUIRE, TOP_LEVEL, toName } from './recovery.js';
import { endOf, hasNewline, MAX_NESTING } from './scan.js';
import * as T from './tokens.js';

const word = T.keyword;
const [IF, ELSE, REPEAT, TRUE, FALSE] = ['if', 'else', 'repeat', 'true', 'false'].map(word);

/** No expression tree is higher than this, so that whatever walks one may recurse. */
export const MAX_HEIGHT = 200;

const BODY_STOPS = new Set([...TOP_LEVEL, ...MEMBERS]);

/** What can stand behind a brace too many in a network, but hardly behind the network. */
const goesOn = (type: TokenType, sameLine: boolean): boolean =>
  type === LET || type === REQUIRE || (sameLine && !BODY_STOPS.has(type));

/** What follows a keyword that does begin a declaration or a statement. */
const BEFORE_DECLARED = new Set([T.Ident, T.Key, T.LCurly, T.LParen, T.Colon, ...T.KEYWORDS.values()]);

type Stage = ast.Pipe['stage'];
type Alternatives<R> = { ALT: () => R }[];

export abstract class ExpressionParser extends ListParser {
  protected docs: ReadonlyMap<number, ast.Doc> = new Map();
  /** Height of the expression read last. */
  private height = 0;
  /** How many operands are being read, one within the other. */
  private depth = 0;

  private infixOperators: Alternatives<IToken> | undefined;
  private prefixOperators: Alternatives<IToken> | undefined;
  private operands: Alternatives<ast.Expr> | undefined;

  constructor(vocabulary: TokenVocabulary, skipValidations: boolean) {
    super(vocabulary, { maxLookahead: 1, recoveryEnabled: false, skipValidations });
  }

  protected resetDepth(): void {
    this.height = 0;
    this.depth = 0;
  }

  readonly expression: ParserMethod<[], ast.Expr> = this.RULE('expression', (): ast.Expr => {
    let left = this.SUBRULE(this.operand);
    let stack: OperatorStack | undefined;
    this.MANY(() => {
      const operator = this.OR(
        (this.infixOperators ??= [
          { ALT: () => this.CONSUME(T.InfixOp) },
          { ALT: () => this.CONSUME(T.Minus) },
          { ALT: () => this.CONSUME(T.Plus) },
        ]),
      );
      stack ??= new OperatorStack(left, this.height, this.chained);
      const right = this.SUBRULE1(this.operand);
      if (!this.RECORDING_PHASE) stack.push(operator, right, this.height);
    });
    if (stack !== undefined && !this.RECORDING_PHASE) {
      const whole = stack.finish();
      left = this.raise(whole.height, whole.expr);
    }
    this.MANY1(() => {
      this.CONSUME(T.PipeOp);
      const below = this.height;
      const stage = this.SUBRULE2(this.stage);
      if (!this.RECORDING_PHASE) left = this.pipe(left, stage, below);
    });
    return left;
  });

  private pipe(left: ast.Expr, stage: Stage, below: number): ast.Expr {
    const range = this.from(left.range.start);
    return this.raise(Math.max(below, this.height) + 1, { kind: 'Pipe', range, left, stage });
  }

  /** `name`, `name(args)` or `repeat(n) { ... }` after `|>`. */
  private readonly stage: ParserMethod<[], Stage> = this.RULE('stage', (): Stage => {
    const next = this.next();
    if (!this.RECORDING_PHASE && next !== T.Ident && next !== REPEAT) return this.badStage();
    return this.OR<Stage>([{ ALT: () => this.refOrCall() }, { ALT: () => this.SUBRULE(this.repeatStage) }]);
  });

  private badStage(): ast.ErrorExpr {
    const start = this.here;
    this.expected('missing-expression', ['the name of a network or operation'], ' after `|>`');
    if (!this.onSameLine() || !this.startsOperand()) return this.errorHere();
    this.SUBRULE9(this.operand);
    return { kind: 'Error', range: this.from(start) };
  }

  private readonly repeatStage: ParserMethod<[], ast.RepeatStage> = this.RULE(
    'repeatStage',
    (): ast.RepeatStage => {
      const start = this.here;
      this.CONSUME(REPEAT);
      let count: ast.Expr = this.errorHere();
      const round = this.here;
      if (this.token(1, T.LParen, '`(`', ' after `repeat`')) {
        count = this.SUBRULE(this.expression);
        this.close(1, T.RParen, round);
      }
      let height = this.height;
      const stages: Stage[] = [];
      const curly = this.here;
      if (this.openBrace(1, ' and the stages to repeat', false)) {
        stages.push(this.SUBRULE(this.stage));
        height = Math.max(height, this.height);
        this.MANY(() => {
          this.CONSUME(T.PipeOp);
          stages.push(this.SUBRULE1(this.stage));
          height = Math.max(height, this.height);
        });
        this.closeStages(curly);
      }
      this.height = height + 1;
      return { kind: 'Repeat', range: this.from(start), count, stages };
    },
  );

  private closeStages(curly: number): void {
    const closer = T.RCurly;
    while (this.resume({ closer, stops: BODY_STOPS, starts: () => false, expected: ['`|>`', '`}`'] }));
    this.close(2, closer, curly);
  }

  /** Prefixes, an operand, its indices and `^` with its exponent. */
  private readonly operand: ParserMethod<[], ast.Expr> = this.RULE('operand', (): ast.Expr => {
    if (!this.RECORDING_PHASE) {
      if (!this.startsOperand()) return this.missingExpression();
      if (this.depth >= MAX_NESTING + 20) return this.tooDeep(this.here);
    }
    this.depth++;
    const start = this.here;
    let prefixes: IToken[] | undefined;
    this.MANY(() => {
      const operator = this.OR(
        (this.prefixOperators ??= [
          { ALT: () => this.CONSUME(T.Minus) },
          { ALT: () => this.CONSUME(T.LineMinus) },
          { ALT: () => this.CONSUME(T.Bang) },
        ]),
      );
      (prefixes ??= []).push(operator);
    });
    let expr: ast.Expr;
    if (prefixes !== undefined && !this.RECORDING_PHASE && !this.startsOperand())
      expr = this.missingExpression();
    else expr = this.OR1((this.operands ??= this.operandAlternatives()));
    this.MANY1(() => {
      const below = this.height;
      const open = this.here;
      this.CONSUME(T.LSquare);
      const index = this.SUBRULE(this.rangeOrExpression);
      this.single(T.RSquare, 'an index is a single number or range: `xs[0]`, `xs[1..]`');
      this.close(1, T.RSquare, open);
      if (!this.RECORDING_PHASE) {
        const range = this.from(expr.range.start);
        expr = this.raise(Math.max(below, this.height) + 1, { kind: 'Index', range, target: expr, index });
      }
    });
    if (this.next() === T.LParen) {
      this.refuse('unexpected-token', 'only a name can be called');
      this.SUBRULE9(this.args);
    }
    this.OPTION(() => {
      const below = this.height;
      const operator = this.CONSUME(T.Caret);
      const right = this.SUBRULE1(this.operand);
      if (!this.RECORDING_PHASE) {
        const range = this.from(expr.range.start);
        const opRange = tokenRange(operator);
        const power: ast.Binary = { kind: 'Binary', range, op: '^', opRange, left: expr, right };
        expr = this.raise(Math.max(below, this.height) + 1, power);
      }
    });
    this.depth--;
    return prefixes === undefined || this.RECORDING_PHASE ? expr : this.prefix(prefixes, expr, start);
  });

  private prefix(operators: IToken[], operand: ast.Expr, start: number): ast.Expr {
    if (this.height + operators.length > MAX_HEIGHT) return this.tooDeep(start);
    let expr = operand;
    for (const operator of operators.reverse()) {
      const range = this.from(operator.startOffset);
      expr = { kind: 'Unary', range, op: operator.tokenType === T.Bang ? '!' : '-', operand: expr };
    }
    this.height += operators.length;
    return expr;
  }

  private operandAlternatives(): Alternatives<ast.Expr> {
    const leaf = (make: () => ast.Expr): { ALT: () => ast.Expr } => ({
      ALT: () => {
        this.height = 1;
        return make();
      },
    });
    return [
      { ALT: () => this.refOrCall() },
      leaf(() => this.number(this.CONSUME(T.NumberToken))),
      leaf(() => this.string(this.CONSUME(T.StringToken))),
      { ALT: () => this.SUBRULE2(this.parenthesised) },
      { ALT: () => this.SUBRULE2(this.list) },
      { ALT: () => this.SUBRULE2(this.ifExpression) },
      leaf(() => ({ kind: 'Bool', range: tokenRange(this.CONSUME(TRUE)), value: true })),
      leaf(() => ({ kind: 'Bool', range: tokenRange(this.CONSUME(FALSE)), value: false })),
      leaf(() => ({ kind: 'Error', range: tokenRange(this.CONSUME(T.TooDeep)) })),
    ];
  }

  private refOrCall(): ast.Ref | ast.Call {
    const name = toName(this.CONSUME(T.Ident));
    this.height = 1;
    const args = this.OPTION1(() => this.SUBRULE(this.args));
    if (args === undefined) return { kind: 'Ref', range: name.range, name };
    return { kind: 'Call', range: this.from(name.range.start), callee: name, args };
  }

  private number(token: IToken): ast.NumberLiteral {
    const { value, integer, problem } = readNumber(token.image);
    const range = tokenRange(token);
    if (problem !== undefined && !this.RECORDING_PHASE) this.problem('bad-number', range, problem);
    return { kind: 'Number', range, value, integer, raw: token.image };
  }

  protected string(token: IToken): ast.StringLiteral {
    const range = tokenRange(token);
    if (this.RECORDING_PHASE) return { kind: 'String', range, value: '' };
    const { value, problems } = readString(token.image, token.startOffset);
    for (const { kind, range, message, expected } of problems) this.problem(kind, range, message, expected);
    return { kind: 'String', range, value };
  }

  /** `(a)` or the tuple `(a, b)`. */
  private readonly parenthesised: ParserMethod<[], ast.Expr> = this.RULE('parenthesised', (): ast.Expr => {
    const start = this.here;
    this.OR([{ ALT: () => this.CONSUME(T.LParen) }, { ALT: () => this.CONSUME(T.LineParen) }]);
    const items: ast.Expr[] = [];
    let height = 0;
    this.commaList(T.RParen, 'an expression', this.operandStarts, () => {
      items.push(this.SUBRULE(this.expression));
      height = Math.max(height, this.height);
    });
    if (items.length === 0)
      this.expected('missing-expression', ['an expression'], ' between the parentheses');
    this.close(1, T.RParen, start);
    this.height = height;
    const range = this.from(start);
    if (items.length === 0) return { kind: 'Error', range };
    if (items.length > 1) return this.raise(height + 1, { kind: 'Tuple', range, items });
    return this.raise(height + 1, { kind: 'Paren', range, inner: items[0] });
  });

  private readonly list: ParserMethod<[], ast.Expr> = this.RULE('list', (): ast.Expr => {
    const start = this.here;
    this.OR([{ ALT: () => this.CONSUME(T.LSquare) }, { ALT: () => this.CONSUME(T.LineSquare) }]);
    const items: ast.Expr[] = [];
    let height = 0;
    this.commaList(T.RSquare, 'an expression', this.operandStarts, () => {
      items.push(this.SUBRULE(this.expression));
      height = Math.max(height, this.height);
    });
    this.close(1, T.RSquare, start);
    return this.raise(height + 1, { kind: 'List', range: this.from(start), items });
  });

  protected readonly operandStarts = (): boolean => this.startsOperand();

  private readonly args: ParserMethod<[], ast.Arg[]> = this.RULE('args', (): ast.Arg[] => {
    const open = this.here;
    this.CONSUME(T.LParen);
    const args: ast.Arg[] = [];
    let height = 0;
    const starts = (): boolean => this.startsOperand() || this.next() === T.Key || this.next() === T.DotDot;
    this.commaList(T.RParen, 'an argument', starts, () => {
      args.push(this.SUBRULE(this.arg));
      height = Math.max(height, this.height);
    });
    this.close(1, T.RParen, open);
    this.height = height + 1;
    return args;
  });

  private readonly arg: ParserMethod<[], ast.Arg> = this.RULE('arg', (): ast.Arg => {
    const start = this.here;
    const name = this.OPTION(() => {
      const key = toName(this.CONSUME(T.Key));
      this.CONSUME(T.Colon);
      return key;
    });
    const value = this.SUBRULE(this.rangeOrExpression);
    const range = this.from(start);
    return name === undefined ? { kind: 'Arg', range, value } : { kind: 'Arg', range, name, value };
  });

  /** An index or the value of an argument: an expression, `a..b`, `a..`, `..b` or `..`. */
  protected readonly rangeOrExpression: ParserMethod<[], ast.Expr> = this.RULE(
    'rangeOrExpression',
    (): ast.Expr => {
      const start = this.here;
      let from: ast.Expr | undefined;
      this.height = 0;
      if (this.RECORDING_PHASE || this.next() !== T.DotDot) from = this.SUBRULE(this.expression);
      const below = this.height;
      let isRange = false;
      let to: ast.Expr | undefined;
      this.OPTION(() => {
        this.CONSUME(T.DotDot);
        isRange = true;
        this.height = 0;
        if (this.RECORDING_PHASE || this.startsOperand()) to = this.SUBRULE1(this.expression);
      });
      if (!isRange && from !== undefined) return from;
      const range = this.from(start);
      const node: ast.RangeExpr = { kind: 'Range', range, ...(from && { from }), ...(to && { to }) };
      return this.raise(Math.max(below, this.height) + 1, node);
    },
  );

  private readonly ifExpression: ParserMethod<[], ast.Expr> = this.RULE('ifExpression', (): ast.Expr => {
    const starts = [this.here];
    this.CONSUME(IF);
    const conditions = [this.SUBRULE(this.expression)];
    const branches = [this.SUBRULE(this.body)];
    let otherwise: ast.Body | undefined;
    let height = this.height;
    this.MANY({
      GATE: () => otherwise === undefined,
      DEF: () => {
        this.CONSUME(ELSE);
        const start = this.here;
        if (this.RECORDING_PHASE || this.next() === IF) {
          this.OPTION(() => {
            this.CONSUME1(IF);
            starts.push(start);
            conditions.push(this.SUBRULE1(this.expression));
            branches.push(this.SUBRULE1(this.body));
          });
        } else otherwise = this.SUBRULE2(this.body);
        height = Math.max(height, this.height);
      },
    });
    if (otherwise === undefined) {
      this.expected('missing-else', ['`else`'], ': an `if` has a value in every case');
      const range = { start: this.last, end: this.last };
      otherwise = { kind: 'Body', range, statements: [], result: { kind: 'Error', range } };
    }
    if (this.RECORDING_PHASE) return this.errorHere();
    let result: ast.Body | ast.IfExpr = otherwise;
    for (let i = starts.length - 1; i >= 0; i--) {
      const range: ast.Range = this.from(starts[i]);
      result = { kind: 'If', range, condition: conditions[i], then: branches[i], otherwise: result };
    }
    return this.raise(height + starts.length, result as ast.IfExpr);
  });

  /** Statements and a value between braces. */
  readonly body: ParserMethod<[boolean?], ast.Body> = this.RULE('body', (isNetwork = false): ast.Body => {
    const statements: ast.Statement[] = [];
    let result: ast.Expr | undefined;
    let height = 0;
    if (!this.openBrace(1, '', isNetwork)) return this.emptyBody();
    const start = this.last - 1;
    let late = false;
    const checkOrder = (): void => {
      if (result === undefined || late) return;
      late = true;
      this.refuse(
        'unexpected-token',
        'the value of a block comes last: expected `}` or an operator before this',
      );
    };
    const starts = (): boolean => this.startsOperand() || this.next() === LET || this.next() === REQUIRE;
    const expected = ['`let`', '`require`', 'an expression', '`}`'];
    do {
      // One mistake in a block is enough: what looks out of order after it may be its consequence.
      late ||= this.reportedSince(start);
      this.MANY(() => {
        checkOrder();
        this.OR([
          { ALT: () => statements.push(this.SUBRULE(this.letStatement)) },
          { ALT: () => statements.push(this.SUBRULE(this.requireStatement)) },
          { ALT: () => (result = this.SUBRULE(this.expression)) },
        ]);
        height = Math.max(height, this.height);
      });
    } while (
      this.resume({ closer: T.RCurly, stops: BODY_STOPS, starts, expected }) ||
      (isNetwork && this.extraBrace(goesOn))
    );
    if (result === undefined) {
      this.expected('missing-expression', ['an expression'], ': a block ends in its value');
      result = this.errorHere();
    }
    this.close(1, T.RCurly, start);
    this.height = height + 1;
    return { kind: 'Body', range: this.from(start), statements, result };
  });

  private emptyBody(): ast.Body {
    const result = this.errorHere();
    this.height = 1;
    return { kind: 'Body', range: result.range, statements: [], result };
  }

  /** `let x = e` or `let (a, b) = e`. */
  readonly letStatement: ParserMethod<[], ast.Let> = this.RULE('letStatement', (): ast.Let => {
    const start = this.here;
    this.CONSUME(LET);
    const names: ast.Name[] = [];
    let tuple = false;
    if (this.RECORDING_PHASE || this.next() === T.LParen || this.next() === T.LineParen) {
      tuple = true;
      const open = this.here;
      this.OR([{ ALT: () => this.CONSUME(T.LParen) }, { ALT: () => this.CONSUME(T.LineParen) }]);
      const starts = (): boolean => this.next() === T.Ident || T.KEYWORDS.has(this.LA(1).image);
      this.commaList(T.RParen, 'a name', starts, () => names.push(this.nameOf(1, 'a name')));
      this.close(1, T.RParen, open);
    } else names.push(this.nameOf(1, 'a name'));
    const value = this.valueAfterEquals('the name');
    return this.documented(start, { kind: 'Let', range: this.from(start), names, tuple, value });
  });

  /** `= EXPR`; without the `=` a value is looked for on the same line only. */
  protected valueAfterEquals(where: string): ast.Expr {
    this.height = 0;
    const found = this.token(2, T.Equals, '`=`', ` after ${where}`);
    return found || this.onSameLine() ? this.SUBRULE(this.expression) : this.errorHere();
  }

  private readonly requireStatement: ParserMethod<[], ast.Require> = this.RULE(
    'requireStatement',
    (): ast.Require => {
      const start = this.here;
      this.CONSUME(REQUIRE);
      const condition = this.SUBRULE(this.expression);
      const height = this.height;
      const found = this.token(1, T.Comma, '`,`', ' and a message after the condition');
      const message = found || this.onSameLine() ? this.SUBRULE1(this.expression) : this.errorHere();
      this.height = Math.max(height, this.height);
      return { kind: 'Require', range: this.from(start), condition, message };
    },
  );

  /** Adds the documentation comment that stands before `start`. */
  protected documented<N extends { readonly range: ast.Range }>(start: number, node: N): N {
    const doc = this.docs.get(start);
    return doc === undefined ? node : { ...node, doc };
  }

  // ------------------------------------------------------------ errors

  protected errorHere(): ast.ErrorExpr {
    const at = this.last;
    this.height = 1;
    return { kind: 'Error', range: { start: at, end: at } };
  }

  /** Reports that an expression is missing; a word of the language is read as the name it was meant to be. */
  private missingExpression(): ast.Ref | ast.ErrorExpr {
    const [token, after] = [this.LA(1), this.LA(2)];
    const declares =
      BEFORE_DECLARED.has(after.tokenType) && !hasNewline(this.text, endOf(token), after.startOffset);
    if (T.KEYWORDS.has(token.image) && this.onSameLine() && !declares) {
      this.refuse('reserved-word', `\`${token.image}\` is a word of the language and names no value`);
      this.SKIP_TOKEN();
      const name = toName(token);
      this.height = 1;
      return { kind: 'Ref', range: name.range, name };
    }
    this.expected('missing-expression', ['an expression'], '');
    return this.errorHere();
  }

  /** Records the height of an expression just made; one that is too high is reported and replaced. */
  private raise<E extends ast.Expr>(height: number, expr: E): E | ast.ErrorExpr {
    this.height = height;
    if (height <= MAX_HEIGHT || this.RECORDING_PHASE) return expr;
    return this.tooDeep(expr.range.start);
  }

  private tooDeep(start: number): ast.ErrorExpr {
    this.height = 1;
    const message = `an expression may be built of at most ${MAX_HEIGHT} levels; name its parts with \`let\``;
    this.reportAt('nesting-too-deep', { start, end: start + 1 }, message);
    return { kind: 'Error', range: this.from(start) };
  }

  private readonly chained = (operator: IToken): void => {
    const range = tokenRange(operator);
    const message = 'comparisons cannot be chained: write `a < b && b < c`';
    this.problem('chained-comparison', range, message);
  };
}

export const tokenRange = (token: IToken): ast.Range => ({ start: token.startOffset, end: endOf(token) });
