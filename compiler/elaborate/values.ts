/**
 * Values of the language while a model is elaborated: tensors are graph nodes, everything else is known now.
 *
 * @module
 */
import type { Network } from '../../grammar/ast.js';
import type { Module } from '../project/project.js';
import type { Node, Shape } from '../graph/ir.js';

/** How a tensor depends on the modality of the encoder it is built in. */
export type Degree = 'constant' | 'affine' | 'nonlinear';

export interface TensorValue {
  readonly kind: 'tensor';
  readonly node: Node;
  /** As the language sees it: without the batch axis. */
  readonly shape: Shape;
  /** Whether `node` has a leading batch axis. Parameters and constants have none. */
  readonly batched: boolean;
  readonly degree: Degree;
}

/** How a parameter starts. `uniform` is on [-bound, bound]. */
export type Init =
  | { readonly form: 'zeros' }
  | { readonly form: 'ones' }
  | { readonly form: 'normal'; readonly std: number }
  | { readonly form: 'uniform'; readonly bound: number };

export type Value =
  | TensorValue
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  | { readonly kind: 'tuple'; readonly items: readonly Value[] }
  | { readonly kind: 'range'; readonly from?: number; readonly to?: number }
  | { readonly kind: 'space'; readonly name: string; readonly shape: Shape }
  | { readonly kind: 'network'; readonly network: Network; readonly module: Module }
  | { readonly kind: 'error' };

/** Stands for what could not be computed; whatever uses it is silent. */
export const errorValue: Value = { kind: 'error' };

export const int = (value: number): Value => ({ kind: 'int', value });
export const float = (value: number): Value => ({ kind: 'float', value });
export const bool = (value: boolean): Value => ({ kind: 'bool', value });
export const list = (items: readonly Value[]): Value => ({ kind: 'list', items });

export function showShape(shape: Shape): string {
  return `f32[${shape.join(', ')}]`;
}

/** A value's type as a user would write or say it. */
export function showType(value: Value): string {
  switch (value.kind) {
    case 'tensor':
      return `\`${showShape(value.shape)}\``;
    case 'int':
      return `the integer ${value.value}`;
    case 'float':
      return `the number ${value.value}`;
    case 'bool':
      return String(value.value);
    case 'string':
      return `the string "${value.value}"`;
    case 'list':
      return `a list of ${value.items.length}`;
    case 'tuple':
      return `a tuple of ${value.items.length}`;
    case 'range':
      return `the range ${value.from ?? ''}..${value.to ?? ''}`;
    case 'space':
      return `the space \`${value.name}\``;
    case 'network':
      return `the network \`${value.network.name.text}\``;
    case 'error':
      return 'an error';
  }
}

/** Degree of a result that is affine in each of its inputs on its own (a sum, a concatenation, a reshape). */
export function affineIn(...inputs: readonly Degree[]): Degree {
  if (inputs.includes('nonlinear')) return 'nonlinear';
  return inputs.includes('affine') ? 'affine' : 'constant';
}

/** Degree of a product. */
export function productOf(a: Degree, b: Degree): Degree {
  if (a === 'constant') return b;
  return b === 'constant' ? a : 'nonlinear';
}

/** Degree of a function that is not affine. */
export function nonlinearIn(...inputs: readonly Degree[]): Degree {
  return inputs.every((d) => d === 'constant') ? 'constant' : 'nonlinear';
}
