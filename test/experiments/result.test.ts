import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { Plan, showSeconds } from '../../experiments/progress.js';
import { intoDocument, table, type SeedResult } from '../../experiments/result.js';

const even = new Array<number>(10).fill(0.1);

function result(seed: number, share: number, quick = false, classShares = even): SeedResult {
  const stage = { seconds: 60, commit: 'abc' };
  return {
    format: 1,
    spec: { file: 'digits', hash: '0123456789abcdef' },
    seed,
    quick,
    n: 2000,
    answers: {
      labelToImage: { share, byClass: even, confidence: 0.98, variety: 0.9 },
      joint: { share: 0.97, classShares, confidence: 0.97, variety: 0.95 },
      imageToLabel: { share: 0.91, byClass: even },
    },
    training: { steps: 4000, seconds: 1200 + seed, commit: 'abc', secondsPer1000Steps: 300 },
    sampling: { draw: stage, generate: stage, classify: { ...stage, commit: 'def' } },
    judge: {
      accuracy: 0.99,
      confidence: 0.98,
      steady: { noise: 0.99, shift: 0.98 },
      seconds: 20,
      settings: 'f00',
    },
    machine: { cores: 2, cpu: 'a processor', memory: '16 GiB', system: 'linux x64' },
    versions: { mmdc: '0.1.0', node: '20.0.0', executor: 'an executor' },
    measured: '2026-01-02T03:04:05.000Z',
  };
}

describe('table', () => {
  it('has mean and range over the seeds', () => {
    const text = table([result(0, 0.96), result(1, 0.98), result(2, 0.985)]);
    expect(text).toContain('| label to image: read as the label | 97.5 % | 96.0 % .. 98.5 % |');
    expect(text).toContain('| training | 1201 s | 1200 s .. 1202 s |');
    expect(text).toContain('Seeds 0, 1, 2; 2000 samples a question and seed; 4000 steps.');
    expect(text).toContain('code abc, def,');
    expect(text).not.toContain('no claim');
    expect(text).not.toContain('lies outside');
  });

  it('says that a quick one claims nothing', () => {
    expect(table([result(0, 0.5, true)])).toMatch(/^\*\*quick: no claim\*\*/);
  });

  it('names the seeds in which a class is too rare or too common', () => {
    const rare = [0.04, 0.16, ...new Array<number>(8).fill(0.1)];
    expect(table([result(0, 1), result(7, 1, false, rare)])).toContain('generated labels: seed 7.');
  });

  it('is Markdown that the formatter reads as a table', async () => {
    const config = await resolveConfig('docs/digits.md');
    const formatted = await format(table([result(0, 0.96)]), { ...config, parser: 'markdown' });
    // Columns are aligned only where a table was recognised.
    expect(formatted).toMatch(/\| -+ \| -+ \| -+ \|/);
  });

  it('needs results', () => {
    expect(() => table([])).toThrow(RangeError);
  });
});

describe('the section of a document', () => {
  const document = 'a\n\n<!-- measured:x -->\n\nold\n\n<!-- end of measured:x -->\n\nb\n';

  it('is replaced and nothing else', () => {
    const changed = intoDocument(document, 'x', 'new\n');
    expect(changed).toBe(document.replace('old', 'new'));
    expect(intoDocument(changed!, 'x', 'old')).toBe(document);
  });

  it('is not invented', () => {
    expect(intoDocument(document, 'y', 'new')).toBeUndefined();
  });
});

describe('time left', () => {
  it('comes from finished stages of the same kind', () => {
    const plan = new Plan(['train', 'ask', 'train', 'ask']);
    expect(plan.heading('a')).toBe('[1/4] a');
    plan.finish(100);
    expect(plan.heading('b')).toBe('[2/4] b, at least 100 s left');
    plan.finish(10);
    expect(plan.heading('c')).toBe('[3/4] c, about 110 s left');
    plan.finish(300);
    expect(plan.heading('d')).toBe('[4/4] d, about 10 s left');
    plan.finish(10);
    expect(() => plan.finish(1)).toThrow(RangeError);
  });

  it('is not misled by what was reused', () => {
    const plan = new Plan(['train', 'train']);
    plan.finish(null);
    expect(plan.heading('b')).toBe('[2/2] b');
  });

  it.each([
    [40, '40 s'],
    [600, '10 min'],
    [7500, '2 h 5 min'],
  ])('%d seconds read %s', (seconds, text) => {
    expect(showSeconds(seconds)).toBe(text);
  });
});
