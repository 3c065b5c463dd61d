/**
 * Python expressions as small trees, so that a statement that is too long can be broken into shorter ones.
 *
 * @module
 */
import { bracketed, lineLength } from './python.js';

export type Out =
  | { readonly kind: 'atom'; readonly text: string; readonly strength: number }
  /** `callee(args)`; keyword arguments are atoms such as `scale=1.0`. */
  | { readonly kind: 'call'; readonly callee: string; readonly args: readonly Out[] }
  /** `object.rest`, or `object[rest]`. */
  | { readonly kind: 'member'; readonly object: Out; readonly rest: string }
  | { readonly kind: 'binary'; readonly op: string; readonly left: Out; readonly right: Out };

export const atom = (text: string, strength = 9): Out => ({ kind: 'atom', text, strength });
export const callOut = (callee: string, ...args: readonly Out[]): Out => ({ kind: 'call', callee, args });
export const member = (object: Out, rest: string): Out => ({ kind: 'member', object, rest });
export const binaryOut = (op: string, left: Out, right: Out): Out => ({ kind: 'binary', op, left, right });

const binding: Readonly<Record<string, number>> = { '+': 4, '-': 4, '*': 5, '/': 5, '@': 5, '**': 7 };

function strengthOf(out: Out): number {
  if (out.kind === 'atom') return out.strength;
  return out.kind === 'binary' ? binding[out.op] : 9;
}

function wrapped(out: Out, least: number): string {
  const text = textOf(out);
  return strengthOf(out) < least ? `(${text})` : text;
}

export function textOf(out: Out): string {
  switch (out.kind) {
    case 'atom':
      return out.text;
    case 'call':
      return `${out.callee}(${out.args.map(textOf).join(', ')})`;
    case 'member':
      return `${wrapped(out.object, 9)}${out.rest}`;
    case 'binary': {
      const strength = binding[out.op];
      if (out.op === '**') {
        const [a, b] = [wrapped(out.left, 8), wrapped(out.right, 7)];
        return [a, b].every((t) => /^-?[A-Za-z_0-9][\w.]*$/.test(t)) ? `${a}**${b}` : `${a} ** ${b}`;
      }
      return `${wrapped(out.left, strength)} ${out.op} ${wrapped(out.right, strength + 1)}`;
    }
  }
}

function parts(out: Out): readonly Out[] {
  if (out.kind === 'call') return out.args;
  if (out.kind === 'member') return [out.object];
  return out.kind === 'binary' ? [out.left, out.right] : [];
}

function replaced(out: Out, old: Out, by: Out): Out {
  if (out.kind === 'call') return { ...out, args: out.args.map((arg) => (arg === old ? by : arg)) };
  if (out.kind === 'member') return { ...out, object: by };
  if (out.kind !== 'binary') return out;
  return { ...out, left: out.left === old ? by : out.left, right: out.right === old ? by : out.right };
}

/**
 * `prefix out` as statements of at most {@link lineLength} columns: what is too long gets a name first.
 * @param target what a part may be called where nothing else reads that name
 * @param fresh makes a name that is not taken
 */
export function statements(
  indent: string,
  prefix: string,
  out: Out,
  target: string,
  fresh: (base: string) => string,
): string[] {
  const flat = `${indent}${prefix}${textOf(out)}`;
  if (flat.length <= lineLength) return [flat];
  const hoistable = parts(out).filter(
    (part) => part.kind !== 'atom' && textOf(part).length > target.length + 8,
  );
  const longest = [...hoistable].sort((a, b) => textOf(b).length - textOf(a).length)[0];
  if (longest === undefined) {
    if (out.kind !== 'call') return [flat];
    return bracketed(indent, `${prefix}${out.callee}(`, out.args.map(textOf), ')');
  }
  const others = parts(out).filter((part) => part !== longest);
  const read = others.some((part) => new RegExp(`\\b${target}\\b`).test(textOf(part)));
  const name = read ? fresh(target) : target;
  return [
    ...statements(indent, `${name} = `, longest, name, fresh),
    ...statements(indent, prefix, replaced(out, longest, atom(name)), target, fresh),
  ];
}
