/**
 * One training step of every example on every executor against the reference in float64: loss, every gradient, updated
 * parameters and averages within 1e-4. Where `MMDC_PYTHON` names a Python with PyTorch, that computes the same from the
 * forward graph alone, with derivatives and an optimiser of its own.
 */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { toJSON } from '../../compiler/graph/json.js';
import { choose } from '../../runtime/executors/index.js';
import { ReferenceExecutor } from '../../runtime/executors/reference/index.js';
import { present, skippedReasons } from '../executors/present.js';
import { batchFeeds } from '../lower/support.js';
import { differences, problemOf, results, schedule, type Problem } from './support.js';

const folder = new URL('../../examples/', import.meta.url);
/** 33 million parameters even at a third of its widths: minutes for the reference. Its networks are those of the others. */
const large = 'adm-imagenet64.mmd';
const specs = readdirSync(folder).filter((name) => name.endsWith('.mmd') && name !== large);
const python = process.env.MMDC_PYTHON;
const script = fileURLToPath(new URL('../oracle/step.py', import.meta.url));

it('there are examples', () => expect(specs.length).toBeGreaterThan(2));
it.skip(`${large} (skipped: it takes the reference minutes)`);

describe.each(specs)('a training step of %s', (name) => {
  let problem: Problem;
  let reference: Map<string, ArrayLike<number>>;
  beforeAll(async () => {
    problem = problemOf(new URL(name, folder));
    reference = await results(problem, new ReferenceExecutor({ precision: 'f64' }));
    expect(Number.isFinite(reference.get('loss')?.[0])).toBe(true);
  });

  it.each(present)('is on %s what it is in float64', async (executor) => {
    const found = await results(problem, await choose(executor, { threads: 1 }));
    expect([...found.keys()]).toEqual([...reference.keys()]);
    expect(differences(found, reference, 1e-4)).toEqual([]);
  });

  for (const reason of skippedReasons) it.skip(`on ${reason}`);

  it.skipIf(!python)('is in PyTorch what it is here (MMDC_PYTHON)', async () => {
    const found = await inPyTorch(problem);
    const expected = new Map([...reference].filter(([key]) => key !== 'norm of the gradient'));
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
    expect(differences(found, expected, 1e-6)).toEqual([]);
  });
});

/** The forward graph, its feeds and the optimiser's settings to `step.py`, and its answers by our names. */
async function inPyTorch({ model, batch, state }: Problem): Promise<Map<string, ArrayLike<number>>> {
  const { layout, info } = model;
  const { graph } = model.forward(batch.rows.length);
  const flat = (data: ArrayLike<number>): number[] => Array.from(data, Number);
  const feeds = Object.fromEntries(
    Object.entries(batchFeeds(model, batch)).map(([key, { data }]) => [
      key,
      // Executors get float32, and so must this.
      flat(data instanceof Int32Array ? data : Float32Array.from(data)),
    ]),
  );
  const parameters = [
    ...layout.trainable.map((slot) => ({ slot, from: state.parameters })),
    ...layout.frozen.map((slot) => ({ slot, from: state.frozen })),
  ];
  const input = {
    graph: toJSON(graph),
    feeds,
    parameters: Object.fromEntries(
      parameters.map(({ slot, from }) => [
        slot.name,
        flat(from.subarray(slot.offset, slot.offset + slot.size)),
      ]),
    ),
    trainable: layout.trainable.map((slot) => ({ name: slot.name, decay: slot.offset < layout.decayed })),
    optimizer: info.train.optimizer,
    rate: schedule[0],
    average: schedule[3],
    moment2: 1e-2,
  };
  const child = promisify(execFile)(python ?? '', [script], { maxBuffer: 2 ** 30 });
  child.child.stdin?.end(JSON.stringify(input));
  const { stdout } = await child;
  return new Map(Object.entries(JSON.parse(stdout) as Record<string, number[]>));
}
