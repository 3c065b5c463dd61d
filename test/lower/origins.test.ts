/** Every node of every graph leads back to a place in the spec, so that whatever fails can be pointed at. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../compiler/graph/ir.js';
import { compile } from './support.js';

const specs = ['digits', 'scenes', '../bench/peers/dit', '../bench/peers/unet'];

describe.each(specs)('%s', (name) => {
  const text = readFileSync(new URL(`../../examples/${name}.mmd`, import.meta.url), 'utf8');
  const model = compile(text);
  const graphs: readonly (readonly [string, Graph])[] = [
    ['forward pass', model.forward(2).graph],
    [
      'forward pass without passes',
      model.forward(2, { disable: ['factor', 'sink-scales', 'simplify'] }).graph,
    ],
    ['training step', model.trainingStep(2).graph],
    ['sampling step', model.samplingStep(2, false)],
    ['guided sampling step', model.samplingStep(2, true)],
  ];

  it.each(graphs)('%s', (_, graph) => {
    const lost = graph.nodes.filter(
      ({ origin: o }) =>
        o === undefined || !(o.start < o.end && o.end <= text.length && !o.file.startsWith('std/')),
    );
    expect(lost.map((n) => `%${n.id} ${n.op}`)).toEqual([]);
  });

  it('losses, process and optimiser come from their blocks', () => {
    const places = new Set(model.trainingStep(2).graph.nodes.map((n) => n.origin?.start));
    for (const block of ['process', 'loss', 'train'] as const) {
      expect(text.slice(model.info.places[block].start, model.info.places[block].end)).toBe(block);
      expect(places.has(model.info.places[block].start)).toBe(true);
    }
  });
});
