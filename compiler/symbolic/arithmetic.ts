/**
 * Operators over symbols.
 *
 * @module
 */
import type { Binary, Unary } from '../../grammar/ast.js';
import type { Definition } from './definition.js';
import { any, int, isRest, showType, tensor, type Dim, type Sym } from './values.js';

/** Lists and strings are followed up to this length. */
const longest = 4096;

export function unary(definition: Definition, expr: Unary, operand: Sym): Sym {
  if (operand.kind === 'any') return any;
  const what = `the operand of \`${expr.op}\``;
  if (expr.op === '!') {
    if (operand.kind !== 'bool')
      return definition.expected(expr.operand.range, what, 'true or false', operand);
    return operand.value === undefined ? operand : { kind: 'bool', value: !operand.value };
  }
  if (operand.kind === 'int') return int(definition.dims.subtract(0, operand.value));
  if (operand.kind === 'float')
    return operand.value === undefined ? operand : { kind: 'float', value: -operand.value };
  if (operand.kind === 'tensor') return operand;
  return definition.expected(expr.operand.range, what, 'a number or a tensor', operand);
}

export function binary(definition: Definition, expr: Binary, left: Sym, right: Sym): Sym {
  if (left.kind === 'any' || right.kind === 'any') return any;
  const numeric = (v: Sym) => v.kind === 'int' || v.kind === 'float';
  const result =
    left.kind === 'int' && right.kind === 'int'
      ? integers(definition, expr, left.value, right.value)
      : numeric(left) && numeric(right)
        ? floats(expr)
        : left.kind === 'tensor' || right.kind === 'tensor'
          ? tensors(definition, expr, left, right)
          : others(expr, left, right);
  if (result) return result;
  return definition.report('MMD0410', expr.range, {
    operator: expr.op,
    left: showType(left),
    right: showType(right),
  });
}

const comparisons = ['==', '!=', '<', '<=', '>', '>='];

function integers(definition: Definition, expr: Binary, a: Dim, b: Dim): Sym | undefined {
  const { dims } = definition;
  const bool = (value: boolean | undefined): Sym => ({
    kind: 'bool',
    ...(value === undefined ? {} : { value }),
  });
  const unknown = (): Sym => int(dims.variable(dims.unsigned()));
  const remainder = () =>
    definition.report('MMD0407', expr.range, { dividend: showDimOf(a), divisor: showDimOf(b) });
  switch (expr.op) {
    case '+':
      return int(dims.add(a, b));
    case '-':
      return int(dims.subtract(a, b));
    case '*':
      return int(dims.multiply(a, b));
    case '/': {
      const quotient = dims.divide(a, b);
      return quotient === undefined ? remainder() : int(quotient);
    }
    case '%':
      if (b === 0) return remainder();
      if (typeof a === 'number' && typeof b === 'number') return int(a % b);
      return a === b ? int(0) : unknown();
    case '^':
      if (typeof b === 'number' && b < 0) return { kind: 'float' };
      return typeof b === 'number' && b <= 16 ? int(dims.power(a, b)) : unknown();
    case '==':
    case '!=': {
      const answer = dims.compare(a, b);
      return bool(answer === 'unknown' ? undefined : (answer === 'equal') === (expr.op === '=='));
    }
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const order = dims.order(a, b);
      if (order === undefined) return bool(undefined);
      return bool({ '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[expr.op]);
    }
    default:
      return undefined;
  }
}

const showDimOf = (d: Dim): string => String(d).replaceAll(/\?\d+/g, '_');

function floats(expr: Binary): Sym | undefined {
  if (comparisons.includes(expr.op)) return { kind: 'bool' };
  return expr.op === '&&' || expr.op === '||' ? undefined : { kind: 'float' };
}

function others(expr: Binary, left: Sym, right: Sym): Sym | undefined {
  const { op } = expr;
  if (left.kind === 'bool' && right.kind === 'bool' && (op === '&&' || op === '||')) {
    // `false && x` has been decided before x was looked at; here the left one is true, or not known.
    const [a, b] = [left.value, right.value];
    const decides = op === '||';
    if (b === decides) return { kind: 'bool', value: decides };
    return a === undefined || b === undefined ? { kind: 'bool' } : { kind: 'bool', value: !decides };
  }
  if (left.kind === 'list' && right.kind === 'list' && op === '+') {
    const long = (left.items?.length ?? 0) + (right.items?.length ?? 0) > longest;
    if (!left.items || !right.items || long) return { kind: 'list' };
    return { kind: 'list', items: [...left.items, ...right.items] };
  }
  if (left.kind === 'string' && right.kind === 'string' && op === '+') {
    const [a, b] = [left.value, right.value];
    return a === undefined || b === undefined || a.length + b.length > longest
      ? { kind: 'string' }
      : { kind: 'string', value: a + b };
  }
  if ((op === '==' || op === '!=') && left.kind === right.kind) {
    if (left.kind !== 'string' || right.kind !== 'string') return { kind: 'bool' };
    if (left.value === undefined || right.value === undefined) return { kind: 'bool' };
    return { kind: 'bool', value: (left.value === right.value) === (op === '==') };
  }
  return undefined;
}

function tensors(definition: Definition, expr: Binary, left: Sym, right: Sym): Sym | undefined {
  const scalar = (v: Sym) => v.kind === 'int' || v.kind === 'float';
  if (expr.op === '^') return left.kind === 'tensor' && scalar(right) ? left : undefined;
  if (!['+', '-', '*', '/'].includes(expr.op)) return undefined;
  if (scalar(left) && right.kind === 'tensor') return right;
  if (left.kind === 'tensor' && scalar(right)) return left;
  if (left.kind !== 'tensor' || right.kind !== 'tensor') return undefined;
  if (!left.shape || !right.shape) return tensor(undefined);
  const shape = definition.dims.broadcast(left.shape, right.shape);
  if (shape !== 'different') return tensor(shape);
  const label = (range: Binary['range'], value: Sym) => ({
    file: definition.module.file,
    range,
    message: showType(value).slice(1, -1),
  });
  return definition.report(
    'MMD0410',
    expr.range,
    { operator: expr.op, left: showType(left), right: showType(right) },
    {
      labels: [label(expr.left.range, left), label(expr.right.range, right)],
      help: 'dimensions are compared from the last one backwards; they must be equal, or one of them 1 or absent',
    },
  );
}

/** Whether all items of a list are known, each by itself. */
export const isClosed = (value: Sym): boolean =>
  value.kind === 'list' && value.items !== undefined && !value.items.some(isRest);
