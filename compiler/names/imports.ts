/**
 * Imports: reserved names, and what nothing uses.
 *
 * @module
 */
import type { Import, ImportName, Range } from '../../grammar/ast.js';
import type { Fix } from '../diagnostics/diagnostic.js';
import type { FileNames } from './file.js';
import { isReserved, reportReserved } from './networks.js';

/** Call it last: whether an import is used is known once the file has been seen. */
export function checkImports(file: FileNames): void {
  for (const item of file.module.tree.imports) {
    for (const { local } of item.names) if (isReserved(local.text)) reportReserved(file, local, 'an import');
    if (file.damaged) continue;
    const unused = item.names.filter(({ local }) => isUnused(file, local.text));
    for (const name of unused) {
      const fix = removal(file, item, name, unused);
      file.report('MMD0322', name.local.range, { name: name.local.text }, { fixes: [fix] });
    }
  }
}

function isUnused(file: FileNames, name: string): boolean {
  return name !== '' && !name.startsWith('_') && file.module.scope.has(name) && !file.isNetworkUsed(name);
}

/** Removes the name, or the whole import where none of its names is used. */
function removal(file: FileNames, item: Import, name: ImportName, unused: readonly ImportName[]): Fix {
  const whole = unused.length === item.names.length;
  const range = whole ? wholeLines(file.module.text, item.range) : withComma(item, name, unused);
  const comment = file.module.text.slice(range.start, range.end).includes('//');
  return {
    title: whole ? 'remove the import' : `remove \`${name.local.text}\``,
    // A comment would go with it.
    safe: !comment,
    edits: [{ file: file.module.file, range, text: '' }],
  };
}

/** A name with the comma that separates it from one that stays. */
function withComma(item: Import, name: ImportName, unused: readonly ImportName[]): Range {
  const at = item.names.indexOf(name);
  const staysBefore = item.names.slice(0, at).some((other) => !unused.includes(other));
  return staysBefore
    ? { start: item.names[at - 1].range.end, end: name.range.end }
    : { start: name.range.start, end: item.names[at + 1].range.start };
}

/** The range with its line break, where nothing else stands on its lines. */
function wholeLines(text: string, { start, end }: Range): Range {
  let before = start;
  while (before > 0 && /[ \t]/.test(text[before - 1])) before--;
  if (before > 0 && !/[\r\n]/.test(text[before - 1])) return { start, end };
  const after = /[ \t]*(?:\r\n|\n|\r|$)/y;
  after.lastIndex = end;
  return after.test(text) ? { start, end: after.lastIndex } : { start, end };
}
