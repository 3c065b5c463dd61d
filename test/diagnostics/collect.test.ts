import { describe, expect, it } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/collect.js';
import { reportSyntax } from '../../compiler/diagnostics/syntax.js';

const at = (file: string, start: number, end = start + 1) => ({ file, range: { start, end } });

describe('Diagnostics', () => {
  it('orders by file, place and code, and keeps the order of what is equal', () => {
    const d = new Diagnostics();
    d.report('MMD0322', at('b.mmd', 0), { name: 'first' });
    d.report('MMD0301', at('a.mmd', 10), { name: 'x' });
    d.report('MMD0321', at('a.mmd', 2, 9), { name: 'long' });
    d.report('MMD0321', at('a.mmd', 2, 5), { name: 'short' });
    d.report('MMD0301', at('a.mmd', 2, 5), { name: 'z' });
    d.report('MMD0301', at('a.mmd', 2, 5), { name: 'a' });
    const order = d.sorted().map((x) => `${x.file} ${x.code} ${/`(.*)`/.exec(x.message)?.[1] ?? ''}`);
    expect(order).toEqual([
      'a.mmd MMD0301 z',
      'a.mmd MMD0301 a',
      'a.mmd MMD0321 short',
      'a.mmd MMD0321 long',
      'a.mmd MMD0301 x',
      'b.mmd MMD0322 first',
    ]);
    expect(d.list.map((x) => x.file)).toEqual(['b.mmd', 'a.mmd', 'a.mmd', 'a.mmd', 'a.mmd', 'a.mmd']);
  });

  it('drops exact duplicates, and only those', () => {
    const d = new Diagnostics();
    d.report('MMD0301', at('a.mmd', 1), { name: 'x' });
    d.report('MMD0301', at('a.mmd', 1), { name: 'x' });
    d.report('MMD0301', at('a.mmd', 2), { name: 'x' });
    d.report('MMD0301', at('a.mmd', 1), { name: 'y' });
    d.report('MMD0301', at('a.mmd', 1), { name: 'x' }, { help: 'other' });
    d.report('MMD0301', at('a.mmd', 1), { name: 'x' }, { labels: [{ ...at('b.mmd', 0), message: 'm' }] });
    expect(d.list).toHaveLength(5);
  });

  it('knows whether there are errors', () => {
    const d = new Diagnostics();
    expect(d.hasErrors).toBe(false);
    d.report('MMD0321', at('a.mmd', 1), { name: 'x' });
    expect(d.hasErrors).toBe(false);
    d.report('MMD0301', at('a.mmd', 1), { name: 'x' });
    expect(d.hasErrors).toBe(true);
  });
});

describe('reportSyntax', () => {
  it("gives the parser's problems their codes, places and labels", () => {
    const d = new Diagnostics();
    const related = [{ range: { start: 0, end: 1 }, message: 'opened here' }];
    reportSyntax(d, 'a.mmd', [
      { kind: 'unclosed-block', range: { start: 5, end: 6 }, message: 'this block has no end', related },
    ]);
    expect(d.list).toEqual([
      {
        code: 'MMD0105',
        severity: 'error',
        message: 'this block has no end',
        file: 'a.mmd',
        range: { start: 5, end: 6 },
        labels: [{ file: 'a.mmd', range: { start: 0, end: 1 }, message: 'opened here' }],
        fixes: [],
      },
    ]);
  });
});
