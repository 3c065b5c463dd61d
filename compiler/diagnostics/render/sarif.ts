/**
 * Diagnostics for code scanning: SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format").
 *
 * @module
 */
import type { Range } from '../../../grammar/ast.js';
import type { Diagnostic, Edit, Place, Severity } from '../diagnostic.js';
import { explain } from '../pages/index.js';
import { findRow } from '../table.js';
import type { LineMap } from '../../../grammar/lines.js';
import type { Lines, Source } from './source.js';
import { clamp, linesOf } from './source.js';

const levels: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  error: 'error',
  warning: 'warning',
  info: 'note',
};

/**
 * A SARIF log with one run, as JSON ending in a newline. Rules are the codes that occur, with their pages;
 * columns count UTF-16 units.
 */
export function renderSarif(list: readonly Diagnostic[], source: Source, version: string): string {
  const lines = linesOf(source);
  const ids = [...new Set(list.map((d) => d.code))].sort();
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'mmdc', version, rules: ids.map(rule) } },
        columnKind: 'utf16CodeUnits',
        results: list.map((d) => result(d, ids.indexOf(d.code), lines)),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function rule(id: string): object {
  const found = findRow(id);
  if (found === undefined) return { id };
  return {
    id,
    shortDescription: { text: found.row.title },
    help: { text: explain(found.code), markdown: explain(found.code) },
    defaultConfiguration: { level: levels[found.row.severity] },
  };
}

function result(d: Diagnostic, ruleIndex: number, lines: Lines): object {
  return {
    ruleId: d.code,
    ruleIndex,
    level: levels[d.severity],
    message: { text: d.help === undefined ? d.message : `${d.message}\n${d.help}` },
    locations: d.file === '' ? [] : [{ physicalLocation: physical(d, lines) }],
    ...(d.labels.length === 0
      ? {}
      : {
          relatedLocations: d.labels.map((l, id) => ({
            id,
            message: { text: l.message },
            physicalLocation: physical(l, lines),
          })),
        }),
    ...(d.fixes.length === 0
      ? {}
      : {
          fixes: d.fixes.map((f) => ({
            description: { text: f.title },
            artifactChanges: changes(f.edits, lines),
          })),
        }),
  };
}

function physical(place: Place, lines: Lines): object {
  const source = lines(place.file);
  return {
    artifactLocation: { uri: uri(place.file) },
    ...(source === undefined ? {} : { region: region(source, place.range) }),
  };
}

/** One change a file, as the format wants it. */
function changes(edits: readonly Edit[], lines: Lines): object[] {
  const files = [...new Set(edits.map((e) => e.file))];
  return files.map((file) => {
    const source = lines(file);
    return {
      artifactLocation: { uri: uri(file) },
      replacements: edits
        .filter((e) => e.file === file)
        .map((e) => ({
          deletedRegion:
            source === undefined
              ? { charOffset: e.range.start, charLength: e.range.end - e.range.start }
              : region(source, e.range),
          insertedContent: { text: e.text },
        })),
    };
  });
}

function region(source: LineMap, range: Range): object {
  const { start, end } = clamp(source, range);
  const first = source.position(start);
  const last = source.position(end);
  return {
    startLine: first.line,
    startColumn: first.column,
    endLine: last.line,
    endColumn: last.column,
    charOffset: start,
    charLength: end - start,
  };
}

/** A file name as a URI reference: forward slashes, everything unusual escaped. */
function uri(file: string): string {
  const path = file.replaceAll('\\', '/');
  const drive = /^[A-Za-z]:(?=\/)/.exec(path)?.[0] ?? '';
  const scheme = drive !== '' ? 'file:///' : path.startsWith('/') ? 'file://' : '';
  return scheme + drive + path.slice(drive.length).split('/').map(encodeURIComponent).join('/');
}
