/**
 * Values that a key can take by name, such as `cosine(1e-3, warmup: 500)`: a bare name stands for the form with all
 * its defaults, and what a name means is decided by the key it is written at.
 *
 * @module
 */
import type { Arg, Entry, Expr, Name, Range } from '../../grammar/ast.js';
import { didYouMean } from '../diagnostics/suggest.js';
import { Environment } from '../elaborate/environment.js';
import type { Evaluator } from '../elaborate/evaluator.js';
import { showType } from '../elaborate/values.js';
import { overrideFile, type Override } from './overrides.js';

export interface Bounds {
  readonly min?: number;
  readonly max?: number;
  /** Whether `min` itself is excluded. */
  readonly above?: boolean;
}

export interface NumberType extends Bounds {
  readonly type: 'int' | 'float';
}

export type FieldType =
  | NumberType
  | { readonly type: 'string' }
  | { readonly type: 'bool' }
  | { readonly type: 'strings' }
  /** `a..b` with a <= b, both given. */
  | { readonly type: 'range' }
  | { readonly type: 'form'; readonly forms: Forms };

export interface FormParam {
  readonly name: string;
  readonly field: FieldType;
  /** Required without it. null: may be left out and stays null. */
  readonly default?: FieldValue;
}

export interface Forms {
  readonly [name: string]: readonly FormParam[] | undefined;
}

export interface FormValue {
  readonly form: string;
  readonly args: Readonly<Record<string, FieldValue>>;
}

export interface RangeValue {
  readonly from: number;
  readonly to: number;
}

export type FieldValue = number | string | boolean | readonly string[] | RangeValue | FormValue | null;

/** Key under which a bare number may stand for a form: `0.5` for `constant(0.5)`. */
export const bareNumber = 'constant';

/** The model's scope, with the override's own text as its file. */
export function overrideEnvironment(override: Override, env: Environment): Environment {
  const module = { ...env.module, file: overrideFile(override.text), text: override.text };
  return new Environment(module, env.parameters, env.frames, env);
}

/** Reads expressions by the type that their key expects. */
export class FieldReader {
  constructor(
    readonly evaluator: Evaluator,
    readonly env: Environment,
    private readonly overrides: WeakMap<object, Override> = new WeakMap(),
    /** Modalities whose declarations could not be read: whatever speaks of them is silent. */
    readonly unread: Set<string> = new Set(),
    /** Modalities that are declared further down than the one being read. */
    readonly later: Map<string, Name> = new Map(),
  ) {}

  /** The reader for an entry: one put in by `--set` is read in the model's scope and reported in its own text. */
  forEntry(entry: Entry): FieldReader {
    const override = this.overrides.get(entry);
    if (!override) return this;
    const env = overrideEnvironment(override, this.env);
    return new FieldReader(this.evaluator, env, this.overrides, this.unread, this.later);
  }

  /** undefined after a report. */
  read(expr: Expr, field: FieldType, what: string): FieldValue | undefined {
    if (expr.kind === 'Error') return undefined;
    if (field.type === 'form') return this.form(expr, field.forms, what);
    const value = this.evaluator.evaluate(expr, this.env);
    if (value.kind === 'error') return undefined;
    switch (field.type) {
      case 'int':
      case 'float':
        if (value.kind === 'int' || (field.type === 'float' && value.kind === 'float')) {
          return this.bounded(value.value, field, expr.range, what);
        }
        break;
      case 'string':
      case 'bool':
        if (value.kind === field.type) return value.value;
        break;
      case 'strings':
        if (value.kind === 'list' && value.items.every((item) => item.kind === 'string')) {
          return value.items.map((item) => (item as { value: string }).value);
        }
        break;
      case 'range':
        if (value.kind === 'range' && value.from !== undefined && value.to !== undefined) {
          if (value.from >= 0 && value.from < value.to) return { from: value.from, to: value.to };
          this.evaluator.report('MMD0414', this.env, expr.range, {
            what,
            expected: 'a range `a..b` with 0 <= a < b',
            found: `${value.from}..${value.to}`,
          });
          return undefined;
        }
        break;
    }
    this.evaluator.expected(this.env, expr.range, what, typeName(field), value);
    return undefined;
  }

  private bounded(value: number, field: NumberType, range: Range, what: string): number | undefined {
    const { min = -Infinity, max = Infinity, above = false } = field;
    if (value <= max && (above ? value > min : value >= min)) return value;
    const low = field.min === undefined ? '' : above ? `above ${min}` : `at least ${min}`;
    const high = field.max === undefined ? '' : `at most ${max}`;
    this.evaluator.report('MMD0414', this.env, range, {
      what,
      expected: [low, high].filter((s) => s !== '').join(' and '),
      found: String(value),
    });
    return undefined;
  }

