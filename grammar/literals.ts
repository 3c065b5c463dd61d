/**
 * The values of number and string tokens.
 *
 * @module
 */
import type { SyntaxProblem } from './problems.js';

const WELL_FORMED = /^[0-9]+(?:_[0-9]+)*(?:\.[0-9]+(?:_[0-9]+)*)?(?:[eE][+-]?[0-9]+)?$/;

/** The value of a number as written; `problem` says what is wrong with it, and the value is then a best guess. */
export function readNumber(raw: string): { value: number; integer: boolean; problem?: string } {
  const integer = /^[0-9_]+$/.test(raw);
  if (!WELL_FORMED.test(raw)) return { value: guess(raw), integer, problem: explainNumber(raw) };
  const value = Number(raw.replaceAll('_', ''));
  if (!Number.isFinite(value))
    return { value: 0, integer, problem: `\`${short(raw)}\` is too large for a number` };
  if (integer && !Number.isSafeInteger(value)) {
    return {
      value,
      integer,
      problem: `\`${short(raw)}\` is too large for a whole number: at most 9007199254740991`,
    };
  }
  return { value, integer };
}

function guess(raw: string): number {
  const value = Number.parseFloat(raw.replaceAll('_', ''));
  return Number.isFinite(value) ? value : 0;
}

function explainNumber(raw: string): string {
  const glued = /^([0-9][0-9.]*)([A-Za-z]\w*)$/.exec(raw);
  const shown = `\`${short(raw)}\` is not a number`;
  if (/_(?:_|\.|$)/.test(raw)) return `${shown}: a single \`_\` may stand between two digits`;
  if (/^0[xXbBoO]/.test(raw)) return `${shown}: numbers are decimal`;
  if (/[eE]$/.test(raw)) return `${shown}: the exponent is missing`;
  if (glued) return `${shown}; a product is written \`${short(glued[1])} * ${short(glued[2])}\``;
  return shown;
}

const short = (text: string): string => (text.length > 30 ? `${text.slice(0, 27)}...` : text);

const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', n: '\n', t: '\t' };
const ESCAPE = /\\(?:u\{([0-9A-Fa-f]{1,6})\}|([^]?))/g;

/** True when a string token has its closing quote. */
export const isClosed = (raw: string): boolean => raw.length > 1 && raw.endsWith('"') && !endsInEscape(raw);

/** The value of a string token that starts at `start`, and its bad escapes, which stand for themselves. */
export function readString(raw: string, start: number): { value: string; problems: SyntaxProblem[] } {
  const problems: SyntaxProblem[] = [];
  const inner = raw.slice(1, isClosed(raw) ? -1 : undefined);
  if (!inner.includes('\\')) return { value: inner, problems };
  const value = inner.replace(
    ESCAPE,
    (all: string, hex: string | undefined, char: string | undefined, at: number) => {
      if (hex !== undefined) {
        const code = Number.parseInt(hex, 16);
        if (code <= 0x10ffff) return String.fromCodePoint(code);
      } else if (char !== undefined && char in ESCAPES) return ESCAPES[char];
      problems.push({
        kind: 'bad-escape',
        range: { start: start + 1 + at, end: start + 1 + at + all.length },
        message: `\`${all}\` is not an escape; there are \`\\"\`, \`\\\\\`, \`\\n\`, \`\\t\` and \`\\u{...}\` with a code point in hexadecimal`,
      });
      return all;
    },
  );
  return { value, problems };
}

/** True when the last quote is escaped, so that it does not close the string. */
function endsInEscape(raw: string): boolean {
  let slashes = 0;
  for (let i = raw.length - 2; i > 0 && raw[i] === '\\'; i--) slashes++;
  return slashes % 2 === 1;
}
