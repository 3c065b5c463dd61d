/** Every block marked `mmd` in README and docs compiles, and so does every example. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderText } from '../../compiler/diagnostics/render.js';
import { analyze } from '../../compiler/driver.js';
import { format } from '../../grammar/format.js';
import { memoryHost } from '../../compiler/project/host.js';
import { packageRoot } from '../../runtime/host.js';

const root = packageRoot();
const library = Object.fromEntries(
  readdirSync(join(root, 'stdlib')).map((name) => [
    name.replace(/\.mmd$/, ''),
    readFileSync(join(root, 'stdlib', name), 'utf8'),
  ]),
);

/** The errors of a spec as a person would see them; '' when there are none. */
function problems(text: string): string {
  const analysis = analyze(memoryHost({ 'main.mmd': text }, library), 'main.mmd', text);
  const errors = analysis.diagnostics.filter((d) => d.severity === 'error');
  return renderText(errors, (file) => analysis.sources.get(file));
}

const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => join('docs', name))].filter(
  (name) => name.endsWith('.md'),
);

describe('blocks marked mmd in the documentation compile', () => {
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8');
    [...text.matchAll(/```mmd\n([\s\S]*?)```/g)].forEach((match, i) => {
      it(`${page}, block ${i + 1}`, () => expect(problems(match[1] ?? '')).toBe(''));
    });
  }

  it('finds blocks in the language reference', () => {
    expect(readFileSync(join(root, 'docs', 'language.md'), 'utf8').match(/```mmd/g)?.length).toBeGreaterThan(
      1,
    );
  });
});

const specs = readdirSync(join(root, 'examples')).filter((file) => file.endsWith('.mmd'));

describe('examples compile without a warning', () => {
  for (const name of specs) {
    it(name, () => {
      const text = readFileSync(join(root, 'examples', name), 'utf8');
      const analysis = analyze(memoryHost({ [name]: text }, library), name, text);
      expect(renderText(analysis.diagnostics, (file) => analysis.sources.get(file))).toBe('');
      expect(analysis.models.size).toBeGreaterThan(0);
    });
  }

  it.each(specs)('%s fits on a screen, and is laid out', async (name) => {
    const text = readFileSync(join(root, 'examples', name), 'utf8');
    expect(text.split('\n').length).toBeLessThan(60);
    expect(await format(text)).toBe(text);
  });
});
