/**
 * The form of every primitive's attributes, as data: what the verifier, the text form and the JSON form read.
 *
 * @module
 */
import type { Op, OpAttrs } from './ir.js';

/** `numbers` are any numbers, non-finite ones included; the other kinds are what their names say. */
export type AttrKind =
  'name' | 'numbers' | 'integers' | 'pair' | 'quad' | 'integer' | 'number' | 'boolean' | 'dtype';

const none = {} as const;
const reduction = { axes: 'integers', keep: 'boolean' } as const;
const conv = { stride: 'pair', pad: 'quad' } as const;

const forms: { readonly [K in Op]: { readonly [A in keyof OpAttrs[K]]: AttrKind } } = {
  input: { name: 'name' },
  parameter: { name: 'name' },
  constant: { data: 'numbers' },
  neg: none,
  exp: none,
  log: none,
  sqrt: none,
  sin: none,
  cos: none,
  tanh: none,
  sigmoid: none,
  erf: none,
  abs: none,
  sign: none,
  add: none,
  sub: none,
  mul: none,
  div: none,
  max: none,
  min: none,
  pow: none,
  less: none,
  equal: none,
  select: none,
  sum: reduction,
  mean: reduction,
  reduce_max: reduction,
  reshape: { shape: 'integers' },
  transpose: { perm: 'integers' },
  broadcast: { shape: 'integers' },
  slice: { start: 'integers', stop: 'integers', step: 'integers' },
  pad: { before: 'integers', after: 'integers' },
  concat: { axis: 'integer' },
  matmul: { transposeA: 'boolean', transposeB: 'boolean' },
  conv2d: conv,
  conv2d_input: { ...conv, size: 'pair' },
  conv2d_filter: { ...conv, kernel: 'pair' },
  softmax: none,
  log_softmax: none,
  normalize: { eps: 'number' },
  rstd: { eps: 'number' },
  gather: none,
  scatter_add: { rows: 'integer' },
  one_hot: { depth: 'integer' },
  argmax: none,
  cast: { to: 'dtype' },
  stop_gradient: none,
};

/** Names and kinds of an operation's attributes, in the order in which they are written. */
export function attrForm(op: Op): readonly (readonly [string, AttrKind])[] {
  return Object.entries<AttrKind>(forms[op]);
}

export function isOp(name: string): name is Op {
  return Object.hasOwn(forms, name);
}

const integers = (x: unknown): boolean => Array.isArray(x) && x.every(Number.isSafeInteger);

const checks: { readonly [K in AttrKind]: readonly [test: (x: unknown) => boolean, wanted: string] } = {
  name: [(x) => typeof x === 'string', 'a string'],
  numbers: [
    (x) => x instanceof Float64Array || (Array.isArray(x) && x.every((e) => typeof e === 'number')),
    'a list of numbers',
  ],
  integers: [integers, 'a list of integers'],
  pair: [(x) => integers(x) && (x as unknown[]).length === 2, 'two integers'],
  quad: [(x) => integers(x) && (x as unknown[]).length === 4, 'four integers'],
  integer: [Number.isSafeInteger, 'an integer'],
  number: [Number.isFinite, 'a number'],
  boolean: [(x) => typeof x === 'boolean', 'true or false'],
  dtype: [(x) => x === 'f32' || x === 'i32', '"f32" or "i32"'],
};

/** What `value` should be for an attribute of this kind, or `undefined` where it is. */
export function kindProblem(kind: AttrKind, value: unknown): string | undefined {
  const [test, wanted] = checks[kind];
  return test(value) ? undefined : wanted;
}

/** What is wrong with the form of a node's attributes: missing, of the wrong kind, or not of this operation. */
export function attrProblem(op: string, attrs: object): string | undefined {
  if (!isOp(op)) return `"${op}" is no primitive`;
  const form = attrForm(op);
  const values: Readonly<Record<string, unknown>> = { ...attrs };
  for (const [name, kind] of form) {
    const wanted = kindProblem(kind, values[name]);
    if (wanted !== undefined) return `attribute ${name} of ${op} must be ${wanted}`;
  }
  const extra = Object.keys(attrs).find((name) => !form.some(([known]) => known === name));
  return extra === undefined ? undefined : `${op} has no attribute "${extra}"`;
}
