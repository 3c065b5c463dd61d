import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Expr, Node, SourceFile } from '../../grammar/ast.js';
import { children, MAX_LENGTH, parse, walk } from '../../grammar/index.js';
import { MmdParser } from '../../grammar/parser.js';
import { MAX_PROBLEMS } from '../../grammar/problems.js';
import { getLexer } from '../../grammar/tokens.js';
import { program } from './programs.js';
import { bare } from './trees.js';

/** The value of a constant, in prefix form. */
function read(expression: string): string {
  const { tree, problems } = parse(`model M { let a = ${expression} }`);
  expect(problems).toEqual([]);
  return show(valueOf(tree));
}

function valueOf(tree: SourceFile): Expr {
  const model = tree.declarations[0];
  if (model?.kind !== 'Model' || model.members[0]?.kind !== 'Let') throw new Error('no constant');
  return model.members[0].value;
}

function show(e: Expr): string {
  switch (e.kind) {
    case 'Number':
    case 'Bool':
    case 'String':
      return JSON.stringify(e.value);
    case 'Ref':
      return e.name.text;
    case 'Call':
      return `${e.callee.text}(${e.args.map((a) => (a.name ? `${a.name.text}=` : '') + show(a.value)).join(' ')})`;
    case 'Pipe':
      return `(> ${show(e.left)} ${show(e.stage)})`;
    case 'Repeat':
      return `{${show(e.count)}: ${e.stages.map(show).join(' ')}}`;
    case 'Unary':
      return `(${e.op} ${show(e.operand)})`;
    case 'Binary':
      return `(${e.op} ${show(e.left)} ${show(e.right)})`;
    case 'Index':
      return `(at ${show(e.target)} ${show(e.index)})`;
    case 'Range':
      return `${e.from ? show(e.from) : ''}..${e.to ? show(e.to) : ''}`;
    case 'List':
      return `[${e.items.map(show).join(' ')}]`;
    case 'Tuple':
      return `<${e.items.map(show).join(' ')}>`;
    case 'Paren':
      return show(e.inner);
    case 'If':
      return `(if ${show(e.condition)} ${show(e.then.result)} ${
        e.otherwise.kind === 'If' ? show(e.otherwise) : show(e.otherwise.result)
      })`;
    case 'Error':
      return '?';
  }
}

describe('expressions', () => {
  it.each([
    ['1 + 2 * 3 - 4', '(- (+ 1 (* 2 3)) 4)'],
    ['a - b - c', '(- (- a b) c)'],
    ['a / b % c * d', '(* (% (/ a b) c) d)'],
    ['-x^2', '(- (^ x 2))'],
    ['2^3^2', '(^ 2 (^ 3 2))'],
    ['2^-x^2', '(^ 2 (- (^ x 2)))'],
    ['-2 * x', '(* (- 2) x)'],
    ['- -!x', '(- (- (! x)))'],
    ['!a && b || c && d', '(|| (&& (! a) b) (&& c d))'],
    ['a + 1 < b * 2 && c == d', '(&& (< (+ a 1) (* b 2)) (== c d))'],
    ['(a < b) == c', '(== (< a b) c)'],
    ['a + b |> f |> g(1, k: 2)', '(> (> (+ a b) f) g(1 k=2))'],
    ['a |> repeat(n + 1) { f |> g(t) }', '(> a {(+ n 1): f g(t)})'],
    ['g + (x |> f)', '(+ g (> x f))'],
    ['xs[0][1..]', '(at (at xs 0) 1..)'],
    ['xs[..n - 1][a..b]', '(at (at xs ..(- n 1)) a..b)'],
    ['f(0..3, c: ..2, d: 1..)', 'f(0..3 c=..2 d=1..)'],
    ['f(x)[0]^2', '(^ (at f(x) 0) 2)'],
    ['(a, b)', '<a b>'],
    ['[1, [2], (3),]', '[1 [2] 3]'],
    ['if a { 1 } else if b { 2 } else { 3 } |> f', '(> (if a 1 (if b 2 3)) f)'],
    ['if len(w) > 1 { h |> f } else { g }', '(if (> len(w) 1) (> h f) g)'],
    ['f(if: 1, data: 2, true: true)', 'f(if=1 data=2 true=true)'],
    ['"a \\"b\\" \\\\ \\n\\t\\u{1F600}"', JSON.stringify('a "b" \\ \n\t\u{1f600}')],
    ['4_000 + 1e-3 + 0.5 + 2.5E+1', '(+ (+ (+ 4000 0.001) 0.5) 25)'],
  ])('%s', (expression, expected) => {
    expect(read(expression)).toBe(expected);
  });

  it('knows whole numbers and keeps the digits', () => {
    const number = (text: string): Expr => valueOf(parse(`model M { let a = ${text} }`).tree);
    expect(number('4_000')).toMatchObject({ value: 4000, integer: true, raw: '4_000' });
    expect(number('4.0')).toMatchObject({ value: 4, integer: false, raw: '4.0' });
    expect(number('1e3')).toMatchObject({ value: 1000, integer: false });
  });
});

