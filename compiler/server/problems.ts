/**
 * Diagnostics as the protocol has them, and their fixes as code actions.
 *
 * @module
 */
import type { DiagnosticSeverity } from 'vscode-languageserver-types';
import {
  DiagnosticTag,
  type CodeAction,
  type Diagnostic as Shown,
  type Range as TextRange,
  type TextEdit,
} from 'vscode-languageserver-types';
import { LineMap } from '../../grammar/lines.js';
import type { Diagnostic, Edit, Fix, Severity } from '../diagnostics/diagnostic.js';
import { offsetAt, rangeAt } from './positions.js';
import type { Checked } from './workspace.js';

const severities: Readonly<Record<Severity, DiagnosticSeverity>> = { error: 1, warning: 2, info: 3 };

/** Codes of what is there for nothing: editors show it faded. */
const unused = new Set(['MMD0321', 'MMD0322', 'MMD0323', 'MMD0332']);

type ToUri = (file: string) => string;

/** Problems by file, every file of the project that is not the library's among them, so that old ones go. */
export function diagnosticsOf(checked: Checked, uri: ToUri): Map<string, Shown[]> {
  const { project, diagnostics } = checked.analysis;
  const found = new Map<string, Shown[]>();
  for (const [file, module] of project.modules) if (!module.library) found.set(file, []);
  const maps = new Map<string, LineMap>([[checked.file, checked.lines]]);
  const lines = (file: string): LineMap => {
    let map = maps.get(file);
    if (!map) maps.set(file, (map = new LineMap(checked.analysis.sources.get(file) ?? '')));
    return map;
  };
  for (const d of diagnostics) found.get(d.file)?.push(shown(d, lines, uri));
  return found;
}

function shown(d: Diagnostic, lines: (file: string) => LineMap, uri: ToUri): Shown {
  return {
    range: rangeAt(lines(d.file), d.range),
    severity: severities[d.severity],
    code: d.code,
    source: 'mmdc',
    message: d.help === undefined ? d.message : `${d.message}\nhelp: ${d.help}`,
    ...(unused.has(d.code) && { tags: [DiagnosticTag.Unnecessary] }),
    ...(d.labels.length > 0 && {
      relatedInformation: d.labels.map(({ file, range, message }) => ({
        location: { uri: uri(file), range: rangeAt(lines(file), range) },
        message,
      })),
    }),
  };
}

/** Fixes of the problems that touch a range, and one action for all safe fixes of the file. */
export function codeActions(checked: Checked, range: TextRange, uri: ToUri): CodeAction[] {
  const { start, end } = {
    start: offsetAt(checked.lines, range.start),
    end: offsetAt(checked.lines, range.end),
  };
  const own = checked.analysis.diagnostics.filter((d) => d.file === checked.file);
  const actions = own
    .filter((d) => d.range.start <= end && d.range.end >= start)
    .flatMap((d) =>
      d.fixes.map((fix): CodeAction => ({
        title: fix.title,
        kind: 'quickfix',
        isPreferred: fix.safe,
        diagnostics: [shown(d, lineMaps(checked), uri)],
        edit: { changes: changes(checked, fix.edits, uri) },
      })),
    );
  const safe = apart(own.flatMap((d) => d.fixes.find((fix) => fix.safe) ?? []));
  if (safe.length > 0)
    actions.push({
      title: 'Fix all that is safe to fix',
      kind: 'source.fixAll',
      edit: { changes: changes(checked, safe, uri) },
    });
  return actions;
}

const lineMaps =
  (checked: Checked) =>
  (file: string): LineMap =>
    file === checked.file ? checked.lines : new LineMap(checked.analysis.sources.get(file) ?? '');

function changes(checked: Checked, edits: readonly Edit[], uri: ToUri): Record<string, TextEdit[]> {
  const byFile: Record<string, TextEdit[]> = {};
  for (const edit of edits)
    (byFile[uri(edit.file)] ??= []).push({
      range: rangeAt(lineMaps(checked)(edit.file), edit.range),
      newText: edit.text,
    });
  return byFile;
}

/** The edits of fixes that do not meet each other. */
function apart(fixes: readonly Fix[]): Edit[] {
  const taken: Edit[] = [];
  const meets = (a: Edit, b: Edit): boolean =>
    a.file === b.file && a.range.start < b.range.end && b.range.start < a.range.end;
  for (const fix of fixes)
    if (!fix.edits.some((edit) => taken.some((other) => meets(edit, other)))) taken.push(...fix.edits);
  return taken;
}
