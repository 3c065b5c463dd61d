/**
 * The readable form of a graph, one node a line, and reading it back:
 *
 *     graph "digits" {
 *       %0: f32[64, 784] = input {name: "x"}
 *       %2: f32[64, 10] = matmul(%0, %1) {transposeB: true}  // digits.mmd:120..140
 *       output "y" = %2
 *     }
 *
 * @module
 */
import { attrForm, isOp, kindProblem } from './attrs.js';
import type { AttrKind } from './attrs.js';
import { showType } from './errors.js';
import { GraphFormatError, specialName, specialNumber } from './format.js';
import type { Graph, Node, Op, Origin, Output } from './ir.js';
import { verify } from './verify.js';

export { GraphFormatError } from './format.js';

function showNumber(x: number): string {
  return specialName(x) ?? String(x);
}

function showAttr(value: unknown): string {
  if (typeof value === 'number') return showNumber(value);
  if (Array.isArray(value) || value instanceof Float64Array) {
    return `[${Array.from(value as ArrayLike<number>, showNumber).join(', ')}]`;
  }
  return JSON.stringify(value);
}

function showOrigin({ file, start, end }: Origin): string {
  const plain = /^[^\s":]+( [^\s":]+)*$/.test(file);
  return `  // ${plain ? file : JSON.stringify(file)}:${start}..${end}`;
}

/** One node without its origin. Attributes that are `false` are left out. */
export function printNode(node: Node): string {
  const values: Readonly<Record<string, unknown>> = { ...node.attrs };
  const shown = attrForm(node.op).filter(([name]) => values[name] !== false);
  const attrs = shown.map(([name]) => `${name}: ${showAttr(values[name])}`).join(', ');
  const operands = node.inputs.length === 0 ? '' : `(${node.inputs.map((id) => `%${id}`).join(', ')})`;
  return `%${node.id}: ${showType(node)} = ${node.op}${operands}${attrs === '' ? '' : ` {${attrs}}`}`;
}

export function printOutput({ name, node }: Output): string {
  return `output ${JSON.stringify(name)} = %${node}`;
}

/** The text form; equal graphs give equal text. */
export function print(graph: Graph): string {
  const nodes = graph.nodes.map(
    (n) => `  ${printNode(n)}${n.origin === undefined ? '' : showOrigin(n.origin)}\n`,
  );
  const outputs = graph.outputs.map((o) => `  ${printOutput(o)}\n`);
  return `graph ${JSON.stringify(graph.name)} {\n${nodes.join('')}${outputs.join('')}}\n`;
}

const lexeme =
  /\s*(?:(?<string>"(?:[^"\\]|\\.)*")|(?<number>-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Infinity)(?![\w.])|NaN\b)|(?<word>[A-Za-z]\w*)|(?<sign>[%:[\](){}=,]))/y;

/** One line as tokens. */
class Line {
  readonly #place: string;
  readonly #text: string;
  #at = 0;

  constructor(text: string, number: number) {
    this.#place = `line ${number}`;
    this.#text = text;
  }

