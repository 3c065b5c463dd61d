/**
 * Calling a builtin: arguments are evaluated and matched with its parameters.
 *
 * @module
 */
import type { Expr, Range } from '../../../grammar/ast.js';
import { didYouMean } from '../../diagnostics/suggest.js';
import type { Environment } from '../environment.js';
import type { Argument, Evaluator } from '../evaluator.js';
import { bool, errorValue, float, int, type Init, type Value } from '../values.js';
import { BuiltinCall, type Builtin, type BuiltinParam, type ParamType } from './builtin.js';

export const typeNames: Record<ParamType, string> = {
  tensor: 'a tensor',
  int: 'an integer',
  float: 'a number',
  bool: 'true or false',
  ints: 'a list of integers',
  range: 'a range such as `0..3`',
  init: 'an initialisation: `zeros`, `ones`, `normal(std)` or `uniform(bound)`',
  space: 'the space',
  shaped: 'a tensor or the space',
  list: 'a list',
  any: 'a value',
};

export function applyBuiltin(
  evaluator: Evaluator,
  builtin: Builtin,
  args: readonly Argument[],
  range: Range,
  env: Environment,
): Value {
  const values = new Map<string, Value | Init | null>();
  const ranges = new Map<string, Range>();
  const variadic: Value[] = [];
  let failed = false;
  let position = 0;
  const positional = builtin.params;
  for (const argument of args) {
    const param = argument.name
      ? positional.find((p) => p.name === argument.name?.text && !p.variadic)
      : (positional[position] ?? positional.find((p) => p.variadic));
    if (!argument.name && param && !param.variadic) position++;
    if (!param) {
      failed = true;
      if (!argument.name) {
        evaluator.report('MMD0403', env, argument.range, {
          callee: builtin.name,
          expected: builtin.params.length,
          found: args.length,
        });
        break;
      }
      const near = didYouMean(
        argument.name.text,
        builtin.params.map((p) => p.name),
      );
      evaluator.report(
        'MMD0404',
        env,
        argument.name.range,
        { callee: builtin.name, name: argument.name.text },
        {
          help: near
            ? `did you mean \`${near}\`?`
            : `its parameters are ${builtin.params.map((p) => `\`${p.name}\``).join(', ')}`,
        },
      );
      continue;
    }
    if (!param.variadic && values.has(param.name)) {
      failed = true;
      evaluator.report('MMD0405', env, argument.range, { callee: builtin.name, name: param.name });
      continue;
    }
    const value = argumentValue(evaluator, env, builtin, param, argument);
    if (value === undefined) failed = true;
    else if (param.variadic) variadic.push(value as Value);
    else values.set(param.name, value);
    ranges.set(param.name, argument.range);
  }
  if (failed) return errorValue;
  for (const param of builtin.params) {
    if (param.variadic ? variadic.length > 0 : values.has(param.name)) continue;
    if (param.default === undefined) {
      return evaluator.report('MMD0402', env, range, { callee: builtin.name, parameter: param.name });
    }
    if (!param.variadic) values.set(param.name, defaultValue(param));
  }
  return builtin.apply(new BuiltinCall(evaluator, builtin, env, range, values, variadic, ranges));
}

function defaultValue(param: BuiltinParam): Value | Init | null {
  const value = param.default;
  if (typeof value === 'number') return param.type === 'int' ? int(value) : float(value);
  if (typeof value === 'boolean') return bool(value);
  return value ?? null;
}

function argumentValue(
  evaluator: Evaluator,
  env: Environment,
  builtin: Builtin,
  param: BuiltinParam,
  argument: Argument,
): Value | Init | undefined {
  const what = `the argument \`${param.name}\` of \`${builtin.name}\``;
  if (param.type === 'init') {
    const init = argument.expr && readInit(evaluator, env, argument.expr);
    if (init) return init;
    if (init === undefined) {
      evaluator.report('MMD0406', env, argument.range, {
        what,
        expected: typeNames.init,
        found: 'something else',
      });
    }
    return undefined;
  }
  const value = argument.value ?? evaluator.evaluate(argument.expr as Expr, env);
  if (value.kind === 'error') return undefined;
  if (param.type === 'float' && value.kind === 'int') return float(value.value);
  if (matches(param.type, value)) return value;
  if (value.kind === 'tensor' && ['int', 'float', 'bool', 'ints', 'range', 'list'].includes(param.type)) {
    evaluator.report('MMD0415', env, argument.range, { what });
  } else {
    evaluator.expected(env, argument.range, what, typeNames[param.type], value);
  }
  return undefined;
}

function matches(type: ParamType, value: Value): boolean {
  if (type === 'any') return true;
  if (type === 'ints') return value.kind === 'list' && value.items.every((item) => item.kind === 'int');
  if (type === 'shaped') return value.kind === 'tensor' || value.kind === 'space';
  return type === value.kind;
}

/** `zeros`, `ones`, `normal(0.02)`, `uniform(0.1)`: names that mean something only here. null after a report. */
function readInit(evaluator: Evaluator, env: Environment, expr: Expr): Init | null | undefined {
  if (expr.kind === 'Paren') return readInit(evaluator, env, expr.inner);
  if (expr.kind === 'Ref' && (expr.name.text === 'zeros' || expr.name.text === 'ones'))
    return { form: expr.name.text };
  if (expr.kind !== 'Call' || expr.args.length !== 1) return undefined;
  const value = evaluator.evaluate(expr.args[0].value, env);
  if (value.kind === 'error') return null;
  if (value.kind !== 'int' && value.kind !== 'float') return undefined;
  if (expr.callee.text === 'normal') return { form: 'normal', std: value.value };
  return expr.callee.text === 'uniform' ? { form: 'uniform', bound: value.value } : undefined;
}
