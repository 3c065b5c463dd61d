/**
 * Operators: exact integers, numbers, booleans, lists, and tensors with broadcasting.
 *
 * @module
 */
import type { Binary, BinaryOp, Unary } from '../../grammar/ast.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Node, Shape } from '../graph/ir.js';
import type { Environment } from './environment.js';
import { limits, type Evaluator } from './evaluator.js';
import {
  affineIn,
  bool,
  errorValue,
  float,
  int,
  list,
  nonlinearIn,
  productOf,
  showShape,
  showType,
  type Degree,
  type TensorValue,
  type Value,
} from './values.js';

type Numeric = Extract<Value, { kind: 'int' | 'float' }>;

const isNumeric = (value: Value): value is Numeric => value.kind === 'int' || value.kind === 'float';

export function unary(evaluator: Evaluator, env: Environment, expr: Unary, operand: Value): Value {
  if (operand.kind === 'error') return errorValue;
  if (expr.op === '!') {
    return operand.kind === 'bool'
      ? bool(!operand.value)
      : evaluator.expected(env, expr.operand.range, 'the operand of `!`', 'true or false', operand);
  }
  if (isNumeric(operand)) return { ...operand, value: -operand.value };
  if (operand.kind === 'tensor') return { ...operand, node: evaluator.builder.neg(operand.node) };
  return evaluator.expected(env, expr.operand.range, 'the operand of `-`', 'a number or a tensor', operand);
}

export function binary(
  evaluator: Evaluator,
  env: Environment,
  expr: Binary,
  left: Value,
  right: Value,
): Value {
  if (left.kind === 'error' || right.kind === 'error') return errorValue;
  const result =
    isNumeric(left) && isNumeric(right)
      ? numbers(evaluator, env, expr, left, right)
      : left.kind === 'tensor' || right.kind === 'tensor'
        ? tensors(evaluator, env, expr, left, right)
        : others(expr.op, left, right);
  if (result) return withinLength(evaluator, env, expr, result);
  return evaluator.report('MMD0410', env, expr.range, {
    operator: expr.op,
    left: showType(left),
    right: showType(right),
  });
}

/** Joining may double a list again and again. */
function withinLength(evaluator: Evaluator, env: Environment, expr: Binary, value: Value): Value {
  const length =
    value.kind === 'list' ? value.items.length : value.kind === 'string' ? value.value.length : 0;
  if (length <= limits.length) return value;
  return evaluator.report('MMD0414', env, expr.range, {
    what: `the result of \`${expr.op}\``,
    expected:
      value.kind === 'list' ? `a list of at most ${limits.length}` : `at most ${limits.length} characters`,
    found: value.kind === 'list' ? `one of ${length}` : `${length}`,
  });
}

function numbers(
  evaluator: Evaluator,
  env: Environment,
  expr: Binary,
  left: Numeric,
  right: Numeric,
): Value | undefined {
  const [a, b] = [left.value, right.value];
  const exact = left.kind === 'int' && right.kind === 'int';
  const make = (value: number): Value => {
    if (!Number.isFinite(value) || (exact && !Number.isSafeInteger(value))) {
      return evaluator.report('MMD0414', env, expr.range, {
        what: `the result of \`${expr.op}\``,
        expected: exact ? 'an integer below 2^53' : 'a finite number',
        found: String(value),
      });
    }
    return exact ? int(value) : float(value);
  };
  switch (expr.op) {
    case '+':
      return make(a + b);
    case '-':
      return make(a - b);
    case '*':
      return make(a * b);
    case '/':
      if (exact && (b === 0 || a % b !== 0)) {
        return evaluator.report('MMD0407', env, expr.range, { dividend: a, divisor: b });
      }
      return make(a / b);
    case '%':
      return exact && b === 0
        ? evaluator.report('MMD0407', env, expr.range, { dividend: a, divisor: b })
        : make(a % b);
    case '^':
      return exact && b < 0 ? float(a ** b) : make(a ** b);
    case '==':
      return bool(a === b);
    case '!=':
      return bool(a !== b);
    case '<':
      return bool(a < b);
    case '<=':
      return bool(a <= b);
    case '>':
      return bool(a > b);
    case '>=':
      return bool(a >= b);
    default:
      return undefined;
  }
}

