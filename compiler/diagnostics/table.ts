/**
 * The table of diagnostics: every problem `mmdc` can report, keyed by code. A row is added in one place, the
 * group's file under `codes/`; its page goes into the file of the same name under `pages/`.
 *
 * @module
 */
import type { Diagnostic, Fix, Label, Place } from './diagnostic.js';
import type { CodeName, Params, Row } from './row.js';
import { fill } from './row.js';
import { imports } from './codes/imports.js';
import { limits } from './codes/limits.js';
import { model } from './codes/model.js';
import { names } from './codes/names.js';
import { process } from './codes/process.js';
import { run } from './codes/run.js';
import { settings } from './codes/settings.js';
import { syntax } from './codes/syntax.js';
import { targets } from './codes/targets.js';
import { types } from './codes/types.js';

/** The groups in the order of their codes: the first becomes MMD01zz, the last MMD10zz. */
export const groups = {
  syntax,
  imports,
  names,
  types,
  model,
  process,
  settings,
  limits,
  run,
  targets,
} as const;

export const table = {
  ...syntax,
  ...imports,
  ...names,
  ...types,
  ...model,
  ...process,
  ...settings,
  ...limits,
  ...run,
  ...targets,
} as const;

export type Code = keyof typeof table;

type HelpOf<R> = R extends { readonly help: infer H extends string } ? H : '';

/** What a report of this code has to say: the parameters of its message and of its help. */
export type ParamsOf<C extends Code> = Params<(typeof table)[C]['message']> &
  Params<HelpOf<(typeof table)[C]>>;

/** What a report may add. `help` replaces the row's own. */
export interface Extras {
  readonly labels?: readonly Label[];
  readonly fixes?: readonly Fix[];
  readonly help?: string;
}

/** `params` may be left out where the code has none. */
export type ReportArgs<C extends Code> = keyof ParamsOf<C> extends never
  ? [params?: Readonly<Record<string, never>>, extras?: Extras]
  : [params: ParamsOf<C>, extras?: Extras];

/** The row of a code that came from outside (`mmdc explain`), in any case; undefined where there is none. */
export function findRow(code: string): { code: Code; row: Row } | undefined {
  const wanted = code.trim().toUpperCase();
  return Object.hasOwn(table, wanted) ? { code: wanted as Code, row: rowOf(wanted as Code) } : undefined;
}

export function rowOf(code: Code): Row {
  return table[code];
}

/** All codes, in order. */
export function codes(): Code[] {
  return (Object.keys(table) as CodeName[]).sort() as Code[];
}

/** One row filled in and placed. */
export function diagnostic<C extends Code>(code: C, place: Place, ...rest: ReportArgs<C>): Diagnostic {
  const [params, extras] = rest as [Readonly<Record<string, string | number>>?, Extras?];
  const row = rowOf(code);
  const help = extras?.help ?? (row.help === undefined ? undefined : fill(row.help, params ?? {}));
  return {
    code,
    severity: row.severity,
    message: fill(row.message, params ?? {}),
    file: place.file,
    range: place.range,
    labels: extras?.labels ?? [],
    ...(help === undefined ? {} : { help }),
    fixes: extras?.fixes ?? [],
  };
}
