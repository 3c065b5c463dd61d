/**
 * The state of a run: packed vectors on the executor's side, named tensors in files.
 *
 * @module
 */
import type { Layout, Slot } from '../../compiler/lower/layout.js';
import { trainInputs } from '../../compiler/lower/training.js';
import type { Tensor } from '../executors/executor.js';
import type { ParameterInfo } from '../../compiler/elaborate/parameters.js';
import type { StoredTensor } from '../checkpoint/safetensors.js';
import { InputFault } from '../faults.js';
import { Stream } from '../random/stream.js';

/** Packed vectors by the names of the training step's carried inputs. */
export type State = Record<
  'parameters' | 'moment1' | 'moment2' | 'ema' | 'statistics' | 'frozen',
  Float32Array
>;

/** What a training step changes. */
export const stateNames = ['parameters', 'moment1', 'moment2', 'ema', 'statistics'] as const;

/** What a checkpoint holds: with what never changes, so that it needs no other file. */
export const storedNames = [...stateNames, 'frozen'] as const;

/** Where the tensors of one kind lie. */
export const slotsOf = (layout: Layout, kind: (typeof storedNames)[number]): readonly Slot[] =>
  kind === 'statistics' || kind === 'frozen' ? layout[kind] : layout.trainable;

/**
 * The start of a run: every parameter from its own random stream, so that adding one leaves the others alone.
 * @param loaded values from files, by name
 */
export function initialState(
  layout: Layout,
  seed: number,
  loaded: ReadonlyMap<string, Float32Array> = new Map(),
): State {
  const start = (slots: readonly Slot[], size: number): Float32Array => {
    const packed = new Float32Array(size);
    for (const slot of slots) {
      const part = packed.subarray(slot.offset, slot.offset + slot.size);
      const value = loaded.get(slot.name);
      if (value) part.set(value);
      else initialise(slot, part, seed);
    }
    return packed;
  };
  const parameters = start(layout.trainable, layout.size);
  return {
    parameters,
    moment1: new Float32Array(layout.size),
    moment2: new Float32Array(layout.size),
    ema: parameters.slice(),
    statistics: start(layout.statistics, layout.statisticsSize),
    frozen: start(layout.frozen, layout.frozenSize),
  };
}

function initialise({ name, init }: ParameterInfo, out: Float32Array, seed: number): void {
  const random = () => new Stream(seed, 'init', name);
  switch (init.form) {
    case 'zeros':
      out.fill(0);
      return;
    case 'ones':
      out.fill(1);
      return;
    case 'normal':
      random().normal(out);
      for (let i = 0; i < out.length; i++) out[i] *= init.std;
      return;
    case 'uniform':
      random().uniform(out);
      for (let i = 0; i < out.length; i++) out[i] = (2 * out[i] - 1) * init.bound;
  }
}

/** The state as named tensors: `parameters/NAME`, `ema/NAME` and so on, views of the packed vectors. */
export function toTensors(layout: Layout, state: State): Record<string, StoredTensor> {
  const tensors: Record<string, StoredTensor> = {};
  for (const kind of storedNames) {
    for (const slot of slotsOf(layout, kind)) {
      tensors[`${kind}/${slot.name}`] = view(slot, state[kind]);
    }
  }
  return tensors;
}

/** The weights that samples come from, under their plain names: the moving average, what is kept and what is frozen. */
export function modelTensors(
  layout: Layout,
  state: Pick<State, 'ema' | 'statistics' | 'frozen'>,
): Record<string, StoredTensor> {
  return Object.fromEntries([
    ...layout.trainable.map((slot) => [slot.name, view(slot, state.ema)]),
    ...layout.statistics.map((slot) => [slot.name, view(slot, state.statistics)]),
    ...layout.frozen.map((slot) => [slot.name, view(slot, state.frozen)]),
  ]) as Record<string, StoredTensor>;
}

function view(slot: Slot, packed: Float32Array): StoredTensor {
  return { shape: slot.shape, data: packed.subarray(slot.offset, slot.offset + slot.size) };
}

/**
 * Inverse of {@link toTensors}.
 * @throws InputFault naming the first tensor that is missing or has another shape
 */
export function fromTensors(layout: Layout, tensors: ReadonlyMap<string, StoredTensor>, file: string): State {
  const state: State = {
    parameters: new Float32Array(layout.size),
    moment1: new Float32Array(layout.size),
    moment2: new Float32Array(layout.size),
    ema: new Float32Array(layout.size),
    statistics: new Float32Array(layout.statisticsSize),
    frozen: new Float32Array(layout.frozenSize),
  };
  for (const kind of storedNames) {
    for (const slot of slotsOf(layout, kind)) {
      const name = `${kind}/${slot.name}`;
      const tensor = tensors.get(name);
      if (!tensor) throw new InputFault(`${file} has no tensor '${name}'`, 'it belongs to another spec');
      if (tensor.shape.join() !== slot.shape.join() || !(tensor.data instanceof Float32Array)) {
        throw new InputFault(
          `${file}: '${name}' is [${tensor.shape.join(', ')}], and the spec wants f32 [${slot.shape.join(', ')}]`,
        );
      }
      state[kind].set(tensor.data, slot.offset);
    }
  }
  return state;
}

/** The input of what never changes, where there is any. */
export function frozenFeed(frozen: Float32Array): Record<string, Tensor> {
  return frozen.length > 0 ? { [trainInputs.frozen]: { data: frozen, shape: [frozen.length] } } : {};
}
