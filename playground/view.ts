/**
 * A model beside the editor: picture, curves, equations and tables, from the same parts as its documentation.
 *
 * @module
 */
import type { CompiledModel } from '../compiler/driver.js';
import { drawChart } from '../compiler/docs/chart.js';
import { lossTable, modalityTable, parameterTable, taskTable, type Table } from '../compiler/docs/content.js';
import { chartsOf } from '../compiler/docs/curves.js';
import { equationsOf } from '../compiler/docs/equations.js';
import { markup } from '../compiler/docs/html.js';
import { renderInline, renderMarkdown } from '../compiler/docs/markdown.js';
import { tableHtml } from '../compiler/docs/page.js';
import { drawArchitecture } from '../compiler/docs/picture.js';
import { mathml } from '../compiler/docs/tex.js';

/** The model's view as HTML. Whatever comes from the spec is escaped by `markup`. */
export function modelHtml(model: CompiledModel): string {
  const { info } = model;
  const table = (title: string, content: Table) => markup`<h3>${title}</h3>${tableHtml(content, title)}`;
  return markup`${info.doc === '' ? undefined : markup`<div class="doc">${renderMarkdown(info.doc)}</div>`}
<div class="frame" tabindex="0" role="region" aria-label="Picture of the architecture">${drawArchitecture(model)}</div>
<div class="charts">${chartsOf(info).map(
    (chart) =>
      markup`<figure class="card"><figcaption><b>${chart.title}</b><span class="about">${chart.about}</span></figcaption>${drawChart(chart)}</figure>`,
  )}</div>
${table('Modalities', modalityTable(model))}
${info.tasks.length > 0 ? table('Tasks', taskTable(info)) : undefined}
${table('Loss', lossTable(info))}
${table('Parameters', parameterTable(model))}
${equationsOf(model).map(
  ({ title, equations }) =>
    markup`<h3>${title}</h3><div class="equations">${equations.map(
      (e) =>
        markup`<div class="equation"><h4>${e.title}</h4><div class="formula" tabindex="0" role="region" aria-label="${e.title}">${mathml(e.tex, true)}</div>${
          e.note === undefined ? undefined : markup`<p class="note">${renderInline(e.note)}</p>`
        }</div>`,
    )}</div>`,
)}`.text;
}
