/**
 * The grammar of files, models and networks; expressions are in `expressions.ts`. One token of lookahead is enough
 * everywhere, because {@link scan} has already told keys and keywords apart.
 *
 * @module
 */
import type { ParserMethod, TokenType } from 'chevrotain';
import { EOF } from 'chevrotain';
import type * as ast from './ast.js';
import { ExpressionParser } from './expressions.js';
import type { SyntaxProblem } from './problems.js';
import { LET, MEMBERS, STATEMENTS, TOP_LEVEL, toName } from './recovery.js';
import type { Scan } from './scan.js';
import * as T from './tokens.js';

const word = T.keyword;
const [IMPORT, MODEL, NETWORK] = ['import', 'model', 'network'].map(word);
const [MODALITY, SPACE, TASK] = ['modality', 'space', 'task'].map(word);
const SECTIONS: readonly ast.SectionName[] = ['process', 'loss', 'train', 'data', 'eval'];

const NO_STOPS: ReadonlySet<TokenType> = new Set();

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class MmdParser extends ExpressionParser {
  /** The model read last, for members that stand behind a brace too many. */
  private lastModel: { members: ast.Member[]; range: Mutable<ast.Range> } | undefined;

  private memberKinds: { ALT: () => ast.Member }[] | undefined;
  private sectionKeywords: { ALT: () => ast.Name }[] | undefined;

  /** @param validate check the grammar itself; only tests need to */
  constructor(validate = false) {
    super(T.VOCABULARY, !validate);
    this.performSelfAnalysis();
  }

  /** The tree of a scanned text; adds to `problems` what it finds. Never throws. */
  read(text: string, scanned: Scan, problems: SyntaxProblem[]): ast.SourceFile {
    this.docs = scanned.docs;
    this.lastModel = undefined;
    this.resetDepth();
    this.prepare(text, scanned.tokens, problems);
    const { imports, declarations } = this.file();
    return {
      kind: 'SourceFile',
      range: { start: 0, end: text.length },
      imports,
      declarations,
      comments: scanned.comments,
    };
  }

  private readonly file = this.RULE('file', () => {
    const imports: ast.Import[] = [];
    const declarations: ast.TopLevel[] = [];
    do {
      this.MANY(() => {
        this.OR([
          { ALT: () => imports.push(this.SUBRULE(this.importDeclaration)) },
          { ALT: () => declarations.push(this.SUBRULE(this.model)) },
          { ALT: () => declarations.push(this.SUBRULE(this.network)) },
        ]);
      });
    } while (this.misplacedMembers() || this.resumeFile());
    return { imports, declarations };
  });

  private resumeFile(): boolean {
    if (this.next() === T.RCurly) this.refuse('unexpected-token', 'this `}` closes nothing');
    const starts = (): boolean => STATEMENTS.has(this.next());
    const expected = ['`import`', '`model`', '`network`'];
    return this.resume({ closer: EOF, stops: NO_STOPS, starts, expected });
  }

  /** Members outside a model: most often there is a brace too many before them, so they join the model above. */
  private misplacedMembers(): boolean {
    const type = this.next();
    if (this.RECORDING_PHASE || (!MEMBERS.has(type) && type !== LET)) return false;
    this.refuse(
      'misplaced-declaration',
      `\`${this.LA(1).image}\` stands outside a model${this.lastModel ? ': is there a `}` too many before it?' : ''}`,
    );
    const members = this.SUBRULE(this.members);
    if (this.lastModel) {
      this.lastModel.members.push(...members);
      this.lastModel.range.end = this.last;
    }
    if (this.next() === T.RCurly) this.SKIP_TOKEN();
    return true;
  }

  /** `import { A, B as C } from "path"` */
  private readonly importDeclaration: ParserMethod<[], ast.Import> = this.RULE('import', (): ast.Import => {
    const start = this.here;
    this.CONSUME(IMPORT);
    const names: ast.ImportName[] = [];
    const open = this.here;
    if (this.token(1, T.LCurly, '`{`', ' after `import`')) {
      const starts = (): boolean => this.next() === T.Ident;
      this.commaList(T.RCurly, 'a name', starts, () => names.push(this.SUBRULE(this.importName)));
      this.close(1, T.RCurly, open);
    }
    if (this.RECORDING_PHASE || (this.next() === T.Ident && this.LA(1).image === 'from'))
      this.CONSUME(T.Ident);
    else this.expected('unexpected-token', ['`from`'], ' and the file after the names');
    const path = this.importPath();
    return { kind: 'Import', range: this.from(start), names, path };
  });

  private importPath(): ast.StringLiteral {
    if (this.next() === T.StringToken || this.RECORDING_PHASE)
      return this.string(this.CONSUME(T.StringToken));
    this.expected('missing-expression', ['the file to import from, as in `"std/backbones"`'], '');
    const at = this.last;
    return { kind: 'String', range: { start: at, end: at }, value: '' };
  }

  private readonly importName: ParserMethod<[], ast.ImportName> = this.RULE(
    'importName',
    (): ast.ImportName => {
      const imported = toName(this.CONSUME(T.Ident));
      let local = imported;
      this.OPTION({
        GATE: () => this.LA(1).image === 'as',
        DEF: () => {
          this.CONSUME1(T.Ident);
          local = this.nameOf(2, 'a name');
        },
      });
      return { kind: 'ImportName', range: this.from(imported.range.start), imported, local };
    },
  );

  /** `model A { ... }` or `model B = A { ... }` */
  private readonly model: ParserMethod<[], ast.Model> = this.RULE('model', (): ast.Model => {
    const start = this.here;
    this.CONSUME(MODEL);
    const name = this.nameOf(1, 'the name of the model');
    let base: ast.Name | undefined;
    this.OPTION(() => {
      this.CONSUME(T.Equals);
      base = this.nameOf(2, 'the name of a model');
    });
    let members: ast.Member[] = [];
    if (this.openBrace(1, ' and the declarations of the model', false)) {
      const open = this.last - 1;
      members = this.SUBRULE(this.members);
      this.close(1, T.RCurly, open);
    }
    const range = this.from(start);
    this.lastModel = { members, range };
    return this.documented(start, { kind: 'Model', range, name, ...(base && { base }), members });
  });

  private readonly members: ParserMethod<[], ast.Member[]> = this.RULE('members', (): ast.Member[] => {
    const members: ast.Member[] = [];
    const starts = (): boolean => MEMBERS.has(this.next()) || this.next() === LET;
    const expected = ['a declaration of the model', '`}`'];
    do {
      this.MANY(() => {
        members.push(
          this.OR<ast.Member>(
            (this.memberKinds ??= [
              { ALT: () => this.SUBRULE(this.letStatement) },
              { ALT: () => this.SUBRULE(this.modality) },
              { ALT: () => this.SUBRULE(this.space) },
              { ALT: () => this.SUBRULE(this.encoder) },
              { ALT: () => this.SUBRULE(this.backbone) },
              { ALT: () => this.SUBRULE(this.decoder) },
              { ALT: () => this.SUBRULE(this.task) },
              { ALT: () => this.SUBRULE(this.section) },
            ]),
          ),
        );
      });
    } while (
      this.resume({ closer: T.RCurly, stops: TOP_LEVEL, starts, expected }) ||
      this.extraBrace((type) => MEMBERS.has(type) || type === LET)
    );
    return members;
  });

  /** `modality NAME: TYPE [= EXPR] [{ ... }]` */
  private readonly modality: ParserMethod<[], ast.Modality> = this.RULE('modality', (): ast.Modality => {
    const start = this.here;
    this.CONSUME(MODALITY);
    const name = this.nameOf(1, 'the name of the modality');
    const type = this.typeAfterColon('the name of the modality');
    const derived = this.OPTION(() => {
      this.CONSUME(T.Equals);
      return this.SUBRULE(this.expression);
    });
    const options = this.OPTION1(() => this.SUBRULE(this.block));
    const range = this.from(start);
    return this.documented(start, {
      kind: 'Modality',
      range,
      name,
      type,
      ...(derived && { derived }),
      ...(options && { options }),
    });
  });

  /** `space NAME: TYPE` */
  private readonly space: ParserMethod<[], ast.Space> = this.RULE('space', (): ast.Space => {
    const start = this.here;
    this.CONSUME(SPACE);
    const name = this.nameOf(1, 'the name of the space');
    const type = this.typeAfterColon('the name of the space');
    return this.documented(start, { kind: 'Space', range: this.from(start), name, type });
  });

  /** `encoder M = EXPR [{ ... }]`, and backbones and decoders in the same form. */
  private readonly encoder = this.valueMember('encoder', 'Encoder', 'the name of a modality');
  private readonly backbone = this.valueMember('backbone', 'Backbone', 'the name of what the backbone gives');
  private readonly decoder = this.valueMember('decoder', 'Decoder', 'the name of a modality or of the space');

  private valueMember(
    rule: string,
    kind: 'Encoder' | 'Backbone' | 'Decoder',
    what: string,
  ): ParserMethod<[], ast.Encoder | ast.Backbone | ast.Decoder> {
    const type = word(rule);
    return this.RULE(rule, (): ast.Encoder | ast.Backbone | ast.Decoder => {
      const start = this.here;
      this.CONSUME(type);
      const name = this.nameOf(1, what);
      const value = this.valueAfterEquals('the name');
      const options = this.OPTION(() => this.SUBRULE(this.block));
      const range = this.from(start);
      return this.documented(start, { kind, range, name, value, ...(options && { options }) });
    });
  }

  /** `task NAME: [GIVEN, ... ->] PRODUCED, ... [{ ... }]` */
  private readonly task: ParserMethod<[], ast.Task> = this.RULE('task', (): ast.Task => {
    const start = this.here;
    this.CONSUME(TASK);
    const name = this.nameOf(1, 'the name of the task');
    this.token(1, T.Colon, '`:`', ' after the name of the task');
    const first = this.SUBRULE(this.names);
    const produced = this.OPTION(() => {
      this.CONSUME(T.Arrow);
      return this.SUBRULE1(this.names);
    });
    const options = this.OPTION1(() => this.SUBRULE(this.block));
    return this.documented(start, {
      kind: 'Task',
      range: this.from(start),
      name,
      given: produced ? first : [],
      produced: produced ?? first,
      ...(options && { options }),
    });
  });

  private readonly names: ParserMethod<[], ast.Name[]> = this.RULE('names', (): ast.Name[] => {
    const names = [this.nameOf(1, 'the name of a modality')];
    this.MANY(() => {
      this.CONSUME(T.Comma);
      names.push(this.nameOf(2, 'the name of a modality'));
    });
    return names;
  });

  /** `process { ... }` and the other sections. */
  private readonly section: ParserMethod<[], ast.Section> = this.RULE('section', (): ast.Section => {
    const start = this.here;
    const keyword = this.OR(
      (this.sectionKeywords ??= SECTIONS.map((name) => ({ ALT: () => toName(this.CONSUME(word(name))) }))),
    );
    const section = keyword.text as ast.SectionName;
    const block = this.blockAfter(` after \`${section}\``);
    return this.documented(start, {
      kind: 'Section',
      range: this.from(start),
      section,
      keyword: keyword.range,
      block,
    });
  });

  private blockAfter(where: string): ast.Block {
    if (this.next() === T.LCurly || this.RECORDING_PHASE) return this.SUBRULE(this.block);
    this.expected('unexpected-token', ['`{`'], where);
    const at = this.last;
    return { kind: 'Block', range: { start: at, end: at }, entries: [] };
  }

  /** `{ key: value, key { ... } }`, the commas optional. */
  private readonly block: ParserMethod<[], ast.Block> = this.RULE('block', (): ast.Block => {
    const open = this.here;
    this.CONSUME(T.LCurly);
    const entries: ast.Entry[] = [];
    const starts = (): boolean => this.next() === T.Key || (this.next() === T.Ident && this.isBlockKey());
    const expected = ['an entry such as `key: value`', '`}`'];
    do {
      this.MANY(() => {
        entries.push(this.SUBRULE(this.entry));
        this.OPTION(() => this.CONSUME(T.Comma));
      });
    } while (this.resume({ closer: T.RCurly, stops: STATEMENTS, starts, expected }));
    this.close(1, T.RCurly, open);
    return { kind: 'Block', range: this.from(open), entries };
  });

  private isBlockKey(): boolean {
    return this.LA(2).tokenType === T.LCurly;
  }

  private readonly entry: ParserMethod<[], ast.Entry> = this.RULE('entry', (): ast.Entry => {
    const start = this.here;
    return this.OR<ast.Entry>([
      {
        ALT: () => {
          const key = toName(this.CONSUME(T.Key));
          this.CONSUME(T.Colon);
          const value = this.entryValue(key.text);
          return { kind: 'Entry', range: this.from(start), key, value };
        },
      },
      {
        ALT: () => {
          const key = toName(this.CONSUME(T.Ident));
          if (this.next() === T.LCurly || this.RECORDING_PHASE) {
            const block = this.SUBRULE(this.block);
            return { kind: 'Entry', range: this.from(start), key, block };
          }
          const value = this.valueWithoutColon(key.text);
          return { kind: 'Entry', range: this.from(start), key, value };
        },
      },
    ]);
  });

  private entryValue(key: string): ast.Expr {
    const empty = (this.next() === T.Ident && this.isBlockKey()) || !this.startsOperand();
    if (!empty || this.RECORDING_PHASE) return this.SUBRULE(this.rangeOrExpression);
    this.expected('missing-expression', ['a value'], ` for \`${key}\``);
    return this.errorHere();
  }

  private valueWithoutColon(key: string): ast.Expr {
    this.expected('unexpected-token', ['`:`', '`{`'], ` after the key \`${key}\``);
    if (this.next() === T.Equals) this.SKIP_TOKEN();
    return this.onSameLine() && this.startsOperand() ? this.SUBRULE1(this.expression) : this.errorHere();
  }

  /** `network N(x: f32[H, W], k: int = 3) -> f32[H, W] { ... }` */
  private readonly network: ParserMethod<[], ast.Network> = this.RULE('network', (): ast.Network => {
    const start = this.here;
    this.CONSUME(NETWORK);
    const name = this.nameOf(1, 'the name of the network');
    const params: ast.Param[] = [];
    const open = this.here;
    if (this.token(1, T.LParen, '`(`', ' and the parameters of the network')) {
      const starts = (): boolean => this.next() === T.Key || this.next() === T.Ident;
      this.commaList(T.RParen, 'a parameter such as `x: f32[C]`', starts, () =>
        params.push(this.SUBRULE(this.param)),
      );
      this.close(1, T.RParen, open);
    }
    const arrow = this.token(1, T.Arrow, '`->`', ' and the type of the result');
    const result = arrow || this.typeOnLine() ? this.SUBRULE(this.type) : this.errorType();
    const body = this.SUBRULE(this.body, { ARGS: [true] });
    return this.documented(start, { kind: 'Network', range: this.from(start), name, params, result, body });
  });

  private readonly param: ParserMethod<[], ast.Param> = this.RULE('param', (): ast.Param => {
    const start = this.here;
    const name = this.RECORDING_PHASE ? this.paramName() : this.nameOf(3, 'the name of a parameter');
    const type = this.typeAfterColon('the name of the parameter');
    const value = this.OPTION(() => {
      this.CONSUME(T.Equals);
      return this.SUBRULE(this.expression);
    });
    const range = this.from(start);
    return { kind: 'Param', range, name, type, ...(value && { default: value }) };
  });

  /** A parameter may begin with a name that has its colon, or, when that is missing, without. */
  private paramName(): ast.Name {
    return this.OR([
      { ALT: () => toName(this.CONSUME(T.Key)) },
      { ALT: () => toName(this.CONSUME(T.Ident)) },
    ]);
  }

  // ------------------------------------------------------------ types

  private typeAfterColon(where: string): ast.TypeExpr {
    const found = this.token(1, T.Colon, '`:`', ` and a type after ${where}`);
    return found || (this.onSameLine() && this.next() === T.Ident)
      ? this.SUBRULE(this.type)
      : this.errorType();
  }

  private typeOnLine(): boolean {
    return this.onSameLine() && (this.next() === T.Ident || this.next() === T.LSquare);
  }

  private errorType(): ast.ErrorType {
    const at = this.last;
    return { kind: 'ErrorType', range: { start: at, end: at } };
  }

  private readonly type: ParserMethod<[], ast.TypeExpr> = this.RULE('type', (): ast.TypeExpr => {
    const next = this.next();
    if (!this.RECORDING_PHASE && next !== T.Ident && next !== T.LSquare && next !== T.LineSquare) {
      this.expected('missing-expression', ['a type such as `f32[28, 28, 1]` or `int`'], '');
      return this.errorType();
    }
    return this.OR<ast.TypeExpr>([
      { ALT: () => this.namedType() },
      { ALT: () => this.SUBRULE(this.listType) },
    ]);
  });

  private namedType(): ast.NamedType {
    const name = toName(this.CONSUME(T.Ident));
    const args = this.OPTION(() => this.SUBRULE(this.typeArgs));
    const range = this.from(name.range.start);
    return { kind: 'NamedType', range, name, ...(args && { args }) };
  }

  private readonly listType: ParserMethod<[], ast.ListType> = this.RULE('listType', (): ast.ListType => {
    const start = this.here;
    this.OR([{ ALT: () => this.CONSUME(T.LSquare) }, { ALT: () => this.CONSUME(T.LineSquare) }]);
    const element = this.SUBRULE(this.type);
    this.close(1, T.RSquare, start);
    return { kind: 'ListType', range: this.from(start), element };
  });

  private readonly typeArgs: ParserMethod<[], ast.TypeArg[]> = this.RULE('typeArgs', (): ast.TypeArg[] => {
    const open = this.here;
    this.CONSUME(T.LSquare);
    const args: ast.TypeArg[] = [];
    const starts = (): boolean => this.startsOperand() || this.next() === T.Ellipsis;
    this.commaList(T.RSquare, 'a dimension', starts, () => {
      args.push(
        this.OR<ast.TypeArg>([
          { ALT: () => this.SUBRULE(this.restDim) },
          { ALT: () => this.SUBRULE(this.expression) },
        ]),
      );
    });
    this.close(1, T.RSquare, open);
    return args;
  });

  /** `...S` */
  private readonly restDim: ParserMethod<[], ast.RestDim> = this.RULE('restDim', (): ast.RestDim => {
    const start = this.here;
    this.CONSUME(T.Ellipsis);
    const name = this.nameOf(1, 'the name of the leading dimensions');
    return { kind: 'RestDim', range: this.from(start), name };
  });
}
