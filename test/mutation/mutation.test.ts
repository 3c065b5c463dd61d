/**
 * No text crashes or hangs the compiler. A seeded thousand of damaged examples here, as many as MMDC_CASES says in
 * `npm run nightly`, from the seed MMDC_SEED; and generated programs, which when they have no errors compile.
 */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderText } from '../../compiler/diagnostics/render.js';
import type { Analysis } from '../../compiler/driver.js';
import { verify } from '../../compiler/graph/verify.js';
import { program } from '../grammar/programs.js';
import { analyzeText } from '../model/support.js';
import { modelText } from './models.js';
import { mutate, seeded } from './mutate.js';

const cases = Number(process.env['MMDC_CASES'] ?? 1000);
const seed = Number(process.env['MMDC_SEED'] ?? 1);
/** CPU seconds that a text of this size may take; the machine may be busy with other things, and slow. */
const most = 5;

const folder = new URL('../../examples/', import.meta.url);
const examples = readdirSync(folder)
  .filter((name) => name.endsWith('.mmd'))
  .map((name) => readFileSync(new URL(name, folder), 'utf8'));

/** Analyses a text and holds what is so for every text. Says which text it was where anything is wrong. */
function check(text: string): Analysis {
  const before = process.cpuUsage();
  try {
    const analysis = analyzeText(text);
    for (const { file, range, message, help, labels, fixes } of analysis.diagnostics) {
      const places = [{ file, range }, ...labels, ...fixes.flatMap((fix) => fix.edits)];
      for (const place of places) {
        const length = analysis.sources.get(place.file)?.length ?? -1;
        expect(place.range.start >= 0 && place.range.start <= place.range.end).toBe(true);
        expect(place.range.end).toBeLessThanOrEqual(length);
      }
      expect(`${message} ${help ?? ''}`).not.toMatch(/undefined|NaN|\[object/);
    }
    renderText(analysis.diagnostics, (file) => analysis.sources.get(file));
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(most);
    return analysis;
  } catch (error) {
    throw new Error(`with this text:\n${text}`, { cause: error });
  }
}

describe('damaged examples', () => {
  // In portions, so that a long run says how far it is.
  const portion = Math.max(250, Math.ceil(cases / 100));
  const starts = Array.from({ length: Math.ceil(cases / portion) }, (_, i) => i * portion);

  it.each(starts)('from case %i on', { timeout: 3_600_000 }, (start) => {
    for (let i = start; i < Math.min(start + portion, cases); i++) {
      const pick = seeded(Math.imul(seed, 1_000_003) + i);
      pick(2);
      check(mutate(examples[i % examples.length]!, pick));
    }
  });
});

describe('generated programs', () => {
  const numRuns = Math.max(150, Math.ceil(cases / 100));

  it('of the grammar end with a report', { timeout: 3_600_000 }, () => {
    fc.assert(
      fc.property(program, (text) => void check(text)),
      { seed, numRuns },
    );
  });

  it('with models in them compile where they have no errors', { timeout: 3_600_000 }, () => {
    let compiled = 0;
    fc.assert(
      fc.property(modelText, fc.constantFrom(1, 3), (text, batch) => {
        for (const model of check(text).models.values()) {
          compiled++;
          for (const graph of [
            model.forward(batch).graph,
            model.trainingStep(batch).graph,
            model.samplingStep(batch, false),
            model.samplingStep(batch, true),
          ])
            expect(verify(graph)).toEqual([]);
        }
      }),
      { seed, numRuns },
    );
    expect(compiled).toBeGreaterThan(numRuns / 20);
  });
});
