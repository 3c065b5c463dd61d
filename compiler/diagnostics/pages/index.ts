/**
 * All pages by code, and a page as Markdown.
 *
 * @module
 */
import type { Code } from '../table.js';
import { rowOf } from '../table.js';
import { imports } from './imports.js';
import { limits } from './limits.js';
import { model } from './model.js';
import { names } from './names.js';
import type { Page } from './page.js';
import { showExample, showFix } from './page.js';
import { process } from './process.js';
import { run } from './run.js';
import { settings } from './settings.js';
import { syntax } from './syntax.js';
import { targets } from './targets.js';
import { types } from './types.js';

export type { Example, FilesExample, Page, ShellExample } from './page.js';
export { exampleFiles, showExample } from './page.js';

export const pages: { readonly [C in Code]?: Page } = {
  ...syntax,
  ...imports,
  ...names,
  ...types,
  ...model,
  ...process,
  ...settings,
  ...limits,
  ...run,
  ...targets,
};

/** The page of a code as Markdown: title, explanation, the example that has the problem and the one without. */
export function explain(code: Code): string {
  const row = rowOf(code);
  const page = pages[code];
  const head = `# ${code}: ${row.title} (${row.severity})`;
  if (page === undefined) return `${head}\n`;
  return `${head}

${page.about.trim()}

## With the problem

${showExample(page.bad)}

## Without it

${showFix(page)}
`;
}
