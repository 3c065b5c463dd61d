import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { format, FormatError, parse } from '../../grammar/index.js';
import { scan } from '../../grammar/scan.js';
import { laidOut, program } from './programs.js';
import { bare, words } from './trees.js';

const GOOD = new URL('../good/syntax/', import.meta.url);
const files = readdirSync(GOOD).filter((file) => file.endsWith('.mmd'));
const read = (file: string): string => readFileSync(new URL(file, GOOD), 'utf8');

/** The laws of the formatter, on one text. */
async function obeysTheLaws(text: string, width = 100): Promise<void> {
  const before = parse(text);
  const formatted = await format(text, { width });
  const after = parse(formatted);
  expect(after.problems).toEqual([]);
  expect(bare(after.tree)).toEqual(bare(before.tree));
  expect(words(after.tree)).toEqual(words(before.tree));
  expect(await format(formatted, { width })).toBe(formatted);
}

describe('laws of the formatter', () => {
  it('hold for random programs, laid out anyhow', async () => {
    let formatted = 0;
    await fc.assert(
      fc.asyncProperty(laidOut(program), fc.constantFrom(20, 60, 100), async (text, width) => {
        if (parse(text).problems.length > 0) return;
        formatted++;
        await obeysTheLaws(text, width);
      }),
      { numRuns: Number(globalThis.process.env['RUNS'] ?? 150) },
    );
    expect(formatted).toBeGreaterThan(50);
  });

  it.each(files)('hold for %s with a comment before any of its tokens', async (file) => {
    const text = read(file);
    await obeysTheLaws(text);
    const tokens = scan(text).tokens;
    for (const filler of ['// here\n', '\n// here\n', '\n/// stray\n']) {
      for (let i = 0; i < tokens.length; i += 5) {
        const at = tokens[i].startOffset;
        const changed = text.slice(0, at) + filler + text.slice(at);
        if (parse(changed).problems.length === 0) await obeysTheLaws(changed);
      }
    }
  });
});

describe('format', () => {
  it('refuses a file with syntax errors, with the problems', async () => {
    const error = await format('model A {\n  encoder x =\n}\n').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).problems.map((problem) => problem.kind)).toEqual(['missing-expression']);
  });

  it('gives LF, or CRLF when asked, and keeps a byte-order mark', async () => {
    const text = '\ufeffmodel A {\r\n  space z: f32[3]\r\n}\r\n';
    expect(await format(text)).toBe('\ufeffmodel A {\n  space z: f32[3]\n}\n');
    expect(await format(text, { endOfLine: 'crlf' })).toBe(text);
    expect(await format(text, { endOfLine: 'auto' })).toBe(text);
  });
});
