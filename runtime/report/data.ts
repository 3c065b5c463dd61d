/**
 * The page of `mmdc data`: what a spec would be fed. It needs nothing else, neither files nor scripts.
 *
 * @module
 */
import { pageHead } from './head.js';
import { count, figure } from '../../compiler/docs/figures.js';
import { markup, type Html } from '../../compiler/docs/html.js';
import type { ColumnSurvey } from '../data/survey.js';
import type { SampleImage } from './model.js';
import { sampleSection } from './samples.js';

export interface DataReport {
  readonly model: string;
  readonly spec: string;
  readonly data: string;
  /** Rows by part: to train on, held out. */
  readonly parts: Readonly<Record<string, number>>;
  readonly columns: readonly ColumnSurvey[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly images: readonly SampleImage[];
  readonly shown: number;
}

export function renderDataReport(report: DataReport): string {
  const pictures =
    report.images.length === 0
      ? undefined
      : sampleSection([
          {
            task: 'rows',
            given: [],
            produced: report.images.map((image) => image.name),
            caption: `${report.shown} rows, spread evenly over the data`,
            images: report.images,
          },
        ]);
  return markup`<!doctype html>
    <html lang="en">
      ${pageHead(`Data of ${report.model}`, { pictures: true })}
      <body>
        <header class="top">
          <h1>Data of ${report.model}</h1>
          <p class="facts quiet">
            <span>spec <code>${report.spec}</code></span>
            <span>data <code>${report.data}</code></span>
            ${Object.entries(report.parts).map(([name, rows]) => markup`<span>${count(rows)} ${name}</span>`)}
          </p>
        </header>
        <main>
          ${problems(report)} ${columns(report.columns)} ${report.columns.filter((c) => c.classes).map(classes)}
          ${pictures}
        </main>
        <footer>Written by mmdc.</footer>
      </body>
    </html> `.text;
}

function problems({ problems: list, warnings }: DataReport): Html | undefined {
  if (list.length === 0 && warnings.length === 0) return undefined;
  return markup`<section id="problems">
    <h2>Problems</h2>
    <ul>
      ${list.map((text) => markup`<li>${text}</li>`)} ${warnings.map((text) => markup`<li>warning: ${text}</li>`)}
    </ul>
  </section>`;
}

function columns(list: readonly ColumnSurvey[]): Html {
  return markup`<section id="columns">
    <h2>Modalities</h2>
    <div class="scroll">
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">Modality</th>
            <th scope="col">Rows</th>
            <th scope="col">Missing</th>
            <th scope="col">Unreadable</th>
            <th scope="col" class="text">Shape</th>
            <th scope="col" class="text">Values</th>
            <th scope="col" class="text">Source</th>
          </tr>
        </thead>
        <tbody>
          ${list.map(
            (c) =>
              markup`<tr>
                <th scope="row">${c.modality}</th>
                <td>${count(c.rows)}</td>
                <td>${count(c.missing)}</td>
                <td>${count(c.damaged)}</td>
                <td class="text"><code>[${c.shape.join(', ')}]</code></td>
                <td class="text">${valuesOf(c)}</td>
                <td class="text"><code>${c.source}</code></td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** Range, mean and deviation, or the classes, in a line. */
export function valuesOf({ values, classes: found }: ColumnSurvey): string {
  if (values) {
    const { least, most, mean, deviation } = values;
    return `${figure(least)} to ${figure(most)}, mean ${figure(mean)}, deviation ${figure(deviation)}`;
  }
  if (!found) return '';
  const there = found.counts.filter((n) => n > 0);
  if (there.length === 0) return 'no classes';
  const ignored = found.ignored > 0 ? `, ${count(found.ignored)} without one` : '';
  const range = `${count(Math.min(...there))} to ${count(Math.max(...there))} of each`;
  return `${there.length} of ${found.counts.length} classes, ${range}${ignored}`;
}

/** How often every class occurs, as a table with bars. */
function classes({ modality, classes: found, labels }: ColumnSurvey): Html {
  const counts = found?.counts ?? [];
  const total = counts.reduce((a, b) => a + b, 0);
  const most = Math.max(1, ...counts);
  return markup`<section>
    <h2>Classes of ${modality}</h2>
    <div class="scroll">
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">Class</th>
            <th scope="col">Count</th>
            <th scope="col">Share</th>
            <th scope="col" class="text"><span class="unseen">Share as a bar</span></th>
          </tr>
        </thead>
        <tbody>
          ${counts.map(
            (n, i) =>
              markup`<tr>
                <th scope="row">${labels?.[i] ?? i}</th>
                <td>${count(n)}</td>
                <td>${total === 0 ? '' : `${((100 * n) / total).toFixed(1)} %`}</td>
                <td class="text"><meter aria-hidden="true" min="0" max="${most}" value="${n}"></meter></td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}
