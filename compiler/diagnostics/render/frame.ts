/**
 * The code frame: the lines of one file that a diagnostic involves, with marks under (and bars beside) every
 * labelled range.
 *
 * @module
 */
import type { Range } from '../../../grammar/ast.js';
import type { Painter, Style } from './painter.js';
import { Row } from './painter.js';
import type { LineMap } from '../../../grammar/lines.js';
import { clamp } from './source.js';
import { layOut, printable } from './width.js';

export interface Mark {
  readonly range: Range;
  readonly message: string;
  readonly primary: boolean;
  readonly style: Style;
}

/** Longest part of a line that is shown, in UTF-16 units. */
const LONGEST_LINE = 140;
/** Units shown before the first mark of a line that is cut. */
const LEAD = 20;
/** A range over more lines than this loses its middle. */
const LONGEST_SPAN = 6;

interface Placed {
  readonly mark: Mark;
  readonly startLine: number;
  readonly endLine: number;
  /** UTF-16 units into the line, from 0. */
  readonly start: number;
  readonly end: number;
  /** Multi-line ranges: which bar, from the left. */
  bar: number;
}

/** The number of digits the gutter needs for these marks. */
export function gutterWidth(source: LineMap, marks: readonly Mark[]): number {
  return String(Math.max(...marks.map((m) => place(source, m).endLine))).length;
}

/** The rows of a frame, each with its gutter of `gutter` digits; the first is the empty row under the title. */
export function frame(source: LineMap, marks: readonly Mark[], gutter: number, painter: Painter): string[] {
  return new Frame(source, marks, gutter, painter).render();
}

class Frame {
  readonly #placed: readonly Placed[];
  readonly #bars: number;
  readonly #active = new Set<Placed>();
  readonly #rows: string[] = [];

  constructor(
    readonly source: LineMap,
    marks: readonly Mark[],
    readonly gutter: number,
    readonly painter: Painter,
  ) {
    this.#placed = marks.map((m) => place(source, m));
    this.#bars = assignBars(this.#placed.filter((p) => p.startLine !== p.endLine));
  }

  render(): string[] {
    this.#emit('', this.#row());
    let last: number | undefined;
    for (const line of shownLines(this.#placed, this.source.lineCount)) {
      if (last !== undefined && line > last + 1) {
        const gap = this.#row();
        this.#rows.push(
          `${this.painter.gutter('.'.repeat(3))} ${' '.repeat(this.gutter - 1)}${gap.paint(this.painter)}`.trimEnd(),
        );
      }
      this.#line(line);
      last = line;
    }
    return this.#rows;
  }

  #line(number: number): void {
    const starting = this.#placed.filter((p) => p.bar >= 0 && p.startLine === number);
    const ending = this.#placed.filter((p) => p.bar >= 0 && p.endLine === number);
    const inline = this.#placed.filter((p) => p.bar < 0 && p.startLine === number);
    const text = this.source.lineText(number);
    const shown = window(text, [
      ...inline.flatMap((p) => [p.start, p.end]),
      ...starting.map((p) => p.start),
      ...ending.map((p) => p.end),
    ]);

