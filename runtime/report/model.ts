/**
 * What the report of a run shows. Plain data: whoever ran the training, the sampling and the evaluation fills it.
 *
 * @module
 */

export interface RunReport {
  readonly title: string;
  readonly spec: {
    readonly path: string;
    readonly text: string;
    /** Of the spec as it was trained, as in the checkpoint. */
    readonly hash: string;
  };
  /** ISO 8601. */
  readonly started: string;
  /** ISO 8601; absent while the run goes on or where it was interrupted. */
  readonly finished?: string;
  /** Seconds after which the page is to load itself again, while the run goes on. */
  readonly refresh?: number;
  /** What was in force, defaults included, in the order to show. */
  readonly settings: readonly (readonly [key: string, value: string])[];
  /** One line, as the executor describes itself. */
  readonly executor: string;
  /** Steps done, and how many were asked for. */
  readonly steps: { readonly done: number; readonly planned: number };
  readonly log: readonly LogRecord[];
  readonly samples: readonly TaskSamples[];
  readonly metrics: readonly Metric[];
  readonly process: ProcessCurves;
  readonly parameters: readonly ParameterInfo[];
  /** Plain text, a paragraph each. */
  readonly notes: readonly string[];
}

/** One logged step; losses in nats per row, means over the batch. A value that is not finite is shown as such. */
export interface LogRecord {
  readonly step: number;
  /** What was minimised: the weighted sum. */
  readonly loss: number;
  readonly L0: number;
  readonly L1: number;
  /** By modality. */
  readonly L2: Readonly<Record<string, number>>;
  readonly L3: number;
  /** Simplified and weighted terms, by the names they are reported under. */
  readonly simplified: Readonly<Record<string, number>>;
  /** By term, what uncertainty multiplies it by beside its weight; absent where weights are fixed. */
  readonly balance?: Readonly<Record<string, number>>;
  /** Learning rate. */
  readonly rate: number;
  readonly grad_norm: number;
  /** Since the start of the run, on a clock that never jumps. */
  readonly seconds: number;
  /** Loss and terms over rows that are not trained on, by name, where they were measured since the record before. */
  readonly held_out?: Readonly<Record<string, number>>;
}

export interface TaskSamples {
  readonly task: string;
  /** Names of modalities. */
  readonly given: readonly string[];
  readonly produced: readonly string[];
  /** How they were made: sampler, steps, guidance, seed. */
  readonly caption: string;
  readonly images: readonly SampleImage[];
}

export interface SampleImage {
  /** The modality shown. */
  readonly name: string;
  /** A PNG file: one picture, or a grid of them. */
  readonly png: Uint8Array;
  /** What can be seen, for those who cannot. */
  readonly alt: string;
  /** How the file is divided into pictures; one picture without it. */
  readonly grid?: SampleGrid;
  /** A line under every picture, row by row: what else is known of it, such as its label. */
  readonly captions?: readonly string[];
}

/** Pictures of one size, row by row. */
export interface SampleGrid {
  readonly columns: number;
  readonly rows: number;
  /** Pixels of the file between pictures and around the grid. */
  readonly gap: number;
  /** Pictures in the grid, where the last row is not full. */
  readonly count?: number;
}

export interface Metric {
  /** `modality.metric` */
  readonly name: string;
  readonly value: number;
  /** Rows it was computed over. */
  readonly count?: number;
  /** Feature extractor, reference, weights used. */
  readonly note?: string;
}

/** Everything over t = 0..T. */
export interface ProcessCurves {
  readonly components: readonly {
    readonly name: string;
    /** c_j(t) in z_t = sum_j c_j(t) Y_j + sigma_t eps. */
    readonly coefficient: readonly number[];
    /** c_j^2 Var(Y_j) / sigma_t^2. */
    readonly snr: readonly number[];
  }[];
  readonly sigma: readonly number[];
}

export interface ParameterInfo {
  readonly name: string;
  readonly shape: readonly number[];
  readonly count: number;
}
