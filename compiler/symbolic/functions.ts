/**
 * The functions of the language over symbols: their arguments are matched as in a call, and what is known of the result
 * follows from the shapes.
 *
 * @module
 */
import type { Expr, Range } from '../../grammar/ast.js';
import { didYouMean } from '../diagnostics/suggest.js';
import type { Code, ReportArgs } from '../diagnostics/table.js';
import type { Builtin, BuiltinParam, ParamType } from '../elaborate/builtins/builtin.js';
import { typeNames } from '../elaborate/builtins/call.js';
import type { Argument, Definition } from './definition.js';
import type { Names } from './names.js';
import { rules } from './rules.js';
import { any, int, isRest, showType, tensor, type Dim, type Dims, type Shape, type Sym } from './values.js';

/** The matched arguments of one call. */
export class FunctionCall {
  constructor(
    readonly definition: Definition,
    readonly builtin: Builtin,
    readonly range: Range,
    private readonly values: ReadonlyMap<string, Sym>,
    /** Arguments of a parameter that takes any number of them. */
    readonly variadic: readonly Sym[],
    private readonly ranges: ReadonlyMap<string, Range>,
  ) {}

  get dims(): Dims {
    return this.definition.dims;
  }

  value(name: string): Sym {
    return this.values.get(name) ?? any;
  }

  has(name: string): boolean {
    return this.values.has(name);
  }

  shape(name: string): Shape | undefined {
    const value = this.value(name);
    return value.kind === 'tensor' ? value.shape : undefined;
  }

  /** An integer, or one of which nothing is known. */
  int(name: string): Dim {
    const value = this.value(name);
    return value.kind === 'int' ? value.value : this.dims.variable(this.dims.unsigned());
  }

  /** The items of a list of integers; undefined where their number is not known. */
  ints(name: string): Dim[] | undefined {
    const value = this.value(name);
    if (value.kind !== 'list' || !value.items) return undefined;
    const found: Dim[] = [];
    for (const item of value.items) {
      if (isRest(item)) return undefined;
      found.push(item.kind === 'int' ? item.value : this.dims.unknown());
    }
    return found;
  }

  fail<C extends Code>(code: C, at: string | undefined, ...rest: ReportArgs<C>): Sym {
    return this.definition.report(
      code,
      (at === undefined ? undefined : this.ranges.get(at)) ?? this.range,
      ...rest,
    );
  }

  shapeError(at: string, expected: string, found = showType(this.value(at))): Sym {
    const what = `the argument \`${at}\` of \`${this.builtin.name}\``;
    return this.fail('MMD0401', at, { what, expected, found });
  }
}

export function applyFunction(
  definition: Definition,
  builtin: Builtin,
  args: readonly Argument[],
  range: Range,
  names: Names,
): Sym {
  const values = new Map<string, Sym>();
  const ranges = new Map<string, Range>();
  const variadic: Sym[] = [];
  const { params, name: callee } = builtin;
  let failed = false;
  let position = 0;
  for (const argument of args) {
    const { name } = argument;
    const param = name
      ? params.find((p) => p.name === name.text && !p.variadic)
      : (params[position] ?? params.find((p) => p.variadic));
    if (!name && param && !param.variadic) position++;
    if (!param) {
      failed = true;
      if (!name) {
        const [expected, found] = [params.length, args.length];
        definition.report('MMD0403', argument.range, { callee, expected, found });
        break;
      }
      unknownArgument(definition, builtin, name.text, name.range);
    } else if (!param.variadic && values.has(param.name)) {
      failed = true;
      definition.report('MMD0405', argument.range, { callee, name: param.name });
    } else {
      const value = argumentValue(definition, builtin, param, argument, names);
      if (!value) failed = true;
      else if (param.variadic) variadic.push(value);
      else values.set(param.name, value);
      ranges.set(param.name, argument.range);
    }
  }
  if (failed) return any;
  for (const param of params) {
    if (param.variadic ? variadic.length > 0 : values.has(param.name)) continue;
    if (param.default === undefined)
      return definition.report('MMD0402', range, { callee, parameter: param.name });
    if (typeof param.default === 'number' && param.type === 'int') values.set(param.name, int(param.default));
  }
  // What is wrong with an argument has been reported: nothing follows from it.
  const lost = variadic.some((v) => v.kind === 'any');
  if (lost || params.some((p) => p.type === 'tensor' && values.get(p.name)?.kind === 'any')) return any;
  const call = new FunctionCall(definition, builtin, range, values, variadic, ranges);
  const rule = rules[callee];
  if (rule) return rule(call);
  // A function of one tensor that keeps its shape, by its documented result.
  const [first] = params;
  return first?.type === 'tensor' && builtin.result.startsWith('f32[...S')
    ? tensor(call.shape(first.name))
    : any;
}

function unknownArgument(definition: Definition, builtin: Builtin, name: string, range: Range): void {
  const near = didYouMean(
    name,
    builtin.params.map((p) => p.name),
  );
  const help = near
    ? `did you mean \`${near}\`?`
    : `its parameters are ${builtin.params.map((p) => `\`${p.name}\``).join(', ')}`;
  definition.report('MMD0404', range, { callee: builtin.name, name }, { help });
}

/** undefined after a report. */
function argumentValue(
  definition: Definition,
  builtin: Builtin,
  param: BuiltinParam,
  argument: Argument,
  names: Names,
): Sym | undefined {
  // What an initialisation is, is read where it is used.
  if (param.type === 'init') return any;
  const value = argument.value ?? definition.evaluate(argument.expr as Expr, names);
  if (value.kind === 'any' || fits(param.type, value)) return value;
  const what = `the argument \`${param.name}\` of \`${builtin.name}\``;
  if (value.kind === 'tensor' && ['int', 'float', 'bool', 'ints', 'range', 'list'].includes(param.type))
    definition.report('MMD0415', argument.range, { what });
  else definition.expected(argument.range, what, typeNames[param.type], value);
  return undefined;
}

function fits(type: ParamType, value: Sym): boolean {
  switch (type) {
    case 'any':
      return true;
    case 'float':
      return value.kind === 'float' || value.kind === 'int';
    case 'ints':
      return (
        value.kind === 'list' &&
        (value.items ?? []).every((item) => isRest(item) || item.kind === 'int' || item.kind === 'any')
      );
    case 'shaped':
      return value.kind === 'tensor';
    case 'space':
      return false;
    case 'init':
      return true;
    default:
      return value.kind === type;
  }
}
