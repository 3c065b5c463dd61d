/** What is made from the sources is up to date: the library's page, and the railroad diagrams of the grammar. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../runtime/host.js';

const root = packageRoot();
const run = (script: string) =>
  spawnSync(process.execPath, [join(root, 'scripts', script), '--check'], { encoding: 'utf8' });

describe('generated documentation', () => {
  it.each(['library.mjs', 'railroad.mjs'])('%s would change nothing', (script) => {
    const { status, stderr } = run(script);
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('the diagrams have every declaration, and every keyword', () => {
    const svg = readFileSync(join(root, 'docs/images/grammar.svg'), 'utf8');
    const words = new Set([...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((m) => m[1]));
    for (const word of [
      'file',
      'expression',
      'model',
      'network',
      'repeat',
      'require',
      'from',
      'as',
      'eval',
      '|&gt;',
    ])
      expect(
        [word, word.replace('&gt;', '>')].some((w) => words.has(w)),
        word,
      ).toBe(true);
  });
});
