/**
 * The systems that are measured: which models of which spec, and what of the joint one is held against which other. All
 * models of a spec are variants of one declaration, and have the same parameters and arithmetic.
 *
 * @module
 */
import { areas, taskOf } from './holes.js';
import type { Better } from './statistics.js';

export interface Comparison {
  /** `TASK.MODALITY.METRIC`; the first of a system is its main one. */
  readonly metric: string;
  readonly better: Better;
  /** Model of the spec that does this task alone. */
  readonly against: string;
  /** What the comparison is for, where it is not a baseline. */
  readonly ablation?: true;
}

export interface System {
  readonly number: number;
  readonly name: string;
  readonly title: string;
  /** File in `experiments/systems`. */
  readonly spec: string;
  /** Spec of the frozen network that its own spec names, and steps of its training. */
  readonly features?: {
    readonly spec: string;
    readonly steps: { readonly full: number; readonly quick: number };
  };
  /** Folder of `--data` that it reads; undefined for the embedded set. */
  readonly data?: 'mnist' | 'camvid';
  /** Steps of the joint model: full, and with `--quick`. */
  readonly steps: { readonly full: number; readonly quick: number };
  readonly comparisons: readonly Comparison[];
  /**
   * What is measured beside the tasks: `holes`, restoring in holes of given sizes, of every model that restores; `roles`,
   * everything that can be asked of the joint model.
   */
  readonly extra?: 'holes' | 'roles';
}

const miou = { metric: 'segment.mask.miou', better: 'higher' } as const;
const kid = (task: string) => ({ metric: `${task}.image.kid`, better: 'lower' }) as const;
const hole = (area: number, figure: 'perceptual' | 'psnr_mean', against: string): Comparison => ({
  metric: `${taskOf(area)}.image.${figure}`,
  better: figure === 'perceptual' ? 'lower' : 'higher',
  against,
});
const masks: readonly Comparison[] = [
  { ...miou, against: 'Discriminative' },
  { ...kid('generate'), against: 'Unconditional' },
];

export const systems: readonly System[] = [
  {
    number: 1,
    name: 'scenes-mask',
    title: 'Picture and mask: embedded scenes',
    spec: 'scenes-mask.mmd',
    steps: { full: 3000, quick: 240 },
    comparisons: masks,
  },
  {
    number: 1,
    name: 'streets',
    title: 'Picture and mask: street scenes',
    spec: 'streets.mmd',
    data: 'camvid',
    steps: { full: 2000, quick: 160 },
    comparisons: masks,
  },
  {
    number: 2,
    name: 'masked',
    title: 'Restoring what is cut out, and generating',
    spec: 'masked.mmd',
    data: 'mnist',
    steps: { full: 3000, quick: 240 },
    comparisons: [
      ...[50, 75].map((area) => hole(area, 'perceptual', 'Restore')),
      ...areas.map((area) => hole(area, 'perceptual', 'Denoiser')),
      ...areas.map((area) => hole(area, 'psnr_mean', 'Denoiser')),
      { ...kid('generate'), against: 'Unconditional' },
      ...[25, 50].map((area) => ({ ...hole(area, 'perceptual', 'OneSize'), ablation: true as const })),
    ],
    extra: 'holes',
  },
  {
    number: 3,
    name: 'digits',
    title: 'Picture and label: digits',
    spec: 'digits.mmd',
    data: 'mnist',
    steps: { full: 3000, quick: 300 },
    comparisons: [
      { ...kid('generate'), against: 'Unconditional' },
      { metric: 'generate.image.fid', better: 'lower', against: 'Unconditional' },
      { metric: 'generate.image.precision', better: 'higher', against: 'Unconditional' },
      { metric: 'generate.image.recall', better: 'higher', against: 'Unconditional' },
      { ...kid('draw'), against: 'Conditional' },
      { metric: 'draw.image.agreement_label', better: 'higher', against: 'Conditional' },
      { metric: 'classify.label.accuracy', better: 'higher', against: 'Classifier' },
    ],
  },
  {
    number: 4,
    name: 'embeddings',
    title: 'Picture and embedding: embedded scenes',
    spec: 'embeddings.mmd',
    steps: { full: 3000, quick: 300 },
    comparisons: [
      { metric: 'embed.emb.cosine', better: 'higher', against: 'Embedder' },
      { metric: 'embed.emb.top1', better: 'higher', against: 'Embedder' },
      { ...kid('imagine'), against: 'Conditional' },
    ],
  },
  {
    number: 4,
    name: 'digits-embedding',
    title: 'Picture and embedding: digits and a frozen network',
    spec: 'digits-embedding.mmd',
    features: { spec: 'digits-features.mmd', steps: { full: 1500, quick: 300 } },
    data: 'mnist',
    steps: { full: 3000, quick: 300 },
    comparisons: [
      { metric: 'embed.emb.cosine', better: 'higher', against: 'Embedder' },
      { metric: 'embed.emb.top1', better: 'higher', against: 'Embedder' },
      { metric: 'imagine.image.clip_emb', better: 'higher', against: 'Conditional' },
      { ...kid('imagine'), against: 'Conditional' },
    ],
  },
  {
    number: 5,
    name: 'scenes',
    title: 'Picture, mask, label and embedding, five tasks',
    spec: 'scenes.mmd',
    steps: { full: 4000, quick: 300 },
    comparisons: [
      { ...miou, against: 'Masks' },
      { metric: 'name.label.accuracy', better: 'higher', against: 'Labels' },
      { metric: 'embed.emb.cosine', better: 'higher', against: 'Embeddings' },
      { ...kid('imagine'), against: 'Embeddings' },
    ],
    extra: 'roles',
  },
];

/** Models that a system needs, the joint one first. */
export const modelsOf = (system: System): string[] => [
  'Joint',
  ...new Set(system.comparisons.map((c) => c.against)),
];