describe('line starts', () => {
  const statements = (lines: string): string[] => {
    const { tree, problems } = parse(`network N() -> int {\n${lines}\n}`);
    expect(problems).toEqual([]);
    const network = tree.declarations[0];
    if (network?.kind !== 'Network') throw new Error('no network');
    const { statements, result } = network.body;
    return [...statements.map((s) => show(s.kind === 'Let' ? s.value : s.condition)), show(result)];
  };

  it.each([
    ['let a = b\n(c)', ['b', 'c']],
    ['let a = b\n[c]', ['b', '[c]']],
    ['let a = b\n-c', ['b', '(- c)']],
    ['let a = b // comment\n-c', ['b', '(- c)']],
    ['let a = b -\nc\na', ['(- b c)', 'a']],
    ['let a = b\n* c\na', ['(* b c)', 'a']],
    ['let a = b\n|> c\na', ['(> b c)', 'a']],
    ['let a = (b\n- c\n(d))\na', ['(- b c(d))', 'a']],
    ['let a = (b\n- c\n+ d)\na', ['(+ (- b c) d)', 'a']],
    ['let a = f(b\n[0])\na', ['f((at b 0))', 'a']],
    ['let a = f\n(b)\n', ['f', 'b']],
    ['let a = g(if b { c\n-d } else { e })\na', undefined],
  ])('%j', (lines, expected) => {
    if (expected) expect(statements(lines)).toEqual(expected);
    else expect(parse(`network N() -> int {\n${lines}\n}`).problems).toHaveLength(1);
  });
});

describe('documentation', () => {
  it('is attached to what follows it, without the leading space', () => {
    const { tree } = parse(readFileSync(new URL('../good/syntax/docs.mmd', import.meta.url), 'utf8'));
    const model = tree.declarations[0];
    if (model?.kind !== 'Model') throw new Error('no model');
    expect(model.doc?.text).toBe('First paragraph,\nwith a second line.\n\n  Indented.');
    expect(model.members.map((member) => member.doc?.text)).toEqual(['About `z`.', undefined, 'found']);
    expect(tree.comments.filter((comment) => comment.doc)).toHaveLength(9);
  });

  it('and positions do not depend on line ends or a byte-order mark', () => {
    const text = '/// one\n/// two\nmodel A {\n  let a = b\n  let c = -d\n}\n';
    const windows = `\ufeff${text.replaceAll('\n', '\r\n')}`;
    const { tree, problems } = parse(windows);
    expect(problems).toEqual([]);
    expect(bare(tree)).toEqual(bare(parse(text).tree));
    walk(tree, (node) => {
      if (node.kind === 'Name') expect(windows.slice(node.range.start, node.range.end)).toBe(node.text);
    });
    expect(bare(parse(text.replaceAll('\n', '\r')).tree)).toEqual(bare(tree));
  });
});

/** What is wrong with the ranges of a tree: they must nest, follow each other, and fit the names and numbers. */
function badRanges(text: string, tree: SourceFile): Node[] {
  const bad: Node[] = [];
  walk(tree, (node: Node) => {
    const { start, end } = node.range;
    const written = text.slice(start, end);
    if (node.kind === 'Name' && node.text !== written) bad.push(node);
    if (node.kind === 'Number' && node.raw !== written) bad.push(node);
    if (!(start <= end && end <= text.length)) bad.push(node);
    let at = start;
    for (const child of children(node)) {
      if (child.range.start < at || child.range.end > end) bad.push(child);
      at = child.range.end;
    }
  });
  return bad;
}

