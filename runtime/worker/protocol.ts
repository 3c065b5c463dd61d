/**
 * What the command line and its worker thread say to each other. Engines block the thread they run on: in a worker,
 * the main thread stays free for progress and signals.
 *
 * @module
 */
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.js';
import type { Evaluation } from '../eval/model.js';
import type { Backend } from '../executors/index.js';
import type { Retention } from '../checkpoint/retention.js';
import type { StartInfo } from '../train/trainer.js';
import type { Which } from '../train/weights.js';
import type { Rows, SampleRequest } from '../sample/sampler.js';
import type { Bundle, RunInfo } from '../run/folder.js';
import type { LogRecord } from '../run/log.js';

export interface TrainJob {
  readonly kind: 'train';
  readonly dir: string;
  readonly run: RunInfo;
  readonly resume: boolean;
  readonly backend: Backend;
  readonly threads: number | null;
  /** MiB that values of a step may occupy; see `recompute`. */
  readonly memory: number | null;
  readonly checkpointEvery: number;
  readonly retention: Retention;
  /** See `TrainOptions.explosion`. */
  readonly explosion: number;
  /** Folder of the project, for weights that the spec names. */
  readonly root: string;
  /** Steps between evaluations, 0 for none, and rows to ask of every task. */
  readonly evaluateEvery: number;
  readonly evaluateRows: number;
  /** Rows to sample of every task at the end; 0 for none. */
  readonly samples: number;
}

export interface SampleJob {
  readonly kind: 'sample';
  readonly bundle: Bundle;
  /** Run folder with the weights. */
  readonly dir: string;
  readonly request: Omit<SampleRequest, 'data'>;
  readonly weights: Which;
  readonly data: ReadonlyMap<string, Rows>;
  readonly backend: Backend;
  readonly threads: number | null;
}

export interface EvalJob {
  readonly kind: 'eval';
  readonly bundle: Bundle;
  /** Run folder with the weights. */
  readonly dir: string;
  /** Root of the data; null for the spec's embedded set. */
  readonly data: string | null;
  /** Names of tasks, or every vector of roles that was trained. */
  readonly tasks: readonly string[] | 'roles';
  readonly rows: number;
  readonly seed: number;
  /** Folder that keeps the networks that measure. */
  readonly networks: string;
  /** Weights of LPIPS; null for none. */
  readonly lpips: string | null;
  readonly backend: Backend;
  readonly threads: number | null;
}

export type Job = TrainJob | SampleJob | EvalJob;

export interface WorkerData {
  readonly job: Job;
  /** One Int32: not 0 asks the job to stop at the next step. */
  readonly stop: SharedArrayBuffer;
}

export type Message =
  | { readonly kind: 'executor'; readonly line: string }
  | ({ readonly kind: 'start' } & StartInfo)
  | { readonly kind: 'warning'; readonly text: string }
  | { readonly kind: 'scheduled'; readonly step: number; readonly file: string }
  | { readonly kind: 'record'; readonly record: LogRecord }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly file: string }
  | { readonly kind: 'sampling'; readonly what: string; readonly done: number; readonly total: number }
  | { readonly kind: 'trained'; readonly step: number; readonly complete: boolean }
  | { readonly kind: 'sampled'; readonly rows: ReadonlyMap<string, Rows>; readonly trained: number }
  | { readonly kind: 'evaluated'; readonly evaluation: Evaluation }
  | { readonly kind: 'diagnostics'; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: 'input'; readonly message: string; readonly help: string | undefined }
  | { readonly kind: 'internal'; readonly message: string; readonly stack: string };
