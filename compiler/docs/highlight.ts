/**
 * Source with colours, from the language's own tokens.
 *
 * @module
 */
import { scan } from '../../grammar/scan.js';
import { markup, type Html } from './html.js';

export interface Span {
  readonly start: number;
  readonly end: number;
  readonly kind: 'comment' | 'doc' | 'keyword' | 'key' | 'number' | 'string' | 'operator' | 'name';
}

const OPERATORS = new Set([
  ...['Arrow', 'PipeOp', 'Ellipsis', 'DotDot', 'InfixOp', 'Plus', 'Minus', 'Caret', 'Bang'],
  ...['Equals', 'LinePlus', 'LineMinus'],
]);

/** Tokens and comments of a text, in order. Works on any text, whatever is wrong with it. */
export function spansOf(text: string): Span[] {
  const { tokens, comments } = scan(text);
  const spans: Span[] = comments.map((c) => ({ ...c.range, kind: c.doc ? 'doc' : 'comment' }));
  for (const token of tokens) {
    const kind = kindOf(token.tokenType.name);
    if (kind) spans.push({ start: token.startOffset, end: token.startOffset + token.image.length, kind });
  }
  return spans.sort((a, b) => a.start - b.start);
}

function kindOf(type: string): Span['kind'] | undefined {
  if (type.startsWith('Keyword ')) return 'keyword';
  if (type === 'Key') return 'key';
  if (type === 'Number') return 'number';
  if (type === 'String') return 'string';
  if (type === 'Ident') return 'name';
  return OPERATORS.has(type) ? 'operator' : undefined;
}

/** One line of code, such as a signature, in colours. */
export function inlineCode(text: string): Html {
  let at = 0;
  const parts = spansOf(text).map((span) => {
    const part = markup`${text.slice(at, span.start)}${draw(text.slice(span.start, span.end), span, () => undefined)}`;
    at = span.end;
    return part;
  });
  return markup`${parts}${text.slice(at)}`;
}

/**
 * A listing with numbered lines; the numbers are the style sheet's, so that copying takes the text alone.
 * @param link where a name leads, if anywhere
 */
export function listing(text: string, label: string, link: (name: string) => string | undefined): Html {
  const source = text.replace(/\r\n?/g, '\n').replace(/\n$/, '');
  const spans = spansOf(source);
  const lines: Html[] = [];
  let [at, next] = [0, 0];
  for (const line of source.split('\n')) {
    const end = at + line.length;
    const parts: Html[] = [];
    let from = at;
    for (; next < spans.length && spans[next].start < end; next++) {
      const span = spans[next];
      const shown = source.slice(span.start, Math.min(span.end, end));
      parts.push(markup`${source.slice(from, span.start)}${draw(shown, span, link)}`);
      from = Math.min(span.end, end);
    }
    parts.push(markup`${source.slice(from, end)}`);
    lines.push(markup`<span class="line">${parts}${'\n'}</span>`);
    at = end + 1;
  }
  return markup`<pre class="source" tabindex="0" role="region" aria-label="${label}"><code>${lines}</code></pre>`;
}

function draw(text: string, { kind }: Span, link: (name: string) => string | undefined): Html {
  if (kind !== 'name') return markup`<span class="${kind}">${text}</span>`;
  const target = link(text);
  return target === undefined ? markup`${text}` : markup`<a href="${target}">${text}</a>`;
}
