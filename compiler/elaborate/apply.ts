/**
 * Using a network: arguments are matched with its signature from left to right, which binds its dimensions; then
 * its body is evaluated with them.
 *
 * @module
 */
import type { Expr, Name, Network, Param, Range, RestDim, TypeExpr } from '../../grammar/ast.js';
import { didYouMean } from '../diagnostics/suggest.js';
import { Polynomial } from '../types/polynomial.js';
import { Environment, type Frame } from './environment.js';
import { limits, type Argument, type Evaluator } from './evaluator.js';
import { errorValue, float, int, showShape, showType, type TensorValue, type Value } from './values.js';

type NetworkValue = Extract<Value, { kind: 'network' }>;

export function applyNetwork(
  evaluator: Evaluator,
  target: NetworkValue,
  callee: Name,
  args: readonly Argument[],
  range: Range,
  caller: Environment,
): Value {
  const { network, module } = target;
  evaluator.used.add(network);
  if (caller.frames.length >= limits.depth) {
    const names = [...caller.frames.map((f) => f.network), callee.text].slice(-4).join(' -> ');
    return evaluator.report('MMD0801', caller, range, { depth: limits.depth, chain: `... -> ${names}` });
  }
  const bound = bindArguments(evaluator, network, callee.text, args, range, caller);
  if (!bound) return errorValue;
  const frame: Frame = {
    network: callee.text,
    call: caller.place(range),
    library: module.library,
    bindings: '',
  };
  const inner = new Environment(module, caller.parameters.enter(callee.text), [...caller.frames, frame]);
  const dims = new Dimensions(evaluator, inner);
  for (const param of network.params) {
    const argument = bound.get(param);
    const value = argument ? argument.value : evaluator.evaluate(param.default as Expr, inner); // bindArguments made sure of a default
    if (value.kind === 'error') return errorValue;
    const matched = matchParam(
      evaluator,
      dims,
      network,
      param,
      value,
      argument?.range ?? range,
      argument ? caller : inner,
    );
    if (matched.kind === 'error') return errorValue;
    inner.define(param.name.text, matched);
    frame.bindings = dims.describe();
  }
  const before = evaluator.builder.nodes.length;
  const result = evaluator.body(network.body, inner);
  evaluator.onNetwork?.(inner.parameters.path, network, before, evaluator.builder.nodes.length);
  return checkResult(evaluator, dims, network, inner, result);
}

interface Bound {
  readonly value: Value;
  readonly range: Range;
}

function bindArguments(
  evaluator: Evaluator,
  network: Network,
  callee: string,
  args: readonly Argument[],
  range: Range,
  env: Environment,
): Map<Param, Bound> | undefined {
  const bound = new Map<Param, Bound>();
  let position = 0;
  let failed = false;
  for (const argument of args) {
    const name = argument.name;
    const param = name ? network.params.find((p) => p.name.text === name.text) : network.params[position++];
    const value = argument.value ?? evaluator.evaluate(argument.expr as Expr, env);
    if (!param) {
      failed = true;
      if (!name) {
        evaluator.report('MMD0403', env, argument.range, {
          callee,
          expected: network.params.length,
          found: args.length,
        });
        break;
      }
      const near = didYouMean(
        name.text,
        network.params.map((p) => p.name.text),
      );
      evaluator.report(
        'MMD0404',
        env,
        name.range,
        { callee, name: name.text },
        near === undefined ? {} : { help: `did you mean \`${near}\`?` },
      );
    } else if (bound.has(param)) {
      failed = true;
      evaluator.report('MMD0405', env, argument.range, { callee, name: param.name.text });
    } else {
      bound.set(param, { value, range: argument.range });
      if (value.kind === 'error') failed = true;
    }
  }
  for (const param of network.params) {
    if (bound.has(param) || param.default || failed) continue;
    failed = true;
    evaluator.report('MMD0402', env, range, { callee, parameter: param.name.text });
  }
  return failed ? undefined : bound;
}

