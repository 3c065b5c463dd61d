/**
 * Opens the data that a model's `data` block names, as one column per modality.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import type { Place } from '../../compiler/diagnostics/diagnostic.js';
import { diagnostic } from '../../compiler/diagnostics/table.js';
import type { ModalityInfo, ModelInfo, SourceInfo } from '../../compiler/model/info.js';
import { showSource } from '../../compiler/model/data.js';
import { SpecFault } from '../faults.js';
import { rowSize, type Column, type ColumnType } from './column.js';
import { fileSources, hasFrozen, runNetworks, withDerived } from './derived.js';
import { DataFault } from './fault.js';
import { joinById } from './join.js';
import { SCENE_CLASSES, SCENE_EMBEDDING, SCENE_LABELS, SCENE_SIZE, scenes } from './scenes.js';
import { openSource, type OpenOptions } from './sources.js';
import { Dataset } from './table.js';

/** Rows to train on, rows held out for evaluation, or all of them. */
export type Part = 'train' | 'eval' | 'all';

const builtinPrefix = 'builtin:';

/** A set of rows, and what was left out of it. */
export interface Opened {
  readonly dataset: Dataset;
  /** Rows that could not be decoded, where `errors: skip` leaves them out. */
  readonly skipped: readonly DataFault[];
}

/**
 * @param root value of `--data`: a folder, `builtin:scenes`, or undefined where the spec names an embedded set
 * @throws SpecFault placed in the spec's `data` block
 */
export async function openData(
  info: ModelInfo,
  root: string | undefined,
  part: Part,
  options: OpenOptions = {},
): Promise<Dataset> {
  return (await openParts(info, root, options)).part(part).dataset;
}

/** Everything that a model's data are, opened once, to be parted into rows to train on and rows held out. */
export interface OpenedParts {
  part(part: Part): Opened;
  /** SHA-256 of every frozen network that rows went through, by its path in the project. */
  readonly networks: Readonly<Record<string, string>>;
}

/** @throws SpecFault as {@link openData}; `part` throws it for ranges that are not within the data */
export async function openParts(
  info: ModelInfo,
  root: string | undefined,
  options: OpenOptions = {},
): Promise<OpenedParts> {
  const { file } = info.module;
  const place = (range: SourceInfo['place']): Place => ({ file, range });
  const networks: Record<string, string> = {};
  const named = root?.startsWith(builtinPrefix) ? root.slice(builtinPrefix.length) : undefined;
  const set = named ?? (info.data.set?.source.args.name as string | undefined);
  if (set !== undefined) {
    const at = place(info.data.set?.place ?? info.data.place);
    const made = new Map<Part, Dataset>();
    if (hasFrozen(info))
      for (const part of ['train', 'eval'] as const)
        made.set(part, await openFrozenSet(info, set, at, part, options, networks));
    const dataset = (part: Part) => made.get(part === 'all' ? 'train' : part) ?? openSet(info, set, at, part);
    return { part: (part) => ({ dataset: dataset(part), skipped: [] }), networks };
  }
  for (const modality of info.modalities) {
    if (modality.derived) continue;
    if (info.data.columns.some((c) => c.modality === modality.name)) continue;
    throw new SpecFault([diagnostic('MMD0907', place(info.data.place), { modality: modality.name })]);
  }
  if (root === undefined) {
    throw new SpecFault([
      diagnostic('MMD0908', place(info.data.place), { source: showSource(info.data.columns[0].source) }),
    ]);
  }
  const read: Column[] = [];
  for (const modality of info.modalities) {
    const column = info.data.columns.find((c) => c.modality === modality.name);
    if (column)
      read.push(
        await placed(place(column.place), () => openColumn(modality, column, root, lazily(info, options))),
      );
  }
  const mayMiss = new Set(
    info.data.columns.filter((c) => c.source.args.missing === true).map((c) => c.modality),
  );
  const joined = await placed(place(info.data.place), () =>
    info.data.join === 'id' ? joinById(read, mayMiss) : read,
  );
  const project = options.project ?? '.';
  const frozen = await runNetworks(info, joined, project, networks);
  const whole = await placed(
    place(info.data.place),
    () => new Dataset(withDerived(info, joined, undefined, frozen)),
  );
  const skipped = info.data.errors === 'skip' ? undecodable(joined) : new Map<number, DataFault>();
  return {
    networks,
    part: (part) => {
      const rows = part === 'all' ? null : part === 'train' ? info.data.rows : info.evalRows;
      const [from, to] = [rows?.from ?? 0, rows?.to ?? whole.rows];
      return placedNow(place(info.data.place), () => {
        const range = rows ? whole.take({ start: from, end: to }) : whole;
        const left = [...skipped].filter(([row]) => row >= from && row < to).map(([, fault]) => fault);
        const dataset = left.length === 0 ? range : range.take((row) => !skipped.has(from + row));
        return { dataset, skipped: left };
      });
    },
  };
}

