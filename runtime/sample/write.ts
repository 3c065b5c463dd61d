/**
 * Writes samples the way `mmdc sample` promises: `NAME.npy` for every modality given or produced, `NAME.png` where it
 * can be seen, and `samples.json`.
 *
 * @module
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { KnownInfo, ModelInfo } from '../../compiler/model/info.js';
import type { Sampler } from '../../compiler/process/samplers.js';
import { formatNpy } from '../data/npy.js';
import { writeAtomic } from '../files/atomic.js';
import { imageGrid, maskGrid } from '../files/png.js';
import type { Rows } from './sampler.js';

export interface SampleDescription {
  /** Name of the task, or null when it was put together on the command line. */
  readonly task: string | null;
  readonly given: readonly string[];
  readonly produced: readonly string[];
  /** Parts of what is produced that were known. */
  readonly known: readonly KnownInfo[];
  /** `--given` as written. */
  readonly values: readonly string[];
  readonly n: number;
  readonly seed: number;
  readonly steps: number;
  readonly sampler: Sampler['form'];
  readonly eta: number | null;
  readonly guidance: number;
  readonly readout: 'chain' | 'terminal';
  /** Calls averaged at t = T; null for a chain. */
  readonly calls: number | null;
  /** SHA-256 of the spec that the weights were trained with. */
  readonly spec: string;
  /** Steps of training behind the weights, which are their moving average. */
  readonly trained: number;
  readonly files: readonly string[];
}

export interface GridLayout {
  readonly columns: number;
  readonly rows: number;
  readonly gap: number;
}

/** Pictures of a grid lie as near to a square as their number allows, at most 12 in a row. */
export function gridLayout(n: number): GridLayout {
  const columns = Math.min(12, Math.max(1, Math.ceil(Math.sqrt(n * 1.5))));
  return { columns, rows: Math.ceil(n / columns), gap: 2 };
}

/** At most this many rows are drawn; the arrays have them all. */
const mostPictures = 144;

/** @returns names of the files written, sorted */
export function writeSamples(
  dir: string,
  info: ModelInfo,
  rows: ReadonlyMap<string, Rows>,
  description: Omit<SampleDescription, 'files'>,
): string[] {
  mkdirSync(dir, { recursive: true });
  const files: string[] = [];
  const write = (name: string, bytes: Uint8Array | string) => {
    writeAtomic(join(dir, name), bytes);
    files.push(name);
  };
  for (const modality of info.modalities) {
    const value = rows.get(modality.name);
    if (!value) continue;
    write(`${modality.name}.npy`, formatNpy(value.data, value.shape));
    const picture = drawRows(info, modality.name, value);
    if (picture) write(`${modality.name}.png`, picture);
  }
  files.push('samples.json');
  files.sort();
  writeAtomic(join(dir, 'samples.json'), `${JSON.stringify({ ...description, files }, undefined, 2)}\n`);
  return files;
}

/** A grid of images or masks, or undefined where there is nothing to see. */
export function drawRows(info: ModelInfo, name: string, { data, shape }: Rows): Uint8Array | undefined {
  const modality = info.modalities.find((m) => m.name === name);
  const n = Math.min(shape[0], mostPictures);
  const { columns, gap } = gridLayout(n);
  if (modality?.type === 'mask') {
    const [height, width] = modality.dataShape;
    return maskGrid(data.subarray(0, n * height * width), [n, height, width], { columns, gap });
  }
  if (modality?.type !== 'image') return undefined;
  const [height, width, channels] = modality.dataShape;
  if (channels !== 1 && channels !== 3) return undefined;
  return imageGrid(data.subarray(0, n * height * width * channels), [n, height, width, channels], {
    columns,
    gap,
  });
}
