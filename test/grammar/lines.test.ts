import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineMap } from '../../grammar/index.js';

const text = fc
  .array(fc.constantFrom('a', 'bc', ' ', '\n', '\r\n', '\r', '\u{1f600}'))
  .map((parts) => parts.join(''));
/** Lines by another way than the one under test. */
const linesOf = (source: string): string[] => source.split(/\r\n|\n|\r/);

describe('LineMap', () => {
  it('agrees with splitting the text', () => {
    fc.assert(
      fc.property(text, (source) => {
        const map = new LineMap(source);
        const lines = linesOf(source);
        expect(map.lineCount).toBe(lines.length);
        lines.forEach((line, i) => expect(map.lineText(i + 1)).toBe(line));
      }),
    );
  });

  it('goes from offsets to places and back', () => {
    fc.assert(
      fc.property(text, fc.nat(40), (source, n) => {
        const map = new LineMap(source);
        const offset = Math.min(n, source.length);
        const { line, column } = map.position(offset);
        const before = linesOf(source.slice(0, offset));
        const insidePair = source[offset - 1] === '\r' && source[offset] === '\n';
        if (!insidePair) {
          expect([line, column]).toEqual([before.length, (before.at(-1) ?? '').length + 1]);
          expect(map.offset(line, column)).toBe(offset);
        }
      }),
    );
  });

  it('stays inside the text', () => {
    const map = new LineMap('ab\ncd');
    expect(map.position(-1)).toEqual({ line: 1, column: 1 });
    expect(map.position(99)).toEqual({ line: 2, column: 3 });
    expect([map.offset(0, 1), map.offset(1, 99), map.offset(9, 1)]).toEqual([0, 2, 5]);
    expect([map.lineText(0), map.lineText(3)]).toEqual(['', '']);
  });
});
