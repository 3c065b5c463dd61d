/**
 * Definition, references and rename.
 *
 * @module
 */
import type { Location, TextEdit } from 'vscode-languageserver-types';
import { KEYWORDS } from '../../grammar/tokens.js';
import { LineMap } from '../../grammar/lines.js';
import { analyze } from '../driver.js';
import { builtins } from '../elaborate/builtins/index.js';
import { joinPath } from '../project/project.js';
import { occurrenceAt, occurrencesIn, nodesAt, type Occurrence, type Symbol } from './occurrences.js';
import { rangeAt } from './positions.js';
import type { Checked, Workspace } from './workspace.js';

/** A place in a file of the project, or of the library (`std/...`). */
export type FileLocation = Omit<Location, 'uri'> & { readonly file: string };

/** All occurrences in a checked file. */
export function occurrences({ analysis }: Checked): Occurrence[] {
  return occurrencesIn(analysis.project, analysis.project.root);
}

export function symbolAt(checked: Checked, offset: number): Occurrence | undefined {
  return occurrenceAt(occurrences(checked), offset);
}

/** Where what stands at an offset is declared: a name's declaration, or the file of an import's path. */
export function definition(checked: Checked, offset: number): FileLocation | undefined {
  const { project } = checked.analysis;
  const [inner, outer] = nodesAt(checked.tree, offset);
  if (inner.kind === 'String' && outer?.kind === 'Import') {
    const path = inner.value;
    const file = path.startsWith('std/') ? path : joinPath(checked.file, path);
    if (file === undefined || !project.modules.has(file)) return undefined;
    const start = { line: 0, character: 0 };
    return { file, range: { start, end: start } };
  }
  const symbol = symbolAt(checked, offset)?.symbol;
  return symbol && declarationOf(checked, symbol);
}

function declarationOf(checked: Checked, symbol: Symbol): FileLocation | undefined {
  const module = symbol.file === undefined ? undefined : checked.analysis.project.modules.get(symbol.file);
  if (!module || !symbol.declared) return undefined;
  const lines = module.file === checked.file ? checked.lines : new LineMap(module.text);
  return { file: module.file, range: rangeAt(lines, symbol.declared.range) };
}

/** Every place where what stands at an offset is named, in all files of the project. */
export function references(
  workspace: Workspace,
  checked: Checked,
  offset: number,
  withDeclaration = true,
): FileLocation[] {
  const symbol = symbolAt(checked, offset)?.symbol;
  return symbol
    ? [...everywhere(workspace, checked, symbol)].filter((f) => withDeclaration || !f.declaration)
    : [];
}

function* everywhere(
  workspace: Workspace,
  checked: Checked,
  symbol: Symbol,
): Generator<FileLocation & { readonly declaration: boolean }> {
  const local = symbol.kind !== 'network' && symbol.kind !== 'builtin' && symbol.kind !== 'parameter';
  const files = local
    ? new Set([checked.file])
    : new Set([checked.file, ...(symbol.file === undefined ? [] : [symbol.file]), ...workspace.host.files()]);
  for (const file of files) {
    if (file.startsWith('std/')) continue;
    const text = workspace.text(file);
    if (text === undefined || !text.includes(symbol.name)) continue;
    const other = file === checked.file ? checked : workspace.checked(file);
    if (!other) continue;
    for (const found of occurrences(other)) {
      if (found.symbol.key !== symbol.key) continue;
      yield { file, range: rangeAt(other.lines, found.range), declaration: found.declaration };
    }
  }
}

/** Why something cannot be renamed, in a sentence. */
export class RenameRefused extends Error {}

/** The name at an offset that can be renamed. @throws RenameRefused */
export function renamable(checked: Checked, offset: number): Occurrence {
  const found = symbolAt(checked, offset);
  if (!found) throw new RenameRefused('there is no name here that could be renamed');
  const { kind, name, file } = found.symbol;
  if (kind === 'builtin') throw new RenameRefused(`\`${name}\` belongs to the language`);
  if (file?.startsWith('std/')) throw new RenameRefused(`\`${name}\` belongs to the standard library`);
  return found;
}

/** The edits that give a thing another name everywhere, by file. @throws RenameRefused where that would break something */
export function rename(
  workspace: Workspace,
  checked: Checked,
  offset: number,
  to: string,
): Map<string, TextEdit[]> {
  const { symbol } = renamable(checked, offset);
  if (!/^[A-Za-z_]\w*$/.test(to))
    throw new RenameRefused(
      `\`${to}\` is not a name: letters a to z, digits and \`_\`, not beginning with a digit`,
    );
  if (KEYWORDS.has(to)) throw new RenameRefused(`\`${to}\` is a word of the language`);
  if (symbol.kind === 'network' && builtins.has(to))
    throw new RenameRefused(`\`${to}\` is a function of the language`);
  const edits = new Map<string, TextEdit[]>();
  for (const { file, range } of everywhere(workspace, checked, symbol)) {
    const list = edits.get(file) ?? [];
    list.push({ range, newText: to });
    edits.set(file, list);
  }
  refuseConflicts(workspace, edits, to);
  return edits;
}

/** Checks the files as they would be: a name that is taken, or hides another, shows as a problem that was not there. */
function refuseConflicts(
  workspace: Workspace,
  edits: ReadonlyMap<string, readonly TextEdit[]>,
  to: string,
): void {
  const renamed = new Map<string, string>();
  for (const [file, list] of edits) renamed.set(file, applyEdits(workspace.text(file) ?? '', list));
  const { host } = workspace;
  const read = (texts: ReadonlyMap<string, string>) => ({
    read: (path: string) => {
      const text = texts.get(path) ?? (workspace.isOpen(path) ? workspace.text(path) : undefined);
      return text === undefined ? host.read(path) : ({ ok: true, text } as const);
    },
    readLibrary: (name: string) => host.readLibrary(name),
    libraryModules: () => host.libraryModules(),
  });
  for (const [file, text] of renamed) {
    const before = analyze(read(new Map()), file, workspace.text(file) ?? '').diagnostics;
    const after = analyze(read(renamed), file, text).diagnostics;
    if (after.length <= before.length) continue;
    const known = new Set(before.map((d) => d.code + d.message));
    const fresh = after.find((d) => !known.has(d.code + d.message)) ?? after[0];
    throw new RenameRefused(`as \`${to}\` it would be a problem: ${fresh.message}`);
  }
}

export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const lines = new LineMap(text);
  const at = ({ line, character }: { line: number; character: number }) =>
    lines.offset(line + 1, character + 1);
  return edits
    .map(({ range, newText }) => ({ start: at(range.start), end: at(range.end), newText }))
    .sort((a, b) => b.start - a.start)
    .reduce((all, { start, end, newText }) => all.slice(0, start) + newText + all.slice(end), text);
}