/** A modality's rows as its source gives them, or why they cannot be opened. */
export type SourceColumn =
  | { readonly modality: string; readonly column: Column }
  | { readonly modality: string; readonly fault: SpecFault };

/**
 * Every source of the `data` block on its own, before rows are joined, so that the problems of all are found in one go.
 * Empty for an embedded set.
 */
export async function openEach(info: ModelInfo, root: string): Promise<SourceColumn[]> {
  const found: SourceColumn[] = [];
  if (root.startsWith(builtinPrefix)) return found;
  for (const source of info.data.columns) {
    const modality = info.modalities.find((m) => m.name === source.modality) as ModalityInfo;
    const at = { file: info.module.file, range: source.place };
    try {
      const column = await placed(at, () => openColumn(modality, source, root, { lazy: true }));
      found.push({ modality: modality.name, column });
    } catch (error) {
      if (!(error instanceof SpecFault)) throw error;
      found.push({ modality: modality.name, fault: error });
    }
  }
  return found;
}

/** Rows of lazily decoded columns that cannot be decoded. Each is decoded once, and memory stays bounded. */
function undecodable(columns: readonly Column[]): Map<number, DataFault> {
  const faults = new Map<number, DataFault>();
  for (const column of columns) {
    if (!column.lazy) continue;
    const size = rowSize(column);
    const out = column.kind === 'real' ? new Float32Array(size) : new Int32Array(size);
    for (let row = 0; row < column.rows; row++) {
      try {
        column.read(row, out, 0);
      } catch (error) {
        if (!(error instanceof DataFault)) throw error;
        faults.set(row, error);
      }
    }
  }
  return faults;
}

/** Opens the rows of one modality from the data under `root`, for `--given image=DIR#0:500`. */
export async function openModality(
  info: ModelInfo,
  name: string,
  root: string,
  options: OpenOptions = {},
): Promise<Column> {
  if (root.startsWith(builtinPrefix)) return (await openData(info, root, 'eval', options)).column(name);
  const columns: Column[] = [];
  for (const file of fileSources(info, name)) {
    const source = info.data.columns.find((c) => c.modality === file);
    if (!source)
      throw new SpecFault([
        diagnostic('MMD0907', { file: info.module.file, range: info.data.place }, { modality: file }),
      ]);
    const found = info.modalities.find((m) => m.name === file) as ModalityInfo;
    const at = { file: info.module.file, range: source.place };
    columns.push(await placed(at, () => openColumn(found, source, root, {})));
  }
  const frozen = await runNetworks(info, columns, options.project ?? '.', {}, name);
  return withDerived(info, columns, name, frozen).find((column) => column.name === name) as Column;
}

/** What a column must be to feed a modality. */
export function columnType(modality: ModalityInfo, ignore: readonly number[] = []): ColumnType {
  const { type, dataShape, classes, labels } = modality;
  switch (type) {
    case 'image':
      return { kind: 'image', shape: dataShape as [number, number, number] };
    case 'mask':
      return { kind: 'mask', shape: dataShape as [number, number], classes, ignore };
    case 'category':
      return { kind: 'category', classes, ...(labels ? { labels } : {}) };
    case 'vector':
      return { kind: 'vector', shape: dataShape };
    case 'binary':
      return { kind: 'binary', shape: dataShape };
    case 'tokens':
      return { kind: 'tokens', shape: dataShape as [number], classes };
  }
}

