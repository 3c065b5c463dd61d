/**
 * CLIP score (Hessel et al., 2021) of pictures against embeddings, where a frozen network of the spec makes such embeddings
 * of pictures: what it says of a generated picture is compared with what was given, or generated with it.
 *
 * @module
 */
import { networksOf, sourcesOf } from '../../compiler/model/derived.js';
import { sizeOf } from '../../compiler/graph/ir.js';
import type { ModelInfo } from '../../compiler/model/info.js';
import type { Column } from '../data/column.js';
import { runNetworks, withDerived } from '../data/derived.js';
import { rowsOf } from '../sample/given.js';
import type { Rows } from '../sample/sampler.js';
import { clipScore, cosines } from './metrics/embedding.js';
import { points } from './metrics/points.js';

type Figures = Record<string, { value: number; count: number; [detail: string]: unknown }>;

/**
 * `clip_EMB` for every embedding among `all` that is derived from the picture alone, through a network.
 * @param project folder in which the network lies
 */
export async function clipScores(
  info: ModelInfo,
  picture: string,
  made: Rows,
  all: ReadonlyMap<string, Rows>,
  project: string,
): Promise<Figures> {
  const out: Figures = {};
  for (const modality of info.modalities) {
    const { derived, name } = modality;
    const wanted = all.get(name);
    if (!derived || !wanted || modality.type !== 'vector' || networksOf(derived).length === 0) continue;
    if (sourcesOf(derived).some((source) => source !== picture)) continue;
    const size = sizeOf(made.shape.slice(1));
    const column: Column = {
      name: picture,
      source: 'generated',
      rows: made.shape[0]!,
      shape: made.shape.slice(1),
      kind: 'real',
      read: (row, to, offset) => to.set(made.data.subarray(row * size, (row + 1) * size), offset),
    };
    const networks: Record<string, string> = {};
    const frozen = await runNetworks(info, [column], project, networks, name);
    const read = withDerived(info, [column], name, frozen).find((c) => c.name === name)!;
    const rows = rowsOf(
      read,
      Array.from({ length: read.rows }, (_, i) => i),
    );
    const [width] = modality.shape as [number];
    const scores = cosines(points(rows.data, width), points(wanted.data, width)).map(clipScore);
    const value = scores.reduce((sum, x) => sum + x, 0) / scores.length;
    const [backbone, hash] = Object.entries(networks)[0]!;
    out[`clip_${name}`] = { value, count: scores.length, backbone, hash };
  }
  return out;
}
