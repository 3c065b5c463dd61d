/**
 * Values of the language where a network is looked at before it is used: dimensions are polynomials over the names of its
 * signature, and what cannot be known yet is `any`.
 *
 * @module
 */
import type { TypeExpr } from '../../grammar/ast.js';
import type { Visible } from '../project/project.js';
import { Polynomial, type Positive } from '../types/polynomial.js';

/** A number where it is one. */
export type Dim = number | Polynomial;

/** Any number of items: `...S`, or the list that a parameter is. */
export interface Rest {
  /** The name that it has. */
  readonly rest: string;
  /** How many items have been taken off its front. */
  readonly from: number;
  readonly element?: TypeExpr;
}

export type Shape = readonly (Dim | Rest)[];

export type Sym =
  /** Without a shape where not even the rank is known. */
  | { readonly kind: 'tensor'; readonly shape?: Shape }
  | { readonly kind: 'int'; readonly value: Dim }
  | { readonly kind: 'float'; readonly value?: number }
  | { readonly kind: 'bool'; readonly value?: boolean }
  | { readonly kind: 'string'; readonly value?: string }
  | { readonly kind: 'list'; readonly items?: readonly (Sym | Rest)[] }
  | { readonly kind: 'tuple'; readonly items: readonly Sym[] }
  | { readonly kind: 'range'; readonly from?: Dim; readonly to?: Dim }
  | { readonly kind: 'network'; readonly target: Visible }
  /** What is not known, or wrong and reported: whatever uses it is silent. */
  | { readonly kind: 'any' };

export type TensorSym = Extract<Sym, { kind: 'tensor' }>;
export type ListSym = Extract<Sym, { kind: 'list' }>;

export const any: Sym = { kind: 'any' };
export const unknownTensor: TensorSym = { kind: 'tensor' };
export const int = (value: Dim): Sym => ({ kind: 'int', value });
export const tensor = (shape: Shape | undefined): TensorSym =>
  shape ? { kind: 'tensor', shape } : unknownTensor;

export const isRest = (item: Sym | Dim | Rest): item is Rest => typeof item === 'object' && 'rest' in item;

export const sameRest = (a: Rest, b: Rest): boolean => a.rest === b.rest && a.from === b.from;

// ---- dimensions

const lift = (d: Dim): Polynomial => (typeof d === 'number' ? Polynomial.constant(d) : d);

const simple = (p: Polynomial): Dim => p.value ?? p;

/** Largest product of numbers of terms that is multiplied out. */
const mostProducts = 1024;

export class Dims {
  private unknowns = 0;
  private readonly positives = new Set<string>();
  readonly positive: Positive = (name) => this.positives.has(name);

  /** A dimension of which nothing is known. */
  unknown(): Polynomial {
    const name = this.unsigned();
    this.positives.add(name);
    return Polynomial.variable(name);
  }

  /** A name for an integer of which nothing is known. */
  unsigned(): string {
    return `?${this.unknowns++}`;
  }

  /** A named integer, positive or not. */
  variable(name: string, positive = false): Polynomial {
    if (positive) this.positives.add(name);
    return Polynomial.variable(name);
  }

  private kept(p: Polynomial): Dim {
    if (p.exact) return simple(p);
    // Nothing is known of its sign.
    return Polynomial.variable(this.unsigned());
  }

  add(a: Dim, b: Dim): Dim {
    if (typeof a === 'number' && typeof b === 'number') return this.number(a + b);
    return this.kept(lift(a).add(lift(b)));
  }

  subtract(a: Dim, b: Dim): Dim {
    if (typeof a === 'number' && typeof b === 'number') return this.number(a - b);
    return this.kept(lift(a).subtract(lift(b)));
  }

  multiply(a: Dim, b: Dim): Dim {
    if (typeof a === 'number' && typeof b === 'number') return this.number(a * b);
    const [p, q] = [lift(a), lift(b)];
    if (p.terms.size * q.terms.size > mostProducts) return Polynomial.variable(this.unsigned());
    return this.kept(p.multiply(q));
  }

  /** undefined where the division leaves a remainder whatever the values are. */
  divide(a: Dim, b: Dim): Dim | undefined {
    if (b === 0) return undefined;
    if (typeof a === 'number' && typeof b === 'number') return a % b === 0 ? a / b : undefined;
    if (a === b) return 1;
    const quotient = lift(a).divide(lift(b));
    if (!quotient) return this.variable(`(${showDim(a)}) / (${showDim(b)})`);
    return quotient.fractional ? undefined : this.kept(quotient);
  }

  power(a: Dim, exponent: number): Dim {
    let result: Dim = 1;
    for (let i = 0; i < exponent; i++) result = this.multiply(result, a);
    return result;
  }

  private number(value: number): Dim {
    return Number.isSafeInteger(value) ? value : Polynomial.variable(this.unsigned());
  }

