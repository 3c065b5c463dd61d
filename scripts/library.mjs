/**
 * Writes docs/library.md: the functions of the core, the transforms of derived modalities and the networks of the
 * standard library, each from its source. Run it after `npm run build` when one has changed;
 * with `--check` nothing is written, and the exit code is 1 if the page is out of date.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as prettier from 'prettier';
import { builtins } from '../dist/compiler/elaborate/builtins/index.js';
import { transforms } from '../dist/compiler/model/transforms.js';
import { parse } from '../dist/grammar/index.js';

const root = new URL('../', import.meta.url);
const page = new URL('docs/library.md', root);

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function shown(value) {
  if (value === null || typeof value !== 'object') return String(value);
  if (!('form' in value)) return JSON.stringify(value);
  const args = Object.entries(value.args ?? {});
  return args.length === 0 ? value.form : `${value.form}(${args.map(([, v]) => v).join(', ')})`;
}

/** Parameters as they are called, and what each is. */
function signature({ name, params }) {
  const list = params.map((p) => {
    if (p.variadic) return `...${p.name}`;
    if (p.default === undefined) return p.name;
    return p.default === null ? `${p.name}?` : `${p.name}: ${shown(p.default)}`;
  });
  return `${name}(${list.join(', ')})`;
}

const meanings = (params) => params.map((p) => `\`${p.name}\`: ${p.about}`).join('; ');

function functions() {
  const rows = [...builtins.values()].map(
    (b) =>
      `| \`${cell(signature(b))}\` | \`${cell(b.result)}\` | ${cell(`${b.about} ${meanings(b.params)}.`)} |`,
  );
  return ['| function | result | |', '| --- | --- | --- |', ...rows].join('\n');
}

function derivations() {
  const list = transforms instanceof Map ? [...transforms.values()] : transforms;
  const rows = list.map((t) => {
    const input = t.input.length === 0 ? 'begins a chain' : t.input.map((type) => `\`${type}\``).join(', ');
    const params = t.params.length === 0 ? '' : ` ${meanings(t.params)}.`;
    return `| \`${cell(signature(t))}\` | ${input} | ${cell(t.about + params)}${t.random ? ' Drawn anew for every row.' : ''} |`;
  });
  return ['| transform | of | |', '| --- | --- | --- |', ...rows].join('\n');
}

function networks(name) {
  const text = readFileSync(new URL(`stdlib/${name}.mmd`, root), 'utf8');
  return parse(text)
    .tree.declarations.map((network) => {
      const head = text.slice(network.name.range.start, network.body.range.start).trim();
      return `#### ${network.name.text}\n\n\`\`\`text\n${head}\n\`\`\`\n\n${network.doc?.text ?? ''}`;
    })
    .join('\n\n');
}

/** The page, laid out. */
async function libraryPage() {
  const modules = readdirSync(new URL('stdlib/', root))
    .map((file) => file.replace(/\.mmd$/, ''))
    .sort((a, b) => Number(b === 'prelude') - Number(a === 'prelude') || (a < b ? -1 : 1));
  const sections = modules.map((name) => {
    const say =
      name === 'prelude'
        ? 'Every file sees these without importing them.'
        : `\`import { ... } from "std/${name}"\``;
    return `### std/${name}\n\n${say}\n\n${networks(name)}`;
  });
  const text = `# Functions, transforms and networks

[The language](language.md) is described on a page of its own. This one is made from the sources by
\`node scripts/library.mjs\`.

## Functions of the core

A parameter with a value may be left out, and then has this value; one with \`?\` may be left out as well.

${functions()}

## Transforms of derived modalities

${derivations()}

## The standard library

Its networks are written in the language, in \`stdlib/\`: to change one, copy it into a file of your own. The numbers of
parameters are held to those of the published architectures by \`test/stdlib\`.

${sections.join('\n\n')}
`;
  const options = await prettier.resolveConfig(fileURLToPath(page));
  return prettier.format(text, { ...options, parser: 'markdown' });
}

const text = await libraryPage();
if (!process.argv.includes('--check')) writeFileSync(page, text);
else if (readFileSync(page, 'utf8') !== text) {
  console.error('docs/library.md is out of date: run `node scripts/library.mjs`');
  process.exitCode = 1;
}
