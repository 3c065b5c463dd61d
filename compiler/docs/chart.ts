/**
 * Curves over diffusion time as SVG. Colours are CSS variables of the page around, so that one picture serves light and
 * dark; lines are told apart by dashes too.
 *
 * @module
 */
import { scaleLinear, scaleLog } from 'd3-scale';
import { line as lineOf } from 'd3-shape';
import { figure } from './figures.js';
import { markup, type Html } from './html.js';
import { cut, textWidth } from './text.js';

/** One curve: `values[t]` for t = 0, 1, ... What is not finite is not drawn. */
export interface Line {
  readonly name: string;
  readonly values: ArrayLike<number>;
}

export interface Chart {
  /** A short name that is unique on its page and can be part of a file's name. */
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly scale: 'linear' | 'log';
  readonly lines: readonly Line[];
}

const DASHES = ['', '7 3', '2 2', '9 3 2 3', '12 4', '4 4', '1 3', '9 2 2 2 2 2'];
/** Most points of a line: a picture shows no more. */
const MOST = 240;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The chart as an SVG element. */
export function drawChart(chart: Chart, size: Size = { width: 520, height: 270 }): Html {
  const lines = chart.lines.map((one) => pointsOf(one, chart.scale));
  const all = lines.flat();
  const legend = legendOf(chart.lines, size.width - 16);
  const labelled = `${chart.title}: ${chart.lines.map((one) => one.name).join(', ')} over diffusion time. ${chart.about}`;
  if (all.length === 0) {
    return markup`<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} 40" role="img" aria-label="${labelled}"><text class="tick" x="8" y="24">nothing to draw</text></svg>`;
  }
  const top = 14 + 20 * legend.rows;
  const [left, right, bottom] = [54, size.width - 14, size.height - 30];
  const T = Math.max(...chart.lines.map((one) => one.values.length - 1), 1);
  const x = scaleLinear([0, T], [left, right]);
  const [low, high] = extent(all.map((p) => p.y));
  const log = chart.scale === 'log';
  const y = log
    ? scaleLog([low, high === low ? low * 10 : high], [bottom, top])
    : scaleLinear([Math.min(low, 0), high === low ? low + 1 : high], [bottom, top]).nice(5);
  const ticks = log ? powers(low, high) : y.ticks(5);
  const path = lineOf<Point>(
    (p) => round(x(p.t)),
    (p) => round(y(p.y)),
  );
  return markup`<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${labelled}">${legend.items}${ticks.map(
    (value) =>
      markup`<line class="grid" x1="${left}" x2="${right}" y1="${round(y(value))}" y2="${round(y(value))}" /><text class="tick" x="${left - 8}" y="${round(y(value) + 4)}" text-anchor="end">${tickText(value, log)}</text>`,
  )}<line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}" />${x
    .ticks(5)
    .map(
      (value) =>
        markup`<line class="axis" x1="${round(x(value))}" x2="${round(x(value))}" y1="${bottom}" y2="${bottom + 4}" /><text class="tick" x="${round(x(value))}" y="${bottom + 18}" text-anchor="middle">${figure(value)}</text>`,
    )}<text class="tick" x="${right}" y="${bottom - 7}" text-anchor="end">t</text>${lines.map((points, i) =>
    points.length === 0
      ? undefined
      : markup`<path class="curve series-${(i % 8) + 1}" stroke-dasharray="${DASHES[i % 8]}" d="${path(points) ?? ''}" />`,
  )}</svg>`;
}

interface Point {
  readonly t: number;
  readonly y: number;
}

function pointsOf({ values }: Line, scale: 'linear' | 'log'): Point[] {
  const step = Math.max(1, Math.floor(values.length / MOST));
  const out: Point[] = [];
  for (let t = 0; t < values.length; t++) {
    // The first steps and the last are where curves turn.
    if (t % step !== 0 && t > 2 && t < values.length - 2) continue;
    const y = values[t];
    if (Number.isFinite(y) && (scale === 'linear' || y > 0)) out.push({ t, y });
  }
  return out;
}

const round = (value: number): number => Math.round(value * 10) / 10;

function extent(values: readonly number[]): [number, number] {
  return values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [values[0], values[0]] as [
    number,
    number,
  ]);
}

/** Powers of ten between two numbers, at most six of them. */
function powers(low: number, high: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
  const step = Math.max(1, Math.ceil((last - first) / 5));
  const out: number[] = [];
  for (let e = first; e <= last; e += step) out.push(10 ** e);
  return out;
}

function tickText(value: number, log: boolean): Html {
  const exponent = Math.round(Math.log10(Math.abs(value)));
  if (!log || (exponent > -3 && exponent < 4)) return markup`${figure(value)}`;
  return markup`10<tspan dy="-4" font-size="9">${exponent < 0 ? '−' : ''}${Math.abs(exponent)}</tspan>`;
}

/** Keys of the lines in rows above the chart. */
function legendOf(lines: readonly Line[], width: number): { items: Html[]; rows: number } {
  let [x, row] = [8, 0];
  const items = lines.map(({ name }, i) => {
    const shown = cut(name, 28);
    const space = 34 + textWidth(shown, 12) + 16;
    if (x > 8 && x + space > width) [x, row] = [8, row + 1];
    const y = 14 + 20 * row;
    const item = markup`<path class="curve series-${(i % 8) + 1}" stroke-dasharray="${DASHES[i % 8]}" d="M${round(x)} ${y}h26" /><text class="key" x="${round(x + 34)}" y="${y + 4}">${shown}</text>`;
    x += space;
    return item;
  });
  return { items, rows: row + 1 };
}
