/**
 * The report of a run: one HTML page that needs nothing else, neither files nor scripts.
 *
 * @module
 */
import { pageHead } from './head.js';
import { lossSection, processSection } from './curves.js';
import { count, duration, figure, moment, roughly } from '../../compiler/docs/figures.js';
import type { Html } from '../../compiler/docs/html.js';
import { markup } from '../../compiler/docs/html.js';
import type { RunReport } from './model.js';
import { sampleSection } from './samples.js';
import { figuresOf, windowFor } from './series.js';
import { sourceListing } from './source.js';
import { metricSection, parameterSection, settingSection } from './tables.js';

/**
 * The whole page as text.
 * @throws RangeError when a sample's picture is not a PNG file
 */
export async function renderReport(report: RunReport): Promise<string> {
  const sections: readonly (readonly [id: string, title: string, content: Html | undefined])[] = [
    ['samples', 'Samples', report.samples.length > 0 ? sampleSection(report.samples) : undefined],
    ['metrics', 'Metrics', report.metrics.length > 0 ? metricSection(report.metrics) : undefined],
    ['loss', 'Training', report.log.length > 0 ? await lossSection(report.log) : undefined],
    [
      'process',
      'Process',
      report.process.sigma.length > 0 ? await processSection(report.process) : undefined,
    ],
    [
      'parameters',
      'Parameters',
      report.parameters.length > 0 ? parameterSection(report.parameters) : undefined,
    ],
    ['settings', 'Settings', report.settings.length > 0 ? settingSection(report.settings) : undefined],
    ['spec', 'Spec', specSection(report)],
  ];
  const shown = sections.filter(([, , content]) => content !== undefined);
  return markup`<!doctype html>
    <html lang="en">
      ${pageHead(report.title, { refresh: report.refresh, pictures: true })}
      <body>
        <header class="top">${head(report)}</header>
        <nav aria-label="Sections">
          <ul>
            ${shown.map(([id, title]) => markup`<li><a href="#${id}">${title}</a></li>`)}
          </ul>
        </nav>
        <main>${overview(report)} ${shown.map(([, , content]) => content)}</main>
        <footer>Written by mmdc.</footer>
      </body>
    </html> `.text;
}

function head({ title, spec, started, finished, executor }: RunReport): Html {
  const end = finished === undefined ? 'not finished' : `finished ${moment(finished)}`;
  return markup`<h1>${title}</h1>
    <p class="facts quiet">
      <span>started ${moment(started)}, ${end}</span>
      <span>spec <code>${spec.path}</code></span>
      <span>hash <code>${spec.hash}</code></span>
    </p>
    <p class="facts quiet"><span>${executor}</span></p>`;
}

/** The few figures that say how a run is doing. */
export function overview(report: Pick<RunReport, 'log' | 'steps' | 'parameters' | 'notes'>): Html {
  const { log, steps, parameters } = report;
  const last = log.at(-1);
  const window = windowFor(log.length);
  const loss = figuresOf(
    log.map((r) => ({ step: r.step, value: r.loss })),
    window,
  );
  const seconds = last?.seconds ?? 0;
  const total = parameters.reduce((sum, p) => sum + p.count, 0);
  const partial = steps.done < steps.planned;
  const tiles = [
    tile(
      'Steps',
      count(steps.done),
      partial ? `of ${count(steps.planned)} planned` : 'all that were planned',
    ),
    ...(loss === undefined
      ? []
      : [
          tile(
            'Loss',
            figure(loss.last),
            `from ${figure(loss.first)}${window > 1 ? `; mean of the last ${window} logged` : ''}`,
          ),
        ]),
    ...(seconds > 0
      ? [tile('Time', duration(seconds), `${figure(steps.done / seconds)} steps a second`)]
      : []),
    ...(total > 0
      ? [tile('Parameters', roughly(total), `${count(total)} in ${count(parameters.length)} tensors`)]
      : []),
  ];
  const notes =
    report.notes.length === 0
      ? undefined
      : markup`<aside class="notes" aria-label="Notes">${report.notes.map((n) => markup`<p>${inlineCode(n)}</p>`)}</aside>`;
  return markup`<dl class="tiles">${tiles}</dl>
    ${notes}`;
}

function tile(name: string, value: string, about: string): Html {
  return markup`<div>
    <dt>${name}</dt>
    <dd class="value">${value}</dd>
    <dd class="quiet">${about}</dd>
  </div>`;
}

function specSection({ spec }: RunReport): Html {
  return markup`<section id="spec">
    <h2>Spec</h2>
    <p class="quiet"><code>${spec.path}</code></p>
    ${sourceListing(spec.text)}
  </section>`;
}

/** Plain text whose `backquoted` parts are code. */
function inlineCode(text: string): Html[] {
  return text.split('`').map((part, i, all) => {
    if (i % 2 === 0) return markup`${part}`;
    return i < all.length - 1 ? markup`<code>${part}</code>` : markup`\`${part}`;
  });
}
