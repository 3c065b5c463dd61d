/**
 * Signatures over symbols: what the parameters of a network are inside it, and what a call of it gives.
 *
 * @module
 */
import type { Expr, Network, Param, Range, RestDim, TypeExpr } from '../../grammar/ast.js';
import { Polynomial } from '../types/polynomial.js';
import type { Definition } from './definition.js';
import type { Names } from './names.js';
import {
  any,
  int,
  isRest,
  showDim,
  showShape,
  showType,
  tensor,
  type Dim,
  type Rest,
  type Shape,
  type Sym,
} from './values.js';

/** Parameters as symbols named after them: dimensions are positive, other integers may be anything. */
export function bindParameters(definition: Definition, network: Network, names: Names): void {
  const seen = new Set<string>();
  for (const param of network.params) {
    const name = param.name.text;
    // Of two parameters of one name nothing is known; that there are two is reported with the names.
    names.define(name, seen.has(name) ? any : parameterValue(definition, param, names));
    seen.add(name);
  }
}

function parameterValue(definition: Definition, param: Param, names: Names): Sym {
  const { type } = param;
  if (type.kind === 'ErrorType') return any;
  if (type.kind === 'ListType')
    return { kind: 'list', items: [{ rest: param.name.text, from: 0, element: type.element }] };
  if (type.name.text === 'f32') return tensor(declaredShape(definition, type.args ?? [], names));
  return ofType(definition, type, param.name.text);
}

/** An unknown value of a static type. */
export function ofType(definition: Definition, type: TypeExpr | undefined, name: string): Sym {
  if (type?.kind === 'ListType')
    return { kind: 'list', items: [{ rest: name, from: 0, element: type.element }] };
  switch (type?.kind === 'NamedType' ? type.name.text : '') {
    case 'int':
      return int(definition.dims.variable(name));
    case 'float':
      return { kind: 'float' };
    case 'bool':
      return { kind: 'bool' };
    case 'string':
      return { kind: 'string' };
    default:
      return any;
  }
}

/** The shape of a parameter, inside its own network. */
function declaredShape(definition: Definition, args: readonly (Expr | RestDim)[], names: Names): Shape {
  return args.flatMap((arg): readonly (Dim | Rest)[] => {
    if (arg.kind === 'RestDim') {
      const name = arg.name.text;
      const known = names.find(name);
      if (known) return listDims(definition, known);
      const rest: Rest = { rest: name, from: 0 };
      names.define(name, { kind: 'list', items: [rest] });
      return [rest];
    }
    for (const name of freeNames(arg, names)) names.define(name, int(definition.dims.variable(name, true)));
    // A parameter that stands as a dimension is one.
    if (arg.kind === 'Ref') definition.dims.variable(arg.name.text, true);
    const value = definition.evaluate(arg, names);
    return [value.kind === 'int' ? value.value : definition.dims.unknown()];
  });
}

/** The items of a list of integers as dimensions. */
export function listDims(definition: Definition, value: Sym): Shape {
  if (value.kind !== 'list' || !value.items) return [{ rest: String(definition.dims.unknown()), from: 0 }];
  return value.items.map((item) =>
    isRest(item) ? item : item.kind === 'int' ? item.value : definition.dims.unknown(),
  );
}

/** Names of a dimension expression that nothing has bound; those inside calls and indices have to be known already. */
function freeNames(expr: Expr, names: Names): string[] {
  switch (expr.kind) {
    case 'Ref':
      return expr.name.text === '' || names.find(expr.name.text) ? [] : [expr.name.text];
    case 'Paren':
      return freeNames(expr.inner, names);
    case 'Binary':
      return [...freeNames(expr.left, names), ...freeNames(expr.right, names)];
    default:
      return [];
  }
}

/** What the signature of a network says of its result. */
export function declaredResult(definition: Definition, type: TypeExpr, names: Names): Sym {
  if (type.kind === 'ErrorType') return any;
  if (type.kind === 'ListType') return { kind: 'list' };
  if (type.name.text !== 'f32') return ofType(definition, type, String(definition.dims.unknown()));
  const shape = (type.args ?? []).flatMap((arg): readonly (Dim | Rest)[] => {
    if (arg.kind === 'RestDim') return listDims(definition, names.find(arg.name.text) ?? any);
    const value = definition.evaluate(arg, names);
    return [value.kind === 'int' ? value.value : definition.dims.unknown()];
  });
  return tensor(shape);
}

/** The network that is called: its signature is evaluated where it stands, and without reports. */
export interface Callee {
  readonly network: Network;
  readonly evaluate: (expr: Expr, names: Names) => Sym;
}

/** Matches an argument with its parameter, which binds dimensions in `names`. @returns what the parameter is then */
export function matchParameter(
  definition: Definition,
  callee: Callee,
  param: Param,
  value: Sym,
  range: Range,
  names: Names,
): Sym {
  const { type } = param;
  const what = `the argument \`${param.name.text}\` of \`${callee.network.name.text}\``;
  if (type.kind === 'ErrorType' || value.kind === 'any') return value;
  if (type.kind === 'ListType') {
    if (value.kind === 'list') return value;
    return definition.expected(range, what, 'a list', value);
  }
  if (type.name.text === 'f32') {
    if (value.kind !== 'tensor') return definition.expected(range, what, 'a tensor', value);
    return matchShape(definition, callee, type.args ?? [], value.shape, what, range, names) ? value : any;
  }
  if (!isOfType(type.name.text, value))
    return definition.expected(range, what, typeName(type.name.text), value);
  return type.name.text === 'float' && value.kind === 'int'
    ? { kind: 'float', ...(typeof value.value === 'number' ? { value: value.value } : {}) }
    : value;
}

