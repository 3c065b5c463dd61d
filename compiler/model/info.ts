/**
 * What a checked model is: everything that later stages need, with no syntax left but the expressions themselves.
 *
 * @module
 */
import type { Backbone, Decoder, Encoder, Range } from '../../grammar/ast.js';
import type { Shape } from '../graph/ir.js';
import type { Sampler } from '../process/samplers.js';
import type { ProcessSpec, ProcessTables } from '../process/tables.js';
import type { WeightCurve } from '../process/schedule.js';
import type { SnrWeight } from '../process/weighting.js';
import type { Module } from '../project/project.js';
import type { FieldValue, FormValue, RangeValue } from './forms.js';
import type { FilledDefault } from './settings.js';

export type ModalityType = 'image' | 'mask' | 'category' | 'vector' | 'binary' | 'tokens';

/** p(x | its parameters): what L2 measures, in nats. */
export type Likelihood =
  | { readonly form: 'gaussian'; readonly sigma: number }
  | { readonly form: 'bernoulli' }
  | { readonly form: 'categorical' }
  /** von Mises-Fisher on the unit sphere with concentration kappa. */
  | { readonly form: 'cosine'; readonly kappa: number };

/** How the rows of a derived modality are made from those of others. */
export type DerivedInfo =
  | { readonly op: 'modality'; readonly name: string }
  | {
      readonly op: 'transform';
      readonly name: string;
      /** Absent where it begins a chain. */
      readonly input?: DerivedInfo;
      /** Of its input or, where it begins a chain, of the modality. */
      readonly type: ModalityType;
      readonly shape: Shape;
      readonly values: Readonly<Record<string, FieldValue>>;
      /** Modalities among the arguments, by parameter. */
      readonly modalities: Readonly<Record<string, string>>;
      /** Names the random numbers that it draws; null where it draws none. */
      readonly stream: string | null;
      /** Of the call. */
      readonly place: Range;
    };

export interface ModalityInfo {
  readonly name: string;
  readonly type: ModalityType;
  /** In networks, without the batch axis: one-hot or probabilities where it is discrete. */
  readonly shape: Shape;
  /** As data: without the class axis where it is discrete. */
  readonly dataShape: Shape;
  /** Whether data are indices. */
  readonly discrete: boolean;
  /** Number of classes, 0 where it is not discrete. */
  readonly classes: number;
  readonly labels?: readonly string[];
  readonly likelihood: Likelihood;
  /** Values lie in this interval, which samplers clip to; null where there is none. */
  readonly range: readonly [number, number] | null;
  /** How its rows are made, where they do not come from files. */
  readonly derived?: DerivedInfo;
  readonly place: Range;
}

/** A part of a produced modality that is known beforehand: what is left is inpainted. */
export interface KnownInfo {
  readonly modality: string;
  /** A `binary[H, W, 1]` modality that says where. */
  readonly region: string;
  /** Whether it is 1 where pixels are known, or where they are not. */
  readonly where: 'inside' | 'outside';
}

export interface TaskInfo {
  readonly name: string;
  readonly given: readonly string[];
  readonly produced: readonly string[];
  readonly known: readonly KnownInfo[];
  /** 1 is plain conditioning. */
  readonly guidance: number;
  readonly sampler: Sampler;
  /** Model calls of the chain. */
  readonly steps: number;
  /** `chain` runs the reverse process; `terminal` averages the prediction of `calls` calls at t = T. */
  readonly readout: { readonly form: 'chain' } | { readonly form: 'terminal'; readonly calls: number };
  readonly place: Range;
}

