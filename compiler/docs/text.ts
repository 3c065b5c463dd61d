/**
 * The width of text before anything draws it, which layouts need. Widths are those of common sans-serif and monospaced
 * fonts, rounded up.
 *
 * @module
 */

const NARROW = new Set(" ijlt.,:;'|![]()fr/I-");
const WIDE = new Set('mwMWQGO@%→√ε');

/** Width of a line in units of the font's size times `size`. */
export function textWidth(text: string, size: number, mono = false): number {
  if (mono) return [...text].length * size * 0.615;
  let em = 0;
  for (const c of text) em += NARROW.has(c) ? 0.34 : WIDE.has(c) ? 0.88 : /[A-Z0-9]/.test(c) ? 0.66 : 0.57;
  return em * size;
}

/** A line cut to a number of characters. */
export function cut(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}