export function isOfType(type: string, value: Sym): boolean {
  if (value.kind === 'any' || !['int', 'float', 'bool', 'string'].includes(type)) return true;
  return value.kind === type || (type === 'float' && value.kind === 'int');
}

export function typeName(type: string): string {
  const names: Record<string, string> = {
    int: 'an integer',
    float: 'a number',
    bool: 'true or false',
    string: 'a string',
  };
  return names[type] ?? `\`${type}\``;
}

/** False, with a report, where the shape never fits the declared one. */
function matchShape(
  definition: Definition,
  callee: Callee,
  args: readonly (Expr | RestDim)[],
  shape: Shape | undefined,
  what: string,
  range: Range,
  names: Names,
): boolean {
  const rest = args.findIndex((arg) => arg.kind === 'RestDim');
  const open = shape === undefined || shape.some(isRest);
  const fixed = args.length - (rest >= 0 ? 1 : 0);
  const mismatch = () => {
    const declared = args.map((arg) => showArgument(definition, callee, arg, names)).join(', ');
    const expected = `\`f32[${declared}]\``;
    definition.report('MMD0401', range, { what, expected, found: showType(tensor(shape)) });
    return false;
  };
  if (shape && !open && (rest >= 0 ? shape.length < fixed : shape.length !== fixed)) return mismatch();
  for (const [i, item] of align(args, rest, shape ?? []).entries()) {
    const arg = args[i];
    if (arg.kind === 'RestDim') {
      const found: Sym = item === undefined ? { kind: 'list' } : restList(item as Shape);
      const known = names.find(arg.name.text);
      if (!known) names.define(arg.name.text, found);
      else if (item !== undefined && known.kind === 'list' && known.items) {
        if (definition.dims.compareShapes(listDims(definition, known), item as Shape) === 'different')
          return mismatch();
      }
      continue;
    }
    if (!matchDim(definition, callee, arg, item as Dim | undefined, names)) return mismatch();
  }
  return true;
}

const restList = (items: Shape): Sym => ({
  kind: 'list',
  items: items.map((item) => (isRest(item) ? item : int(item))),
});

/** For each declared dimension what stands there: a dimension, for the rest a shape; undefined where it cannot be told. */
function align(args: readonly unknown[], rest: number, shape: Shape): (Dim | Shape | undefined)[] {
  const first = shape.findIndex(isRest);
  const last = shape.findLastIndex(isRest);
  const at = (axis: number): Dim | undefined => {
    const item = shape[axis];
    const known = axis >= 0 && axis < shape.length && (first < 0 || axis < first || axis > last);
    return known && !isRest(item) ? item : undefined;
  };
  return args.map((_, i) => {
    const fromEnd = args.length - i;
    if (rest < 0) return first < 0 || i < first ? at(i) : at(shape.length - fromEnd);
    if (i < rest) return first < 0 || i < first ? at(i) : undefined;
    if (i > rest) return first < 0 || shape.length - fromEnd > last ? at(shape.length - fromEnd) : undefined;
    const [from, to] = [rest, shape.length - (args.length - rest - 1)];
    // A rest of the argument must lie inside that of the parameter.
    return first < 0 || (first >= from && last < to) ? shape.slice(from, Math.max(from, to)) : undefined;
  });
}

/** False where the dimension never is what is declared. Free names are bound. */
function matchDim(
  definition: Definition,
  callee: Callee,
  arg: Expr,
  actual: Dim | undefined,
  names: Names,
): boolean {
  const { dims } = definition;
  if (arg.kind === 'Ref' && arg.name.text !== '' && !names.find(arg.name.text)) {
    names.define(arg.name.text, int(actual ?? dims.unknown()));
    return true;
  }
  const free = freeNames(arg, names);
  if (free.length === 0) {
    const wanted = callee.evaluate(arg, names);
    return (
      wanted.kind !== 'int' || actual === undefined || dims.compare(wanted.value, actual) !== 'different'
    );
  }
  // Solved for its one unknown; where that is not possible nothing is known of it.
  const inner = names.child();
  for (const name of free) inner.define(name, int(Polynomial.variable(`!${name}`)));
  const wanted = callee.evaluate(arg, inner);
  let solution: Dim | undefined;
  if (
    free.length === 1 &&
    wanted.kind === 'int' &&
    actual !== undefined &&
    typeof wanted.value !== 'number'
  ) {
    if (typeof actual === 'number' && wanted.value.variables.length === 1) {
      solution = wanted.value.solve(`!${free[0]}`, actual);
      if (solution === undefined) return false;
    } else {
      const target = typeof actual === 'number' ? Polynomial.constant(actual) : actual;
      const isolated = wanted.value.isolate(`!${free[0]}`, target);
      if (isolated?.fractional) return false;
      solution = isolated && (isolated.value ?? isolated);
    }
  }
  for (const name of free) names.define(name, int(solution ?? dims.unknown()));
  return true;
}

/** A declared dimension as it reads with what is known. */
function showArgument(definition: Definition, callee: Callee, arg: Expr | RestDim, names: Names): string {
  if (arg.kind === 'RestDim') {
    const known = names.find(arg.name.text);
    return known?.kind === 'list' && known.items
      ? showShape(listDims(definition, known)).slice(4, -1)
      : `...${arg.name.text}`;
  }
  const inner = names.child();
  for (const name of freeNames(arg, names)) inner.define(name, int(Polynomial.variable(name)));
  const value = callee.evaluate(arg, inner);
  return value.kind === 'int' ? showDim(value.value) : '?';
}