  #json(text: string): string {
    try {
      return String(JSON.parse(text));
    } catch {
      return this.fail(`${text} is no string`);
    }
  }

  fail(message: string): never {
    throw new GraphFormatError(this.#place, message);
  }

  #next(kind: 'string' | 'number' | 'word' | 'sign'): string | undefined {
    lexeme.lastIndex = this.#at;
    const found = lexeme.exec(this.#text)?.groups?.[kind];
    if (found !== undefined) this.#at = lexeme.lastIndex;
    return found;
  }

  string(): string {
    return this.#json(this.#next('string') ?? this.fail(`expected a string ${this.#where()}`));
  }

  word(): string {
    return this.#next('word') ?? this.fail(`expected a name ${this.#where()}`);
  }

  number(): number {
    const text = this.#next('number') ?? this.fail(`expected a number ${this.#where()}`);
    return specialNumber(text) ?? Number(text);
  }

  /** Takes the sign if it comes next. */
  takes(sign: string): boolean {
    const before = this.#at;
    if (this.#next('sign') === sign) return true;
    this.#at = before;
    return false;
  }

  expect(sign: string): void {
    if (!this.takes(sign)) this.fail(`expected "${sign}" ${this.#where()}`);
  }

  list<T>(open: string, close: string, item: () => T): T[] {
    this.expect(open);
    const items: T[] = [];
    if (this.takes(close)) return items;
    do items.push(item());
    while (this.takes(','));
    this.expect(close);
    return items;
  }

  /** What may follow the last token: the origin, as a comment. */
  origin(): Origin | undefined {
    const comment = /^\s*\/\/ (.*):(\d+)\.\.(\d+)\s*$/.exec(this.#text.slice(this.#at));
    if (comment === null) return undefined;
    this.#at = this.#text.length;
    const file = comment[1]!.startsWith('"') ? this.#json(comment[1]!) : comment[1]!;
    return { file, start: Number(comment[2]), end: Number(comment[3]) };
  }

  end(): void {
    if (this.#text.slice(this.#at).trim() !== '') this.fail(`unexpected text ${this.#where()}`);
  }

  #where(): string {
    const rest = this.#text.slice(this.#at).trim();
    return rest === '' ? 'at the end of the line' : `before \`${rest.slice(0, 20)}\``;
  }
}

function parseAttr(line: Line, kind: AttrKind): unknown {
  switch (kind) {
    case 'name':
    case 'dtype':
      return line.string();
    case 'boolean':
      return line.word() === 'true';
    case 'number':
    case 'integer':
      return line.number();
    case 'numbers':
      return Float64Array.from(line.list('[', ']', () => line.number()));
    default:
      return line.list('[', ']', () => line.number());
  }
}

function parseAttrs(line: Line, op: Op): Record<string, unknown> {
  const form = attrForm(op);
  const found = new Map<string, unknown>();
  if (form.length > 0 && line.takes('{')) {
    do {
      const name = line.word();
      const kind =
        form.find(([known]) => known === name)?.[1] ?? line.fail(`${op} has no attribute "${name}"`);
      line.expect(':');
      found.set(name, parseAttr(line, kind));
    } while (line.takes(','));
    line.expect('}');
  }
  const attrs: Record<string, unknown> = {};
  for (const [name, kind] of form) {
    const value = found.get(name) ?? (kind === 'boolean' ? false : undefined);
    const wanted = kindProblem(kind, value);
    if (wanted !== undefined) line.fail(`attribute ${name} of ${op} must be ${wanted}`);
    attrs[name] = value;
  }
  return attrs;
}

function parseNode(line: Line): Node {
  const id = line.number();
  line.expect(':');
  const dtype = line.word();
  const shape = line.list('[', ']', () => line.number());
  line.expect('=');
  const op = line.word();
  if (!isOp(op)) return line.fail(`"${op}" is no primitive`);
  const operand = (): number => {
    line.expect('%');
    return line.number();
  };
  const inputs = line.takes('(') ? operands(line, operand) : [];
  const attrs = parseAttrs(line, op);
  const from = line.origin();
  line.end();
  const origin = from === undefined ? {} : { origin: from };
  // Each attribute has been checked against the operation's form; the verifier checks the rest.
  return { id, op, inputs, attrs, shape, dtype, ...origin } as unknown as Node;
}

function operands(line: Line, operand: () => number): number[] {
  const ids: number[] = [];
  do ids.push(operand());
  while (line.takes(','));
  line.expect(')');
  return ids;
}

/**
 * Reads the text form.
 *
 * @throws GraphFormatError with the line, also where the graph is malformed.
 */
export function parseText(text: string): Graph {
  const nodes: Node[] = [];
  const outputs: Output[] = [];
  const lineOf: number[] = [];
  let name: string | undefined;
  let closed = false;
  text.split('\n').forEach((content, k) => {
    if (content.trim() === '') return;
    const line = new Line(content, k + 1);
    if (closed) line.fail('unexpected text after the graph');
    if (name === undefined) {
      if (line.word() !== 'graph') line.fail('expected `graph "name" {`');
      name = line.string();
      line.expect('{');
    } else if (line.takes('%')) {
      nodes.push(parseNode(line));
      lineOf.push(k + 1);
      return;
    } else if (line.takes('}')) {
      closed = true;
    } else {
      if (line.word() !== 'output') line.fail('expected a node, an output or "}"');
      const output = line.string();
      line.expect('=');
      line.expect('%');
      outputs.push({ name: output, node: line.number() });
    }
    line.end();
  });
  if (name === undefined || !closed) throw new GraphFormatError('end of text', 'the graph is not complete');
  const graph: Graph = { name, nodes, outputs };
  const [problem] = verify(graph);
  if (problem !== undefined) {
    const place = problem.node === undefined ? '' : `line ${lineOf[problem.node]!}`;
    throw new GraphFormatError(place, problem.message);
  }
  return graph;
}
