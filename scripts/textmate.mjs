/**
 * Writes what editors take from the language itself: the TextMate grammar from its tokens, and the snippets of the
 * language server. `--check` only says whether they are up to date.
 *
 *     npm run build && node scripts/textmate.mjs [--check]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as prettier from 'prettier';
import { declarationSnippets, memberSnippets, modalityTypes } from '../dist/compiler/server/snippets.js';
import * as tokens from '../dist/grammar/tokens.js';

const extension = join(dirname(fileURLToPath(import.meta.url)), '..', 'editors', 'vscode');
const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
const source = ({ PATTERN }) => (typeof PATTERN === 'string' ? escaped(PATTERN) : PATTERN.source);
const name = source(tokens.Ident);
const words = [...tokens.KEYWORDS.keys()];
const word = (list) => `\\b(?:${list.join('|')})\\b`;

/** Keywords by what they do; a word that is in none of these would be found by the test. */
const literals = ['true', 'false'];
const control = ['if', 'else', 'repeat', 'require', 'import'];
const blocks = ['process', 'loss', 'train', 'data', 'eval'];
const declaring = words.filter((w) => ![...literals, ...control, ...blocks].includes(w));

const operators = [
  'PipeOp',
  'Arrow',
  'Ellipsis',
  'DotDot',
  'InfixOp',
  'Equals',
  'Plus',
  'Minus',
  'Caret',
  'Bang',
];
const types = ['f32', 'int', 'float', 'bool', 'string', ...modalityTypes.map(({ label }) => label)];

const grammar = {
  $schema: 'https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json',
  information_for_contributors: ['Written by scripts/textmate.mjs from grammar/tokens.ts.'],
  name: 'mmd (diffusion models)',
  scopeName: 'source.mmdiff',
  fileTypes: ['mmd'],
  patterns: [
    'comments',
    'strings',
    'keys',
    'declarations',
    'words',
    'types',
    'calls',
    'numbers',
    'operators',
    'punctuation',
    'names',
  ].map((rule) => ({
    include: `#${rule}`,
  })),
  repository: {
    comments: {
      patterns: [
        { name: 'comment.line.documentation.mmdiff', match: '///(?!/)[^\\n\\r]*' },
        { name: 'comment.line.double-slash.mmdiff', match: '//[^\\n\\r]*' },
      ],
    },
    strings: {
      name: 'string.quoted.double.mmdiff',
      begin: '"',
      end: '"|$',
      patterns: [
        { name: 'constant.character.escape.mmdiff', match: '\\\\(?:["\\\\nt]|u\\{[0-9A-Fa-f]{1,6}\\})' },
        { name: 'invalid.illegal.escape.mmdiff', match: '\\\\.' },
      ],
    },
    keys: {
      patterns: [{ name: 'variable.other.property.mmdiff', match: `\\b${name}(?=\\s*:)` }],
    },
    declarations: {
      match: `\\b(${declaring.join('|')})\\s+(${name})\\b(?!\\s*:(?!\\s))`,
      captures: {
        1: { name: 'storage.type.mmdiff' },
        2: {
          patterns: [
            { include: '#keys' },
            { include: '#words' },
            { name: 'entity.name.type.mmdiff', match: '^[A-Z]\\w*$' },
            { name: 'entity.name.mmdiff', match: name },
          ],
        },
      },
    },
    words: {
      patterns: [
        { name: 'constant.language.mmdiff', match: word(literals) },
        { name: 'keyword.control.mmdiff', match: word(control) },
        { name: 'keyword.other.block.mmdiff', match: word(blocks) },
        { name: 'storage.type.mmdiff', match: word(declaring) },
        { name: 'keyword.control.import.mmdiff', match: '\\b(?:from(?=\\s*")|as(?=\\s+\\w+\\s*[,}]))' },
      ],
    },
    types: { patterns: [{ name: 'support.type.mmdiff', match: `${word(types)}(?=\\s*(?:\\[|[,)=]))` }] },
    calls: {
      patterns: [
        { name: 'entity.name.function.mmdiff', match: `\\b${name}(?=\\()` },
        {
          match: `(${escaped('|>')})\\s*(${name})\\b`,
          captures: {
            1: { name: 'keyword.operator.mmdiff' },
            2: { patterns: [{ include: '#words' }, { name: 'entity.name.function.mmdiff', match: name }] },
          },
        },
      ],
    },
    numbers: { name: 'constant.numeric.mmdiff', match: source(tokens.NumberToken) },
    operators: {
      name: 'keyword.operator.mmdiff',
      match: operators.map((key) => source(tokens[key])).join('|'),
    },
    punctuation: {
      name: 'punctuation.mmdiff',
      match: ['Comma', 'Colon', 'LParen', 'RParen', 'LSquare', 'RSquare', 'LCurly', 'RCurly']
        .map((key) => source(tokens[key]))
        .join('|'),
    },
    names: { name: 'variable.other.mmdiff', match: name },
  },
};

/** Blocks marked `mmd` in Markdown. */
const injection = {
  scopeName: 'markdown.mmdiff.codeblock',
  injectionSelector: 'L:text.html.markdown',
  patterns: [
    {
      begin: '(^|\\G)(\\s*)(`{3,}|~{3,})\\s*(?i:(mmd|mmdiff)(?=\\s|$)[^`]*)$',
      end: '(^|\\G)(\\2|\\s{0,3})(\\3)\\s*$',
      name: 'markup.fenced_code.block.markdown',
      beginCaptures: { 4: { name: 'fenced_code.block.language' } },
      patterns: [
        {
          begin: '(^|\\G)(\\s*)(.*)',
          while: '(^|\\G)(?!\\s*([`~]{3,})\\s*$)',
          contentName: 'meta.embedded.block.mmdiff',
          patterns: [{ include: 'source.mmdiff' }],
        },
      ],
    },
  ],
};

const snippets = Object.fromEntries(
  [...declarationSnippets, ...memberSnippets()].map(({ label, insert, about }) => [
    label,
    { prefix: label, body: insert.split('\n'), description: about },
  ]),
);

const files = {
  'syntaxes/mmdiff.tmLanguage.json': grammar,
  'syntaxes/markdown.tmLanguage.json': injection,
  'snippets/mmdiff.json': snippets,
};
let stale = false;
for (const [file, content] of Object.entries(files)) {
  const path = join(extension, file);
  const options = (await prettier.resolveConfig(path)) ?? {};
  const text = await prettier.format(JSON.stringify(content), { ...options, parser: 'json' });
  if (process.argv.includes('--check')) {
    if (readFileSync(path, 'utf8') === text) continue;
    console.error(`editors/vscode/${file} is not what node scripts/textmate.mjs writes`);
    stale = true;
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
if (stale) process.exit(1);
