/**
 * Opens the data that a model's `data` block names, as one column per modality.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Place } from '../../compiler/diagnostics/diagnostic.js';
import { diagnostic } from '../../compiler/diagnostics/table.js';
import type { ModalityInfo, ModelInfo, SourceInfo } from '../../compiler/model/info.js';
import { showSource } from '../../compiler/model/data.js';
import { SpecFault } from '../faults.js';
import { toColumn, type Column, type ColumnType } from './column.js';
import { fileSources, withDerived } from './derived.js';
import { DataFault } from './fault.js';
import { readIdx } from './idx.js';
import { readImages, readMasks } from './images.js';
import { readNpy } from './npy.js';
import { SCENE_CLASSES, SCENE_EMBEDDING, SCENE_LABELS, SCENE_SIZE, scenes } from './scenes.js';
import { Dataset } from './table.js';

/** Rows to train on, rows held out for evaluation, or all of them. */
export type Part = 'train' | 'eval' | 'all';

const builtinPrefix = 'builtin:';

/**
 * @param root value of `--data`: a folder, `builtin:scenes`, or undefined where the spec names an embedded set
 * @throws SpecFault placed in the spec's `data` block
 */
export function openData(info: ModelInfo, root: string | undefined, part: Part): Dataset {
  const { file } = info.module;
  const place = (range: SourceInfo['place']): Place => ({ file, range });
  const named = root?.startsWith(builtinPrefix) ? root.slice(builtinPrefix.length) : undefined;
  const set = named ?? (info.data.set?.source.args.name as string | undefined);
  if (set !== undefined) return openSet(info, set, place(info.data.set?.place ?? info.data.place), part);
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
  const read = info.modalities.flatMap((modality): Column[] => {
    const column = info.data.columns.find((c) => c.modality === modality.name);
    return column ? [placed(place(column.place), () => openColumn(modality, column, root))] : [];
  });
  const whole = placed(place(info.data.place), () => new Dataset(withDerived(info, read)));
  const rows = part === 'all' ? null : part === 'train' ? info.data.rows : info.evalRows;
  if (!rows) return whole;
  return placed(place(info.data.place), () => whole.take({ start: rows.from, end: rows.to }));
}

/** Opens the rows of one modality from the data under `root`, for `--given image=DIR#0:500`. */
export function openModality(info: ModelInfo, name: string, root: string): Column {
  if (root.startsWith(builtinPrefix)) return openData(info, root, 'eval').column(name);
  const columns = fileSources(info, name).map((file): Column => {
    const source = info.data.columns.find((c) => c.modality === file);
    if (!source)
      throw new SpecFault([
        diagnostic('MMD0907', { file: info.module.file, range: info.data.place }, { modality: file }),
      ]);
    const found = info.modalities.find((m) => m.name === file) as ModalityInfo;
    return placed({ file: info.module.file, range: source.place }, () => openColumn(found, source, root));
  });
  return withDerived(info, columns, name).find((column) => column.name === name) as Column;
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

function openColumn(modality: ModalityInfo, { source }: SourceInfo, root: string): Column {
  const given = source.args.path as string;
  const path = isAbsolute(given) ? given : join(root, given);
  if (!existsSync(root))
    throw new DataFault(root, 'does not exist', { help: 'it is the folder given with --data' });
  const { dataShape } = modality;
  switch (source.form) {
    case 'idx':
      return toColumn(modality.name, readIdx(path), columnType(modality));
    case 'npy':
      return toColumn(modality.name, readNpy(path), columnType(modality));
    case 'images':
      return toColumn(
        modality.name,
        readImages(path, dataShape as [number, number, number]),
        columnType(modality),
      );
    default: {
      const ignore = source.args.void === null ? [] : [source.args.void as number];
      return toColumn(
        modality.name,
        readMasks(path, dataShape as [number, number]),
        columnType(modality, ignore),
      );
    }
  }
}

const sceneShapes: Readonly<Record<string, { type: string; shape: readonly number[] }>> = {
  image: { type: 'image', shape: [SCENE_SIZE, SCENE_SIZE, 3] },
  mask: { type: 'mask', shape: [SCENE_SIZE, SCENE_SIZE, SCENE_CLASSES.length] },
  label: { type: 'category', shape: [SCENE_LABELS.length] },
  emb: { type: 'vector', shape: [SCENE_EMBEDDING] },
};

function openSet(info: ModelInfo, name: string, place: Place, part: Part): Dataset {
  if (name !== 'scenes') {
    throw new SpecFault([diagnostic('MMD0705', place, { name, sets: '`builtin("scenes")`' })]);
  }
  const all = scenes(part === 'eval' ? 'val' : 'train');
  const columns = info.modalities.flatMap((modality) => {
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
  const dataset = new Dataset(withDerived(info, columns));
  return part === 'train' && info.data.rows
    ? dataset.take({ start: info.data.rows.from, end: info.data.rows.to })
    : dataset;
}

/** Turns a fault of the data into a diagnostic at the place of the spec that names it. */
function placed<T>(place: Place, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof DataFault)) throw error;
    const row = error.row === undefined ? '' : `row ${error.row}: `;
    const detail = { path: error.file, reason: `${row}${error.detail}` };
    throw new SpecFault([
      diagnostic('MMD0901', place, detail, error.help === undefined ? {} : { help: error.help }),
    ]);
  }
}
