/**
 * Imports: reserved names, and what nothing uses.
 *
 * @module
 */
import type { Import } from '../../grammar/ast.js';
import type { Fix } from '../diagnostics/diagnostic.js';
import { removed } from '../diagnostics/edits.js';
import type { FileNames } from './file.js';
import { isReserved, reportReserved } from './networks.js';

/** Call it last: whether an import is used is known once the file has been seen. */
export function checkImports(file: FileNames): void {
  for (const item of file.module.tree.imports) {
    for (const { local } of item.names) if (isReserved(local.text)) reportReserved(file, local, 'an import');
    if (file.damaged) continue;
    const unused = item.names.map(({ local }) => isUnused(file, local.text));
    const staying = unused.indexOf(false);
    for (const [at, name] of item.names.entries()) {
      if (!unused[at]) continue;
      const fix = removal(file, item, at, staying);
      file.report('MMD0322', name.local.range, { name: name.local.text }, { fixes: [fix] });
    }
  }
}

function isUnused(file: FileNames, name: string): boolean {
  return name !== '' && !name.startsWith('_') && file.module.scope.has(name) && !file.isNetworkUsed(name);
}

/**
 * Removes a name, or the whole import where none of its names is used.
 * @param staying index of the first name that is used, -1 where there is none
 */
function removal(file: FileNames, item: Import, at: number, staying: number): Fix {
  const { names } = item;
  const range =
    staying < 0
      ? removed(file.module.text, item.range)
      : // With the comma towards a name that stays, so that several removals do not meet.
        staying < at
        ? { start: names[at - 1].range.end, end: names[at].range.end }
        : { start: names[at].range.start, end: names[at + 1].range.start };
  const comment =
    file.module.text.slice(range.start, range.end).includes('//') &&
    file.module.tree.comments.some((c) => c.range.start < range.end && c.range.end > range.start);
  return {
    title: staying < 0 ? 'remove the import' : `remove \`${names[at].local.text}\``,
    // A comment would go with it.
    safe: !comment,
    edits: [{ file: file.module.file, range, text: '' }],
  };
}
