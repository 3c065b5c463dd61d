/**
 * The layout of `.mmd`: syntax tree to Prettier documents.
 *
 * Blocks and bodies stay on one line where the author wrote them so and they fit; rows of short entries on one line
 * stay together; at most one blank line between items is kept. A pipe that does not fit, or that the author broke,
 * has each stage on a line of its own.
 *
 * @module
 */
import type { AstPath, Doc, ParserOptions, Printer } from 'prettier';
import { builders } from 'prettier/doc';
import type * as ast from './ast.js';
import type { PlacedComment } from './comments.js';
import { commentLines, commentsOf, place } from './comments.js';
import { embedDocs } from './docs.js';
import { PRECEDENCE } from './operators.js';
import { children, VISITOR_KEYS } from './visit.js';

const { breakParent, group, hardline, ifBreak, indent, join, line, lineSuffix, softline } = builders;

type Options = ParserOptions<ast.Node>;
type Print = (selector?: string | number | (string | number)[] | AstPath) => Doc;

/** What the printing functions work with: the node's place in the tree, the text and the way down. */
interface At<N extends ast.Node = ast.Node> {
  readonly node: N;
  readonly path: AstPath;
  readonly text: string;
  readonly print: Print;
}

export const printer: Printer<ast.Node> = {
  print: (path, options: Options, print) =>
    layout({ node: path.node, path, text: options.originalText, print }),
  getVisitorKeys: (node) => [...VISITOR_KEYS[node.kind]],
  canAttachComment: (node) => node.kind !== 'Comment' && node.kind !== 'Doc',
  printComment: (path) => commentText(path.node as PlacedComment),
  embed: embedDocs as unknown as NonNullable<Printer<ast.Node>['embed']>,
  hasPrettierIgnore: (path) => commentsOf(path.node).some(({ text }) => text.trim() === 'prettier-ignore'),
  insertPragma: (text) => `// @format\n\n${text}`,
  willPrintOwnComments: (path) => isStage(path),
  handleComments: { ownLine: place, endOfLine: place, remaining: place },
};

type Layouts = { readonly [K in ast.Node['kind']]: (at: At<Extract<ast.Node, { kind: K }>>) => Doc };

const raw = ({ node, text }: At): Doc => text.slice(node.range.start, node.range.end);

/** `encoder x = value { options }` and its like. */
const assigned =
  (word: string) =>
  (at: At<ast.Encoder | ast.Backbone | ast.Decoder>): Doc => [
    `${word} ${at.node.name.text} = `,
    at.print('value'),
    options(at),
  ];

const LAYOUTS: Layouts = {
  SourceFile: file,
  Import: (at) => ['import ', brackets(at, '{', 'names', '}', true), ' from ', at.print('path')],
  ImportName: ({ node }) =>
    node.imported === node.local ? node.imported.text : `${node.imported.text} as ${node.local.text}`,
  Model: (at) => [
    `model ${at.node.name.text} `,
    at.node.base ? `= ${at.node.base.text} ` : '',
    braced(at, 'members'),
  ],
  Network: (at) => [
    `network ${at.node.name.text}`,
    brackets(at, '(', 'params', ')'),
    ' -> ',
    at.print('result'),
    ' ',
    group(at.print('body')),
  ],
  Param: (at) => [
    `${at.node.name.text}: `,
    at.print('type'),
    at.node.default ? [' = ', at.print('default')] : '',
  ],
  Body: body,
  Let: (at) => {
    const names = at.node.names.map((name) => name.text).join(', ');
    return [at.node.tuple ? `let (${names}) = ` : `let ${names} = `, at.print('value')];
  },
  Require: (at) => ['require ', at.print('condition'), ', ', at.print('message')],
  Modality: (at) => [
    `modality ${at.node.name.text}: `,
    at.print('type'),
    at.node.derived ? [' = ', at.print('derived')] : '',
    options(at),
  ],
  Space: (at) => [`space ${at.node.name.text}: `, at.print('type')],
  Encoder: assigned('encoder'),
  Backbone: assigned('backbone'),
  Decoder: assigned('decoder'),
  Task: task,
  Section: (at) => [`${at.node.section} `, at.print('block')],
  Block: (at) => (isOneLine(at) ? rowBlock(at) : braced(at, 'entries')),
  Entry: (at) => [at.node.key.text, at.node.value ? [': ', at.print('value')] : [' ', at.print('block')]],
  NamedType: (at) => [at.node.name.text, at.node.args ? brackets(at, '[', 'args', ']') : ''],
  ListType: (at) => ['[', at.print('element'), ']'],
  ErrorType: raw,
  RestDim: ({ node }) => `...${node.name.text}`,
  Number: raw,
  String: raw,
  Bool: raw,
  Ref: ({ node }) => node.name.text,
  Call: (at) => [at.node.callee.text, brackets(at, '(', 'args', ')')],
  Arg: (at) => [at.node.name ? `${at.node.name.text}: ` : '', at.print('value')],
  Pipe: pipe,
  Repeat: (at) => {
    const stages = at.path.map(
      (stage, i) => (i === 0 ? stageDoc(at, stage, '') : [line, stageDoc(at, stage, '|> ')]),
      'stages',
    );
    return group(['repeat(', at.print('count'), ') {', indent([line, ...stages]), line, '}']);
  },
  Unary: (at) => [at.node.op, at.print('operand')],
  Binary: (at) => group(operation(at, true)),
  Index: (at) => [at.print('target'), '[', at.print('index'), ']'],
  Range: (at) => [at.node.from ? at.print('from') : '', '..', at.node.to ? at.print('to') : ''],
  List: (at) => brackets(at, '[', 'items', ']'),
  Tuple: (at) => brackets(at, '(', 'items', ')'),
  Paren: (at) => group(['(', indent([softline, at.print('inner')]), softline, ')']),
  If: (at) => group(conditional(at)),
  Error: raw,
  Name: raw,
  Doc: raw,
  Comment: raw,
};