function matchParam(
  evaluator: Evaluator,
  dims: Dimensions,
  network: Network,
  param: Param,
  value: Value,
  range: Range,
  env: Environment,
): Value {
  const what = `the argument \`${param.name.text}\` of \`${network.name.text}\``;
  const type = param.type;
  if (type.kind === 'ErrorType') return errorValue;
  if (type.kind === 'ListType') {
    if (value.kind !== 'list') return evaluator.expected(env, range, what, 'a list', value);
    const wrong = value.items.find((item) => !isStatic(type.element, item));
    if (wrong) return evaluator.expected(env, range, `every item of ${what}`, typeName(type.element), wrong);
    dims.bindList(param.name.text, value);
    return value;
  }
  if (type.name.text === 'f32') {
    if (value.kind !== 'tensor') return evaluator.expected(env, range, what, 'a tensor', value);
    return dims.match(type.args ?? [], value, what, range, env) ? value : errorValue;
  }
  if (type.name.text === 'float' && value.kind === 'int') return float(value.value);
  if (!isStatic(type, value)) return evaluator.expected(env, range, what, typeName(type), value);
  if (value.kind === 'int') dims.bind(param.name.text, value.value);
  return value;
}

const staticTypes = ['int', 'float', 'bool', 'string'];

function isStatic(type: TypeExpr, value: Value): boolean {
  if (type.kind === 'ListType')
    return value.kind === 'list' && value.items.every((item) => isStatic(type.element, item));
  if (type.kind === 'ErrorType') return true;
  return (
    staticTypes.includes(type.name.text) &&
    (value.kind === type.name.text || (type.name.text === 'float' && value.kind === 'int'))
  );
}

function typeName(type: TypeExpr): string {
  if (type.kind === 'ListType') return `a list, each item ${typeName(type.element)}`;
  if (type.kind === 'ErrorType') return 'a value';
  const names: Record<string, string> = {
    int: 'an integer',
    float: 'a number',
    bool: 'true or false',
    string: 'a string',
  };
  return names[type.name.text] ?? `\`${type.name.text}\``;
}

function checkResult(
  evaluator: Evaluator,
  dims: Dimensions,
  network: Network,
  env: Environment,
  result: Value,
): Value {
  const declared = network.result;
  if (result.kind === 'error' || declared.kind === 'ErrorType') return result;
  const differs = (expected: string) =>
    evaluator.report(
      'MMD0416',
      env,
      network.body.result.range,
      { network: network.name.text, expected, found: showType(result) },
      { labels: [{ ...env.place(declared.range), message: 'declared here' }] },
    );
  if (declared.kind === 'NamedType' && declared.name.text === 'f32') {
    const shape = dims.evaluate(declared.args ?? []);
    if (!shape) return errorValue;
    const equal =
      result.kind === 'tensor' &&
      result.shape.length === shape.length &&
      shape.every((d, i) => d === result.shape[i]);
    return equal ? result : differs(`\`${showShape(shape)}\``);
  }
  return isStatic(declared, result) ? result : differs(typeName(declared));
}

/** The dimensions of one use of a network. */
export class Dimensions {
  private readonly known = new Map<string, number>();
  private readonly lists = new Map<string, readonly number[]>();

  constructor(
    private readonly evaluator: Evaluator,
    private readonly env: Environment,
  ) {}

  bind(name: string, value: number): void {
    this.known.set(name, value);
    this.env.define(name, int(value));
  }

  /** A list of integers may stand as `...name` in later types. */
  bindList(name: string, value: Extract<Value, { kind: 'list' }>): void {
    const numbers = value.items.map((item) => (item.kind === 'int' ? item.value : NaN));
    if (numbers.every((n) => Number.isInteger(n))) this.lists.set(name, numbers);
    this.env.define(name, value);
  }

  describe(): string {
    const numbers = [...this.known].map(([name, value]) => `${name} = ${value}`);
    return [...[...this.lists].map(([name, value]) => `${name} = [${value.join(', ')}]`), ...numbers]
      .slice(0, 8)
      .join(', ');
  }

