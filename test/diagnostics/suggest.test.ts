import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { didYouMean, editDistance, enumerate, suggestName } from '../../compiler/diagnostics/suggest.js';

describe('editDistance', () => {
  // Values of the optimal string alignment distance, worked out by hand.
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['ab', 'ba', 1],
    ['ca', 'abc', 3],
    ['stepz', 'steps', 1],
    ['retnetion', 'retention', 1],
    ['labeL', 'label', 1],
  ])('%s, %s: %d', (a, b, d) => {
    expect(editDistance(a, b)).toBe(d);
    expect(editDistance(b, a)).toBe(d);
  });

  it('is cut off above the limit and exact below it', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, fc.nat(6), (a, b, limit) => {
        const d = editDistance(a, b);
        expect(editDistance(a, b, limit)).toBe(Math.min(d, limit + 1));
        expect(d).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(d).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(d === 0).toBe(a === b);
      }),
    );
  });
});

describe('didYouMean', () => {
  const keys = ['steps', 'retention', 'alpha', 'origin', 'predict', 'weights', 'image', 'label', 't', 'z'];
  it.each([
    ['stepz', 'steps'],
    ['step', 'steps'],
    ['setps', 'steps'],
    ['Steps', 'steps'],
    ['STEPS', 'steps'],
    ['lable', 'label'],
    ['imgae', 'image'],
    ['T', 't'],
    ['orgin', 'origin'],
    ['x', undefined],
    ['', undefined],
    ['banana', undefined],
    ['steps', undefined],
  ])('%s: %s', (name, wanted) => {
    expect(didYouMean(name, keys)).toBe(wanted);
  });

  it('prefers the candidate that differs in case alone, then the one that begins alike', () => {
    expect(didYouMean('dit', ['DiTs', 'bit', 'DiT'])).toBe('DiT');
    expect(didYouMean('mask1', ['task1', 'mask2'])).toBe('mask2');
  });

  it('is bounded for hostile names', () => {
    const long = 'a'.repeat(100_000);
    expect(didYouMean(long, [`${long}b`])).toBeUndefined();
    expect(didYouMean('aaa', [long])).toBeUndefined();
  });
});

describe('suggestName', () => {
  const place = { file: 'a.mmd', range: { start: 3, end: 8 } };
  it('offers the close name with its fix', () => {
    expect(suggestName(place, 'stepz', ['steps', 'origin'])).toEqual({
      help: 'did you mean `steps`?',
      fixes: [
        {
          title: 'replace by `steps`',
          safe: false,
          edits: [{ file: 'a.mmd', range: place.range, text: 'steps' }],
        },
      ],
    });
  });
  it('lists a few names where none is close, and not many', () => {
    expect(suggestName(place, 'banana', ['steps', 'origin'])).toEqual({
      help: 'there are `steps` and `origin`',
    });
    expect(suggestName(place, 'banana', ['steps'])).toEqual({ help: 'there is `steps`' });
    expect(suggestName(place, 'banana', [])).toEqual({});
    expect(
      suggestName(
        place,
        'banana',
        Array.from({ length: 13 }, (_, i) => `origin${i}`),
      ),
    ).toEqual({});
  });
  it('enumerates', () => {
    expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map((l) => enumerate(l))).toEqual([
      '',
      'a',
      'a and b',
      'a, b and c',
    ]);
  });
});
