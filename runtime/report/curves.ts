/**
 * The sections of curves: loss terms over steps, the process over diffusion time.
 *
 * @module
 */
import type { Scale } from './charts.js';
import { curveChart, legendKey, timeChart } from './charts.js';
import { figure } from '../../compiler/docs/figures.js';
import type { Html } from '../../compiler/docs/html.js';
import { markup } from '../../compiler/docs/html.js';
import type { LogRecord, ProcessCurves } from './model.js';
import type { Series } from './series.js';
import { curveOf, figuresOf, seriesOf, windowFor } from './series.js';

const LARGE = { width: 1040, height: 290 };
const SMALL = { width: 320, height: 180 };
const MEDIUM = { width: 500, height: 250 };

const GROUPS: readonly (readonly [Series['group'], string, string])[] = [
  ['bound', 'The bound', 'Terms of the negative variational bound, in nats per row, before their weights.'],
  ['simplified', 'Simplified and weighted terms', 'Reported under their own names; they are not the bound.'],
  [
    'balance',
    'Balance of the terms',
    'What each term is multiplied by beside its weight, learned with `balance: uncertainty`.',
  ],
  ['optimizer', 'Optimizer', 'Learning rate and the norm of the gradient over all parameters.'],
];

/** The loss, then every term on its own, each on a linear and a logarithmic scale. */
export async function lossSection(log: readonly LogRecord[]): Promise<Html> {
  const series = seriesOf(log);
  const window = windowFor(log.length);
  const stretch = curveOf(series[0]?.points ?? [], window).stretch;
  const cards = new Map<Series, Html>();
  for (const [i, s] of series.entries()) cards.set(s, await card(s, i));
  const groups = GROUPS.flatMap(([group, title, about]) => {
    const members = series.filter((s) => s.group === group);
    if (members.length === 0) return [];
    return [
      markup`<h3>${title}</h3>
        <p class="quiet">${about}</p>
        <div class="charts">${members.map((s) => cards.get(s))}</div>`,
    ];
  });
  return markup`<section id="loss" class="scales">
    <h2>Training</h2>
    <fieldset>
      <legend>Scale of values</legend>
      <label><input type="radio" name="scale" class="choose-log" checked /> logarithmic</label>
      <label><input type="radio" name="scale" class="choose-linear" /> linear</label>
    </fieldset>
    <p class="quiet">
      Horizontally, training steps. ${smoothing(window, stretch)} Terms that reach zero or below have a linear
      scale alone.
    </p>
    ${series.filter((s) => s.group === 'objective').map((s) => cards.get(s))} ${groups}
    ${figuresTable(series, window)}
  </section>`;
}

function smoothing(window: number, stretch: number): string {
  const line =
    window > 1
      ? `Lines are smoothed: a centred moving mean over ${window} logged steps (fewer at the ends).`
      : 'Lines are not smoothed.';
  if (stretch > 1)
    return `${line} Bands span the lowest and the highest value in every ${stretch} logged steps.`;
  return window > 1 ? `${line} Faint lines are the values as logged.` : line;
}

async function card(s: Series, index: number): Promise<Html> {
  const curve = curveOf(s.points, s.window);
  const figures = figuresOf(s.points, s.window);
  const size = s.group === 'objective' ? LARGE : SMALL;
  const positive = curve.band.every((b) => b.low > 0);
  const label = `${s.name} over training steps`;
  const drawn = async (scale: Scale) => curveChart(curve, scale, index, size);
  const picture = async (scale: Scale, only: boolean) =>
    markup`<div class="chart ${only ? '' : scale}" role="img" aria-label="${label}, ${scale} scale">
      ${await drawn(scale)}
    </div>`;
  const charts =
    figures === undefined
      ? [markup`<p>No finite value was logged.</p>`]
      : positive
        ? [await picture('log', false), await picture('linear', false)]
        : [await picture('linear', true)];
  return markup`<figure class="card ${s.group === 'objective' ? 'wide' : ''}">
    <figcaption>
      <b>${s.name}</b> <span class="about">${meaning(s.name)}</span>${
        figures === undefined ? undefined : markup`<span class="last">${figure(figures.last)}</span>`
      }
    </figcaption>
    ${charts}${brokenNote(curve.broken)}
  </figure>`;
}

function brokenNote(broken: readonly number[]): Html | undefined {
  if (broken.length === 0) return undefined;
  const shown = broken.slice(0, 8).join(', ');
  return markup`<p class="alert">
    Not finite, and so not drawn, at step
    ${shown}${broken.length > 8 ? ` and ${broken.length - 8} more` : ''}.
  </p>`;
}

function meaning(name: string): string {
  if (name === 'loss') return 'what was minimised: the weighted sum of the terms below';
  if (name === 'L0') return 'z at t = T against N(0, I)';
  if (name === 'L1') return 'the reverse steps, t ≥ 2';
  if (name.startsWith('L2 ')) return `recovering ${name.slice(3)}`;
  if (name === 'L3') return 'z₀ from z₁';
  return '';
}

function figuresTable(series: readonly Series[], window: number): Html {
  const rows = series.flatMap((s) => {
    const f = figuresOf(s.points, s.window);
    if (f === undefined) return [];
    return [
      markup`<tr>
        <th scope="row">${s.name}</th>
        <td>${figure(f.first)}</td>
        <td>${figure(f.last)}</td>
        <td>${figure(f.least.value)}</td>
        <td>${f.least.step}</td>
      </tr>`,
    ];
  });
  const last = window > 1 ? `Last (mean of ${window})` : 'Last';
  return markup`<details>
    <summary>The same in figures</summary>
    <div class="scroll">
      <table class="figures">
        <caption>
          First, last and lowest logged values
        </caption>
        <thead>
          <tr>
            <th scope="col">Term</th>
            <th scope="col">First</th>
            <th scope="col">${last}</th>
            <th scope="col">Lowest</th>
            <th scope="col">at step</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
  </details>`;
}

/** Coefficients and signal-to-noise ratios of every component. */
export async function processSection(process: ProcessCurves): Promise<Html> {
  const coefficients = [
    ...process.components.map((c) => ({ name: `c of ${c.name}`, values: c.coefficient })),
    { name: 'σ, the noise', values: process.sigma },
  ];
  const snr = process.components.map((c) => ({ name: c.name, values: c.snr }));
  return markup`<section id="process">
    <h2>Process</h2>
    <p class="quiet">
      z<sub>t</sub> = Σ<sub>j</sub> c<sub>j</sub>(t) Y<sub>j</sub> + σ<sub>t</sub> ε. Horizontally, diffusion
      time t = 0 … ${Math.max(0, process.sigma.length - 1)}.
    </p>
    <div class="charts two">
      ${await timeCard('Coefficients', 'how much of each encoding, and how much noise, is in z', coefficients, 'linear')}
      ${await timeCard('Signal-to-noise ratio', 'of each component, logarithmic', snr, 'log')}
    </div>
  </section>`;
}

async function timeCard(
  title: string,
  about: string,
  lines: readonly { name: string; values: readonly number[] }[],
  scale: Scale,
): Promise<Html> {
  const legend = lines.map((l, i) => markup`<li>${legendKey(i)} ${l.name}</li>`);
  return markup`<figure class="card">
    <figcaption><b>${title}</b> <span class="about">${about}</span></figcaption>
    <div class="chart" role="img" aria-label="${title} over diffusion time">
      ${await timeChart(lines, scale, MEDIUM)}
    </div>
    <ul class="legend">
      ${legend}
    </ul>
  </figure>`;
}
