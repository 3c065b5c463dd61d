/**
 * The syntax tree of `.mmd` files. Every node carries the exact source range it was read from; recovery
 * after a syntax error leaves `ErrorExpr` nodes and empty names (`Name.text === ''`), never `undefined`.
 *
 * @module
 */

/** Half-open range of UTF-16 offsets into the source text. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

interface Base {
  readonly range: Range;
}

/** An identifier as written. `text` is empty where recovery had to invent it. */
export interface Name extends Base {
  readonly kind: 'Name';
  readonly text: string;
}

/** A comment; `doc` ones (`///`) are also attached to the declaration that follows them. */
export interface Comment extends Base {
  readonly kind: 'Comment';
  readonly doc: boolean;
  /** Text without the leading slashes, otherwise untouched. */
  readonly text: string;
}

/** Consecutive `///` lines before a declaration: Markdown, joined with newlines. */
export interface Doc extends Base {
  readonly kind: 'Doc';
  readonly text: string;
}

export interface SourceFile extends Base {
  readonly kind: 'SourceFile';
  readonly imports: readonly Import[];
  /** Models and networks, in source order. */
  readonly declarations: readonly TopLevel[];
  /** All comments of the file, documentation comments included, in source order. */
  readonly comments: readonly Comment[];
}

/** `import { A, B as C } from "std/backbones"` */
export interface Import extends Base {
  readonly kind: 'Import';
  readonly names: readonly ImportName[];
  readonly path: StringLiteral;
}

export interface ImportName extends Base {
  readonly kind: 'ImportName';
  readonly imported: Name;
  /** The local name: `C` in `B as C`, otherwise the same node as `imported`. */
  readonly local: Name;
}

export type TopLevel = Model | Network;

/** `network N(x: f32[H, W], k: int = 3) -> f32[H, W] { ... }` */
export interface Network extends Base {
  readonly kind: 'Network';
  readonly doc?: Doc;
  readonly name: Name;
  readonly params: readonly Param[];
  readonly result: TypeExpr;
  readonly body: Body;
}

export interface Param extends Base {
  readonly kind: 'Param';
  readonly name: Name;
  readonly type: TypeExpr;
  readonly default?: Expr;
}

/** Statements and the value they end in, between braces: the body of a network, `if` branch or `repeat`. */
export interface Body extends Base {
  readonly kind: 'Body';
  readonly statements: readonly Statement[];
  readonly result: Expr;
}

export type Statement = Let | Require;

/** `let x = e` or `let (a, b) = e`; inside a model also a model-wide constant. */
export interface Let extends Base {
  readonly kind: 'Let';
  readonly doc?: Doc;
  readonly names: readonly Name[];
  /** True when written with parentheses, even around one name. */
  readonly tuple: boolean;
  readonly value: Expr;
}

/** `require cond, "message"` */
export interface Require extends Base {
  readonly kind: 'Require';
  readonly condition: Expr;
  readonly message: Expr;
}

/** `model A { ... }`, or the variant `model B = A { ... }`. */
export interface Model extends Base {
  readonly kind: 'Model';
  readonly doc?: Doc;
  readonly name: Name;
  readonly base?: Name;
  readonly members: readonly Member[];
}

export type Member = Let | Modality | Space | Encoder | Backbone | Decoder | Task | Section;

/** `modality NAME: TYPE`, `modality NAME: TYPE = EXPR` (derived), each with optional `{ options }`. */
export interface Modality extends Base {
  readonly kind: 'Modality';
  readonly doc?: Doc;
  readonly name: Name;
  readonly type: TypeExpr;
  readonly derived?: Expr;
  readonly options?: Block;
}

/** `space z: f32[28, 28, 1]` */
export interface Space extends Base {
  readonly kind: 'Space';
  readonly doc?: Doc;
  readonly name: Name;
  readonly type: TypeExpr;
}

/** `encoder M = EXPR { options }` */
export interface Encoder extends Base {
  readonly kind: 'Encoder';
  readonly doc?: Doc;
  readonly name: Name;
  readonly value: Expr;
  readonly options?: Block;
}

/** `backbone h = EXPR` */
export interface Backbone extends Base {
  readonly kind: 'Backbone';
  readonly doc?: Doc;
  readonly name: Name;
  readonly value: Expr;
  readonly options?: Block;
}

/** `decoder M = EXPR { options }` */
export interface Decoder extends Base {
  readonly kind: 'Decoder';
  readonly doc?: Doc;
  readonly name: Name;
  readonly value: Expr;
  readonly options?: Block;
}

/** `task NAME: given, ... -> produced, ... { options }`; without an arrow everything listed is produced. */
export interface Task extends Base {
  readonly kind: 'Task';
  readonly doc?: Doc;
  readonly name: Name;
  readonly given: readonly Name[];
  readonly produced: readonly Name[];
  readonly options?: Block;
}

/** The blocks with entries: `process { }`, `loss { }`, `train { }`, `data { }`, `eval { }`. */
export interface Section extends Base {
  readonly kind: 'Section';
  readonly doc?: Doc;
  readonly section: SectionName;
  readonly keyword: Range;
  readonly block: Block;
}

