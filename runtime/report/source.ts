/**
 * The spec with line numbers and colours. The numbers are the style sheet's, so that copying takes the text alone.
 *
 * @module
 */
import { KEYWORDS } from '../../grammar/tokens.js';
import type { Html } from '../../compiler/docs/html.js';
import { markup } from '../../compiler/docs/html.js';

const tokens =
  /(?<comment>\/\/[^\n]*)|(?<string>"(?:[^"\\\n]|\\.)*"?)|(?<number>\b\d[\w.]*)|(?<word>[A-Za-z_]\w*)|(?<operator>\|>|->)/g;

export function sourceListing(text: string): Html {
  const lines = text.replace(/\r\n?/g, '\n').replace(/\n$/, '').split('\n');
  // A keyboard can scroll what it can focus.
  return markup`<pre class="source" tabindex="0" aria-label="Source of the spec"><code>${lines.map(
    (l) => markup`<span class="line">${highlight(l)}${'\n'}</span>`,
  )}</code></pre>`;
}

function highlight(line: string): Html[] {
  const out: Html[] = [];
  let at = 0;
  for (const m of line.matchAll(tokens)) {
    const kind = Object.entries(m.groups!).find(([, v]) => v !== undefined)![0];
    const shown = kind !== 'word' ? kind : KEYWORDS.has(m[0]) ? 'keyword' : undefined;
    out.push(
      markup`${line.slice(at, m.index)}`,
      shown === undefined ? markup`${m[0]}` : markup`<span class="${shown}">${m[0]}</span>`,
    );
    at = m.index + m[0].length;
  }
  out.push(markup`${line.slice(at)}`);
  return out;
}
