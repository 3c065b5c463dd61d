import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { format, FormatError, parse } from '../../grammar/index.js';
import { scan } from '../../grammar/scan.js';
import { laidOut, program } from './programs.js';
import { bare, homeOf, sameHome, words } from './trees.js';

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

/** Programs to mutate: every construct of the language is in one of them. */
const seeds = files.map(read).filter((text) => !text.includes('\r'));

/** A program in which some tokens were removed, doubled, exchanged or set apart, and comments put in. */
const mutated: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.array(
      fc.record({
        at: fc.nat(10_000),
        with: fc.nat(10_000),
        how: fc.constantFrom('remove', 'double', 'exchange', 'newline', 'space', 'line', 'tail', 'doc'),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([seed, mutations]) => mutations.reduce((text, mutation, i) => mutate(text, mutation, i), seed));

function mutate(
  text: string,
  { at, with: other, how }: { at: number; with: number; how: string },
  i: number,
) {
  const { tokens } = scan(text);
  if (tokens.length === 0) return text;
  const token = tokens[at % tokens.length];
  const second = tokens[other % tokens.length];
  const [start, end] = [token.startOffset, token.startOffset + token.image.length];
  const put = (from: number, to: number, by: string) => text.slice(0, from) + by + text.slice(to);
  switch (how) {
    case 'remove':
      return put(start, end, '');
    case 'double':
      return put(end, end, ` ${token.image}`);
    case 'exchange':
      return put(start, end, second.image);
    case 'newline':
      return put(start, start, '\n\n\n');
    case 'space':
      return put(start, start, '   \t');
    case 'line':
      return put(start, start, `\n// mark${i}\n`);
    case 'doc':
      return put(start, start, `\n/// Mark${i}: *some*  text\n/// - with a list\n`);
    default:
      return put(end, end, ` // mark${i}\n`);
  }
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

  it('hold for programs with mutations, and what does not parse is refused', async () => {
    let [formatted, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(mutated, fc.constantFrom(40, 100), async (text, width) => {
        if (parse(text).problems.length === 0) {
          formatted++;
          await obeysTheLaws(text, width);
        } else {
          refused++;
          await expect(format(text)).rejects.toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: Number(globalThis.process.env['RUNS'] ?? 150) },
    );
    expect(formatted).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(20);
  });

  it('keep every comment in its place', async () => {
    let seen = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(10_000), fc.boolean()), { minLength: 1, maxLength: 5 }),
        async (seed, places) => {
          const tokens = scan(seed).tokens;
          if (tokens.length === 0) return;
          // Marked comments, from the end of the text so that earlier places stay right.
          const marks = places
            .map(([at, own]) => ({ token: tokens[at % tokens.length], own }))
            .sort((a, b) => b.token.startOffset - a.token.startOffset);
          const text = marks.reduce((all, { token, own }, i) => {
            const at = own ? token.startOffset : token.startOffset + token.image.length;
            return `${all.slice(0, at)}${own ? '\n' : ' '}// mark${i}.\n${all.slice(at)}`;
          }, seed);
          const [before, after] = [parse(text), parse(await format(text).catch(() => text))];
          if (before.problems.length > 0) return;
          for (const i of marks.keys()) {
            const find = ({ tree }: typeof before) => {
              const comment = tree.comments.find((c) => c.text.includes(`mark${i}.`));
              return comment && homeOf(tree, comment);
            };
            const [was, is] = [find(before), find(after)];
            if (!was || !is) throw new Error(`mark${i} is lost`);
            seen++;
            if (!sameHome(was, is)) throw new Error(`mark${i} went from ${was.join(' ')} to ${is.join(' ')}`);
          }
        },
      ),
      { numRuns: Number(globalThis.process.env['RUNS'] ?? 150) },
    );
    expect(seen).toBeGreaterThan(100);
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

  it('ends a file with one newline, whether there was none or many', async () => {
    const formatted = 'model A {\n  space z: f32[3]\n}\n';
    for (const end of ['', '\n', '\n\n\n', '  \n\t'])
      expect(await format(`${formatted.trimEnd()}${end}`)).toBe(formatted);
    expect(await format('// only this')).toBe('// only this\n');
    expect(await format('')).toBe('');
  });

  it('says where the first problem is', async () => {
    const error = await format('model A {\n  encoder x =\n}\n').catch((e: unknown) => e);
    expect((error as FormatError).loc.start).toEqual({ line: 2, column: 14 });
  });

  it('formats the Markdown of documentation, mmd blocks in it included, and keeps what it cannot', async () => {
    const text = [
      '/// Some   *emphasis* and $a_t = b_t$:',
      '///',
      '/// * one',
      '/// * two',
      '///',
      '/// ```mmd',
      '/// space   z',
      '/// ```',
      '///',
      '/// ```mmd',
      '/// model B{space z:f32[3]}',
      '/// ```',
      'model A {}',
    ].join('\n');
    expect(await format(text)).toBe(
      [
        '/// Some _emphasis_ and $a_t = b_t$:',
        '///',
        '/// - one',
        '/// - two',
        '///',
        '/// ```mmd',
        '/// space   z',
        '/// ```',
        '///',
        '/// ```mmd',
        '/// model B {',
        '///   space z: f32[3]',
        '/// }',
        '/// ```',
        'model A {}',
        '',
      ].join('\n'),
    );
  });

  it('leaves what `// prettier-ignore` stands before as it is', async () => {
    const text = 'model A {\n  // prettier-ignore\n  space   z :f32[3]\n  modality   x: vector[3]\n}\n';
    expect(await format(text)).toBe(text.replace('modality   x', 'modality x'));
  });
});

describe('formatting a range', () => {
  const text = read('scenes.mmd').replaceAll(': ', ':   ').replaceAll(' = ', '  =  ');
  const lines = text.split('\n');

  it('changes lines of the range alone, and keeps the program', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(lines.length - 1), fc.nat(8), async (first, count) => {
        const start = lines.slice(0, first).join('\n').length + (first > 0 ? 1 : 0);
        const end = Math.min(text.length, start + lines.slice(first, first + count + 1).join('\n').length);
        const formatted = await format(text, { range: { start, end } });
        expect(bare(parse(formatted).tree)).toEqual(bare(parse(text).tree));
        expect(words(parse(formatted).tree)).toEqual(words(parse(text).tree));
        expect(formatted.startsWith(lines.slice(0, first).join('\n'))).toBe(true);
        expect(formatted.endsWith(lines.slice(first + count + 1).join('\n'))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('formats a line, and the whole file where that is the range', async () => {
    const at = text.indexOf('modality mask');
    const one = await format(text, { range: { start: at, end: at + 3 } });
    expect(one.split('\n').filter((line, i) => line !== lines[i])).toEqual([
      '  modality mask: mask[32, 32, classes]',
    ]);
    expect(await format(text, { range: { start: 0, end: text.length } })).toBe(await format(text));
  });
});
