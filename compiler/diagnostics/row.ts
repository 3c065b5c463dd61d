/**
 * Rows of the table of diagnostics, and the templates they are written in.
 *
 * A template holds `{name}` for a parameter and `{count:argument}` for a number with its noun ("1 argument",
 * "2 arguments"; `{count:entry/entries}` where adding an s is wrong). The parameters a template needs are read
 * off it by the type system, so a report that forgets one, or invents one, does not compile. Braces around
 * anything else (`{ }`) are text.
 *
 * @module
 */
import type { Severity } from './diagnostic.js';

/** `MMDxyzz`: xy is the group (01 syntax ... 09 run time), zz counts within it. */
export type CodeName = `MMD${string}`;

export interface Row {
  readonly severity: Severity;
  /** What kind of problem this is, without the particulars: a heading for the page and for SARIF rules. */
  readonly title: string;
  /** The problem at hand. */
  readonly message: string;
  /** What to do about it, where every case has the same answer. */
  readonly help?: string;
}

export type Rows = Readonly<Record<CodeName, Row>>;

/** Keeps the templates' literal types, from which the parameters are read. */
export function rows<const T extends Rows>(table: T): T {
  return table;
}

type NotAName = '' | `${string} ${string}` | `${string}{${string}`;

/** The inside of every pair of braces that is a placeholder: `name`, or `count:noun`. */
type Placeholders<T extends string> = T extends `${string}{${infer Rest}`
  ? Rest extends `${infer Inside}}${infer After}`
    ? (Inside extends `${infer N}:${string}` ? N : Inside) extends NotAName
      ? Placeholders<Rest>
      : Inside | Placeholders<After>
    : never
  : never;

type Plain<P> = P extends `${string}:${string}` ? never : P;
type Counted<P> = P extends `${infer N}:${string}` ? N : never;

/** The parameters of a template; a counted one must be a number. */
export type Params<T extends string> = {
  readonly [N in Exclude<Plain<Placeholders<T>>, Counted<Placeholders<T>>> & string]: string | number;
} & { readonly [N in Counted<Placeholders<T>> & string]: number };

const placeholder = /\{([A-Za-z]\w*)(?::([^{}]+))?\}/g;

/** Names of the parameters in a template, in order of appearance. */
export function placeholders(template: string): string[] {
  return [...template.matchAll(placeholder)].map((m) => m[1]!);
}

/** Fills a template in. A parameter that is missing stays visible as it was written. */
export function fill(template: string, params: Readonly<Record<string, string | number>>): string {
  return template.replace(placeholder, (whole, name: string, noun: string | undefined) => {
    const value = params[name];
    if (value === undefined) return whole;
    const text = typeof value === 'number' ? formatNumber(value) : clipped(value);
    return noun === undefined ? text : `${text} ${inflect(noun, value === 1)}`;
  });
}

/** Longest text that a message takes over from a file: a name may be as long as the file. */
const longest = 500;

function clipped(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}\u2026`;
}

function inflect(noun: string, singular: boolean): string {
  const [one, many] = noun.split('/');
  return singular ? one! : (many ?? `${one}s`);
}

/** Integers in full, anything else to four significant digits. */
function formatNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}