  compare(a: Dim, b: Dim): 'equal' | 'different' | 'unknown' {
    if (a === b) return 'equal';
    if (typeof a === 'number' && typeof b === 'number') return 'different';
    return lift(a).compare(lift(b), this.positive);
  }

  /** The sign of a - b, where it can be told. */
  order(a: Dim, b: Dim): -1 | 0 | 1 | undefined {
    if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0;
    return lift(a).subtract(lift(b)).sign(this.positive);
  }

  /** Whether two shapes are the same, never the same, or that depends. */
  compareShapes(a: Shape, b: Shape): 'equal' | 'different' | 'unknown' {
    if (a === b) return 'equal';
    let answer: 'equal' | 'unknown' = 'equal';
    let [start, endA, endB] = [0, a.length, b.length];
    /** False where nothing can be said from here on. */
    const step = (x: Dim | Rest, y: Dim | Rest): boolean | 'different' => {
      if (isRest(x) || isRest(y)) return isRest(x) && isRest(y) && sameRest(x, y);
      const result = this.compare(x, y);
      if (result === 'different') return 'different';
      if (result === 'unknown') answer = 'unknown';
      return true;
    };
    while (start < endA && start < endB) {
      const result = step(a[start], b[start]);
      if (result === 'different') return 'different';
      if (!result) break;
      start++;
    }
    while (endA > start && endB > start) {
      const result = step(a[endA - 1], b[endB - 1]);
      if (result === 'different') return 'different';
      if (!result) break;
      [endA, endB] = [endA - 1, endB - 1];
    }
    if (start === endA && start === endB) return answer;
    const open = a.slice(start, endA).some(isRest) || b.slice(start, endB).some(isRest);
    return open ? 'unknown' : 'different';
  }

  /** Number of elements. */
  size(shape: Shape): Dim {
    let total: Dim = 1;
    for (const item of shape)
      total = this.multiply(total, isRest(item) ? this.variable(`product(${showRest(item)})`, true) : item);
    return total;
  }

  /** What arithmetic makes of two shapes; undefined where it cannot be told, 'different' where they never fit. */
  broadcast(a: Shape, b: Shape): Shape | undefined | 'different' {
    if (a === b) return a;
    const result: (Dim | Rest)[] = [];
    for (let i = 1; i <= Math.max(a.length, b.length); i++) {
      if (i > a.length || i > b.length) {
        const [longer, shorter] = a.length > b.length ? [a, b] : [b, a];
        // What a rest of the shorter one holds meets the axes that are left.
        if (shorter.some(isRest)) return undefined;
        result.unshift(...longer.slice(0, longer.length - shorter.length));
        break;
      }
      const [x, y] = [a[a.length - i], b[b.length - i]];
      if (isRest(x) || isRest(y)) {
        if (!(isRest(x) && isRest(y) && sameRest(x, y))) return undefined;
        result.unshift(x);
        continue;
      }
      const joined = this.broadcastDim(x, y);
      if (joined === 'different') return 'different';
      result.unshift(joined);
    }
    return result;
  }

  private broadcastDim(x: Dim, y: Dim): Dim | 'different' {
    if (x === 1) return y;
    if (y === 1) return x;
    const equal = this.compare(x, y);
    if (equal === 'equal') return x;
    if (equal === 'different' && this.compare(x, 1) === 'different' && this.compare(y, 1) === 'different')
      return 'different';
    if (typeof x === 'number' && equal !== 'different') return x;
    return typeof y === 'number' && equal !== 'different' ? y : this.unknown();
  }
}

// ---- how they read

const hideUnknown = (text: string): string => text.replaceAll(/\?\d+/g, '_');

export const showDim = (d: Dim): string => hideUnknown(String(d));

export const showRest = ({ rest, from }: Rest): string => (from === 0 ? rest : `${rest}[${from}..]`);

export function showShape(shape: Shape): string {
  return `f32[${shape.map((d) => (isRest(d) ? `...${showRest(d)}` : showDim(d))).join(', ')}]`;
}

export function showType(value: Sym): string {
  switch (value.kind) {
    case 'tensor':
      return value.shape ? `\`${showShape(value.shape)}\`` : 'a tensor';
    case 'int':
      return typeof value.value === 'number'
        ? `the integer ${value.value}`
        : `the integer \`${showDim(value.value)}\``;
    case 'float':
      return value.value === undefined ? 'a number' : `the number ${value.value}`;
    case 'bool':
      return value.value === undefined ? 'true or false' : String(value.value);
    case 'string':
      return value.value === undefined ? 'a string' : `the string "${value.value}"`;
    case 'list':
      return value.items && !value.items.some(isRest) ? `a list of ${value.items.length}` : 'a list';
    case 'tuple':
      return `a tuple of ${value.items.length}`;
    case 'range':
      return 'a range';
    case 'network':
      return `the network \`${value.target.declaration.name.text}\``;
    case 'any':
      return 'a value';
  }
}
