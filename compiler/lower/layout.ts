/**
 * Where every parameter lies in the packed vectors that a training step carries: one vector each for parameters,
 * Adam's moments, the moving average, and the kept statistics. Decayed parameters come first.
 *
 * @module
 */
import type { ParameterInfo } from '../elaborate/parameters.js';
import { sizeOf } from '../graph/ir.js';

export interface Slot extends ParameterInfo {
  readonly offset: number;
  readonly size: number;
}

export interface Layout {
  readonly trainable: readonly Slot[];
  readonly statistics: readonly Slot[];
  /** Loaded and never changed: a vector of their own. */
  readonly frozen: readonly Slot[];
  /** Elements of the packed parameters. */
  readonly size: number;
  /** The first `decayed` of them have weight decay. */
  readonly decayed: number;
  readonly statisticsSize: number;
  readonly frozenSize: number;
}

export function layoutOf(parameters: readonly ParameterInfo[]): Layout {
  const place = (infos: readonly ParameterInfo[]): { slots: Slot[]; size: number } => {
    let size = 0;
    const slots = infos.map((info): Slot => {
      const slot = { ...info, offset: size, size: sizeOf(info.shape) };
      size += slot.size;
      return slot;
    });
    return { slots, size };
  };
  const trainable = parameters.filter((p) => p.trainable && !p.frozen);
  const decayed = trainable.filter((p) => p.decay);
  const packed = place([...decayed, ...trainable.filter((p) => !p.decay)]);
  const statistics = place(parameters.filter((p) => !p.trainable));
  const frozen = place(parameters.filter((p) => p.frozen));
  return {
    trainable: packed.slots,
    frozen: frozen.slots,
    frozenSize: frozen.size,
    statistics: statistics.slots,
    size: packed.size,
    decayed: decayed.reduce((sum, p) => sum + sizeOf(p.shape), 0),
    statisticsSize: statistics.size,
  };
}
