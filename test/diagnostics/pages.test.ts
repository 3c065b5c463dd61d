import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Analysis } from '../../compiler/driver.js';
import { analyze } from '../../compiler/driver.js';
import type { Example } from '../../compiler/diagnostics/pages/index.js';
import { exampleFiles, explain, pages } from '../../compiler/diagnostics/pages/index.js';
import { difference } from '../../compiler/diagnostics/pages/difference.js';
import { renderText } from '../../compiler/diagnostics/render.js';
import { codes } from '../../compiler/diagnostics/table.js';
import { memoryHost } from '../../compiler/project/host.js';

const root = new URL('../../', import.meta.url);
const library = Object.fromEntries(
  readdirSync(new URL('stdlib/', root)).map((name) => [
    name.replace(/\.mmd$/, ''),
    readFileSync(new URL(`stdlib/${name}`, root), 'utf8'),
  ]),
);

/** Codes that some part of the program reports. */
const reported = new Set(
  ['compiler', 'runtime'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !/diagnostics[\\/](codes|pages)[\\/]/.test(name))
      .flatMap(
        (name) =>
          readFileSync(new URL(`${folder}/${name}`, root), 'utf8').match(/(?<=')MMD\d{4}(?=')/g) ?? [],
      ),
  ),
);

function compile(example: Example): Analysis | undefined {
  const files = exampleFiles(example);
  if (files === undefined) return undefined;
  const [[name, text]] = Object.entries(files);
  return analyze(memoryHost(files, library), name, text);
}

const shown = (analysis: Analysis) => renderText(analysis.diagnostics, (file) => analysis.sources.get(file));

describe.each(codes())('%s', (code) => {
  const page = pages[code];

  it('has a page that says what it means, with an example of it and one without', () => {
    expect(page).toBeDefined();
    const text = explain(code);
    expect(text).toContain(`# ${code}: `);
    expect(text).toContain(page!.about.trim());
    expect(page!.about.trim().length).toBeGreaterThan(60);
    expect(text.match(/^```/gm)!.length).toBeGreaterThanOrEqual(4);
    expect(text.length).toBeLessThan(4000);
  });

  if (page === undefined || exampleFiles(page.bad) === undefined) return;

  it.skipIf(!reported.has(code))('is what its bad example yields', () => {
    const analysis = compile(page.bad)!;
    expect(
      analysis.diagnostics.map((d) => d.code),
      shown(analysis),
    ).toContain(code);
  });

  it('is mended by its good example, which has no other problem', () => {
    const analysis = compile(page.good)!;
    expect(shown(analysis)).toBe('');
  });
});

describe('pages', () => {
  it('are there for codes alone', () => {
    expect(Object.keys(pages).sort()).toEqual(codes());
  });
});

describe('the difference of two examples', () => {
  it('shows changed lines with a line around them', () => {
    expect(difference('a\nb\nc\nd\ne\nf\n', 'a\nb\nc\nD\ne\nf\n')).toBe('  ...\n  c\n- d\n+ D\n  e\n  ...');
    expect(difference('a\nb', 'a\nx\nb')).toBe('  a\n+ x\n  b');
    expect(difference('a\nb\nc', 'c')).toBe('- a\n- b\n  c');
  });

  it('holds both texts', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const lines = difference(a.join('\n'), b.join('\n')).split('\n');
        const removed = lines.filter((l) => l.startsWith('- ')).length;
        const added = lines.filter((l) => l.startsWith('+ ')).length;
        expect(a.length - removed).toBe(b.length - added);
        if (lines.includes('  ...')) return;
        const of = (sign: string) => lines.filter((l) => [' ', sign].includes(l[0])).map((l) => l.slice(2));
        if (removed + added > 0) {
          expect(of('-')).toEqual(a);
          expect(of('+')).toEqual(b);
        }
      }),
    );
  });
});
