/**
 * Columns of derived modalities: computed from the rows of others whenever they are read, so that every batch of training
 * draws anew, and a row outside training is always the same.
 *
 * @module
 */
import { sourcesOf } from '../../compiler/model/derived.js';
import type { DerivedInfo, ModalityInfo, ModelInfo } from '../../compiler/model/info.js';
import { Stream } from '../random/stream.js';
import { rowSize, type Column, type Draw } from './column.js';
import { kernels } from './transforms.js';

/**
 * The modalities that have to be read from files for a derived one. One that is derived from nothing (`holes`) still needs
 * one, which says how many rows there are.
 */
export function fileSources(info: ModelInfo, name: string): string[] {
  const found = [...neededFor(info, name)].filter((source) => !find(info, source).derived);
  if (found.length > 0) return found;
  return info.modalities
    .filter((m) => !m.derived)
    .map((m) => m.name)
    .slice(0, 1);
}

const find = (info: ModelInfo, name: string): ModalityInfo =>
  info.modalities.find((m) => m.name === name) as ModalityInfo;

/**
 * The columns of all modalities, in the model's order.
 * @param columns those of the modalities that are read from files
 * @param wanted names of the modalities to derive; all when left out
 */
export function withDerived(info: ModelInfo, columns: readonly Column[], wanted?: string): Column[] {
  const all = new Map(columns.map((column) => [column.name, column]));
  const needed = wanted === undefined ? undefined : neededFor(info, wanted);
  for (const modality of info.modalities) {
    if (modality.derived && (!needed || needed.has(modality.name)))
      all.set(modality.name, derivedColumn(info, modality, modality.derived, all));
  }
  return info.modalities.flatMap((m) => all.get(m.name) ?? []);
}

/** A modality and everything that it is derived from. */
function neededFor(info: ModelInfo, name: string): Set<string> {
  const { derived } = find(info, name);
  return new Set([name, ...(derived ? sourcesOf(derived).flatMap((s) => [...neededFor(info, s)]) : [])]);
}

function derivedColumn(
  info: ModelInfo,
  modality: ModalityInfo,
  derived: DerivedInfo,
  columns: ReadonlyMap<string, Column>,
): Column {
  // Sources of a chain that begins by itself (`holes`) do not say how many rows there are.
  const counts = [...columns.values()];
  const [from] = sourcesOf(derived).flatMap((name) => columns.get(name) ?? []);
  const like = from ?? counts[0];
  const { seed } = info.train;
  const evaluate = (node: DerivedInfo, row: number, draw: Draw): Float32Array => {
    if (node.op === 'modality') return readRow(columns.get(node.name) as Column, row, draw);
    return kernels[node.name]({
      node,
      input: node.input ? evaluate(node.input, row, draw) : new Float32Array(0),
      rows: Object.fromEntries(
        Object.entries(node.modalities).map(([param, name]) => [
          param,
          readRow(columns.get(name) as Column, row, draw),
        ]),
      ),
      random:
        node.stream === null ? undefined : new Stream(seed, 'derive', node.stream, draw.from, draw.index),
    });
  };
  return {
    name: modality.name,
    source: like.source,
    rows: like.rows,
    shape: modality.dataShape,
    kind: modality.discrete ? 'index' : 'real',
    ...(modality.discrete ? { classes: modality.classes } : {}),
    ...(like.rowNames ? { rowNames: like.rowNames } : {}),
    read: (row, out, offset, draw = { from: 'row', index: row }) =>
      out.set(evaluate(derived, row, draw), offset),
  };
}

function readRow(column: Column, row: number, draw: Draw): Float32Array {
  const out = new Float32Array(rowSize(column));
  column.read(row, out, 0, draw);
  return out;
}
