/**
 * HTML built from templates: whatever is put into one is escaped, unless it is HTML already.
 *
 * @module
 */

/** Text that is safe to put into a page as it is. Made by {@link markup} and {@link trusted} alone. */
export class Html {
  constructor(readonly text: string) {}
}

export type Content = Html | string | number | undefined | readonly Content[];

/** A template for element content and quoted attributes; lists are joined, undefined is nothing. */
export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(strings.reduce((text, part, i) => text + render(values[i - 1]) + part));
}

/** Declares text that this program made itself (SVG, a style sheet) to be HTML. */
export function trusted(text: string): Html {
  return new Html(text);
}

/** For element content and quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function render(value: Content): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(render).join('');
  return escapeHtml(String(value));
}
