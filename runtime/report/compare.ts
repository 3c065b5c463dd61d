/**
 * Runs beside each other: every term of all of them in one chart, last figures, and the settings in which they differ.
 *
 * @module
 */
import { pageHead } from './head.js';
import { legendKey, lineChart } from './charts.js';
import { count, duration, figure } from '../../compiler/docs/figures.js';
import type { Html } from '../../compiler/docs/html.js';
import { markup } from '../../compiler/docs/html.js';
import type { LogRecord } from './model.js';
import { curveOf, figuresOf, seriesOf, windowFor, type Series } from './series.js';

export interface ComparedRun {
  /** As the user named it. */
  readonly name: string;
  readonly log: readonly LogRecord[];
  readonly steps: number;
  readonly settings: readonly (readonly [key: string, value: string])[];
}

const SIZE = { width: 500, height: 250 };

/** One HTML page that needs nothing else. @param runs at least one */
export async function renderComparison(runs: readonly ComparedRun[]): Promise<string> {
  const series = runs.map((run) => new Map(seriesOf(run.log).map((s) => [s.name, s])));
  const names = [...new Set(series.flatMap((of) => [...of.keys()]))];
  const charts: Html[] = [];
  for (const name of names) charts.push(await chart(name, series));
  return markup`<!doctype html>
    <html lang="en">
      ${pageHead(runs.map((run) => run.name).join(', '))}
      <body>
        <header class="top">
          <h1>${runs.length} runs</h1>
          <ul class="legend">
            ${runs.map((run, i) => markup`<li>${legendKey(i)} ${run.name}</li>`)}
          </ul>
        </header>
        <main>
          ${figures(runs, series, names)}
          <section id="terms">
            <h2>Terms</h2>
            <p class="quiet">Horizontally, training steps. Lines are smoothed by a moving mean.</p>
            <div class="charts two">${charts}</div>
          </section>
          ${differences(runs)}
        </main>
        <footer>Written by mmdc.</footer>
      </body>
    </html> `.text;
}

async function chart(name: string, series: readonly ReadonlyMap<string, Series>[]): Promise<Html> {
  const lines = series.map((of) => {
    const s = of.get(name);
    return s ? curveOf(s.points, s.window).line.map((p) => ({ t: p.step, y: p.value })) : [];
  });
  const positive = lines.every((line) => line.every((p) => p.y > 0));
  return markup`<figure class="card">
    <figcaption><b>${name}</b> <span class="about">${positive ? 'logarithmic' : ''}</span></figcaption>
    <div class="chart" role="img" aria-label="${name} of every run over training steps">
      ${await lineChart(lines, positive ? 'log' : 'linear', SIZE)}
    </div>
  </figure>`;
}

function figures(
  runs: readonly ComparedRun[],
  series: readonly ReadonlyMap<string, Series>[],
  names: readonly string[],
): Html {
  const last = (of: ReadonlyMap<string, Series>, name: string, run: ComparedRun) => {
    const found = of.get(name);
    const value = found && figuresOf(found.points, windowFor(run.log.length));
    return value === undefined ? '' : figure(value.last);
  };
  const row = (title: string, cells: readonly string[]) =>
    markup`<tr>
      <th scope="row">${title}</th>
      ${cells.map((cell) => markup`<td>${cell}</td>`)}
    </tr>`;
  const end = (run: ComparedRun) => run.log.at(-1);
  return markup`<section id="figures">
    <h2>Last figures</h2>
    <div class="scroll">
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">Term</th>
            ${runs.map((run) => markup`<th scope="col">${run.name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${row(
            'steps',
            runs.map((run) => `${count(end(run)?.step ?? 0)} of ${count(run.steps)}`),
          )}
          ${row(
            'time',
            runs.map((run) => duration(end(run)?.seconds ?? 0)),
          )}
          ${names.map((name) =>
            row(
              name,
              runs.map((run, i) => last(series[i], name, run)),
            ),
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function differences(runs: readonly ComparedRun[]): Html {
  const maps = runs.map((run) => new Map(run.settings));
  const keys = [...new Set(maps.flatMap((map) => [...map.keys()]))].filter(
    (key) => new Set(maps.map((map) => map.get(key))).size > 1,
  );
  if (keys.length === 0)
    return markup`<section id="settings">
      <h2>Settings</h2>
      <p>All runs have the same settings.</p>
    </section>`;
  return markup`<section id="settings">
    <h2>Settings that differ</h2>
    <div class="scroll">
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">Setting</th>
            ${runs.map((run) => markup`<th scope="col">${run.name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${keys.map(
            (key) =>
              markup`<tr>
                <th scope="row">${key}</th>
                ${maps.map((map) => markup`<td>${map.get(key) ?? '(none)'}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}