  /** Matches a tensor with the dimensions of its declared type, binding what is new. */
  match(
    args: readonly (Expr | RestDim)[],
    value: TensorValue,
    what: string,
    range: Range,
    env: Environment,
  ): boolean {
    const rest = args.findIndex((arg) => arg.kind === 'RestDim');
    const fixed = args.length - (rest >= 0 ? 1 : 0);
    const mismatch = (expected: string) => {
      this.evaluator.report('MMD0401', env, range, {
        what,
        expected,
        found: `\`${showShape(value.shape)}\``,
      });
      return false;
    };
    const declared = () => `\`f32[${args.map((arg) => this.text(arg)).join(', ')}]\``;
    if (rest >= 0 ? value.shape.length < fixed : value.shape.length !== fixed) return mismatch(declared());
    const surplus = value.shape.length - fixed;
    let axis = 0;
    for (const arg of args) {
      if (arg.kind === 'RestDim') {
        const dims = value.shape.slice(axis, axis + surplus);
        const before = this.lists.get(arg.name.text);
        if (before && before.join() !== dims.join()) return mismatch(declared());
        this.bindList(arg.name.text, { kind: 'list', items: dims.map(int) });
        axis += surplus;
        continue;
      }
      const size = value.shape[axis++];
      const polynomial = this.polynomial(arg);
      if (!polynomial) return false;
      const free = polynomial.variables;
      if (free.length === 0) {
        if (polynomial.value !== size) return mismatch(declared());
        continue;
      }
      const solution = free.length === 1 ? polynomial.solve(free[0], size) : undefined;
      if (solution === undefined) {
        if (free.length === 1) return mismatch(declared());
        const callee = this.env.frames[this.env.frames.length - 1]?.network ?? what;
        this.evaluator.report('MMD0411', env, range, { name: free[0], callee });
        return false;
      }
      this.bind(free[0], solution);
    }
    return true;
  }

  /** The numbers of a result type. */
  evaluate(args: readonly (Expr | RestDim)[]): number[] | undefined {
    const shape: number[] = [];
    for (const arg of args) {
      if (arg.kind === 'RestDim') {
        const items = this.lists.get(arg.name.text);
        if (!items) {
          this.evaluator.report('MMD0411', this.env, arg.range, {
            name: arg.name.text,
            callee: 'the result',
          });
          return undefined;
        }
        shape.push(...items);
        continue;
      }
      const value = this.evaluator.evaluate(arg, this.env);
      if (value.kind !== 'int') {
        if (value.kind !== 'error')
          this.evaluator.expected(this.env, arg.range, 'a dimension', 'an integer', value);
        return undefined;
      }
      shape.push(value.value);
    }
    return shape;
  }

  /** A dimension expression, with what is known put in; names not known yet stay variables. */
  private polynomial(expr: Expr): Polynomial | undefined {
    switch (expr.kind) {
      case 'Paren':
        return this.polynomial(expr.inner);
      case 'Ref': {
        const known = this.known.get(expr.name.text);
        return known === undefined ? Polynomial.variable(expr.name.text) : Polynomial.constant(known);
      }
      case 'Binary': {
        const [a, b] = [this.polynomial(expr.left), this.polynomial(expr.right)];
        if (!a || !b) return undefined;
        if (expr.op === '+') return a.add(b);
        if (expr.op === '-') return a.subtract(b);
        if (expr.op === '*') return a.multiply(b);
        if (expr.op === '^' && b.value !== undefined && b.value >= 0 && b.value <= 16)
          return a.power(b.value);
        if (expr.op === '/') {
          const quotient = a.divide(b);
          if (quotient && !quotient.fractional) return quotient;
          this.evaluator.report('MMD0407', this.env, expr.range, {
            dividend: String(a),
            divisor: String(b),
          });
          return undefined;
        }
        break;
      }
      default: {
        // Anything else (`widths[0]`, `gcd(8, C)`) has to be known by now.
        const value = this.evaluator.evaluate(expr, this.env);
        if (value.kind === 'int') return Polynomial.constant(value.value);
        if (value.kind !== 'error')
          this.evaluator.expected(this.env, expr.range, 'a dimension', 'an integer', value);
        return undefined;
      }
    }
    this.evaluator.report('MMD0406', this.env, expr.range, {
      what: 'a dimension',
      expected: 'made of names, numbers, `+ - * / ^`',
      found: 'another operator',
    });
    return undefined;
  }

  /** A dimension as it reads with what is known so far. */
  private text(arg: Expr | RestDim): string {
    if (arg.kind === 'RestDim') return `...${arg.name.text}`;
    if (arg.kind === 'Ref') return String(this.known.get(arg.name.text) ?? arg.name.text);
    if (arg.kind === 'Number') return arg.raw;
    return String(this.polynomial(arg) ?? '?');
  }
}
