/**
 * What a file is made of: symbols, folding and selection ranges. They need its tree alone.
 *
 * @module
 */
import {
  SymbolKind,
  type DocumentSymbol,
  type FoldingRange,
  type Position,
  type SelectionRange,
} from 'vscode-languageserver-types';
import type { Member, Name, Node, Range } from '../../grammar/ast.js';
import { walk } from '../../grammar/visit.js';
import type { FileLocation } from './navigation.js';
import { nodesAt } from './occurrences.js';
import { offsetAt, rangeAt } from './positions.js';
import type { Parsed, Workspace } from './workspace.js';

export function documentSymbols({ tree, lines, text }: Parsed): DocumentSymbol[] {
  const made = (
    name: string,
    kind: SymbolKind,
    range: Range,
    selection: Range,
    detail = '',
    inner?: DocumentSymbol[],
  ): DocumentSymbol[] =>
    name === ''
      ? []
      : [
          {
            name,
            kind,
            ...(detail !== '' && { detail }),
            range: rangeAt(lines, { start: range.start, end: Math.max(range.end, selection.end) }),
            selectionRange: rangeAt(lines, selection),
            ...(inner && { children: inner }),
          },
        ];
  const source = ({ range }: { readonly range: Range }): string =>
    text.slice(range.start, range.end).replace(/\s+/g, ' ');
  const member = (item: Member): DocumentSymbol[] => {
    switch (item.kind) {
      case 'Let':
        return item.names.flatMap((name) => made(name.text, SymbolKind.Constant, item.range, name.range));
      case 'Section': {
        const entries = item.block.entries.flatMap(({ key, range, value }) =>
          made(key.text, SymbolKind.Property, range, key.range, value && source(value)),
        );
        return made(item.section, SymbolKind.Object, item.range, item.keyword, '', entries);
      }
      case 'Modality':
      case 'Space':
        return made(
          item.name.text,
          item.kind === 'Space' ? SymbolKind.Struct : SymbolKind.Field,
          item.range,
          item.name.range,
          source(item.type),
        );
      case 'Task':
        return made(item.name.text, SymbolKind.Event, item.range, item.name.range, 'task');
      default:
        return made(item.name.text, SymbolKind.Method, item.range, item.name.range, item.kind.toLowerCase());
    }
  };
  return tree.declarations.flatMap((item) =>
    item.kind === 'Model'
      ? made(
          item.name.text,
          SymbolKind.Class,
          item.range,
          item.name.range,
          'model',
          item.members.flatMap(member),
        )
      : made(item.name.text, SymbolKind.Function, item.range, item.name.range, source(item.result)),
  );
}

/** Models and networks of the project whose names hold the letters asked for, in order. */
export function workspaceSymbols(
  workspace: Workspace,
  query: string,
): (FileLocation & { readonly name: string; readonly kind: SymbolKind })[] {
  const letters = new RegExp([...query].map((c) => c.replace(/[^\w]/g, '\\$&')).join('.*'), 'i');
  const files = new Set([...workspace.open, ...workspace.host.files()]);
  return [...files].flatMap((file) => {
    const parsed = workspace.parsed(file);
    return (parsed?.tree.declarations ?? [])
      .filter(({ name }: { name: Name }) => name.text !== '' && letters.test(name.text))
      .map((item) => ({
        name: item.name.text,
        kind: item.kind === 'Model' ? SymbolKind.Class : SymbolKind.Function,
        file,
        range: rangeAt((parsed as Parsed).lines, item.name.range),
      }));
  });
}

/** What can be folded: braces and brackets over several lines, imports, comments that follow each other. */
export function foldingRanges({ tree, lines }: Parsed): FoldingRange[] {
  const found = new Map<number, FoldingRange>();
  const fold = (range: Range, kind?: 'imports' | 'comment'): void => {
    const [start, end] = [lines.position(range.start).line - 1, lines.position(range.end).line - 1];
    // The closing bracket stays to be seen.
    const endLine = kind ? end : end - 1;
    if (endLine > start && !found.has(start))
      found.set(start, { startLine: start, endLine, ...(kind && { kind }) });
  };
  const [first] = tree.imports;
  const last = tree.imports.at(-1);
  if (first && last) fold({ start: first.range.start, end: last.range.end }, 'imports');
  walk(tree, (node) => {
    if (['Model', 'Network', 'Section', 'Block', 'Body', 'Call', 'List', 'Repeat'].includes(node.kind))
      fold(node.range);
  });
  for (let i = 0; i < tree.comments.length; i++) {
    const from = tree.comments[i].range;
    let to = from;
    const line = (offset: number): number => lines.position(offset).line;
    while (i + 1 < tree.comments.length && line(tree.comments[i + 1].range.start) === line(to.start) + 1)
      to = tree.comments[++i].range;
    if (to !== from) fold({ start: from.start, end: to.end }, 'comment');
  }
  return [...found.values()].sort((a, b) => a.startLine - b.startLine);
}

/** What to select next around each position: ever larger nodes. */
export function selectionRanges({ tree, lines }: Parsed, positions: readonly Position[]): SelectionRange[] {
  return positions.map((position) => {
    const nodes: Node[] = nodesAt(tree, offsetAt(lines, position)).filter((n) => n.range.end > n.range.start);
    const chain = nodes.filter(
      ({ range }, i) =>
        i === 0 || range.start !== nodes[i - 1].range.start || range.end !== nodes[i - 1].range.end,
    );
    const made = chain.reduceRight<SelectionRange | undefined>(
      (parent, { range }) => ({ range: rangeAt(lines, range), ...(parent && { parent }) }),
      undefined,
    );
    return made ?? { range: { start: position, end: position } };
  });
}
