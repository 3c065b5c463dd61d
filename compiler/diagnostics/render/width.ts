/**
 * Source text as terminal cells: tabs expanded, wide characters two cells, nothing that could move the cursor.
 *
 * @module
 */

const TAB = 4;

/**
 * Wide and fullwidth blocks (Unicode's East Asian Width W and F, coarse to whole blocks) and the emoji that are
 * shown as pictures by default.
 */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;

const invisible = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]+$/u;

/** Control characters, the marks that reorder text on screen, and halves of surrogate pairs. */
const unsafe = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Made on first use: it loads tables of Unicode, which takes longer than checking a spec without problems. */
let graphemes: Intl.Segmenter | undefined;

/** Replaces what could move the cursor or reorder the text by a visible sign; tabs and newlines stay. */
export function printable(text: string): string {
  return text.replace(unsafe, (c) => {
    if (c === '\t' || c === '\n') return c;
    const code = c.codePointAt(0)!;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    return code === 0x7f ? '\u2421' : '\ufffd';
  });
}

/** A line laid out in cells. */
export interface CellLine {
  /** One entry a cell; the second cell of a wide character is ''. */
  readonly cells: readonly string[];
  /** The cell at which the UTF-16 unit `i` of the line begins, for i = 0..length. */
  readonly column: (i: number) => number;
}

/** One cell a character: nearly every line, and much quicker than looking for clusters of characters. */
const plainAscii = /^[\x20-\x7e]*$/;

/** Lays out one line (without its line break). */
export function layOut(line: string): CellLine {
  if (plainAscii.test(line)) {
    return { cells: line.split(''), column: (i) => Math.max(0, Math.min(i, line.length)) };
  }
  const cells: string[] = [];
  const columns = new Array<number>(line.length + 1);
  graphemes ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  for (const { segment, index } of graphemes.segment(line)) {
    columns.fill(cells.length, index, index + segment.length);
    if (segment === '\t') {
      do cells.push(' ');
      while (cells.length % TAB !== 0);
      continue;
    }
    const shown = printable(segment);
    if (invisible.test(shown)) {
      // Nothing of its own on screen: it belongs to the cell before it.
      if (cells.length > 0) cells[cells.length - 1] += shown;
      continue;
    }
    cells.push(shown);
    if (wide.test(shown)) cells.push('');
  }
  columns[line.length] = cells.length;
  return { cells, column: (i) => columns[Math.max(0, Math.min(i, line.length))]! };
}
