/**
 * In what two specs, or two layouts of parameters, differ: for messages that refuse to mix them.
 *
 * @module
 */
import { difference } from '../../compiler/diagnostics/pages/difference.js';
import { didYouMean } from '../../compiler/diagnostics/suggest.js';
import type { Bundle } from './folder.js';

/** Lines of a difference that are shown. */
const MOST_LINES = 20;
/** Longer texts are compared by their first different line: the table of the comparison would be large. */
const MOST_TEXT = 2000;

/** What differs between two bundles, in a line or a few; undefined where nothing does. */
export function bundleDifference(before: Bundle, now: Bundle): string | undefined {
  if (before.model !== now.model) return `model \`${before.model}\`, now \`${now.model}\``;
  if (before.set.join('\n') !== now.set.join('\n')) {
    return `overrides [${before.set.join(', ')}], now [${now.set.join(', ')}]`;
  }
  for (const [name, text] of Object.entries(now.files)) {
    const old = before.files[name];
    if (old === undefined) return `${name} was not part of it`;
    if (old !== text) return textDifference(name, old, text);
  }
  const gone = Object.keys(before.files).find((name) => !(name in now.files));
  return gone === undefined ? undefined : `${gone} is no longer part of it`;
}

function textDifference(name: string, old: string, text: string): string {
  const [a, b] = [old.split('\n'), text.split('\n')];
  const found = b.findIndex((content, i) => content !== a[i]);
  const at = found < 0 ? b.length : found;
  const first = `line ${at + 1} of ${name} was \`${(a[at] ?? '').trim()}\` and is \`${(b[at] ?? '').trim()}\``;
  if (a.length > MOST_TEXT || b.length > MOST_TEXT) return first;
  const lines = difference(old, text).split('\n');
  const rest = lines.length > MOST_LINES ? [`  ... ${lines.length - MOST_LINES} lines more`] : [];
  return [first, ...[...lines.slice(0, MOST_LINES), ...rest].map((line) => `    ${line}`)].join('\n');
}

/** A tensor by its name and shape. */
export interface Shaped {
  readonly name: string;
  readonly shape: readonly number[];
}

/** What differs between the tensors of a file and those that a spec wants; undefined where nothing does. */
export function tensorDifference(there: readonly Shaped[], wanted: readonly Shaped[]): string | undefined {
  const [has, wants] = [there, wanted].map((list) => new Map(list.map((t) => [t.name, t.shape])));
  const show = (shape: readonly number[] = []) => `[${shape.join(', ')}]`;
  const missing = wanted.filter((t) => !has.has(t.name));
  const extra = there.filter((t) => !wants.has(t.name));
  const lines = [
    ...wanted
      .filter((t) => has.has(t.name) && show(has.get(t.name)) !== show(t.shape))
      .map((t) => `'${t.name}' is ${show(has.get(t.name))} there, and the spec wants ${show(t.shape)}`),
    ...missing.map((t) => {
      const same = extra.filter((e) => show(e.shape) === show(t.shape)).map((e) => e.name);
      const near = same.length === 1 ? same[0] : didYouMean(t.name, same);
      return `'${t.name}' is missing${near === undefined ? '' : `: perhaps it is '${near}' there, of the same shape`}`;
    }),
    ...extra.map((t) => `'${t.name}' ${show(t.shape)} is nothing of the spec's`),
  ];
  if (lines.length === 0) return undefined;
  const rest = lines.length > MOST_LINES ? [`... and ${lines.length - MOST_LINES} differences more`] : [];
  return [...lines.slice(0, MOST_LINES), ...rest].join('\n    ');
}
