import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { factsOf } from '../../experiments/arms.js';
import type { Margin } from '../../experiments/comparison.js';
import { modelsOf, systems } from '../../experiments/systems.js';

const folder = join(import.meta.dirname, '../../experiments/systems');
const margins = JSON.parse(readFileSync(join(folder, 'margins.json'), 'utf8')) as Record<
  string,
  Record<string, Margin>
>;

describe.each(systems.map((s) => [s.name, s] as const))('%s', (_, system) => {
  const facts = new Map(modelsOf(system).map((name) => [name, factsOf(join(folder, system.spec), name)]));
  const joint = facts.get('Joint')!;

  it('compares models whose parameters differ by at most 2 %', () => {
    for (const [name, { parameters }] of facts)
      expect(Math.abs(parameters / joint.parameters - 1), name).toBeLessThanOrEqual(0.02);
  });

  it('gives every baseline fewer tasks than the joint model, of the same names, with equal batches', () => {
    for (const [name, { tasks, batch }] of facts) {
      expect(batch, name).toBe(joint.batch);
      if (name === 'Joint') continue;
      expect(tasks.length).toBeLessThan(joint.tasks.length);
      expect(joint.tasks).toEqual(expect.arrayContaining([...tasks]));
    }
  });

  it('compares what both models are asked, by a margin that is written down', () => {
    for (const { metric, against } of system.comparisons) {
      // `fill 50 %` is the task `fill` with holes of that size.
      expect(facts.get(against)!.tasks).toContain(/^\w+/.exec(metric)![0]);
      const margin = margins[String(system.number)]?.[metric];
      expect(typeof margin === 'string' ? margin : (margin ?? 0) > 0, metric).toSatisfy(
        (x) => x === true || /^[1-9]\d* %$/.test(String(x)),
      );
    }
  });
});

it('there are five systems', () => {
  expect(new Set(systems.map((s) => s.number))).toEqual(new Set([1, 2, 3, 4, 5]));
});
