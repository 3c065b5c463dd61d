/**
 * What a checkpoint says besides its arrays, and going on from one: the spec, settings, versions, the place in the
 * random streams and in the data. A run goes on with what it was started with, or not at all.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { CompiledModel } from '../../compiler/driver.js';
import { latest, type Checkpoint, type Expect } from '../checkpoint/checkpoint.js';
import type { Entry } from '../checkpoint/safetensors.js';
import { allocateBatch, fillRows } from '../data/batches.js';
import type { Dataset } from '../data/table.js';
import type { Executor } from '../executors/executor.js';
import { InputFault } from '../faults.js';
import { bundleDifference, tensorDifference } from '../run/difference.js';
import { bundleOf, isBundle, type Bundle } from '../run/folder.js';
import { version } from '../version.js';
import { Account, type AccountJson } from './account.js';
import { fromTensors, initialState, slotsOf, storedNames, type State } from './state.js';
import type { StartInfo, TrainOptions } from './trainer.js';

/** What stays the same over a run. */
export interface Origin {
  readonly hash: string;
  /** The spec's text with everything it imports. */
  readonly bundle: Bundle;
  readonly seed: number;
  readonly batch: number;
  readonly data: { readonly rows: number; readonly columns: readonly string[]; readonly sha256: string };
  /** SHA-256 of the frozen networks that rows went through, by path. */
  readonly networks?: Readonly<Record<string, string>>;
  readonly versions: { readonly mmdc: string; readonly node: string; readonly executor: string };
}

/**
 * In a checkpoint's `.json` under `meta`. One that the PyTorch target wrote knows neither the spec's text nor what the rows
 * were, and has no sums since the last record.
 */
export interface Meta extends Omit<Origin, 'bundle' | 'data'>, Partial<Pick<Origin, 'bundle' | 'data'>> {
  /** Steps that were asked for. */
  readonly steps: number;
  readonly seconds: number;
  readonly position: Position;
  readonly account?: AccountJson;
}

/** Where the next step draws from. All of it follows from seed and step; it is written down to be read. */
export interface Position {
  readonly generator: string;
  /** Streams are keyed by (seed, purpose, step); this is the next step's number. */
  readonly step: number;
  readonly epoch: number;
  /** Rows of that epoch that have been used. */
  readonly row: number;
}

export function positionOf(step: number, batch: number, rows: number): Position {
  const used = step * batch;
  return { generator: 'philox4x32-10', step: step + 1, epoch: Math.floor(used / rows), row: used % rows };
}

export function originOf(
  model: CompiledModel,
  dataset: Dataset,
  executor: Executor,
  { seed, networks = {} }: Pick<TrainOptions, 'seed' | 'networks'>,
): Origin {
  return {
    hash: model.hash(),
    bundle: bundleOf(model),
    seed,
    batch: model.info.train.batch,
    data: fingerprint(dataset),
    ...(Object.keys(networks).length > 0 ? { networks } : {}),
    versions: {
      mmdc: version(),
      node: process.version,
      executor: `${executor.name}: ${executor.detail}`,
    },
  };
}

/** Rows that a fingerprint looks at. */
const LOOKED_AT = 256;

