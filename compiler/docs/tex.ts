/**
 * Formulas: TeX from the names of a spec, and MathML from TeX.
 *
 * @module
 */
import katex from 'katex';
import { trusted, type Html } from './html.js';

/** A name of a spec in a formula: a letter is a variable, a word stands upright. */
export function symbol(name: string): string {
  return /^[A-Za-z]$/.test(name) ? name : `\\mathrm{${name.replaceAll('_', '\\_')}}`;
}

/** A number in a formula, with at most `digits` significant digits. */
export function texNumber(value: number, digits = 6): string {
  if (!Number.isFinite(value)) return value > 0 ? '\\infty' : value < 0 ? '-\\infty' : '\\mathrm{NaN}';
  const [mantissa, exponent] = value
    .toExponential(digits - 1)
    .split('e')
    .map(Number);
  if (value !== 0 && (exponent < -4 || exponent > 6)) return `${mantissa} \\cdot 10^{${exponent}}`;
  return String(Number(value.toPrecision(digits)));
}

/** Several lines, aligned at `&`. */
export function rows(lines: readonly string[]): string {
  if (lines.length === 1) return lines[0].replace('&=', '=').replace('&\\phantom', '\\phantom');
  return `\\begin{aligned} ${lines.join(' \\\\[4pt] ')} \\end{aligned}`;
}

/** A number in running text. */
export function plainNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** a, b and c */
export function list(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}

/**
 * MathML of a formula, which browsers show without fonts or style sheets of their own. What KaTeX cannot read is shown
 * as it was written, and nothing in a formula can reach out of it: links, classes and styles are off.
 */
export function mathml(tex: string, display: boolean): Html {
  const options = { output: 'mathml', displayMode: display, throwOnError: true, strict: 'ignore' } as const;
  try {
    const text = katex.renderToString(tex, { ...options, trust: false, maxExpand: 200, maxSize: 20 });
    return trusted(text.replace(/^<span class="katex">([\s\S]*)<\/span>$/, '$1'));
  } catch {
    return trusted(`<code>${escapeText(tex)}</code>`);
  }
}

const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
