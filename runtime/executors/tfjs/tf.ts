/**
 * The part of TensorFlow.js that is used here: single kernels, run on values of static shape. None of its operations,
 * which wrap kernels, and none of its gradients. Written out, so that the project also builds where the optional
 * packages are not installed.
 *
 * @module
 */
import type { Shape } from '../../../compiler/graph/ir.js';

export type TfDType = 'float32' | 'int32' | 'bool';

export interface TfTensor {
  readonly dtype: TfDType;
  readonly shape: number[];
  /** The values, read when the device is done. */
  data(): Promise<Float32Array | Int32Array | Uint8Array>;
  dataSync(): Float32Array | Int32Array | Uint8Array;
  dispose(): void;
}

export type Attributes = Readonly<
  Record<string, number | boolean | string | readonly number[] | readonly (readonly number[])[]>
>;

interface TfEngine {
  runKernel(
    name: string,
    inputs: Readonly<Record<string, TfTensor>> | readonly TfTensor[],
    attrs?: Attributes,
  ): TfTensor;
}

export interface Tf {
  readonly version_core: string;
  engine(): TfEngine;
  tensor(data: Float32Array | Int32Array, shape: Shape, dtype: TfDType): TfTensor;
  /** Frees every tensor made in `make` but the one it returns. */
  tidy(make: () => TfTensor): TfTensor;
  memory(): { readonly numTensors: number; readonly numBytes: number };
  findBackend(name: string): unknown;
  getBackend(): string;
  setBackend(name: string): Promise<boolean>;
  /** Quiet, and without checks of arguments that the graph has made already. */
  enableProdMode(): void;
}
