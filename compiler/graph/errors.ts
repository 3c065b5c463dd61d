/**
 * The error of this layer, and how a value's type is written in messages and in the text form.
 *
 * @module
 */
import type { DType, Shape } from './ir.js';

/** Shape and element type of a value. */
export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/**
 * A fault of the caller: operands whose shapes or dtypes an operation does not take, or attributes out of range.
 * The message names the operation and the shapes. Users of the language never see it: types are checked before.
 */
export class GraphError extends Error {
  override readonly name: string = 'GraphError';
}

/** `f32[2, 3]` */
export function showType(type: TensorType): string {
  return `${type.dtype}[${type.shape.join(', ')}]`;
}