  private form(expr: Expr, forms: Forms, what: string): FormValue | undefined {
    const names = Object.keys(forms);
    const list = names.map((name) => `\`${name}\``).join(', ');
    if (expr.kind === 'Paren') return this.form(expr.inner, forms, what);
    if (expr.kind === 'Ref' || expr.kind === 'Call') {
      const callee = expr.kind === 'Ref' ? expr.name : expr.callee;
      const params = Object.hasOwn(forms, callee.text) ? forms[callee.text] : undefined;
      if (params)
        return this.arguments(callee.text, params, expr.kind === 'Call' ? expr.args : [], expr.range);
      // A `let` of the model may hold the number.
      if (!(expr.kind === 'Ref' && this.env.lookup(callee.text)?.kind.match(/int|float/))) {
        if (callee.text === '') return undefined;
        const near = didYouMean(callee.text, names);
        this.evaluator.report(
          'MMD0307',
          this.env,
          callee.range,
          { name: callee.text, found: 'not known here', expected: `one of ${list}` },
          near === undefined ? {} : { help: `did you mean \`${near}\`?` },
        );
        return undefined;
      }
    }
    const bare = forms[bareNumber];
    if (bare) {
      const value = this.read(expr, bare[0].field, what);
      if (value === undefined) return undefined;
      const rest = bare.slice(1).map((param) => [param.name, param.default ?? null] as const);
      return { form: bareNumber, args: { [bare[0].name]: value, ...Object.fromEntries(rest) } };
    }
    const value = this.evaluator.evaluate(expr, this.env);
    if (value.kind !== 'error') {
      this.evaluator.report('MMD0406', this.env, expr.range, {
        what,
        expected: `one of ${list}`,
        found: showType(value),
      });
    }
    return undefined;
  }

  private arguments(
    form: string,
    params: readonly FormParam[],
    args: readonly Arg[],
    range: Range,
  ): FormValue | undefined {
    const values: Record<string, FieldValue> = {};
    let failed = false;
    let position = 0;
    for (const arg of args) {
      const name = arg.name;
      const param = name ? params.find((p) => p.name === name.text) : params[position++];
      if (!param) {
        failed = true;
        if (!name) {
          this.evaluator.report('MMD0403', this.env, arg.range, {
            callee: form,
            expected: params.length,
            found: args.length,
          });
          break;
        }
        const near = didYouMean(
          name.text,
          params.map((p) => p.name),
        );
        this.evaluator.report(
          'MMD0404',
          this.env,
          name.range,
          { callee: form, name: name.text },
          near === undefined ? {} : { help: `did you mean \`${near}\`?` },
        );
      } else if (Object.hasOwn(values, param.name)) {
        failed = true;
        this.evaluator.report('MMD0405', this.env, arg.range, { callee: form, name: param.name });
      } else {
        const value = this.read(arg.value, param.field, `\`${param.name}\` of \`${form}\``);
        if (value === undefined) failed = true;
        else values[param.name] = value;
      }
    }
    if (failed) return undefined;
    for (const param of params) {
      if (Object.hasOwn(values, param.name)) continue;
      if (param.default === undefined) {
        this.evaluator.report('MMD0402', this.env, range, { callee: form, parameter: param.name });
        return undefined;
      }
      values[param.name] = param.default;
    }
    return { form, args: values };
  }
}

function typeName(field: FieldType): string {
  switch (field.type) {
    case 'int':
      return 'an integer';
    case 'float':
      return 'a number';
    case 'string':
      return 'a string';
    case 'bool':
      return 'true or false';
    case 'strings':
      return 'a list of strings';
    case 'range':
      return 'a range `a..b`';
    case 'form':
      return 'a name';
  }
}

/** A value as a user would write it. */
export function showField(value: FieldValue): string {
  if (value === null) return 'none';
  if (typeof value !== 'object') return typeof value === 'string' ? `"${value}"` : String(value);
  if (Array.isArray(value)) return `[${value.map((item) => `"${item}"`).join(', ')}]`;
  if ('from' in value) return `${value.from}..${value.to}`;
  const form = value as FormValue;
  const args = Object.entries(form.args).filter(([, v]) => v !== null);
  return args.length === 0
    ? form.form
    : `${form.form}(${args.map(([k, v]) => `${k}: ${showField(v)}`).join(', ')})`;
}
