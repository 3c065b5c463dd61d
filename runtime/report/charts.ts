/**
 * Charts as SVG, drawn on the server by Vega-Lite and Vega, which are loaded on first use. Colours are the
 * page's own (CSS variables), so that one picture serves light and dark.
 *
 * @module
 */
import type { TopLevelSpec } from 'vega-lite';
import type { Html } from '../../compiler/docs/html.js';
import { trusted } from '../../compiler/docs/html.js';
import type { Curve } from './series.js';

export type Scale = 'linear' | 'log';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Colours told apart with any colour vision, each with a dash pattern of its own where lines share a chart. */
const DASHES = [[], [7, 3], [2, 2], [9, 3, 2, 3], [12, 4], [4, 4], [1, 3], [9, 2, 2, 2, 2, 2]];
const COLOURS = Array.from({ length: 8 }, (_, i) => `var(--series-${i + 1})`);

/** One curve over steps: the moving mean over what was logged. */
export async function curveChart(curve: Curve, scale: Scale, colour: number, size: Size): Promise<Html> {
  const hue = COLOURS[colour % COLOURS.length];
  const values = curve.band.map((b) => ({ x: b.step, low: b.low, high: b.high }));
  const line = curve.line.map((p) => ({ x: p.step, y: p.value }));
  const y = { type: 'quantitative', scale: scaleOf(scale), axis: yAxis, title: null } as const;
  const x = {
    field: 'x',
    type: 'quantitative',
    axis: xAxis,
    scale: { nice: false },
  } as const;
  const marks: object[] = [];
  if (curve.stretch > 1) {
    marks.push({
      data: { values },
      mark: { type: 'area', color: hue, opacity: 0.2 },
      encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' } },
    });
  } else if (curve.window > 1) {
    marks.push({
      data: { values },
      mark: { type: 'line', color: hue, opacity: 0.35, strokeWidth: 1 },
      encoding: { x, y: { ...y, field: 'high' } },
    });
  }
  marks.push({
    data: { values: line },
    mark: { type: 'line', color: hue, strokeWidth: 2, point: line.length === 1 ? { color: hue } : false },
    encoding: { x, y: { ...y, field: 'y' } },
  });
  return draw({ ...size, layer: marks } as TopLevelSpec);
}

/** Several functions of diffusion time, told apart by colour and dashes. */
export async function timeChart(
  lines: readonly { readonly name: string; readonly values: readonly number[] }[],
  scale: Scale,
  size: Size,
): Promise<Html> {
  const values = lines.flatMap(({ values: all }, series) => {
    const step = Math.max(1, Math.floor(all.length / 250));
    return all.flatMap((y, t) => {
      const kept = t % step === 0 || t === all.length - 1;
      return kept && Number.isFinite(y) && (scale === 'linear' || y > 0)
        ? [{ t, y, series: String(series) }]
        : [];
    });
  });
  const domain = lines.map((_, i) => String(i));
  const pick = <T>(list: readonly T[]): T[] => domain.map((_, i) => list[i % list.length]);
  return draw({
    ...size,
    data: { values },
    mark: { type: 'line', strokeWidth: 2 },
    encoding: {
      x: {
        field: 't',
        type: 'quantitative',
        axis: xAxis,
        scale: { nice: false },
      },
      y: { field: 'y', type: 'quantitative', axis: yAxis, scale: scaleOf(scale), title: null },
      color: { field: 'series', type: 'nominal', scale: { domain, range: pick(COLOURS) }, legend: null },
      strokeDash: { field: 'series', type: 'nominal', scale: { domain, range: pick(DASHES) }, legend: null },
    },
  } as TopLevelSpec);
}

/** A short sample of how line number `index` of a {@link timeChart} is drawn, for its legend. */
export function legendKey(index: number): Html {
  const dash = DASHES[index % DASHES.length].join(' ');
  return trusted(
    `<svg class="key" viewBox="0 0 28 8" width="28" height="8" aria-hidden="true"><path d="M0 4H28" ` +
      `stroke="${COLOURS[index % COLOURS.length]}" stroke-width="2.5"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}/></svg>`,
  );
}

function scaleOf(scale: Scale): object {
  return scale === 'log' ? { type: 'log', nice: false } : { zero: false, nice: true };
}

/** 500, 5,000, 50k */
const xAxis = {
  title: null,
  tickCount: 5,
  labelExpr: "datum.value >= 10000 ? format(datum.value, '~s') : format(datum.value, ',d')",
} as const;

/** Plain figures where they are short, powers of ten where they are not. */
const yAxis = {
  tickCount: 5,
  labelExpr:
    "datum.value != 0 && (abs(datum.value) >= 10000 || abs(datum.value) < 0.001) ? format(datum.value, '.2~e') : format(datum.value, '.4~g')",
} as const;

const config = {
  background: 'transparent',
  // The size is that of the whole picture, so that charts of one size line up.
  autosize: { type: 'fit', contains: 'padding' },
  aria: false,
  font: 'system-ui, sans-serif',
  view: { stroke: 'transparent' },
  axis: {
    labelColor: 'var(--muted)',
    labelFontSize: 11,
    tickColor: 'var(--rule)',
    domainColor: 'var(--rule)',
    gridColor: 'var(--grid)',
    labelPadding: 5,
    tickSize: 4,
  },
  axisX: { grid: false },
  axisY: { domain: false, ticks: false },
  padding: { left: 2, right: 8, top: 6, bottom: 2 },
} as const;

async function draw(spec: TopLevelSpec): Promise<Html> {
  const [{ compile }, vega] = await Promise.all([import('vega-lite'), import('vega')]);
  const compiled = compile({ ...spec, config } as TopLevelSpec, { logger: vega.logger(vega.Error) });
  const view = new vega.View(vega.parse(compiled.spec), { renderer: 'none', logLevel: vega.Error });
  const svg = await view.toSVG();
  view.finalize();
  return trusted(svg.replace('<svg ', '<svg aria-hidden="true" '));
}