function others(op: BinaryOp, left: Value, right: Value): Value | undefined {
  if (left.kind === 'bool' && right.kind === 'bool') {
    const result = { '&&': left.value && right.value, '||': left.value || right.value } as Partial<
      Record<BinaryOp, boolean>
    >;
    if (result[op] !== undefined) return bool(result[op]);
  }
  if (left.kind === 'list' && right.kind === 'list' && op === '+')
    return list([...left.items, ...right.items]);
  if (left.kind === 'string' && right.kind === 'string' && op === '+')
    return { kind: 'string', value: left.value + right.value };
  if ((op === '==' || op === '!=') && left.kind === right.kind) {
    // Lists inside lists can share parts, and be endless when written out.
    const budget = { left: 2 * limits.length };
    const equal = staticKey(left, budget) === staticKey(right, budget);
    return budget.left < 0 ? undefined : bool(op === '==' ? equal : !equal);
  }
  return undefined;
}

function staticKey(value: Value, budget: { left: number }): string {
  if (--budget.left < 0) return '';
  if (value.kind === 'list' || value.kind === 'tuple')
    return `[${value.items.map((item) => staticKey(item, budget)).join()}]`;
  return 'value' in value ? JSON.stringify(value.value) : value.kind;
}

function tensors(
  evaluator: Evaluator,
  env: Environment,
  expr: Binary,
  left: Value,
  right: Value,
): Value | undefined {
  const b = evaluator.builder;
  if (expr.op === '^') {
    if (left.kind !== 'tensor' || !isNumeric(right)) return undefined;
    const degree = nonlinearIn(left.degree);
    // Small whole powers by multiplication: `pow` has no gradient at negative bases.
    if (right.value === 2) return { ...left, node: b.mul(left.node, left.node), degree };
    return { ...left, node: b.pow(left.node, right.value), degree };
  }
  if (expr.op !== '+' && expr.op !== '-' && expr.op !== '*' && expr.op !== '/') return undefined;
  const [x, y] = [lift(b, left), lift(b, right)];
  if (!x || !y) return undefined;
  const shape = broadcastShape(x.shape, y.shape);
  if (!shape) {
    return evaluator.report(
      'MMD0410',
      env,
      expr.range,
      { operator: expr.op, left: `\`${showShape(x.shape)}\``, right: `\`${showShape(y.shape)}\`` },
      {
        labels: [
          { ...env.place(expr.left.range), message: showShape(x.shape) },
          { ...env.place(expr.right.range), message: showShape(y.shape) },
        ],
        help: 'dimensions are compared from the last one backwards; they must be equal, or one of them 1 or absent',
      },
    );
  }
  if (!evaluator.fits(shape, env, expr.range)) return errorValue;
  const [p, q] = aligned(b, x, y);
  const node = {
    '+': () => b.add(p, q),
    '-': () => b.sub(p, q),
    '*': () => b.mul(p, q),
    '/': () => b.div(p, q),
  }[expr.op]();
  return {
    kind: 'tensor',
    node,
    shape,
    batched: x.batched || y.batched,
    degree: degreeOf(expr.op, x.degree, y.degree),
  };
}

function degreeOf(op: '+' | '-' | '*' | '/', x: Degree, y: Degree): Degree {
  if (op === '*') return productOf(x, y);
  if (op === '/') return y === 'constant' ? x : nonlinearIn(x, y);
  return affineIn(x, y);
}

function lift(builder: GraphBuilder, value: Value): TensorValue | undefined {
  if (value.kind === 'tensor') return value;
  if (!isNumeric(value)) return undefined;
  return { kind: 'tensor', node: builder.scalar(value.value), shape: [], batched: false, degree: 'constant' };
}

/** NumPy's rule on shapes without the batch axis. */
export function broadcastShape(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) {
    const [x, y] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (x !== y && x !== 1 && y !== 1) return undefined;
    shape.push(x === 1 ? y : x);
  }
  return shape;
}

/** Nodes whose axes line up: a batched operand of lower rank gets axes of size 1 behind its batch axis. */
export function aligned(builder: GraphBuilder, x: TensorValue, y: TensorValue): [Node, Node] {
  const rank = Math.max(x.shape.length, y.shape.length);
  const fit = (v: TensorValue) =>
    v.batched && v.shape.length < rank
      ? builder.reshape(v.node, [
          v.node.shape[0],
          ...new Array<number>(rank - v.shape.length).fill(1),
          ...v.shape,
        ])
      : v.node;
  return [fit(x), fit(y)];
}
