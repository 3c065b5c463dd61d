import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { count, duration, figure, moment, roughly } from '../../compiler/docs/figures.js';
import { curveOf, figuresOf, seriesOf, windowFor } from '../../runtime/report/series.js';
import type { LogRecord } from '../../runtime/report/index.js';
import { syntheticLog } from './synthetic.js';

const points = (values: readonly number[]) => values.map((value, i) => ({ step: 10 * i, value }));
const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 1500 });
const window = fc.integer({ min: 0, max: 20 }).map((n) => 2 * n + 1);

describe('smoothing', () => {
  it('is the mean of the window, and of what there is of it at the ends', () => {
    const { line } = curveOf(points([1, 2, 6, 3, 4, 11]), 3);
    expect(line.map((p) => p.value)).toEqual([1.5, 3, 11 / 3, 13 / 3, 6, 7.5]);
    expect(line.map((p) => p.step)).toEqual([0, 10, 20, 30, 40, 50]);
  });

  it('leaves constants alone, and everything where the window is 1', () => {
    expect(new Set(curveOf(points(Array(50).fill(3)), 7).line.map((p) => p.value))).toEqual(new Set([3]));
    const short = [5, -2, 8, 8, 1];
    expect(curveOf(points(short), 1).line.map((p) => p.value)).toEqual(short);
  });

  it('widens with the log, and is odd', () => {
    expect([1, 30, 79, 80, 500, 5000].map(windowFor)).toEqual([1, 1, 1, 3, 13, 125]);
  });
});

describe('thinning out', () => {
  it('keeps lines short, their ends, and every value within the band', () => {
    fc.assert(
      fc.property(values, window, (all, w) => {
        const { line, band, stretch } = curveOf(points(all), w);
        expect(line.length).toBeLessThanOrEqual(242);
        expect(band.length).toBeLessThanOrEqual(240);
        expect(line[0].step).toBe(0);
        expect(line.at(-1)!.step).toBe(10 * (all.length - 1));
        all.forEach((v, i) => {
          const b = band[Math.floor(i / stretch)];
          expect(b.low <= v && v <= b.high).toBe(true);
        });
        expect(Math.min(...band.map((b) => b.low))).toBe(Math.min(...all));
        expect(Math.max(...band.map((b) => b.high))).toBe(Math.max(...all));
      }),
      { numRuns: 60 },
    );
  });

  it('names the steps whose values are not finite and draws the others', () => {
    const { line, broken } = curveOf(points([1, NaN, 3, Infinity, 5]), 1);
    expect(line.map((p) => p.value)).toEqual([1, 3, 5]);
    expect(broken).toEqual([10, 30]);
    expect(curveOf(points([NaN]), 3)).toMatchObject({ line: [], band: [], broken: [0] });
  });
});

describe('series of a log', () => {
  it('has every term on its own, in order, sorted by step', () => {
    const log = syntheticLog(4);
    const series = seriesOf([log[2], log[0], log[3], log[1]]);
    expect(series.map((s) => s.name)).toEqual([
      ...['loss', 'L0', 'L1', 'L2 image', 'L2 mask', 'L2 label', 'L3', 'L1 min-SNR(5)', 'L1 uniform'],
      ...['learning rate', 'gradient norm'],
    ]);
    for (const s of series) expect(s.points.map((p) => p.step)).toEqual([10, 20, 30, 40]);
    expect(series[4].points.map((p) => p.value)).toEqual(log.map((r) => r.L2.mask));
  });

  it('takes a term that only some records have', () => {
    const log = syntheticLog(3).map((r, i): LogRecord => ({ ...r, simplified: i === 1 ? { late: 7 } : {} }));
    expect(seriesOf(log).find((s) => s.name === 'late')?.points).toEqual([{ step: 20, value: 7 }]);
    expect(seriesOf([])).toEqual([]);
  });

  it('sums up in figures', () => {
    expect(figuresOf(points([9, 1, 4, NaN, 6]), 3)).toEqual({
      first: 9,
      last: 11 / 3,
      least: { step: 10, value: 1 },
    });
    expect(figuresOf(points([NaN]), 1)).toBeUndefined();
  });
});

describe('formats', () => {
  it.each([
    [0, '0'],
    [0.061234, '0.06123'],
    [-0.5, '\u22120.5'],
    [12, '12'],
    [123456, '123,456'],
    [1234.5678, '1235'],
    [0.00031, '3.1 × 10⁻⁴'],
    [1.5e12, '1.5 × 10¹²'],
    [NaN, 'not a number'],
    [-Infinity, '\u2212∞'],
  ])('figure %d: %s', (value, text) => {
    expect(figure(value)).toBe(text);
  });

  it('counts, durations, times', () => {
    expect(count(1234567)).toBe('1,234,567');
    expect([7, 1234, 202626, 5.4e7].map(roughly)).toEqual(['7', '1.23 k', '203 k', '54 M']);
    expect([4.26, 59, 60, 200, 3599.6, 7500].map(duration)).toEqual([
      ...['4.3 s', '59 s', '1 min 00 s', '3 min 20 s', '1 h 00 min', '2 h 05 min'],
    ]);
    expect(moment('2026-03-01T14:05:59Z')).toBe('2026-03-01 14:05 UTC');
    expect(moment('yesterday')).toBe('yesterday');
  });
});
