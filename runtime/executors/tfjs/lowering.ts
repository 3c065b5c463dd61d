/**
 * What a lowering of a primitive has at hand: kernels of TensorFlow.js by name, and the helpers that many share.
 *
 * @module
 */
import type { NodeOf, Op, Shape } from '../../../compiler/graph/ir.js';
import { sizeOf } from '../../../compiler/graph/ir.js';
import type { TfjsEngine } from './engine.js';
import type { Attributes, Tf, TfDType, TfTensor } from './tf.js';

/**
 * Computes one node. Whatever it makes on the way is freed by its caller; the result is a tensor of its own, never an
 * operand.
 */
export type Lowering<K extends Op> = (k: Kernels, node: NodeOf<K>, inputs: readonly TfTensor[]) => TfTensor;

export class Kernels {
  readonly device: TfjsEngine['device'];
  private readonly tf: Tf;

  constructor(engine: TfjsEngine) {
    this.tf = engine.tf;
    this.device = engine.device;
  }

  run(
    name: string,
    inputs: Readonly<Record<string, TfTensor>> | readonly TfTensor[],
    attrs?: Attributes,
  ): TfTensor {
    return this.tf.engine().runKernel(name, inputs, attrs);
  }

  unary(name: string, x: TfTensor): TfTensor {
    return this.run(name, { x });
  }

  binary(name: string, a: TfTensor, b: TfTensor): TfTensor {
    return this.run(name, { a, b });
  }

  reshape(x: TfTensor, shape: Shape): TfTensor {
    return this.run('Reshape', { x }, { shape });
  }

  transpose(x: TfTensor, perm: readonly number[]): TfTensor {
    return this.run('Transpose', { x }, { perm });
  }

  cast(x: TfTensor, dtype: TfDType): TfTensor {
    return this.run('Cast', { x }, { dtype });
  }

  /** The same values as another tensor. */
  copy(x: TfTensor): TfTensor {
    return this.run('Identity', { x });
  }

  /** Contiguous part: `size` elements of every axis from `begin`. */
  slice(x: TfTensor, begin: readonly number[], size: readonly number[]): TfTensor {
    return this.run('Slice', { x }, { begin, size });
  }

  pad(x: TfTensor, paddings: readonly (readonly [number, number])[]): TfTensor {
    if (paddings.every(([before, after]) => before === 0 && after === 0)) return this.copy(x);
    return this.run('PadV2', { x }, { paddings, constantValue: 0 });
  }

  /** One or more; TensorFlow's kernel takes two or more. */
  concat(parts: readonly TfTensor[], axis: number): TfTensor {
    return parts.length === 1 ? this.copy(parts[0] as TfTensor) : this.run('Concat', parts, { axis });
  }

  /** NumPy's broadcast, written out. */
  broadcast(x: TfTensor, shape: Shape): TfTensor {
    const lead = shape.length - x.shape.length;
    const own = shape.map((_, axis) => (axis < lead ? 1 : (x.shape[axis - lead] as number)));
    const reps = shape.map((size, axis) => (own[axis] === size ? 1 : size));
    const full = this.reshape(x, own);
    return reps.every((n) => n === 1) ? full : this.run('Tile', { x: full }, { reps });
  }

  ints(values: readonly number[], shape: Shape = [values.length]): TfTensor {
    return this.tf.tensor(Int32Array.from(values), shape, 'int32');
  }

  scalar(value: number): TfTensor {
    return this.tf.tensor(Float32Array.of(value), [], 'float32');
  }

  filled(shape: Shape, dtype: TfDType, value = 0): TfTensor {
    const size = sizeOf(shape);
    const data = dtype === 'int32' ? new Int32Array(size) : new Float32Array(size);
    return this.tf.tensor(data.fill(value), shape, dtype);
  }
}
