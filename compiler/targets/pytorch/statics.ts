/**
 * Static values as Python: what a network knows before it runs (dimensions, widths, lists), in terms of its names. A
 * code can be evaluated for every use of the network, so that what is written is held to what was checked.
 *
 * @module
 */
import type { Expr } from '../../../grammar/ast.js';
import type { Value } from '../../elaborate/values.js';
import { pythonNumber, pythonString, pythonTuple } from './python.js';
import type { Scope } from './trace.js';

export type Static = number | boolean | string | readonly Static[];

/** Where a code is written: among the arguments of `__init__`, or in `forward`, where names are attributes. */
export type Place = 'init' | 'forward';

/** How a name of the spec is written at a place. */
export type Naming = (name: string, place: Place) => string;

export interface Code {
  readonly text: (naming: Naming, place: Place) => string;
  /** Binding strength: 3 comparison, 4 sum, 5 product, 6 unary, 7 power, 9 atom. */
  readonly strength: number;
  /** Names of the spec that it reads. */
  readonly names: readonly string[];
  readonly evaluate: (use: Scope) => Static | undefined;
  /** The items of a list whose number is known; each an item or a list spread into it. */
  readonly items?: readonly { readonly code: Code; readonly spread: boolean }[];
}

/** A value as a static one; undefined for tensors and the like. */
export function staticOf(value: Value | undefined): Static | undefined {
  switch (value?.kind) {
    case 'int':
    case 'float':
    case 'bool':
    case 'string':
      return value.value;
    case 'list': {
      const items = value.items.map(staticOf);
      return items.every((item) => item !== undefined) ? (items as Static[]) : undefined;
    }
    default:
      return undefined;
  }
}

export function equalStatic(a: Static | undefined, b: Static | undefined): boolean {
  return a !== undefined && b !== undefined && JSON.stringify(a) === JSON.stringify(b);
}

export function pythonStatic(value: Static, float = false): string {
  if (typeof value === 'number') return pythonNumber(value, !float && Number.isInteger(value));
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return pythonString(value);
  return pythonTuple(value.map((item) => pythonStatic(item)));
}

export function literal(value: Static, float = false): Code {
  const text = pythonStatic(value, float);
  const items = Array.isArray(value)
    ? (value as readonly Static[]).map((item) => ({ code: literal(item), spread: false }))
    : undefined;
  return {
    text: () => text,
    strength: text.startsWith('-') ? 6 : 9,
    names: [],
    evaluate: () => value,
    ...(items ? { items } : {}),
  };
}

export function nameCode(name: string): Code {
  return {
    text: (naming, place) => naming(name, place),
    strength: 9,
    names: [name],
    evaluate: (use) => staticOf(use.env.lookup(name)),
  };
}

/** Parenthesised where what is around it binds more strongly. */
export function within(code: Code, strength: number, naming: Naming, place: Place): string {
  const text = code.text(naming, place);
  return code.strength < strength ? `(${text})` : text;
}

const namesOf = (codes: readonly Code[]): string[] => [...new Set(codes.flatMap((code) => code.names))];

function make(
  parts: readonly Code[],
  strength: number,
  text: Code['text'],
  compute: (values: Static[]) => Static | undefined,
): Code {
  return {
    text,
    strength,
    names: namesOf(parts),
    evaluate(use) {
      const values = parts.map((part) => part.evaluate(use));
      return values.every((value) => value !== undefined) ? compute(values as Static[]) : undefined;
    },
  };
}

export function callCode(
  callee: string,
  args: readonly Code[],
  compute: (values: Static[]) => Static | undefined,
): Code {
  return make(
    args,
    9,
    (naming, place) => `${callee}(${args.map((arg) => arg.text(naming, place)).join(', ')})`,
    compute,
  );
}

const strengths: Readonly<Record<string, number>> = {
  '||': 1,
  '&&': 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '//': 5,
  '%': 5,
};