    const row = this.#row();
    row.put(this.#left, shown.cells);
    // A range that begins with its line needs no row of its own to say where it begins.
    const plainStart = starting.filter((p) => text.slice(0, p.start).trim() === '');
    for (const p of plainStart) row.put(2 * p.bar, '/', p.mark.style);
    this.#emit(String(number), row);
    plainStart.forEach((p) => this.#active.add(p));

    this.#inlineMarks(inline.map((p) => columns(p.mark, shown.column(p.start), shown.column(p.end))));
    for (const p of ending.toSorted((a, b) => b.bar - a.bar)) {
      this.#corner(p, Math.max(0, shown.column(p.end) - 1), true);
      this.#active.delete(p);
    }
    for (const p of starting.filter((s) => !plainStart.includes(s))) {
      this.#corner(p, shown.column(p.start), false);
      this.#active.add(p);
    }
  }

  /** The row that leads from the bar of a multi-line range to where it begins or ends. */
  #corner(p: Placed, column: number, end: boolean): void {
    const { mark } = p;
    const from = 2 * p.bar + 1;
    const row = new Row().put(from, '_'.repeat(this.#left + column - from), mark.style);
    for (const other of this.#active) row.put(2 * other.bar, '|', other.mark.style);
    row.put(this.#left + column, mark.primary ? '^' : '-', mark.style);
    if (end && mark.message !== '') row.put(row.length + 1, mark.message, mark.style);
    this.#emit('', row);
  }

  /** Underlines, with the rightmost message beside them and the others hanging below their own. */
  #inlineMarks(marks: readonly Columns[]): void {
    if (marks.length === 0) return;
    const row = this.#row();
    // Shorter marks over longer ones, so that a range inside another stays visible.
    const length = (m: Columns) => m.end - m.start;
    const order = marks.toSorted(
      (a, b) => length(b) - length(a) || Number(a.mark.primary) - Number(b.mark.primary),
    );
    for (const m of order) {
      row.put(this.#left + m.start, (m.mark.primary ? '^' : '-').repeat(m.end - m.start), m.mark.style);
    }
    const said = marks
      .filter((m) => m.mark.message !== '')
      .toSorted((a, b) => b.start - a.start || b.end - a.end);
    const beside = said.find((m) => marks.every((o) => o.end <= m.end && (o === m || o.start <= m.start)));
    if (beside !== undefined) row.put(row.length + 1, beside.mark.message, beside.mark.style);
    this.#emit('', row);

    const hanging = said.filter((m) => m !== beside);
    if (hanging.length > 0) this.#emit('', this.#stems(hanging, Infinity));
    for (const m of hanging) {
      this.#emit('', this.#stems(hanging, m.start).put(this.#left + m.start, m.mark.message, m.mark.style));
    }
  }

  /** Stems of the messages that are still to come, left of `column`. */
  #stems(hanging: readonly Columns[], column: number): Row {
    const row = this.#row();
    const left = hanging.filter((m) => m.start < column).toSorted((a, b) => a.start - b.start);
    for (const m of left) row.put(this.#left + m.start, '|', m.mark.style);
    return row;
  }

  /** The column at which source text begins. */
  get #left(): number {
    return 2 * this.#bars;
  }

  #row(): Row {
    const row = new Row();
    const bars = [...this.#active].toSorted((a, b) => a.bar - b.bar);
    for (const p of bars) row.put(2 * p.bar, '|', p.mark.style);
    return row;
  }

  #emit(label: string, row: Row): void {
    const gutter = this.painter.gutter(`${label.padStart(this.gutter)} |`);
    const body = row.paint(this.painter);
    this.#rows.push(body === '' ? gutter : `${gutter} ${body}`);
  }
}

interface Columns {
  readonly mark: Mark;
  readonly start: number;
  readonly end: number;
}

/** An empty range is marked by one sign. */
function columns(mark: Mark, start: number, end: number): Columns {
  return { mark, start, end: Math.max(end, start + 1) };
}

function place(source: LineMap, mark: Mark): Placed {
  const range = clamp(source, mark.range);
  const first = source.position(range.start);
  let last = source.position(range.end);
  // A range that includes a line's break ends with that line, not before the next one's first character.
  if (last.column === 1 && last.line > first.line) {
    const line = last.line - 1;
    last = { line, column: source.lineText(line).length + 1 };
  }
  return {
    mark: { ...mark, message: printable(mark.message).replace(/\s+/g, ' ') },
    startLine: first.line,
    endLine: last.line,
    start: first.column - 1,
    end: last.column - 1,
    bar: -1,
  };
}

/** Gives every multi-line range a bar that is free over all its lines, outer ranges further left. */
function assignBars(spans: readonly Placed[]): number {
  const taken: Placed[][] = [];
  for (const p of spans.toSorted((a, b) => a.startLine - b.startLine || b.endLine - a.endLine)) {
    let bar = taken.findIndex((others) => others.every((o) => o.endLine < p.startLine));
    if (bar < 0) bar = taken.push([]) - 1;
    taken[bar]!.push(p);
    p.bar = bar;
  }
  return taken.length;
}

/** First and last lines of every range, the insides of short ones, and lines that would be a gap of one. */
function shownLines(placed: readonly Placed[], lineCount: number): number[] {
  const lines = new Set<number>();
  for (const p of placed) {
    const long = p.endLine - p.startLine >= LONGEST_SPAN;
    for (let n = p.startLine; n <= p.endLine; n++) {
      if (long && n === p.startLine + 2) n = p.endLine - 1;
      lines.add(n);
    }
  }
  for (const n of [...lines]) if (lines.has(n + 2) && n + 1 <= lineCount) lines.add(n + 1);
  return [...lines].toSorted((a, b) => a - b);
}

/** The part of a line that is shown, in cells; a long line is cut around its first mark. */
function window(
  text: string,
  interest: readonly number[],
): { cells: readonly string[]; column: (i: number) => number } {
  if (text.length <= LONGEST_LINE) return layOut(text);
  const first = Math.min(...interest, text.length);
  const wanted = Math.max(...interest, 0) < LONGEST_LINE - 1 ? 0 : Math.max(0, first - LEAD);
  const from = boundary(text, Math.min(wanted, text.length - LONGEST_LINE));
  const to = boundary(text, from + LONGEST_LINE);
  const before = from > 0 ? 1 : 0;
  const { cells, column } = layOut(text.slice(from, to));
  return {
    cells: [...(before > 0 ? ['…'] : []), ...cells, ...(to < text.length ? ['…'] : [])],
    column: (i) => before + column(i - from),
  };
}

/** Moves a cut off the middle of a surrogate pair. */
function boundary(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return at > 0 && unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : at;
}