describe('random programs', () => {
  it('read without a problem, and every range is right', () => {
    fc.assert(
      fc.property(program, (text) => {
        const { tree, problems } = parse(text);
        expect(problems).toEqual([]);
        expect(badRanges(text, tree)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});

describe('recovery', () => {
  it('keeps what is half-written', () => {
    const { tree } = parse('model A {\n  encoder x =\n  encoder y = image\n  task t: a ->\n  let\n}');
    expect(bare(tree)).toMatchObject({
      declarations: [
        {
          kind: 'Model',
          members: [
            { kind: 'Encoder', name: { text: 'x' }, value: { kind: 'Error' } },
            { kind: 'Encoder', name: { text: 'y' }, value: { kind: 'Ref' } },
            { kind: 'Task', given: [{ text: 'a' }], produced: [{ text: '' }] },
            { kind: 'Let', names: [{ text: '' }], value: { kind: 'Error' } },
          ],
        },
      ],
    });
  });

  it('reads a word of the language as the name it was meant to be', () => {
    const { tree } = parse('model A {\n  encoder data = data |> f\n}');
    expect(tree.declarations).toMatchObject([
      {
        members: [
          {
            name: { text: 'data' },
            value: { kind: 'Pipe', left: { name: { text: 'data' } }, stage: { name: { text: 'f' } } },
          },
        ],
      },
    ]);
  });

  it('gives members behind a brace too many to their model', () => {
    const { tree } = parse('model A {\n  space z: f32[3] }\n  let a = 1\n}\nnetwork F() -> int { 1 }\n');
    expect(tree.declarations).toMatchObject([
      { members: [{ kind: 'Space' }, { kind: 'Let' }] },
      { kind: 'Network' },
    ]);
  });

  it('points from an open bracket to where it should have been closed', () => {
    const text = 'model A {\n  let a = f(b\n  let c = 1\n}';
    const { problems } = parse(text);
    expect(problems).toMatchObject([
      {
        kind: 'unclosed-bracket',
        range: { start: 21, end: 22 },
        related: [{ range: { start: 23, end: 23 } }],
      },
    ]);
  });
});

describe('bounds', () => {
  it.each([
    '(',
    '[',
    '-',
    'f(',
    'a^',
    'a + ',
    'a |> ',
    'xs[',
    'if a { ',
    'if a { b } else ',
    'a |> repeat(2) { ',
  ])('holds against 20,000 times %j', (piece) => {
    for (const before of ['model M { let a = ', 'network F() -> int { ']) {
      const { tree, problems } = parse(before + piece.repeat(20_000));
      expect(problems.length).toBeGreaterThan(0);
      expect(problems.length).toBeLessThanOrEqual(MAX_PROBLEMS);
      // A recursive consumer of the tree does not overflow its stack either.
      expect(JSON.stringify(tree).length).toBeGreaterThan(0);
    }
  });

  it('allows nesting and chains that people write', () => {
    expect(read(`${'('.repeat(80)}a${')'.repeat(80)}`)).toBe('a');
    expect(read(`a${' |> f'.repeat(150)}`)).toMatch(/f\)$/);
    expect(read(`a${' + a'.repeat(150)}`)).toMatch(/a\)$/);
  });

  it('says once what is nested too deep', () => {
    const deep = (n: number): string[] =>
      parse(`model M { let a = ${'('.repeat(n)}a${')'.repeat(n)} }`).problems.map((p) => p.kind);
    expect(deep(99)).toEqual([]);
    expect(deep(120)).toEqual(['nesting-too-deep']);
  });

  it('refuses a text that is too large with one problem', () => {
    const { tree, problems } = parse(' '.repeat(MAX_LENGTH + 1));
    expect(problems.map((p) => p.kind)).toEqual(['file-too-large']);
    expect(tree.declarations).toEqual([]);
  });

  it('lists a hundred problems and says that there are more', () => {
    const { problems } = parse('$ a\n'.repeat(1000));
    expect(problems).toHaveLength(MAX_PROBLEMS);
    expect(problems.at(-1)?.kind).toBe('too-many-problems');
  });
});

it('the definitions of lexer and grammar pass their own checks', () => {
  expect(() => getLexer(true)).not.toThrow();
  expect(() => new MmdParser(true)).not.toThrow();
});