export function operator(op: string, left: Code, right: Code): Code {
  if (left.items && right.items && op === '+') return listCode([...left.items, ...right.items]);
  if (op === '+' && (left.items || right.items)) {
    // A list of unknown length beside a known one is spread into it.
    const parts = (code: Code) => code.items ?? [{ code, spread: true }];
    return listCode([...parts(left), ...parts(right)]);
  }
  const word = op === '&&' ? 'and' : op === '||' ? 'or' : op;
  const strength = strengths[op];
  return make(
    [left, right],
    strength,
    (naming, place) =>
      `${within(left, strength, naming, place)} ${word} ${within(right, strength + 1, naming, place)}`,
    ([a, b]) => compute(op, a, b),
  );
}

function power(left: Code, right: Code): Code {
  return make(
    [left, right],
    7,
    (naming, place) => {
      const [a, b] = [within(left, 8, naming, place), within(right, 7, naming, place)];
      const simple = [a, b].every((text) => /^-?[A-Za-z_0-9][\w.]*$/.test(text));
      return simple ? `${a}**${b}` : `${a} ** ${b}`;
    },
    ([a, b]) => (typeof a === 'number' && typeof b === 'number' ? a ** b : undefined),
  );
}

function compute(op: string, a: Static, b: Static): Static | undefined {
  if (op === '==') return equalStatic(a, b);
  if (op === '!=') return !equalStatic(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean')
    return op === '&&' ? a && b : op === '||' ? a || b : undefined;
  if (typeof a === 'string' && typeof b === 'string') return op === '+' ? a + b : undefined;
  if (Array.isArray(a) && Array.isArray(b))
    return op === '+' ? [...(a as Static[]), ...(b as Static[])] : undefined;
  if (typeof a !== 'number' || typeof b !== 'number') return undefined;
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '//':
      return Math.floor(a / b);
    case '%':
      return a % b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    default:
      return undefined;
  }
}

/** A tuple; lists spread into it are starred. */
export function listCode(items: readonly { readonly code: Code; readonly spread: boolean }[]): Code {
  const parts = items.map((item) => item.code);
  const text: Code['text'] = (naming, place) =>
    pythonTuple(
      items.map(({ code, spread }) =>
        spread ? `*${within(code, 9, naming, place)}` : code.text(naming, place),
      ),
    );
  const made = make(parts, 9, text, (values) =>
    values.flatMap((value, i) => (items[i].spread ? (value as Static[]) : [value])),
  );
  return { ...made, items };
}

/** The items of a list, written as arguments. */
export function argumentsOf(code: Code, naming: Naming, place: Place): string[] {
  if (!code.items) return [`*${within(code, 9, naming, place)}`];
  return code.items.map(({ code: item, spread }) =>
    spread ? `*${within(item, 9, naming, place)}` : item.text(naming, place),
  );
}

function indexCode(target: Code, index: Code): Code {
  const made = make(
    [target, index],
    9,
    (naming, place) => `${within(target, 9, naming, place)}[${index.text(naming, place)}]`,
    ([list, at]) =>
      Array.isArray(list) && typeof at === 'number'
        ? (list as Static[])[at < 0 ? at + list.length : at]
        : undefined,
  );
  return made;
}

function sliceCode(target: Code, from: Code | undefined, to: Code | undefined): Code {
  const ends = [from, to].filter((end) => end !== undefined);
  return make(
    [target, ...ends],
    9,
    (naming, place) =>
      `${within(target, 9, naming, place)}[${from?.text(naming, place) ?? ''}:${to?.text(naming, place) ?? ''}]`,
    ([list, ...rest]) => {
      if (!Array.isArray(list)) return undefined;
      const first = from ? (rest[0] as number) : 0;
      const last = to ? (rest[from ? 1 : 0] as number) : list.length;
      return (list as Static[]).slice(first, last);
    },
  );
}

/** What translating an expression asks of its surroundings. */
export interface Resolver {
  /** The code of a static name. */
  readonly name: (name: string) => Code | undefined;
  /** Dimensions of a tensor expression, as a list code. */
  readonly shape: (expr: Expr) => Code | undefined;
  /** Whether a division is one of integers, without a remainder. */
  readonly exact: (expr: Expr) => boolean;
}

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));
const numbers = (values: Static[]): number[] | undefined =>
  values.every((value) => typeof value === 'number') ? (values as number[]) : undefined;

