/**
 * The page of a model.
 *
 * @module
 */
import { drawChart } from './chart.js';
import {
  costs,
  defaultTable,
  lossTable,
  modalityTable,
  parameterTable,
  taskTable,
  trainText,
} from './content.js';
import { chartsOf } from './curves.js';
import { equationsOf, type EquationGroup } from './equations.js';
import { listing } from './highlight.js';
import { markup, type Html } from './html.js';
import { renderInline, renderMarkdown } from './markdown.js';
import type { Page, Section } from './page.js';
import { tableHtml } from './page.js';
import { drawArchitecture } from './picture.js';
import { networkLink, pathLink, type ModelPage, type Site } from './site.js';
import { mathml } from './tex.js';

/** The content of a model's page. */
export function modelPage(site: Site, { model, spec }: ModelPage): Page {
  const { info, project } = model;
  const under = (target: string | undefined) => target && `../${target}`;
  const link = (name: string) => under(networkLink(site, project, info.module, name, 'html'));
  const sections: Section[] = [
    {
      id: 'architecture',
      title: 'Architecture',
      content: markup`<div class="frame fit" tabindex="0" role="region" aria-label="Picture of the architecture">${drawArchitecture(model)}</div>
<p class="note">Solid lines always flow; dashed ones carry the encodings of what is given. Tasks are read from the decoders they point from.</p>`,
    },
    {
      id: 'modalities',
      title: 'Modalities',
      content: tableHtml(modalityTable(model), 'Modalities'),
    },
    { id: 'process', title: 'Process', content: processSection(model) },
    {
      id: 'networks',
      title: 'Networks',
      content: networkSection(model, (path) => under(pathLink(site, model, path, 'html'))),
    },
    ...(info.tasks.length > 0
      ? [{ id: 'tasks', title: 'Tasks', content: tableHtml(taskTable(info), 'Tasks') }]
      : []),
    {
      id: 'loss',
      title: 'Loss and training',
      content: markup`${tableHtml(lossTable(info), 'Terms of the loss')}<p class="note">${trainText(info)}</p>`,
    },
    ...(info.defaults.length > 0
      ? [
          {
            id: 'defaults',
            title: 'Defaults',
            content: markup`<p class="about">What the spec leaves open, with the value in force and the reason for it.</p>
${tableHtml(defaultTable(info), 'Defaults')}`,
          },
        ]
      : []),
    {
      id: 'source',
      title: 'Source',
      content: markup`<p class="about"><code>${spec.file}</code></p>${listing(info.module.text, `Source of ${spec.file}`, link)}`,
    },
  ];
  const doc = info.doc.trim();
  return {
    title: info.name,
    crumb: 'Model',
    root: '../',
    head: markup`<p class="from">Model of <code>${spec.file}</code>, spec hash <code>${model.hash().slice(0, 16)}</code></p>
${doc === '' ? undefined : markup`<div class="lead"><div class="doc">${renderMarkdown(doc)}</div></div>`}`,
    sections,
  };
}

function processSection(model: ModelPage['model']): Html {
  const charts = chartsOf(model.info).map(
    (chart) =>
      markup`<figure class="card"><figcaption><b>${chart.title}</b><span class="about">${chart.about}</span></figcaption>${drawChart(chart)}</figure>`,
  );
  return markup`<div class="charts">${charts}</div>
${equationsOf(model).map(equationGroup)}`;
}

function equationGroup({ title, equations }: EquationGroup): Html {
  return markup`<h3 class="group">${title}</h3>
<div class="equations">${equations.map(
    (e) =>
      markup`<div class="equation"><h4>${e.title}</h4><div class="formula" tabindex="0" role="region" aria-label="${e.title}">${mathml(e.tex, true)}</div>${
        e.note === undefined ? undefined : markup`<p class="note">${renderInline(e.note)}</p>`
      }</div>
`,
  )}</div>
`;
}

function networkSection(model: ModelPage['model'], link: (name: string) => string | undefined): Html {
  const tiles = costs(model).map(
    ([name, value, about]) =>
      markup`<div><dt>${name}</dt><dd class="value">${value}</dd><dd>${about}</dd></div>`,
  );
  const target = (cell: string, column: number) => (column === 0 ? link(cell) : undefined);
  return markup`<dl class="tiles">${tiles}</dl>
${tableHtml(parameterTable(model), 'Parameters by network', target)}`;
}