export interface LossInfo {
  readonly L0: number;
  /** The bound itself, or the simplified form (mean squared error per element of every component). */
  readonly L1:
    | { readonly form: 'bound'; readonly weight: number }
    | { readonly form: 'simplified'; readonly weight: number; readonly snr: SnrWeight };
  /** Per modality: its weight, on nats per row or (`mean`) per element. */
  readonly L2: ReadonlyMap<string, { readonly weight: number; readonly mean: boolean }>;
  readonly L3: { readonly weight: number; readonly sigma: number };
  /** pi_t of L2, up to its sum; `drawn`: as often as t is drawn. */
  readonly pi: 'drawn' | WeightCurve;
  /** Whether L1 and L3 move encoders. */
  readonly encoders: 'stopped' | 'trained';
  /** How terms are weighed against each other: by their weights alone, or by learned variances too. */
  readonly balance:
    | { readonly form: 'fixed' }
    /** Kendall, Gal & Cipolla, 2018; the place is that of the setting. */
    | { readonly form: 'uncertainty'; readonly place: Range };
}

export interface TrainInfo {
  readonly optimizer: {
    readonly decay: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
  };
  readonly rate: {
    readonly form: 'constant' | 'cosine';
    readonly peak: number;
    readonly warmup: number;
    readonly floor: number;
  };
  readonly batch: number;
  readonly steps: number;
  readonly ema: number;
  readonly seed: number;
  /** Largest norm of the gradient; 0 is no clipping. */
  readonly clip: number;
  readonly timesteps: 'uniform' | 'stratified';
  /** Probabilities of the ways in which a row's roles are drawn, and of a given modality being made absent. */
  readonly roles: {
    readonly all: number;
    readonly tasks: number;
    readonly any: number;
    readonly absent: number;
  };
}

/** Where a modality's rows come from. */
export interface SourceInfo {
  readonly modality: string;
  readonly source: FormValue;
  readonly place: Range;
}

export interface DataInfo {
  /** One set that brings every modality, such as `builtin("scenes")`. */
  readonly set: { readonly source: FormValue; readonly place: Range } | null;
  readonly columns: readonly SourceInfo[];
  /** Whether rows of different sources belong together by their order, or by their names. */
  readonly join: 'order' | 'id';
  /** What a row does that cannot be decoded: stop everything, or be left out and counted. */
  readonly errors: 'stop' | 'skip';
  /** Rows to train on; null is all. */
  readonly rows: RangeValue | null;
  /** Where the block is, or the model's name. */
  readonly place: Range;
}

/** Weights of a declaration that come from a file. */
export interface WeightsInfo {
  /** safetensors, relative to the folder of the spec; null where it is only frozen. */
  readonly load: string | null;
  /** What its names in the file begin with, in place of `encoder.image.`; null tries that and no prefix. */
  readonly prefix: string | null;
  /** Whether they stay as they are. */
  readonly frozen: boolean;
  /** Of `load`, or of the declaration. */
  readonly place: Range;
}

export interface ModelInfo {
  readonly name: string;
  readonly module: Module;
  readonly doc: string;
  readonly modalities: readonly ModalityInfo[];
  readonly space: { readonly name: string; readonly shape: Shape };
  readonly encoders: ReadonlyMap<string, Encoder>;
  readonly backbone: Backbone;
  /** By modality, and by the space's name for the origin. */
  readonly decoders: ReadonlyMap<string, Decoder>;
  /** By the path of the declaration: `encoder.image`, `backbone`, `decoder.z`. */
  readonly weights: ReadonlyMap<string, WeightsInfo>;
  readonly process: ProcessSpec;
  readonly tables: ProcessTables;
  readonly predict: 'x0' | 'v' | 'eps';
  readonly tasks: readonly TaskInfo[];
  readonly loss: LossInfo;
  readonly train: TrainInfo;
  readonly data: DataInfo;
  readonly evalRows: RangeValue | null;
  /** Metrics by modality, of those that are named; null where all are meant. */
  readonly metrics: ReadonlyMap<string, readonly string[]> | null;
  readonly defaults: readonly FilledDefault[];
  /** Where the model's name and its blocks are; a block that is not there has the place of the name. */
  readonly places: Readonly<Record<'model' | 'process' | 'loss' | 'train', Range>>;
}
