/**
 * `builtin:scenes`: an endless set of small pictures with everything known about them, made by a seeded generator.
 *
 * Every scene shows one main object standing on the ground under a sky. Four aligned modalities:
 *
 * - `image` [32, 32, 3] in [-1, 1];
 * - `mask` [32, 32], six classes: sky, ground, round, block, wedge (parts of objects), cloud;
 * - `label`, six classes: the main object: a ball, box, pyramid, house (block with a wedge on top), tree (block with
 *   a round crown) or snowman (round on round). Part classes are shared between labels, on purpose;
 * - `emb` [16], a unit vector: a fixed random projection of the standardised factors below that are marked *.
 *
 * | factor | range |
 * |---|---|
 * | *object | six, equally likely |
 * | *position, *size | centre 10 .. 22 px, height 13 .. 19 px |
 * | *depth | foot of the object 1.5 px below the horizon .. 30.5 px |
 * | *light | -1 (from the left) .. 1 (from the right): brightness across the picture, shading, shadow |
 * | *horizon | 15 .. 22 px high, bent by up to 1.5 px |
 * | *colours of object, sky, ground | any hue; a second part's hue differs by 0.15 .. 0.85 of the circle |
 * | clouds | 0 .. 2, of three overlapping discs |
 * | stones and crates | 0 .. 2 small discs, blocks or wedges of 3 .. 4.5 px on the ground, beside the object |
 * | texture | noise per pixel, bands on the ground, exposure 0.85 .. 1.1 |
 *
 * Hues are drawn independently of the object, so neither does the mean colour tell the label nor a threshold the
 * mask. Row i of a split is a pure function of (seed, split, i). Only exact arithmetic is used, no transcendental
 * functions, so the rows are the same bytes everywhere.
 *
 * @module
 */
import { Stream } from '../random/stream.js';
import type { Column } from './column.js';
import { drawScene, type Scene } from './scene-drawing.js';
import { embed, sampleScene } from './scene-factors.js';
import { Dataset } from './table.js';

export const SCENE_SIZE = 32;
export const SCENE_LABELS = ['ball', 'box', 'pyramid', 'house', 'tree', 'snowman'] as const;
export const SCENE_CLASSES = ['sky', 'ground', 'round', 'block', 'wedge', 'cloud'] as const;
export const SCENE_EMBEDDING = 16;
export const SCENE_ROWS = { train: 4096, val: 512, test: 512 } as const;

export type SceneSplit = keyof typeof SCENE_ROWS;

export interface SceneOptions {
  /** Number of rows; default {@link SCENE_ROWS}. */
  readonly rows?: number;
  /** Default 0. */
  readonly seed?: number | bigint;
}

/**
 * The scenes of a split, with columns `image`, `mask`, `label` and `emb`. A row is generated when it is first read.
 *
 * @throws RangeError unless `rows` is a positive integer.
 */
export function scenes(
  split: SceneSplit,
  { rows = SCENE_ROWS[split], seed = 0 }: SceneOptions = {},
): Dataset {
  if (!Number.isInteger(rows) || rows < 1) throw new RangeError(`there cannot be ${rows} rows`);
  const pixels = SCENE_SIZE * SCENE_SIZE;
  const images = new Uint8Array(rows * pixels * 3);
  const masks = new Uint8Array(rows * pixels);
  const labels = new Uint8Array(rows);
  const embeddings = new Float32Array(rows * SCENE_EMBEDDING);
  const done = new Uint8Array(rows);

  const generate = (row: number): void => {
    if (done[row] === 1) return;
    const random = new Stream(seed, 'scenes', split, row);
    const scene: Scene = sampleScene(random);
    drawScene(
      scene,
      random,
      images.subarray(row * pixels * 3, (row + 1) * pixels * 3),
      masks.subarray(row * pixels, (row + 1) * pixels),
    );
    labels[row] = scene.label;
    embed(scene, embeddings.subarray(row * SCENE_EMBEDDING, (row + 1) * SCENE_EMBEDDING));
    done[row] = 1;
  };

  const column = (
    name: string,
    shape: readonly number[],
    data: Uint8Array | Float32Array,
    scaled: boolean,
    kind: Pick<Column, 'kind' | 'classes' | 'labels'>,
  ): Column => {
    const size = shape.reduce((n, d) => n * d, 1);
    return {
      name,
      source: `builtin:scenes (${split})`,
      rows,
      shape,
      ...kind,
      read(row, out, offset) {
        generate(row);
        const from = row * size;
        if (scaled) for (let i = 0; i < size; i++) out[offset + i] = data[from + i]! / 127.5 - 1;
        else for (let i = 0; i < size; i++) out[offset + i] = data[from + i]!;
      },
    };
  };

  return new Dataset([
    column('image', [SCENE_SIZE, SCENE_SIZE, 3], images, true, { kind: 'real' }),
    column('mask', [SCENE_SIZE, SCENE_SIZE], masks, false, {
      kind: 'index',
      classes: SCENE_CLASSES.length,
      labels: SCENE_CLASSES,
    }),
    column('label', [], labels, false, { kind: 'index', classes: SCENE_LABELS.length, labels: SCENE_LABELS }),
    column('emb', [SCENE_EMBEDDING], embeddings, false, { kind: 'real' }),
  ]);
}
