/**
 * Draws the grammar as railroad diagrams into docs/images/grammar.svg, from the grammar that Chevrotain records of the
 * parser itself. Run it after `npm run build` when the grammar has changed; with `--check` nothing is written,
 * and the exit code is 1 if the picture is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import railroad from 'railroad-diagrams';
import { MmdParser } from '../dist/grammar/parser.js';

const { Choice, Diagram, NonTerminal, OneOrMore, Optional, Sequence, Skip, Terminal, ZeroOrMore } = railroad;

/** How tokens without a fixed text are called in the reference. */
const tokens = {
  Ident: 'name',
  Key: 'name',
  Number: 'number',
  String: 'string',
  InfixOp: '* / % < <= > >= == != && ||',
  Arrow: '->',
  PipeOp: '|>',
  Ellipsis: '...',
  DotDot: '..',
  Plus: '+',
  Minus: '-',
  Caret: '^',
  Bang: '!',
  Equals: '=',
  Colon: ':',
  Comma: ',',
  LParen: '(',
  RParen: ')',
  LSquare: '[',
  RSquare: ']',
  LCurly: '{',
  RCurly: '}',
};

/** The same character at the start of a line is a token of its own, and `TooDeep` is what recovery puts in. */
const hidden = /^(Line[A-Z]|TooDeep)/;

const items = (list) => list.flatMap((node) => draw(node) ?? []);
const sequence = (list) => {
  const parts = items(list);
  return parts.length === 1 ? parts[0] : Sequence(...parts);
};

function draw(node) {
  switch (node.type) {
    case 'NonTerminal':
      return NonTerminal(node.name);
    case 'Terminal': {
      if (hidden.test(node.name)) return undefined;
      const word = node.name.replace(/^Keyword /, '');
      const named = ['name', 'number', 'string'].includes(tokens[node.name]);
      return named ? NonTerminal(tokens[node.name]) : Terminal(tokens[node.name] ?? word);
    }
    case 'Alternation': {
      const ways = node.definition.filter((way) => items(way.definition).length > 0);
      return ways.length === 1
        ? sequence(ways[0].definition)
        : Choice(0, ...ways.map((w) => sequence(w.definition)));
    }
    case 'Option':
      return Optional(sequence(node.definition));
    case 'Repetition': {
      const last = node.definition.at(-1);
      const comma = last?.type === 'Option' && last.definition[0]?.name === 'Comma';
      if (!comma) return ZeroOrMore(sequence(node.definition));
      const item = sequence(node.definition.slice(0, -1));
      return Choice(1, Skip(), Sequence(OneOrMore(item, Terminal(',')), Optional(Terminal(','), 'skip')));
    }
    default:
      throw new Error(`the grammar has a ${node.type}, which this script does not draw`);
  }
}

/** What the parser reads by hand, and so does not record. */
const byHand = {
  import: (node) => [
    ...node.definition.slice(0, -2),
    { type: 'Terminal', name: 'Keyword from' },
    node.definition.at(-1),
  ],
  importName: (node) => [
    node.definition[0],
    {
      type: 'Option',
      definition: [
        { type: 'Terminal', name: 'Keyword as' },
        { type: 'Terminal', name: 'Ident' },
      ],
    },
  ],
  body: ({ definition: [open, many, close] }) => {
    const statements = many.definition[0].definition.slice(0, -1);
    const repeated = { type: 'Repetition', definition: [{ type: 'Alternation', definition: statements }] };
    return [open, repeated, { type: 'NonTerminal', name: 'expression' }, close];
  },
  letStatement: (node) => {
    const equals = node.definition.findIndex((part) => part.name === 'Equals');
    const tuple = { type: 'Alternative', definition: node.definition.slice(1, equals) };
    const single = { type: 'Alternative', definition: [{ type: 'Terminal', name: 'Ident' }] };
    return [
      node.definition[0],
      { type: 'Alternation', definition: [single, tuple] },
      ...node.definition.slice(equals),
    ];
  },
};

const style = `
  text { font: 13px ui-monospace, Menlo, Consolas, monospace; text-anchor: middle; fill: #1f2328 }
  text.rule { font-weight: bold; text-anchor: start }
  path { stroke: #57606a; stroke-width: 1.5; fill: none }
  rect { stroke: #57606a; stroke-width: 1.5; fill: #ddf4ff }
`;

/** The whole picture. */
function grammarSvg() {
  const order = [
    'file',
    'import',
    'importName',
    'model',
    'members',
    'modality',
    'space',
    'encoder',
    'backbone',
  ];
  const place = (name) => (order.includes(name) ? order.indexOf(name) : order.length);
  const rules = new MmdParser()
    .getSerializedGastProductions()
    .toSorted((a, b) => place(a.name) - place(b.name));
  let y = 10;
  let width = 0;
  const parts = rules.map((rule) => {
    const definition = byHand[rule.name]?.(rule) ?? rule.definition;
    const svg = Diagram(...items(definition))
      .format(12, 12, 12, 12)
      .toString();
    const [, w, h] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg).map(Number);
    const top = y + 18;
    y = top + h + 12;
    width = Math.max(width, w + 20);
    return `<text class="rule" x="14" y="${top - 4}">${rule.name}</text>\n${svg.replace('<svg', `<svg x="10" y="${top}"`)}`;
  });
  const size = `width="${width}" height="${y}" viewBox="0 0 ${width} ${y}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>\n<style>${style}</style>\n<rect width="${width}" height="${y}" style="fill: #fff; stroke: none"/>\n${parts.join('\n')}\n</svg>\n`;
}

const file = new URL('../docs/images/grammar.svg', import.meta.url);
const svg = grammarSvg();
if (!process.argv.includes('--check')) writeFileSync(file, svg);
else if (readFileSync(file, 'utf8') !== svg) {
  console.error('docs/images/grammar.svg is out of date: run `node scripts/railroad.mjs`');
  process.exitCode = 1;
}
