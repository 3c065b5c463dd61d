/**
 * The frame that every HTML page of a site has. Nothing is loaded from anywhere, and only the page's own script runs:
 * whatever a spec contains, it stays text.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { markup, trusted, type Content, type Html } from './html.js';
import { searchIndex, searchScript, type Entry } from './search.js';
import { pageStyle } from './style.js';
import type { Table } from './content.js';

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly content: Content;
}

export interface Page {
  readonly title: string;
  /** Before the title in the bar: what the page belongs to. */
  readonly crumb?: string;
  /** Below the title. */
  readonly head: Content;
  readonly sections: readonly Section[];
  /** From the page to the root of the site: `../` or nothing. */
  readonly root: string;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** SHA-256 as a content security policy writes it: base64 (RFC 4648), 32 bytes and so one `=`. */
function digest(text: string): string {
  const bits = [...sha256(utf8ToBytes(text))].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const sextets = bits.match(/.{1,6}/g) ?? [];
  return `'sha256-${sextets.map((six) => ALPHABET[parseInt(six.padEnd(6, '0'), 2)]).join('')}='`;
}

const policy = [
  `default-src 'none'`,
  `style-src ${digest(pageStyle)}`,
  `script-src ${digest(searchScript)}`,
  `base-uri 'none'`,
  `form-action 'none'`,
].join('; ');

/** The page as text. */
export function renderPage(page: Page, siteTitle: string, entries: readonly Entry[]): string {
  const contents =
    page.sections.length < 2
      ? undefined
      : markup`<nav class="contents" aria-label="On this page"><ul>${page.sections.map(
          ({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>`,
        )}</ul></nav>`;
  const title = page.title === siteTitle ? siteTitle : `${page.title} · ${siteTitle}`;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta http-equiv="Content-Security-Policy" content="${trusted(policy)}" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="generator" content="mmdc" />
<title>${title}</title>
${trusted(`<style>${pageStyle}</style>`)}
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header class="bar"><div>
<a class="home" href="${page.root}index.html">${siteTitle}</a>${page.crumb === undefined ? undefined : markup` <span class="crumb">${page.crumb}</span>`}
<div class="search" role="search" data-root="${page.root}" hidden="">
<input type="search" aria-label="Search the documentation" placeholder="Search: press /" autocomplete="off" spellcheck="false" role="combobox" aria-expanded="false" aria-controls="found" />
<ul id="found" aria-label="What was found" hidden=""></ul>
<span class="unseen" role="status"></span>
</div>
</div></header>
<div class="layout${contents === undefined ? ' single' : ''}">
${contents}
<main id="content">
<h1>${page.title}</h1>
${page.head}
${page.sections.map(
  (section) =>
    markup`<section id="${section.id}" aria-labelledby="${section.id}-title"><h2 id="${section.id}-title">${section.title}</h2>
${section.content}</section>
`,
)}</main>
</div>
<footer>Written by <code>mmdc doc</code> from the specs themselves.</footer>
${trusted(`<script type="application/json" id="index">${searchIndex(entries)}</script>`)}
${trusted(`<script>${searchScript}</script>`)}
</body>
</html>
`.text;
}

/**
 * A table; its first column heads the rows.
 * @param link where a cell leads, if anywhere
 */
export function tableHtml(
  table: Table,
  label: string,
  link: (cell: string, column: number) => string | undefined = () => undefined,
): Html {
  const cell = (text: string, column: number): Html => {
    const content =
      table.mono?.includes(column) && text !== '' ? markup`<code>${text}</code>` : markup`${text}`;
    const target = link(text, column);
    return target === undefined ? content : markup`<a href="${target}">${content}</a>`;
  };
  const kind = (column: number) => (table.numbers?.includes(column) ? 'number' : 'text');
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table><thead><tr>${table.head.map(
    (text, i) => markup`<th scope="col" class="${kind(i)}">${text}</th>`,
  )}</tr></thead><tbody>${table.rows.map(
    (row) =>
      markup`<tr>${row.map((text, i) =>
        i === 0
          ? markup`<th scope="row">${cell(text, i)}</th>`
          : markup`<td class="${kind(i)}">${cell(text, i)}</td>`,
      )}</tr>`,
  )}</tbody></table></div>
`;
}
