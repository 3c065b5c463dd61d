/** The model card: what the Hub's reader finds in its front matter, and what people read below it. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments, parse } from 'yaml';
import { modelCard, writeCard } from '../../runtime/export/card.js';
import { compileSpec, smallSpec } from '../pytorch/support.js';

const model = compileSpec(smallSpec);
const hash = model.hash();

/** A run in which things were measured. */
function measured(files: Readonly<Record<string, unknown>>): string {
  const run = mkdtempSync(join(tmpdir(), 'mmdc-card-'));
  for (const [name, value] of Object.entries(files)) writeFileSync(join(run, name), JSON.stringify(value));
  return run;
}
const evaluation = (spec: string, metrics: Record<string, number>) => ({
  metrics: Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, { value, count: 40 }])),
  tasks: {},
  omitted: [],
  provenance: { model: 'Small', spec, trained: 20, seed: 3, rows: 40, data: '/home/somebody/pictures' },
});

/** Front matter and text of a card. */
function parts(card: string): { front: Record<string, unknown>; text: string } {
  const [, front, text] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(card) ?? [];
  expect(front).toBeDefined();
  const documents = parseAllDocuments(front!);
  expect(documents).toHaveLength(1);
  expect((documents as { errors: unknown[] }[])[0]!.errors).toEqual([]);
  // YAML 1.1 is what the Hub's reader speaks: both versions must see the same.
  const value = parse(front!, { version: '1.2' }) as Record<string, unknown>;
  expect(parse(front!, { version: '1.1' })).toEqual(value);
  return { front: value, text: text! };
}

describe('the model card', () => {
  it.each(['onnx', 'pytorch', 'run'] as const)('has metadata, licence and data to fill in: %s', (target) => {
    const { front, text } = parts(modelCard(model, { target, step: 0 }));
    expect(front).toEqual({
      license: 'other',
      license_name: 'fill-in',
      library_name: 'mmdc',
      pipeline_tag: 'unconditional-image-generation',
      tags: ['diffusion', 'multimodal', 'mmdc', ...(target === 'run' ? [] : [target])],
      datasets: [],
    });
    for (const heading of ['Modalities', 'Use', 'Data and training', 'Results', 'Limits and risks'])
      expect(text).toContain(`\n## ${heading}\n`);
    expect(text).toContain('their licence');
    expect(text).toContain(hash);
    expect(text).toContain('| `image` | `npy("image.npy")` |');
    expect(text).toContain('None were measured');
    for (const task of model.info.tasks) expect(text).toContain(`| \`${task.name}\` |`);
  });

  it('has the metrics of an evaluation with their provenance, and none of another spec', () => {
    const run = measured({
      'eval.json': evaluation(hash, { 'label.accuracy': 0.75, 'image.kid': -1e-7, 'emb.cosine': 1 }),
      'old.json': evaluation('0'.repeat(64), { 'label.accuracy': 0.1 }),
      'run.json': { format: 1 },
    });
    writeFileSync(join(run, 'half.json'), '{"metrics"');
    const { front, text } = parts(modelCard(model, { target: 'run', run, step: 20 }));
    const [index] = front['model-index'] as { name: string; results: Record<string, unknown>[] }[];
    expect(index!.name).toBe('Small');
    expect(index!.results).toHaveLength(1);
    expect(index!.results[0]).toMatchObject({
      task: { type: 'unconditional-image-generation' },
      dataset: { name: 'FILL IN: name of the data', type: 'FILL IN' },
      metrics: [
        { name: 'label.accuracy', type: 'accuracy', value: 0.75, verified: false },
        { name: 'image.kid', type: 'kid', value: -1e-7, verified: false },
        { name: 'emb.cosine', type: 'cosine', value: 1, verified: false },
      ],
    });
    const row = text.split('\n').find((line) => line.startsWith('| label.accuracy |'));
    for (const said of ['0.75', '`eval.json`', 'n = 40', hash, 'trained: 20', 'seed: 3', 'data: pictures'])
      expect(row).toContain(said);
    expect(text).not.toContain('somebody');
    expect(text).not.toContain('old.json');
  });

  it('is written again as long as nobody has changed it', () => {
    const run = mkdtempSync(join(tmpdir(), 'mmdc-card-'));
    mkdirSync(run, { recursive: true });
    const read = () => readFileSync(join(run, 'README.md'), 'utf8');
    const card = (step: number) => modelCard(model, { target: 'run', step });
    expect(writeCard(run, card(10))).toBe(true);
    expect(writeCard(run, card(20))).toBe(true);
    expect(read()).toBe(card(20));
    const filled = read().replace('license: other # FILL IN: the licence of these weights', 'license: mit');
    expect(filled).not.toBe(read());
    writeFileSync(join(run, 'README.md'), filled);
    expect(writeCard(run, card(30))).toBe(false);
    expect(read()).toBe(filled);
    writeFileSync(join(run, 'README.md'), 'My own text.\n');
    expect(writeCard(run, card(30))).toBe(false);
    expect(read()).toBe('My own text.\n');
  });
});
