/**
 * Diagnostics for people: title, code frame, help, fixes.
 *
 * @module
 */
import type { Diagnostic, Label, Place } from '../diagnostic.js';
import type { Mark } from './frame.js';
import { frame, gutterWidth } from './frame.js';
import type { Painter } from './painter.js';
import { plain } from './painter.js';
import type { LineMap } from '../../../grammar/lines.js';
import type { Lines, Source } from './source.js';
import { linesOf } from './source.js';
import { printable } from './width.js';

/** All diagnostics, a blank line between them; '' where there are none. */
export function renderText(list: readonly Diagnostic[], source: Source, painter: Painter = plain): string {
  const lines = linesOf(source);
  return list.map((d) => `${renderOne(d, lines, painter)}\n`).join('\n');
}

/** "2 errors and 1 warning", or "no problems". */
export function summary(list: readonly Diagnostic[]): string {
  const count = (severity: Diagnostic['severity'], noun: string): string[] => {
    const n = list.filter((d) => d.severity === severity).length;
    return n === 0 ? [] : [`${n} ${noun}${n === 1 ? '' : 's'}`];
  };
  const parts = [...count('error', 'error'), ...count('warning', 'warning'), ...count('info', 'note')];
  return parts.length === 0 ? 'no problems' : parts.join(', ').replace(/, (?=[^,]*$)/, ' and ');
}

interface Section {
  readonly file: string;
  readonly source: LineMap | undefined;
  readonly marks: Mark[];
}

function renderOne(d: Diagnostic, source: Lines, painter: Painter): string {
  const sections = involved(d, source);
  const framed = sections.filter((s) => s.source !== undefined);
  const gutter = Math.max(1, ...framed.map((s) => gutterWidth(s.source!, s.marks)));
  const pad = ' '.repeat(gutter);

  const out = [painter[d.severity](`${d.severity}[${d.code}]`) + painter.title(`: ${text(d.message, 2)}`)];
  for (const [i, section] of sections.entries()) {
    const arrow = i === 0 ? '-->' : ':::';
    if (i > 0) out.push(painter.gutter(`${pad} |`));
    out.push(`${pad}${painter.gutter(arrow)} ${where(section)}`);
    if (section.source !== undefined) {
      out.push(...frame(section.source, section.marks, gutter, painter));
      continue;
    }
    for (const m of section.marks)
      if (m.message !== '') out.push(`${pad} ${painter.gutter('|')} ${text(m.message)}`);
  }
  const notes = [
    ...(d.help === undefined ? [] : [painter.help('help:') + ` ${text(d.help, gutter + 9)}`]),
    ...d.fixes.map(
      (f) => `${painter.fix('fix:')} ${text(f.title, gutter + 8)}${f.safe ? ' (applied by `--fix`)' : ''}`,
    ),
  ];
  if (notes.length > 0 && framed.length > 0) out.push(painter.gutter(`${pad} |`));
  for (const note of notes) out.push(`${pad} ${painter.gutter('=')} ${note}`);
  return out.join('\n');
}

/** The files a diagnostic points into, its own first, each with its marks. */
function involved(d: Diagnostic, source: Lines): Section[] {
  const own = d.labels.find((l) => samePlace(l, d));
  const sections = new Map<string, Section>();
  const add = (place: Place, message: string, primary: boolean): void => {
    const section = sections.get(place.file) ?? { file: place.file, source: source(place.file), marks: [] };
    sections.set(place.file, section);
    section.marks.push({ range: place.range, message, primary, style: primary ? d.severity : 'secondary' });
  };
  // A problem of no file at all (wrong usage) has an empty file name.
  if (d.file !== '') add(d, own?.message ?? '', true);
  for (const label of d.labels) if (label !== own) add(label, label.message, false);
  return [...sections.values()];
}

function samePlace(label: Label, d: Diagnostic): boolean {
  return label.file === d.file && label.range.start === d.range.start && label.range.end === d.range.end;
}

function where(section: Section): string {
  const file = text(section.file);
  if (section.source === undefined) return file;
  const { line, column } = section.source.position(section.marks[0]!.range.start);
  return `${file}:${line}:${column}`;
}

/** Safe to print; further lines are indented. */
function text(message: string, indent = 0): string {
  return printable(message).replace(/\n/g, `\n${' '.repeat(indent)}`);
}
