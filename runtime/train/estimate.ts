/**
 * What a run will need, against what the machine has, before anything is started or written.
 *
 * @module
 */
import { statfsSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';
import type { CompiledModel } from '../../compiler/driver.js';
import { stats } from '../../compiler/graph/stats.js';
import { InputFault } from '../faults.js';

export interface Estimate {
  /** Bytes that a training step holds at its peak: state twice (before and after), and computed values. */
  readonly memory: number;
  /** Bytes of one checkpoint, and of all that the run will write at most. */
  readonly checkpoint: number;
  readonly disk: number;
}

/** Vectors of the packed parameters' size: the parameters, two moments, the average. */
const VECTORS = 4;
/** A log record with all its names, generously. */
const RECORD = 600;
/** Report, samples, spec. */
const REST = 8 * 2 ** 20;

/** @param checkpoints that are on the disk at one time, the one being written included */
export function estimate(
  model: CompiledModel,
  steps: number,
  logEvery: number,
  checkpoints: number,
): Estimate {
  const { layout, info } = model;
  const state = 4 * (VECTORS * layout.size + layout.statisticsSize);
  const { peakBytes } = stats(model.trainingStep(info.train.batch).graph);
  const names = 120 * VECTORS * (layout.trainable.length + layout.statistics.length);
  const checkpoint = state + names + 2 ** 16;
  return {
    memory: 2 * state + peakBytes,
    checkpoint,
    disk: checkpoints * checkpoint + 4 * layout.size + (steps / logEvery) * RECORD + REST,
  };
}

export interface Machine {
  /** Bytes that could be had at most: of the machine, or of the group of processes that this one is limited with. */
  readonly memory: number;
  readonly freeMemory: number;
  readonly freeDisk: number;
}

/** @param dir may not exist yet: its nearest ancestor that does counts */
export function machine(dir: string): Machine {
  const limit = process.constrainedMemory?.() ?? 0;
  const memory = limit > 0 && limit < totalmem() ? limit : totalmem();
  const freeMemory = Math.min(memory, process.availableMemory?.() ?? freemem());
  return { memory, freeMemory, freeDisk: freeDisk(dir) };
}

function freeDisk(dir: string): number {
  for (let at = dir; ; at = dirname(at)) {
    try {
      const { bavail, bsize } = statfsSync(at);
      return bavail * bsize;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || at === dirname(at)) return Infinity;
    }
  }
}

/**
 * Holds an estimate against the machine.
 * @returns sentences about what will be tight
 * @throws InputFault where it cannot go well
 */
export function holdAgainst(need: Estimate, has: Machine, batch: number, dir: string): string[] {
  if (need.memory > has.memory) {
    throw new InputFault(
      `a training step needs about ${bytes(need.memory)} of memory, and there are ${bytes(has.memory)}`,
      `fewer rows a batch need less: \`--set train.batch=${Math.max(1, Math.floor((batch * has.memory) / need.memory / 2))}\``,
    );
  }
  // The one before stays until a new one is read back.
  if (2 * need.checkpoint > has.freeDisk) {
    throw new InputFault(
      `two checkpoints need ${bytes(2 * need.checkpoint)}, and ${bytes(has.freeDisk)} are free where ${dir} lies`,
      'make room, or write to another disk with `--out`',
    );
  }
  return [
    ...(need.memory > has.freeMemory
      ? [
          `a training step needs about ${bytes(need.memory)} of memory, and ${bytes(has.freeMemory)} are free now: the machine may swap`,
        ]
      : []),
    ...(need.disk > has.freeDisk
      ? [
          `the run will write about ${bytes(need.disk)}, and ${bytes(has.freeDisk)} are free: it will stop when the disk is full, and keep its last checkpoint`,
        ]
      : []),
  ];
}

/** 1.5 GB and the like, decimal. */
export function bytes(n: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = n < 1 ? 0 : Math.min(Math.floor(Math.log10(n) / 3), units.length - 1);
  const shown = power === 0 ? String(Math.round(n)) : (n / 1000 ** power).toPrecision(3);
  return `${shown} ${units[power]}`;
}
