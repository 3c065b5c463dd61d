/**
 * What every executor is to the rest of the runtime: it prepares a graph once and runs it many times. Values
 * named in `carry` live inside the program between runs (on the device, where there is one).
 *
 * @module
 */
import type { Graph, Shape } from '../../compiler/graph/ir.js';

/** f32 values travel as Float32Array (Float64Array from the reference executor in float64), i32 as Int32Array. */
export type TensorData = Float32Array | Float64Array | Int32Array;

export interface Tensor {
  readonly data: TensorData;
  readonly shape: Shape;
}

export interface PrepareOptions {
  /**
   * Graph input name -> graph output name: after each run the output becomes the next run's input. Carried
   * inputs are set with {@link Program.write} and are not part of the feeds; carried outputs are not returned.
   */
  readonly carry?: Readonly<Record<string, string>>;
  /** Intra-op threads, where the executor has them. */
  readonly threads?: number;
}

export interface Program {
  /** Feeds every graph input that is not carried; resolves with every output that is not carried. */
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  /** Sets a carried input. The data is copied. */
  write(input: string, value: Tensor): void;
  /** Copies a carried input out. */
  read(input: string): Promise<Tensor>;
  dispose(): Promise<void>;
}

export interface Executor {
  readonly name: string;
  /** One line about what runs underneath: versions, provider, threads. */
  readonly detail: string;
  /** @throws RunFault when the graph cannot be prepared. */
  prepare(graph: Graph, options?: PrepareOptions): Promise<Program>;
}
