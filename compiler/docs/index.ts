/**
 * Documentation from specs: a site of HTML pages, and the same as Markdown. Pure: checked models in, texts of files out.
 *
 * @module
 */
import { markdownFiles } from './markdown-pages.js';
import { modelPage } from './model-page.js';
import { renderPage } from './page.js';
import { indexPage, modulePage } from './pages.js';
import { entriesOf, siteOf, type DocSpec, type Site } from './site.js';

export type { DocSpec } from './site.js';

export interface DocOptions {
  /** The name of the site; `Models` unless told. */
  readonly title?: string;
  /** What to write; both unless told. */
  readonly formats?: readonly ('html' | 'markdown')[];
}

/**
 * Texts of the files of a site, by path with `/` between folders: `index.html`, `models/Digits.html`,
 * `networks/std-backbones.html`, and as Markdown the same with `.md` and pictures as `.svg`. Pages link to each other
 * relatively and to nothing else.
 *
 * @param specs specs without errors
 */
export function documentation(specs: readonly DocSpec[], options: DocOptions = {}): Map<string, string> {
  const { title = 'Models', formats = ['html', 'markdown'] } = options;
  const site = siteOf(specs);
  return new Map([
    ...(formats.includes('html') ? htmlFiles(site, specs, title) : []),
    ...(formats.includes('markdown') ? markdownFiles(site, title) : []),
  ]);
}

function htmlFiles(site: Site, specs: readonly DocSpec[], title: string): Map<string, string> {
  const files = new Map<string, string>();
  const entries = entriesOf(site);
  const add = (path: string, page: Parameters<typeof renderPage>[0]): void => {
    files.set(path, renderPage(page, title, entries));
  };
  add('index.html', indexPage(site, title));
  for (const page of site.models) add(`models/${page.slug}.html`, modelPage(site, page));
  for (const page of site.modules) {
    const owner = specs.find(({ analysis }) => [...analysis.project.modules.values()].includes(page.module));
    if (owner) add(`networks/${page.slug}.html`, modulePage(site, page, owner.analysis.project));
  }
  return files;
}
