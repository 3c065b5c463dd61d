/**
 * A whole array as read from a file, before it becomes a modality's column.
 *
 * @module
 */

export type ArrayData = Float32Array | Float64Array | Int32Array | Int16Array | Int8Array | Uint8Array;

/** An array in C order; the first axis counts rows. */
export interface FileArray {
  /** Where it came from, for messages. */
  readonly file: string;
  readonly shape: readonly number[];
  readonly data: ArrayData;
}