function openColumn(
  modality: ModalityInfo,
  source: SourceInfo,
  root: string,
  options: OpenOptions,
): Promise<Column> {
  if (!existsSync(root))
    throw new DataFault(root, 'does not exist', { help: 'it is the folder given with --data' });
  const { args } = source.source;
  const ignore = typeof args.void === 'number' ? [args.void] : [];
  return openSource(modality, columnType(modality, ignore), source, root, options);
}

const sceneShapes: Readonly<Record<string, { type: string; shape: readonly number[] }>> = {
  image: { type: 'image', shape: [SCENE_SIZE, SCENE_SIZE, 3] },
  mask: { type: 'mask', shape: [SCENE_SIZE, SCENE_SIZE, SCENE_CLASSES.length] },
  label: { type: 'category', shape: [SCENE_LABELS.length] },
  emb: { type: 'vector', shape: [SCENE_EMBEDDING] },
};

/** {@link openSet} with what frozen networks say of its rows. */
async function openFrozenSet(
  info: ModelInfo,
  name: string,
  place: Place,
  part: Part,
  { project = '.' }: OpenOptions,
  networks: Record<string, string>,
): Promise<Dataset> {
  const columns = setColumns(info, name, place, part);
  const frozen = await runNetworks(info, columns, project, networks);
  return parted(info, new Dataset(withDerived(info, columns, undefined, frozen)), part);
}

function openSet(info: ModelInfo, name: string, place: Place, part: Part): Dataset {
  return parted(info, new Dataset(withDerived(info, setColumns(info, name, place, part))), part);
}

function parted({ data }: ModelInfo, dataset: Dataset, part: Part): Dataset {
  return part === 'train' && data.rows ? dataset.take({ start: data.rows.from, end: data.rows.to }) : dataset;
}

/** The columns of an embedded set that a model's modalities are. */
function setColumns(info: ModelInfo, name: string, place: Place, part: Part): Column[] {
  if (name !== 'scenes') {
    throw new SpecFault([diagnostic('MMD0705', place, { name, sets: '`builtin("scenes")`' })]);
  }
  const all = scenes(part === 'eval' ? 'val' : 'train');
  return info.modalities.flatMap((modality) => {
    if (modality.derived) return [];
    const offered = sceneShapes[modality.name];
    if (offered?.type === modality.type && offered.shape.join() === modality.shape.join()) {
      return all.column(modality.name);
    }
    const range = modality.place;
    throw new SpecFault([
      diagnostic(
        'MMD0909',
        { file: place.file, range },
        {
          modality: modality.name,
          set: name,
          columns: Object.entries(sceneShapes)
            .map(([n, s]) => `\`${n}: ${s.type}[${s.shape.join(', ')}]\``)
            .join(', '),
        },
      ),
    ]);
  });
}

/** Turns a fault of the data into a diagnostic at the place of the spec that names it. */
async function placed<T>(place: Place, open: () => T | Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    throw toSpecFault(place, error);
  }
}

function placedNow<T>(place: Place, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw toSpecFault(place, error);
  }
}

function toSpecFault(place: Place, error: unknown): unknown {
  if (!(error instanceof DataFault)) return error;
  const row = error.row === undefined ? '' : `row ${error.row}: `;
  const detail = { path: error.file, reason: `${row}${error.detail}` };
  const help = error.help ?? (error.row === undefined ? undefined : '`mmdc data` lists every such row');
  return new SpecFault([diagnostic('MMD0901', place, detail, help === undefined ? {} : { help })]);
}

/** Where rows may be skipped, pictures are decoded one by one: a damaged one is then told from the others. */
function lazily(info: ModelInfo, options: OpenOptions): OpenOptions {
  return info.data.errors === 'skip' ? { ...options, lazy: true } : options;
}