function layout(at: At): Doc {
  return (LAYOUTS[at.node.kind] as (at: At) => Doc)(at);
}

function file(at: At<ast.SourceFile>): Doc {
  const docs = new Map<ast.Node, Doc>();
  for (const key of ['imports', 'declarations']) {
    at.path.each((item) => void docs.set(item.node as ast.Node, at.print()), key);
  }
  const items = children(at.node);
  const parts: Doc[] = items.map((item, i) => {
    const next = items[i + 1];
    const apart = next && (item.kind !== 'Import' || next.kind !== 'Import' || blankLineAfter(at.text, item));
    return [docs.get(item) ?? '', hardline, apart ? hardline : ''];
  });
  const loose = danglingComments(at.path);
  return [...loose.map((comment) => [comment, hardline]), ...parts];
}

/** Items in parentheses or brackets, on one line or one a line with a comma behind each. */
function brackets(at: At, open: string, key: string, close: string, spaced = false): Doc {
  const items = at.path.map(() => at.print(), key);
  if (items.length === 0) return open + close;
  const edge = spaced ? line : softline;
  return group([open, indent([edge, join([',', line], items)]), ifBreak(','), edge, close]);
}

function options(at: At<ast.Node & { readonly options?: ast.Block }>): Doc {
  return at.node.options ? [' ', at.print('options')] : '';
}

// ---------------------------------------------------------------- braces

/** True when the first item stands on the line of the opening brace, or there is none. */
function isOneLine({ node, text }: At<ast.Block | ast.Body>): boolean {
  const first = node.kind === 'Block' ? node.entries[0] : (node.statements[0] ?? node.result);
  return first !== undefined && !text.slice(node.range.start, first.range.start).includes('\n');
}

/** Entries on the line of their braces; if they do not fit, each on its own and without commas. */
function rowBlock(at: At<ast.Block>): Doc {
  const entries = at.path.map(() => at.print(), 'entries');
  return group([
    '{',
    openingComments(at.path),
    indent([line, join([ifBreak('', ','), line], entries)]),
    line,
    '}',
  ]);
}

/** Members or entries on lines of their own; entries that shared a line still do where they fit. */
function braced(at: At<ast.Model | ast.Block>, key: 'members' | 'entries'): Doc {
  const nodes: readonly ast.Node[] = at.node.kind === 'Model' ? at.node.members : at.node.entries;
  const comments = openingComments(at.path);
  if (nodes.length === 0) return hasDangling(at.path) ? ['{', comments, hardline, '}'] : '{}';
  const rows: Doc[] = [];
  let row: Doc[] = [];
  at.path.each((item, i) => {
    row.push(at.print());
    const node = item.node as ast.Node;
    const next = nodes[i + 1];
    if (key === 'entries' && next && !at.text.slice(node.range.end, next.range.start).includes('\n')) return;
    rows.push(
      hardline,
      group(join([ifBreak('', ','), line], row)),
      next && blankLineAfter(at.text, node) ? hardline : '',
    );
    row = [];
  }, key);
  return ['{', comments, indent(rows), hardline, '}'];
}