export type SectionName = 'process' | 'loss' | 'train' | 'data' | 'eval';

export interface Block extends Base {
  readonly kind: 'Block';
  readonly entries: readonly Entry[];
}

/** `key: value` or `key { ... }`; exactly one of `value` and `block` is present. */
export interface Entry extends Base {
  readonly kind: 'Entry';
  readonly key: Name;
  readonly value?: Expr;
  readonly block?: Block;
}

// ---------------------------------------------------------------- types

export type TypeExpr = NamedType | ListType | ErrorType;

/**
 * `f32[H, ...S, 3]`, `int`, `image[28, 28, 1]`, `category["cat", "dog"]`. `args` is absent without brackets.
 */
export interface NamedType extends Base {
  readonly kind: 'NamedType';
  readonly name: Name;
  readonly args?: readonly TypeArg[];
}

export type TypeArg = Expr | RestDim;

/** `...S`: any number of leading dimensions. */
export interface RestDim extends Base {
  readonly kind: 'RestDim';
  readonly name: Name;
}

/** `[int]` */
export interface ListType extends Base {
  readonly kind: 'ListType';
  readonly element: TypeExpr;
}

export interface ErrorType extends Base {
  readonly kind: 'ErrorType';
}

// ---------------------------------------------------------------- expressions

export type Expr =
  | NumberLiteral
  | StringLiteral
  | BoolLiteral
  | Ref
  | Call
  | Pipe
  | Unary
  | Binary
  | Index
  | RangeExpr
  | ListExpr
  | TupleExpr
  | ParenExpr
  | IfExpr
  | RepeatStage
  | ErrorExpr;

/** `integer` is false when written with a point or an exponent. `raw` keeps the digits and underscores. */
export interface NumberLiteral extends Base {
  readonly kind: 'Number';
  readonly value: number;
  readonly integer: boolean;
  readonly raw: string;
}

export interface StringLiteral extends Base {
  readonly kind: 'String';
  readonly value: string;
}

export interface BoolLiteral extends Base {
  readonly kind: 'Bool';
  readonly value: boolean;
}

/** A bare name. After `|>` it is a call without further arguments. */
export interface Ref extends Base {
  readonly kind: 'Ref';
  readonly name: Name;
}

/** `f(a, key: b)` */
export interface Call extends Base {
  readonly kind: 'Call';
  readonly callee: Name;
  readonly args: readonly Arg[];
}

export interface Arg extends Base {
  readonly kind: 'Arg';
  readonly name?: Name;
  readonly value: Expr;
}

/** `left |> stage`: the stage is a Ref, Call or RepeatStage and receives `left` as its first argument. */
export interface Pipe extends Base {
  readonly kind: 'Pipe';
  readonly left: Expr;
  readonly stage: Ref | Call | RepeatStage | ErrorExpr;
}

/**
 * `repeat(n) { Block(t) |> norm }`, only after `|>`: the stages are applied n times in a row, each time with
 * parameters of their own.
 */
export interface RepeatStage extends Base {
  readonly kind: 'Repeat';
  readonly count: Expr;
  readonly stages: readonly (Ref | Call | RepeatStage | ErrorExpr)[];
}

export interface Unary extends Base {
  readonly kind: 'Unary';
  readonly op: '-' | '!';
  readonly operand: Expr;
}

export type BinaryOp =
  '+' | '-' | '*' | '/' | '%' | '^' | '==' | '!=' | '<' | '<=' | '>' | '>=' | '&&' | '||';

export interface Binary extends Base {
  readonly kind: 'Binary';
  readonly op: BinaryOp;
  readonly opRange: Range;
  readonly left: Expr;
  readonly right: Expr;
}

/** `xs[0]`, or with a RangeExpr the slice `xs[1..]`. */
export interface Index extends Base {
  readonly kind: 'Index';
  readonly target: Expr;
  readonly index: Expr;
}

/** `a..b`, half open, either end may be left out. */
export interface RangeExpr extends Base {
  readonly kind: 'Range';
  readonly from?: Expr;
  readonly to?: Expr;
}

export interface ListExpr extends Base {
  readonly kind: 'List';
  readonly items: readonly Expr[];
}

/** `(a, b)`, two items or more. */
export interface TupleExpr extends Base {
  readonly kind: 'Tuple';
  readonly items: readonly Expr[];
}

/** Parentheses around one expression, kept so that ranges and the formatter are exact. */
export interface ParenExpr extends Base {
  readonly kind: 'Paren';
  readonly inner: Expr;
}

/** `if c { a } else if d { b } else { e }`; the condition is static. */
export interface IfExpr extends Base {
  readonly kind: 'If';
  readonly condition: Expr;
  readonly then: Body;
  readonly otherwise: Body | IfExpr;
}

/** What stands where an expression could not be read. */
export interface ErrorExpr extends Base {
  readonly kind: 'Error';
}

export type Node =
  | SourceFile
  | Import
  | ImportName
  | TopLevel
  | Member
  | Param
  | Body
  | Statement
  | Block
  | Entry
  | TypeExpr
  | RestDim
  | Expr
  | Arg
  | Name
  | Doc
  | Comment;
