import { describe, expect, expectTypeOf, it } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/collect.js';
import { fill, placeholders } from '../../compiler/diagnostics/row.js';
import type { Params } from '../../compiler/diagnostics/row.js';
import { codes, diagnostic, findRow, groups, rowOf, table } from '../../compiler/diagnostics/table.js';

const place = { file: 'a.mmd', range: { start: 3, end: 7 } };

describe('templates', () => {
  it('read their parameters off the text, in the type system and at run time alike', () => {
    const template = 'a {name} with {count:argument} in { } and { x: {kind} }';
    expectTypeOf<keyof Params<typeof template>>().toEqualTypeOf<'name' | 'count' | 'kind'>();
    expectTypeOf<Params<typeof template>['count']>().toEqualTypeOf<number>();
    expectTypeOf<Params<typeof template>['name']>().toEqualTypeOf<string | number>();
    expectTypeOf<keyof Params<'no parameters { }'>>().toEqualTypeOf<never>();
    expect(placeholders(template)).toEqual(['name', 'count', 'kind']);
  });

  it.each([
    ['{n:argument}', { n: 1 }, '1 argument'],
    ['{n:argument}', { n: 0 }, '0 arguments'],
    ['{n:entry/entries}', { n: 2 }, '2 entries'],
    ['{x}', { x: 0.123456 }, '0.1235'],
    ['{x}', { x: 1234567 }, '1234567'],
    ['{a}{b}', { a: '{b}', b: 'B' }, '{b}B'],
    ['{ } {missing}', {}, '{ } {missing}'],
    ['{x}.', { x: 'a'.repeat(501) }, `${'a'.repeat(499)}\u2026.`],
    ['{x}.', { x: 'a'.repeat(500) }, `${'a'.repeat(500)}.`],
  ])('%s with %j gives %s', (template, params: Record<string, string | number>, text) => {
    expect(fill(template, params)).toBe(text);
  });
});

describe('the table', () => {
  it('numbers every group on its own', () => {
    Object.values(groups).forEach((group, index) => {
      for (const code of Object.keys(group))
        expect(code).toMatch(new RegExp(`^MMD${String(index + 1).padStart(2, '0')}\\d\\d$`));
    });
    const all = Object.values(groups).flatMap((group) => Object.keys(group));
    expect(all).toHaveLength(Object.keys(table).length);
  });

  it.each(codes())(
    '%s has a title in sentence case and a message in lower case, without full stops',
    (code) => {
      const row = rowOf(code);
      expect(row.title).toMatch(/^[A-Z`].*[^.]$/);
      expect(row.message).toMatch(/^[^A-Z].*[^.]$|^\{/);
      expect(row.help ?? 'none').toMatch(/^[^A-Z].*[^.]$/);
    },
  );

  it('is found in any case, and by its own keys alone', () => {
    expect(findRow('mmd0401')?.row).toBe(table.MMD0401);
    expect(findRow('MMD9999')).toBeUndefined();
    expect(findRow('constructor')).toBeUndefined();
    expect(findRow('__proto__')).toBeUndefined();
  });

  it('checks the parameters of a report when it is compiled', () => {
    const d = new Diagnostics();
    d.report('MMD0302', place, { owner: '`process`', name: 'stepz' });
    d.report('MMD0403', place, { callee: 'relu', expected: 1, found: 2 });
    // @ts-expect-error a parameter is missing
    d.report('MMD0302', place, { name: 'stepz' });
    // @ts-expect-error a parameter that the message does not have
    d.report('MMD0321', place, { name: 'x', kind: 'let' });
    // @ts-expect-error a counted parameter is a number
    d.report('MMD0403', place, { callee: 'relu', expected: '1', found: 2 });
    // @ts-expect-error parameters are left out only where there are none
    d.report('MMD0302', place);
    // @ts-expect-error there is no such code
    expect(() => d.report('MMD9999', place)).toThrow();
  });

  it('fills message and help, and lets a report replace the help', () => {
    const d = diagnostic('MMD0203', place, { path: '../x.mmd', root: '/p' });
    expect(d).toMatchObject({
      code: 'MMD0203',
      severity: 'error',
      message: '`../x.mmd` is outside the project, whose root is `/p`',
      help: expect.stringContaining('copy the file into the project') as string,
      labels: [],
      fixes: [],
      ...place,
    });
    const own = diagnostic('MMD0203', place, { path: '../x.mmd', root: '/p' }, { help: 'other' });
    expect(own.help).toBe('other');
    expect('help' in diagnostic('MMD0301', place, { name: 'x' })).toBe(false);
  });
});