/** Statements and result; only a result alone may share the line of its braces. */
function body(at: At<ast.Body>): Doc {
  const open = isOneLine(at) && at.node.statements.length === 0 ? line : hardline;
  const statements = at.path.map((item) => {
    const blank = blankLineAfter(at.text, item.node as ast.Node);
    return [at.print(), hardline, blank ? hardline : ''];
  }, 'statements');
  return ['{', openingComments(at.path), indent([open, ...statements, at.print('result')]), line, '}'];
}

function conditional(at: At<ast.IfExpr>): Doc {
  const otherwise =
    at.node.otherwise.kind === 'If'
      ? at.path.call((path) => conditional({ ...at, node: path.node as ast.IfExpr, path }), 'otherwise')
      : at.print('otherwise');
  return ['if ', at.print('condition'), ' ', at.print('then'), ' else ', otherwise];
}

/** True when the author left a line blank behind an item, of which one is kept. */
function blankLineAfter(text: string, node: ast.Node): boolean {
  return /^[^\S\n]*,?[^\S\n]*(?:\/\/[^\n]*)?\n[^\S\n]*\n/.test(text.slice(node.range.end));
}

// ---------------------------------------------------------------- expressions

function task(at: At<ast.Task>): Doc {
  const list = (key: 'given' | 'produced'): Doc => {
    const names = at.path.map(() => at.print(), key);
    return group(join([',', line], names));
  };
  const given = at.node.given.length > 0 ? [list('given'), ' ->', line] : '';
  return [group([`task ${at.node.name.text}: `, indent([given, list('produced')])]), options(at)];
}

/** A pipe: its head, and each further stage after `|>`. */
function pipe(at: At<ast.Pipe>): Doc {
  const stages: Doc[] = [];
  const head = collectStages(at, stages);
  const first = firstStage(at.node);
  const broken = at.text.slice(first.left.range.end, first.stage.range.start).includes('\n');
  return group([head, indent(stages)], { shouldBreak: broken });
}

function collectStages(at: At<ast.Pipe>, stages: Doc[]): Doc {
  const { left } = at.node;
  const head =
    left.kind === 'Pipe'
      ? at.path.call((path) => collectStages({ ...at, node: left, path }, stages), 'left')
      : at.print('left');
  stages.push(
    line,
    at.path.call((stage) => stageDoc(at, stage, '|> '), 'stage'),
  );
  return head;
}

function firstStage(node: ast.Pipe): ast.Pipe {
  let first = node;
  while (first.left.kind === 'Pipe') first = first.left;
  return first;
}

/** A stage with its comments: those before it stand above its `|>`. */
function stageDoc(at: At, path: AstPath, operator: string): Doc {
  const before: Doc[] = [];
  const behind: Doc[] = [];
  for (const comment of commentsOf(path.node as ast.Node)) {
    comment.printed = true;
    if (comment.leading) before.push(commentText(comment), hardline);
    else if (behind.length === 0) behind.push(lineSuffix(` ${commentText(comment)}`), breakParent);
    else behind.push(lineSuffix([hardline, commentText(comment)]));
  }
  return [...before, operator, at.print(), ...behind];
}

function isStage(path: AstPath): boolean {
  const parent = path.parent as ast.Node | null;
  return (parent?.kind === 'Pipe' && path.key === 'stage') || parent?.kind === 'Repeat';
}

/** Operators stand at the ends of lines: at the start of one, `+` and `-` would begin something new. */
function operation(at: At<ast.Binary>, outermost: boolean): Doc[] {
  const { node } = at;
  if (node.op === '^') return [at.print('left'), '^', at.print('right')];
  const { left, op } = node;
  const same = left.kind === 'Binary' && left.op !== '^' && PRECEDENCE[left.op] === PRECEDENCE[op];
  const first = same
    ? at.path.call((path) => operation({ ...at, node: left, path }, false), 'left')
    : [at.print('left')];
  const rest = [` ${op}`, line, at.print('right')];
  return outermost ? [first[0], indent([...first.slice(1), ...rest])] : [...first, ...rest];
}

// ---------------------------------------------------------------- comments

const commentText = (comment: PlacedComment): Doc => join(hardline, commentLines(comment));

const hasDangling = (path: AstPath): boolean => dangling(path.node as ast.Node).length > 0;

const dangling = (node: ast.Node): PlacedComment[] =>
  commentsOf(node).filter((comment) => !comment.leading && !comment.trailing);

function danglingComments(path: AstPath): Doc[] {
  return dangling(path.node as ast.Node).map((comment) => {
    comment.printed = true;
    return commentText(comment);
  });
}

/** Comments behind an opening brace: the first on its line, the others below. */
function openingComments(path: AstPath): Doc {
  const [first, ...others] = danglingComments(path);
  if (first === undefined) return '';
  return [' ', first, breakParent, indent(others.map((comment) => [hardline, comment]))];
}
