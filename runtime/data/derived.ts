/**
 * Columns of derived modalities: computed from the rows of others whenever they are read, so that every batch of training
 * draws anew, and a row outside training is always the same.
 *
 * @module
 */
import { networksOf, sourcesOf } from '../../compiler/model/derived.js';
import type { DerivedInfo, ModalityInfo, ModelInfo } from '../../compiler/model/info.js';
import { Stream } from '../random/stream.js';
import { rowSize, type Column, type Draw } from './column.js';
import { DataFault } from './fault.js';
import { readFrozen, runFrozen } from './frozen.js';
import { kernels, type TransformNode } from './transforms.js';

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
 * @param wanted name of the modality to derive; all when left out
 * @param frozen what networks say of the rows
 * @param before of the wanted modality, what goes into this call instead of what it is itself
 */
export function withDerived(
  info: ModelInfo,
  columns: readonly Column[],
  wanted?: string,
  frozen: Frozen = none,
  before?: TransformNode,
): Column[] {
  const all = new Map(columns.map((column) => [column.name, column]));
  const needed = wanted === undefined ? undefined : neededFor(info, wanted);
  for (const modality of info.modalities) {
    if (!modality.derived || (needed && !needed.has(modality.name))) continue;
    const own = before && modality.name === wanted ? before : undefined;
    const made = own ? { ...modality, dataShape: own.shape, discrete: false, classes: 0 } : modality;
    all.set(
      modality.name,
      derivedColumn(info, made, own ? (own.input as DerivedInfo) : modality.derived, all, frozen),
    );
  }
  return info.modalities.flatMap((m) => all.get(m.name) ?? []);
}

/** What frozen networks say of rows, by the call: [rows, size]. */
export type Frozen = ReadonlyMap<DerivedInfo, { readonly values: Float32Array; readonly size: number }>;

const none: Frozen = new Map();

/** Whether any modality has rows that go through a network. */
export const hasFrozen = (info: ModelInfo): boolean =>
  info.modalities.some((m) => m.derived && networksOf(m.derived).length > 0);

/**
 * Runs the frozen networks of derived modalities on all rows.
 * @param project folder of the project, in which the spec's own path begins
 * @param networks takes the hash of every file, by its path
 * @throws SpecFault at the call of one that cannot be used
 */
export async function runNetworks(
  info: ModelInfo,
  columns: readonly Column[],
  project: string,
  networks: Record<string, string>,
  wanted?: string,
): Promise<Frozen> {
  const frozen = new Map<DerivedInfo, { values: Float32Array; size: number }>();
  const needed = wanted === undefined ? undefined : neededFor(info, wanted);
  for (const modality of info.modalities) {
    const { derived } = modality;
    if (!derived || (needed && !needed.has(modality.name))) continue;
    for (const node of networksOf(derived)) {
      const file = readFrozen(info, node, project);
      networks[file.path] = file.sha256;
      const all = new Map(withDerived(info, columns, modality.name, frozen, node).map((c) => [c.name, c]));
      const input = all.get(modality.name) as Column;
      const [size] = modality.shape;
      const values = await runFrozen(
        info,
        node,
        modality.name,
        file,
        {
          count: input.rows,
          read: (row) => {
            if (input.missing?.(row)) return undefined;
            try {
              return readRow(input, row, { from: 'row', index: row });
            } catch (error) {
              // It is told where rows are decoded, with those that are left out for it.
              if (error instanceof DataFault) return undefined;
              throw error;
            }
          },
        },
        size,
      );
      frozen.set(node, { values, size });
    }
  }
  return frozen;
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
  frozen: Frozen,
): Column {
  // Sources of a chain that begins by itself (`holes`) do not say how many rows there are.
  const counts = [...columns.values()];
  const [from] = sourcesOf(derived).flatMap((name) => columns.get(name) ?? []);
  const like = from ?? counts[0];
  const { seed } = info.train;
  const evaluate = (node: DerivedInfo, row: number, draw: Draw): Float32Array => {
    if (node.op === 'modality') return readRow(columns.get(node.name) as Column, row, draw);
    const said = frozen.get(node);
    if (said) return said.values.slice(row * said.size, (row + 1) * said.size);
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
    ...(from?.missing ? { missing: (row: number) => from.missing!(row) } : {}),
    ...(from?.lazy ? { lazy: true } : {}),
    read: (row, out, offset, draw = { from: 'row', index: row }) =>
      out.set(evaluate(derived, row, draw), offset),
  };
}

function readRow(column: Column, row: number, draw: Draw): Float32Array {
  const out = new Float32Array(rowSize(column));
  column.read(row, out, 0, draw);
  return out;
}
