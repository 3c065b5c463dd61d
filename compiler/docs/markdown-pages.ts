/**
 * The site as Markdown: the same content for readers of repositories, with pictures as SVG files beside the pages.
 *
 * @module
 */
import { drawChart } from './chart.js';
import {
  costs,
  defaultTable,
  lossTable,
  modalityTable,
  parameterTable,
  taskTable,
  trainText,
  type Table,
} from './content.js';
import { chartsOf } from './curves.js';
import { equationsOf } from './equations.js';
import { firstSentence } from './markdown.js';
import { drawArchitecture } from './picture.js';
import { pathLink, type ModelPage, type ModulePage, type Site } from './site.js';
import { standalone } from './style.js';

/** All files, by path. */
export function markdownFiles(site: Site, title: string): Map<string, string> {
  const files = new Map<string, string>();
  files.set('index.md', indexMarkdown(site, title));
  for (const page of site.models) {
    for (const [name, text] of modelMarkdown(site, page)) files.set(`models/${name}`, text);
  }
  for (const page of site.modules) files.set(`networks/${page.slug}.md`, moduleMarkdown(page));
  return files;
}

/** Text in Markdown: what would be markup there is escaped, HTML in particular. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/[\\`*_[\]<>#|!~$]/g, (c) => (c === '<' ? '&lt;' : c === '>' ? '&gt;' : `\\${c}`))
    .replace(/\n/g, ' ');
}

/** Code within a line, whatever it holds. */
function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = text.startsWith('`') || text.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${text.replace(/\s+/g, ' ')}${pad}${fence}`;
}

/** A doc comment: it is Markdown already; its HTML becomes text, and its headings go below the page's. */
export function docMarkdown(doc: string): string {
  let fenced = false;
  return doc
    .trim()
    .split('\n')
    .map((line) => {
      if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
      if (fenced) return line;
      const parts = line.split(/(`[^`]*`|\$[^$]*\$)/);
      const safe = parts
        .map((part, i) => (i % 2 === 1 ? part : part.replaceAll('<', '&lt;').replace(/!\[/g, '\\![')))
        .join('');
      return safe.replace(/^(#{1,6})(?=\s)/, (marks) => '#'.repeat(Math.min(6, marks.length + 2)));
    })
    .join('\n')
    .concat(fenced ? '\n```' : '');
}

function table(
  { head, rows, mono, numbers }: Table,
  link: (cell: string) => string | undefined = () => undefined,
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const cell = (text: string, i: number): string => {
    if (text === '') return '';
    // A pipe ends a cell even within code.
    const shown = mono?.includes(i) ? code(text).replaceAll('|', '\\|') : escapeMarkdown(text);
    const target = i === 0 ? link(text) : undefined;
    return target === undefined ? shown : `[${shown}](${target})`;
  };
  return [
    line(head.map(escapeMarkdown)),
    line(head.map((_, i) => (numbers?.includes(i) ? '---:' : '---'))),
    ...rows.map((row) => line(row.map(cell))),
  ].join('\n');
}

function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text.replace(/\n$/, '')}\n${fence}`;
}

function indexMarkdown(site: Site, title: string): string {
  const models = site.models.map(
    ({ model, slug, spec }) =>
      `- [${escapeMarkdown(model.info.name)}](models/${slug}.md) (${code(spec.file)})` +
      (model.info.doc === '' ? '' : `: ${docMarkdown(firstSentence(model.info.doc)).replaceAll('\n', ' ')}`),
  );
  const modules = site.modules.map(
    ({ title: name, slug, networks }) =>
      `- [${escapeMarkdown(name)}](networks/${slug}.md): ${networks.map((n) => code(n.name)).join(', ')}`,
  );
  return `${[
    `# ${escapeMarkdown(title)}`,
    ...(models.length > 0 ? ['## Models', models.join('\n')] : []),
    ...(modules.length > 0 ? ['## Networks', modules.join('\n')] : []),
  ].join('\n\n')}\n`;
}

function modelMarkdown(site: Site, { model, slug, spec }: ModelPage): Map<string, string> {
  const { info } = model;
  const files = new Map<string, string>();
  const picture = (id: string, svg: string, alt: string): string => {
    files.set(`${slug}-${id}.svg`, `${standalone(svg)}\n`);
    return `![${escapeMarkdown(alt)}](${slug}-${id}.svg)`;
  };
  const charts = chartsOf(info).map(
    (chart) =>
      `${picture(chart.id, drawChart(chart).text, chart.title)}\n\n**${chart.title}.** ${escapeMarkdown(chart.about)}`,
  );
  const equations = equationsOf(model).map(
    ({ title, equations: list }) =>
      `### ${title}\n\n${list
        .map(
          (e) =>
            `**${e.title}**\n\n$$\n${e.tex}\n$$${e.note === undefined ? '' : `\n\n${docMarkdown(e.note)}`}`,
        )
        .join('\n\n')}`,
  );
  const link = (cell: string): string | undefined => {
    const target = pathLink(site, model, cell, 'md');
    return target === undefined || target === ''
      ? undefined
      : `../${target.replace(/#.*/, (hash) => hash.toLowerCase())}`;
  };
  const parts = [
    `# ${escapeMarkdown(info.name)}`,
    `Model of ${code(spec.file)}, spec hash ${code(model.hash().slice(0, 16))}`,
    ...(info.doc.trim() === '' ? [] : [docMarkdown(info.doc)]),
    '## Architecture',
    picture('architecture', drawArchitecture(model).text, `Architecture of ${info.name}`),
    '## Modalities',
    table(modalityTable(model)),
    '## Process',
    ...charts,
    ...equations,
    '## Networks',
    table({ head: ['What', 'How much', ''], rows: costs(model) }),
    table(parameterTable(model), link),
    ...(info.tasks.length > 0 ? ['## Tasks', table(taskTable(info))] : []),
    '## Loss and training',
    table(lossTable(info)),
    escapeMarkdown(trainText(info)),
    ...(info.defaults.length > 0 ? ['## Defaults', table(defaultTable(info))] : []),
    '## Source',
    fenced(info.module.text.replace(/\r\n?/g, '\n'), 'mmd'),
  ];
  files.set(`${slug}.md`, `${parts.join('\n\n')}\n`);
  return files;
}

function moduleMarkdown({ title, networks }: ModulePage): string {
  const parts = networks.flatMap(({ name, signature, doc, source }) => [
    `## ${escapeMarkdown(name)}`,
    fenced(signature, 'mmd'),
    ...(doc === '' ? [] : [docMarkdown(doc)]),
    fenced(source, 'mmd'),
  ]);
  return `${[`# ${escapeMarkdown(title)}`, ...parts].join('\n\n')}\n`;
}
