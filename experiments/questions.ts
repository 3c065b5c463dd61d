/**
 * The three questions that a model of digits and labels is asked, each answered from files that `mmdc sample` wrote.
 *
 * @module
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readNpy, writeNpy } from '../runtime/data/npy.js';
import type { Judge } from './judge.js';
import { agreement, agreementByClass, classShares, spreadWithinClasses } from './metrics.js';
import { classes, heldOutRows, readDigits } from './mnist.js';
import { sampled, sampleStage, type Stage } from './stage.js';

/** Shares are in 0..1. */
export interface LabelToImage {
  /** Rows that the judge reads as the label that was asked for. */
  readonly share: number;
  readonly byClass: readonly (number | null)[];
  /** Mean of the judge's largest probability. */
  readonly confidence: number;
  /** Variance of pixels within classes over that of the held-out digits. */
  readonly variety: number;
}

export interface Joint {
  /** Rows whose picture the judge reads as the label generated with it. */
  readonly share: number;
  /** Share of every class among the generated labels. */
  readonly classShares: readonly number[];
  readonly confidence: number;
  readonly variety: number;
}

export interface ImageToLabel {
  /** Held-out pictures that are given their true label. */
  readonly share: number;
  readonly byClass: readonly (number | null)[];
}

export interface Answers {
  readonly labelToImage: LabelToImage;
  readonly joint: Joint;
  readonly imageToLabel: ImageToLabel;
}

/** Tasks of the specs, and the order of the questions. */
export const tasks = ['draw', 'generate', 'classify'] as const;

export type Task = (typeof tasks)[number];

export interface Asking {
  /** Folder of a finished run; samples are written beside it. */
  readonly run: string;
  readonly dir: string;
  readonly data: string;
  readonly n: number;
  readonly seed: number;
}

/** Samples what the question of `task` needs. */
export async function sampleFor(task: Task, { run, dir, data, n, seed }: Asking): Promise<Stage> {
  return sampleStage(run, join(dir, task), [
    ...['--task', task, '-n', String(n), '--seed', String(seed)],
    ...givenFor(task, dir, data, n),
  ]);
}

function givenFor(task: Task, dir: string, data: string, n: number): string[] {
  if (task === 'generate') return [];
  if (task === 'classify') {
    return ['--given', `image=${data}#${heldOutRows.from}:${heldOutRows.from + n}`];
  }
  // Every class equally often, in turn.
  const asked = Int32Array.from({ length: n }, (_, i) => i % classes);
  const file = join(dir, 'asked.npy');
  mkdirSync(dir, { recursive: true });
  writeNpy(file, asked, [n]);
  return ['--given', `label=${file}`];
}

/** Reads the samples of all tasks and judges them. */
export async function answer({ dir, data, n }: Asking, judge: Judge): Promise<Answers> {
  const images = (task: Task) => readNpy(sampled(join(dir, task), 'image')).data as Float32Array;
  const labels = (task: Task) => readNpy(sampled(join(dir, task), 'label')).data as Int32Array;
  const real = readDigits(data, heldOutRows);
  const variety = (x: Float32Array, y: Int32Array) =>
    spreadWithinClasses(x, y, classes) / spreadWithinClasses(real.images, real.labels, classes);

  const drawn = await judge.read(images('draw'));
  const asked = labels('draw');
  const generated = await judge.read(images('generate'));
  const together = labels('generate');
  const truth = real.labels.subarray(0, n);
  const named = labels('classify');
  return {
    labelToImage: {
      share: agreement(drawn.classes, asked),
      byClass: agreementByClass(drawn.classes, asked, classes),
      confidence: drawn.confidence,
      variety: variety(images('draw'), asked),
    },
    joint: {
      share: agreement(generated.classes, together),
      classShares: classShares(together, classes),
      confidence: generated.confidence,
      variety: variety(images('generate'), together),
    },
    imageToLabel: {
      share: agreement(named, truth),
      byClass: agreementByClass(named, truth, classes),
    },
  };
}
