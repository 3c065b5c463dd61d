import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { areas, holesOf, maskedOf, paste, taskOf } from '../../experiments/holes.js';
import { matrix } from '../../experiments/matrix.js';
import { compileFile } from '../../runtime/cli/source.js';
import type { TransformNode } from '../../runtime/data/transforms.js';

const spec = join(import.meta.dirname, '../../experiments/systems/masked.mmd');
const nodeOf = (name: string): TransformNode =>
  compileFile(spec, [], name, 'never').model.info.modalities.find((m) => m.name === 'holes')!
    .derived as TransformNode;
const count = (row: Float32Array): number => row.reduce((sum, x) => sum + x, 0);

describe('holes of a given size', () => {
  it.each(areas)('hide %i % of a picture, in one rectangle', (area) => {
    const holes = holesOf(nodeOf('Joint'), area, 5);
    for (let i = 0; i < 5; i++) {
      const row = holes.subarray(i * 784, (i + 1) * 784);
      expect(Math.abs(count(row) / 784 - area / 100)).toBeLessThan(0.02);
      const inside = [...row.keys()].filter((p) => row[p] === 1);
      const [rows, columns] = [inside.map((p) => Math.floor(p / 28)), inside.map((p) => p % 28)];
      const sides = [rows, columns].map((values) => Math.max(...values) - Math.min(...values) + 1);
      expect(sides[0]! * sides[1]!).toBe(inside.length);
    }
  });

  it('are the same for every model, whatever it was trained with', () => {
    expect(holesOf(nodeOf('OneSize'), 50, 3)).toEqual(holesOf(nodeOf('Joint'), 50, 3));
  });

  it('hide what is in them, and leave the rest as it is when something is pasted', () => {
    const [images, holes] = [Float32Array.of(0.5, -1, 1, 0), Float32Array.of(1, 0, 1, 0)];
    expect([...maskedOf(images, holes)]).toEqual([0, -1, 0, 0]);
    expect([...paste([2, 2, -0.25, 2], images, holes)]).toEqual([1, -1, -0.25, 0]);
  });

  it('have figures of their own', () => {
    expect(taskOf(50)).toBe('fill 50 %');
  });
});

describe('the matrix of questions', () => {
  const tasks = (value: number) => ({
    'image -> label': { 'label.accuracy': { value, count: 4, task: 'image -> label' } },
    label: { 'label.total_variation': { value: 0.25, count: 4, task: 'label' } },
  });

  it('has a row for each, with the mean over seeds of the main figure', () => {
    const lines = matrix([tasks(0.5), tasks(1)]);
    expect(lines).toContain('| `image -> label` |  |  | accuracy 0.750 |  |');
    expect(lines).toContain('| `label` |  |  | TV 0.250 |  |');
  });

  it('leaves out what one seed lacks', () => {
    expect(matrix([tasks(0.5), { 'image -> label': {} }])).toContain('| `image -> label` |  |  |  |  |');
  });
});