/** A static expression of the language as Python; undefined where there is no way to write it. */
export function translate(expr: Expr, resolver: Resolver): Code | undefined {
  const inner = (e: Expr): Code | undefined => translate(e, resolver);
  switch (expr.kind) {
    case 'Number':
      return literal(expr.value, !expr.integer);
    case 'String':
    case 'Bool':
      return literal(expr.value);
    case 'Paren':
      return inner(expr.inner);
    case 'Ref':
      return resolver.name(expr.name.text);
    case 'List': {
      const items = expr.items.map(inner);
      if (items.some((item) => item === undefined)) return undefined;
      return listCode(items.map((code) => ({ code: code as Code, spread: false })));
    }
    case 'Unary': {
      const operand = inner(expr.operand);
      if (!operand) return undefined;
      if (expr.op === '!')
        return make(
          [operand],
          2,
          (n, p) => `not ${within(operand, 3, n, p)}`,
          ([v]) => !v,
        );
      return make(
        [operand],
        6,
        (n, p) => `-${within(operand, 6, n, p)}`,
        ([v]) => -(v as number),
      );
    }
    case 'Binary': {
      const [left, right] = [inner(expr.left), inner(expr.right)];
      if (!left || !right) return undefined;
      if (expr.op === '^') return power(left, right);
      return operator(expr.op === '/' && resolver.exact(expr) ? '//' : expr.op, left, right);
    }
    case 'Index': {
      const target = inner(expr.target);
      if (!target) return undefined;
      if (expr.index.kind === 'Range') {
        const { from, to } = expr.index;
        const [a, b] = [from && inner(from), to && inner(to)];
        return (from && !a) || (to && !b) ? undefined : sliceCode(target, a, b);
      }
      const index = inner(expr.index);
      return index && indexCode(target, index);
    }
    case 'Call':
      return staticCall(
        expr.callee.text,
        expr.args.map((arg) => arg.value),
        resolver,
      );
    default:
      return undefined;
  }
}

function staticCall(callee: string, args: readonly Expr[], resolver: Resolver): Code | undefined {
  if (callee === 'shape' || callee === 'size') {
    const shape = args.length === 1 ? resolver.shape(args[0]) : undefined;
    if (!shape || callee === 'shape') return shape;
    return product(shape);
  }
  const codes = args.map((arg) => translate(arg, resolver));
  if (codes.some((code) => code === undefined)) return undefined;
  const known = codes as Code[];
  switch (callee) {
    case 'contains': {
      // A network of the prelude; checked against what it came to, like everything here.
      const [list, item] = known;
      return {
        text: (naming, place) => `${within(item, 4, naming, place)} in ${within(list, 4, naming, place)}`,
        strength: 3,
        names: namesOf(known),
        evaluate(use) {
          const [items, wanted] = [list.evaluate(use), item.evaluate(use)];
          return Array.isArray(items) ? (items as Static[]).includes(wanted as Static) : undefined;
        },
      };
    }
    case 'len':
      return callCode('len', known, ([list]) => (Array.isArray(list) ? list.length : undefined));
    case 'product':
      return product(known[0]);
    case 'gcd':
      return callCode('math.gcd', known, (v) => {
        const n = numbers(v);
        return n && gcd(n[0], n[1]);
      });
    case 'isqrt':
      return callCode('math.isqrt', known, (v) => {
        const n = numbers(v);
        return n && Math.round(Math.sqrt(n[0]));
      });
    case 'log':
      return callCode('math.log', known, (v) => {
        const n = numbers(v);
        return n && Math.log(n[0]);
      });
    default:
      return undefined;
  }
}

/** Product of a list; short lists of known length are multiplied out. */
export function product(list: Code): Code {
  const { items } = list;
  if (items?.length === 1) return items[0].spread ? product(items[0].code) : items[0].code;
  if (items && items.length > 0 && items.length <= 3 && items.every((item) => !item.spread))
    return items.map((item) => item.code).reduce((a, b) => operator('*', a, b));
  return callCode('math.prod', [list], ([value]) =>
    Array.isArray(value) ? (value as number[]).reduce((p, d) => p * d, 1) : undefined,
  );
}
