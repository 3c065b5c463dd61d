import { describe, expect, it } from 'vitest';
import type { Evaluation } from '../../runtime/eval/model.js';
import {
  below,
  compare,
  figure,
  markdown,
  type Budget,
  type SystemResult,
  type Trained,
} from '../../experiments/comparison.js';

const evaluation = (kid: number): Evaluation => ({
  metrics: {},
  tasks: { generate: { 'image.kid': { value: kid, count: 10, task: 'generate' } } },
  omitted: [],
  provenance: {
    model: 'M',
    spec: 'abc',
    trained: 10,
    weights: { ema: 0.9 },
    seed: 0,
    rows: 10,
    heldOut: 10,
    data: 'd',
    networks: {},
    executor: 'e',
    version: '0',
  },
});

const trained = (model: string, budget: Budget | null, seed: number, kid: number): Trained => ({
  ...{ model, budget, seed, steps: 100, batch: 4, share: 1, tasks: ['generate', 'draw'], parameters: 7 },
  ...{ hash: 'abcdef', seconds: 3, commit: 'c0ffee', evaluation: evaluation(kid) },
});

// In another order than the joint model's seeds, which pairing must not depend on.
const models = [
  trained('Joint', null, 0, 0.5),
  trained('Joint', null, 1, 0.7),
  trained('Alone', 'shared', 1, 0.6),
  trained('Alone', 'shared', 0, 0.4),
];
const what = { metric: 'generate.image.kid', better: 'lower', against: 'Alone' } as const;

const result = (reduced: boolean): SystemResult => ({
  ...{
    format: 1,
    system: 3,
    name: 'digits',
    title: 'Digits',
    reduced,
    commit: 'c0ffee',
    machine: 'a machine',
  },
  ...{
    command: 'npm run experiments -- --system 3',
    measured: '2026-01-02T00:00:00Z',
    seeds: [0, 1],
    models,
  },
  comparisons: [compare(models, what, 'shared', 0.05)!],
  omitted: [],
});

describe('comparing a joint model with one of a single task', () => {
  it('pairs seeds, whatever their order', () => {
    const c = compare(models, what, 'shared', 0.05)!;
    expect([c.joint, c.other]).toEqual([
      [0.5, 0.7],
      [0.4, 0.6],
    ]);
    // Lower is better, and the joint model is higher by 0.1 with both seeds.
    expect(c.paired.gain).toBeCloseTo(-0.1, 12);
    expect(c.paired.bound).toBeCloseTo(-0.1, 12);
    expect(c.verdict).toBe('below');
  });

  it('takes a margin as a share of what the other model has', () => {
    expect(compare(models, what, 'shared', '30 %')).toMatchObject({ verdict: 'within' });
    expect(compare(models, what, 'shared', '30 %')!.margin).toBeCloseTo(0.15, 12);
    expect(compare(models, what, 'shared', '10 %')).toMatchObject({ verdict: 'below' });
  });

  it('makes none where a figure or a model is missing', () => {
    expect(compare(models, what, 'equal', 0.05)).toBeUndefined();
    expect(compare(models, { ...what, metric: 'draw.image.kid' }, 'shared', 0.05)).toBeUndefined();
    expect(compare(models.slice(0, 3), what, 'shared', 0.05)).toBeUndefined();
  });

  it('finds figures by task, modality and metric', () => {
    expect(figure(evaluation(0.3), 'generate.image.kid')).toBe(0.3);
    expect(figure(evaluation(0.3), 'generate.image.fid')).toBeUndefined();
  });
});

describe('the tables', () => {
  it('say first where the joint model is below a baseline', () => {
    const text = markdown(result(false));
    expect(text).toMatch(/^\*\*Below its baseline by more than the margin:\*\* `generate.image.kid` \(Alone/);
    expect(text).toContain('`npm run experiments -- --system 3`; seeds 0, 1; 10 rows a question.');
    expect(text).toContain('c0ffee');
    // 100 steps of 4 rows between two tasks.
    expect(text).toMatch(/\| Joint \| {2}\| 0 \| 7 \| 100 \| 200 \|/);
  });

  it('claim nothing where the run was reduced', () => {
    expect(markdown(result(true))).toMatch(/^\*\*reduced: no claim\*\*/);
    expect(below(result(true))).toEqual([]);
  });
});
