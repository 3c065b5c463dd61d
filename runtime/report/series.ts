/**
 * Logged values as curves: taken out of the log, smoothed, thinned out to what a chart can show. Nothing is
 * left out in silence: a curve knows what was done to it.
 *
 * @module
 */
import type { LogRecord } from './model.js';

/** One value per logged step. */
export interface Series {
  readonly name: string;
  /** Which family of the bound it belongs to. */
  readonly group: 'objective' | 'bound' | 'simplified' | 'balance' | 'optimizer';
  readonly points: readonly Point[];
  /** Logged steps in the moving mean: 1 for what has no noise to smooth. */
  readonly window: number;
}

export interface Point {
  readonly step: number;
  readonly value: number;
}

/** What is drawn: points in order of their steps. */
export interface Curve {
  /** A moving mean over `window` logged steps, thinned out. */
  readonly line: readonly Point[];
  readonly window: number;
  /** Least and greatest value in each stretch of `stretch` logged steps (1: the values themselves). */
  readonly band: readonly { readonly step: number; readonly low: number; readonly high: number }[];
  readonly stretch: number;
  /** Steps whose value was not finite: not drawn. */
  readonly broken: readonly number[];
}

/** Most points of a line or band in a chart. */
const MOST = 240;

/** Every term in the log, in the order of the bound; terms that no record has are left out. */
export function seriesOf(log: readonly LogRecord[]): Series[] {
  const ordered = log.toSorted((a, b) => a.step - b.step);
  const take = (
    name: string,
    group: Series['group'],
    value: (r: LogRecord) => number | undefined,
  ): Series => ({
    name,
    group,
    window: name === 'learning rate' ? 1 : windowFor(log.length),
    points: ordered.flatMap((r) => {
      const v = value(r);
      return v === undefined ? [] : [{ step: r.step, value: v }];
    }),
  });
  const keys = (of: (r: LogRecord) => Readonly<Record<string, number>>) => [
    ...new Set(log.flatMap((r) => Object.keys(of(r)))),
  ];
  return [
    take('loss', 'objective', (r) => r.loss),
    take('L0', 'bound', (r) => r.L0),
    take('L1', 'bound', (r) => r.L1),
    ...keys((r) => r.L2).map((m) => take(`L2 ${m}`, 'bound', (r) => r.L2[m])),
    take('L3', 'bound', (r) => r.L3),
    ...keys((r) => r.simplified).map((s) => take(s, 'simplified', (r) => r.simplified[s])),
    ...keys((r) => r.balance ?? {}).map((s) => take(`balance ${s}`, 'balance', (r) => r.balance?.[s])),
    take('learning rate', 'optimizer', (r) => r.rate),
    take('gradient norm', 'optimizer', (r) => r.grad_norm),
  ].filter((s) => s.points.length > 0);
}

/** The window of the moving mean for a log of n records: about a fortieth of it, odd. */
export function windowFor(n: number): number {
  return 2 * Math.floor(n / 80) + 1;
}

/**
 * Smooths and thins out.
 * @param window logged steps in the moving mean (odd; centred, cut off at the ends)
 */
export function curveOf(points: readonly Point[], window: number): Curve {
  const finite = points.filter((p) => Number.isFinite(p.value));
  const stretch = Math.max(1, Math.ceil(finite.length / MOST));
  const line = finite.flatMap((p, i) => {
    const kept = i % stretch === Math.floor(stretch / 2) || i === 0 || i === finite.length - 1;
    return kept ? [{ step: p.step, value: movingMean(finite, i, window) }] : [];
  });
  const band: { step: number; low: number; high: number }[] = [];
  for (let i = 0; i < finite.length; i += stretch) {
    const part = finite.slice(i, i + stretch);
    const values = part.map((p) => p.value);
    const step = part[Math.floor((part.length - 1) / 2)].step;
    band.push({ step, low: Math.min(...values), high: Math.max(...values) });
  }
  const broken = points.filter((p) => !Number.isFinite(p.value)).map((p) => p.step);
  return { line, window, band, stretch, broken };
}

/** The mean over half a window on either side of point `i`, or what there is of it at the ends. */
function movingMean(points: readonly Point[], i: number, window: number): number {
  const half = (window - 1) / 2;
  const near = points.slice(Math.max(0, i - half), i + half + 1);
  return near.reduce((sum, p) => sum + p.value, 0) / near.length;
}

/** First, last and least value of a series; the last is the mean of the last `window` values. */
export interface Figures {
  readonly first: number;
  readonly last: number;
  readonly least: Point;
}

export function figuresOf(points: readonly Point[], window: number): Figures | undefined {
  const finite = points.filter((p) => Number.isFinite(p.value));
  if (finite.length === 0) return undefined;
  const tail = finite.slice(-window);
  return {
    first: finite[0].value,
    last: tail.reduce((sum, p) => sum + p.value, 0) / tail.length,
    least: finite.reduce((a, b) => (b.value < a.value ? b : a)),
  };
}