/** Number of rows, form of the columns, and a hash over rows spread evenly. */
export function fingerprint(dataset: Dataset): Origin['data'] {
  const count = Math.min(dataset.rows, LOOKED_AT);
  const batch = allocateBatch(dataset, 1);
  const hash = createHash('sha256');
  for (let i = 0; i < count; i++) {
    fillRows(dataset, [Math.floor((i * dataset.rows) / count)], batch);
    for (const { data } of Object.values(batch))
      hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  const columns = [...dataset.columns.values()].map((c) => `${c.name}: ${c.kind}[${c.shape.join(', ')}]`);
  return { rows: dataset.rows, columns, sha256: hash.digest('hex') };
}

export interface Start {
  readonly state: State;
  readonly account: Account;
  readonly seconds: number;
  readonly info: StartInfo;
}

/**
 * The start of a run, or where it goes on.
 * @throws InputFault where the newest good checkpoint is of another spec, seed or data, and says in what it differs
 */
export function resumeFrom(
  model: CompiledModel,
  options: TrainOptions,
  origin: Origin,
  terms: number,
): Start {
  const found = options.resume ? latest(options.dir, expectation(model, origin)) : { rejected: [] };
  const { checkpoint, rejected } = found as { checkpoint?: Checkpoint; rejected: StartInfo['rejected'] };
  if (!checkpoint) {
    const state = initialState(model.layout, options.seed, loadedWeights(model, options));
    return { state, account: new Account(terms), seconds: 0, info: { from: 0, rejected, changes: [] } };
  }
  const meta = checkpoint.meta as unknown as Meta;
  if (checkpoint.step > options.steps) {
    throw new InputFault(
      `the run has done ${checkpoint.step} steps, and ${options.steps} are asked for`,
      'ask for more with `--steps`, or start a new run in another folder',
    );
  }
  return {
    state: fromTensors(model.layout, checkpoint.arrays, checkpoint.file),
    account: meta.account ? new Account(terms, meta.account) : new Account(terms),
    seconds: meta.seconds,
    info: { from: checkpoint.step, rejected, checkpoint: checkpoint.file, changes: changes(meta, origin) },
  };
}

/** @throws InputFault where the spec takes weights from a file that nothing reads */
function loadedWeights(model: CompiledModel, { load }: TrainOptions): ReadonlyMap<string, Float32Array> {
  if (load) return load();
  const [wanted] = [...model.info.weights].filter(([, weights]) => weights.load !== null);
  if (!wanted) return new Map();
  throw new InputFault(
    `${wanted[0]} takes its weights from ${wanted[1].load}, and nothing says how to read it`,
    'give `train` the option `load`: `() => readSpecWeights(model, folder)`',
  );
}

/** Looks at what a checkpoint is of before its arrays are read. */
function expectation(model: CompiledModel, origin: Origin): Expect {
  return (file, entries, { meta }) => {
    if (!isMeta(meta)) throw new InputFault(`${file} is no checkpoint of a training run`);
    const differs = (what: string): never => {
      throw new InputFault(
        `${file} ${what}`,
        'go on with what the run was started with, or start a new run in another folder',
      );
    };
    if (meta.hash !== origin.hash) {
      const how = meta.bundle && bundleDifference(meta.bundle, origin.bundle);
      differs(`was made by another spec${how === undefined ? '' : `: ${how}`}`);
    }
    if (meta.seed !== origin.seed)
      differs(`was made with the seed ${meta.seed}, and now it is ${origin.seed}`);
    if (meta.batch !== origin.batch)
      differs(`was made with batches of ${meta.batch} rows, and now they have ${origin.batch}`);
    requireShapes(model, file, entries);
    for (const [path, sha256] of Object.entries(origin.networks ?? {})) {
      const earlier = meta.networks?.[path];
      if (earlier !== undefined && earlier !== sha256)
        differs(`was trained with another network ${path}: SHA-256 ${earlier}, and now it is ${sha256}`);
    }
    const [before, now] = [meta.data, origin.data];
    if (!before) return;
    if (before.rows !== now.rows)
      differs(`was trained on ${before.rows} rows, and now there are ${now.rows}`);
    if (before.columns.join() !== now.columns.join())
      differs(`was trained on ${before.columns.join(', ')}, and now the data is ${now.columns.join(', ')}`);
    if (before.sha256 !== now.sha256)
      differs('was trained on rows of other content than those that are there now');
  };
}

/** @throws InputFault that lists the tensors of a checkpoint that are not the spec's. */
export function requireShapes(model: CompiledModel, file: string, entries: readonly Entry[]): void {
  const { layout } = model;
  const wanted = storedNames.flatMap((kind) =>
    slotsOf(layout, kind).map(({ name, shape }) => ({ name: `${kind}/${name}`, shape })),
  );
  const how =
    tensorDifference(entries, wanted) ??
    entries
      .filter((e) => e.dtype !== 'F32')
      .map((e) => `'${e.name}' is ${e.dtype}, and the spec wants F32`)[0];
  if (how === undefined) return;
  throw new InputFault(`${file} does not fit the spec:\n    ${how}`, 'it belongs to another spec');
}

/** What is read of a description before it is trusted; the arrays' hash has agreed by then. */
function isMeta(value: unknown): value is Meta {
  if (typeof value !== 'object' || value === null) return false;
  const { hash, bundle, seed, batch, data, versions, seconds, account } = value as Partial<Meta>;
  return (
    typeof hash === 'string' &&
    (bundle === undefined || isBundle(bundle)) &&
    typeof seed === 'number' &&
    typeof batch === 'number' &&
    (data === undefined || (typeof data?.rows === 'number' && Array.isArray(data.columns))) &&
    typeof versions === 'object' &&
    typeof seconds === 'number' &&
    (account === undefined ||
      (Array.isArray(account?.window?.terms) && Array.isArray(account?.period?.terms)))
  );
}

/** Differences that do not forbid to go on, but end the promise of the same bits. */
function changes({ versions: before }: Meta, { versions: now }: Origin): string[] {
  return (['mmdc', 'executor', 'node'] as const).flatMap((what) =>
    before[what] === now[what] || (what === 'node' && before.executor === now.executor)
      ? []
      : [`the run was on ${what} ${before[what]} and goes on with ${now[what]}: the last bits may differ`],
  );
}

/** A full disk or one that cannot be written to, told with what is safe; undefined for other errors. */
export function diskFault(
  error: unknown,
  dir: string,
  step: number,
  checkpoint: string | undefined,
): InputFault | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const what = {
    ENOSPC: 'the disk is full',
    EDQUOT: 'the quota of the disk is used up',
    EFBIG: 'a file would be larger than is allowed',
    EROFS: 'the file system is read-only',
    EIO: 'the disk reports an error',
  }[code];
  if (what === undefined) return undefined;
  const safe =
    checkpoint === undefined ? 'there is no checkpoint yet' : `the last checkpoint is ${checkpoint}`;
  return new InputFault(
    `${what}: nothing more can be written to ${dir} at step ${step} (${(error as Error).message})`,
    `${safe}; make room and go on with \`--resume\``,
  );
}
