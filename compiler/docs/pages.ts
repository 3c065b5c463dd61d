/**
 * The other pages of a site: its front, and the networks of a module.
 *
 * @module
 */
import { roughly } from './figures.js';
import { inlineCode, listing } from './highlight.js';
import { markup, type Html } from './html.js';
import { firstSentence, renderInline, renderMarkdown } from './markdown.js';
import type { Page, Section } from './page.js';
import { networkLink, type ModelPage, type ModulePage, type Site } from './site.js';
import type { Project } from '../project/project.js';

/** The front page: every model and every module. */
export function indexPage(site: Site, title: string): Page {
  const own = site.modules.filter(({ module }) => !module.library);
  const library = site.modules.filter(({ module }) => module.library);
  const sections: Section[] = [];
  if (site.models.length > 0)
    sections.push({
      id: 'models',
      title: 'Models',
      content: markup`<ul class="cards">${site.models.map(modelCard)}</ul>`,
    });
  if (own.length > 0)
    sections.push({
      id: 'networks',
      title: 'Networks',
      content: markup`<ul class="cards">${own.map(moduleCard)}</ul>`,
    });
  if (library.length > 0)
    sections.push({
      id: 'library',
      title: 'Library',
      content: markup`<p class="about">Networks that come with the language, written in it.</p><ul class="cards">${library.map(moduleCard)}</ul>`,
    });
  const count = site.models.length;
  return {
    title,
    root: '',
    head: markup`<p class="lead">${count === 1 ? 'One model' : `${count} models`}, documented from ${count === 1 ? 'its spec' : 'their specs'}: what each consists of, the equations of its own process, what it costs, and why its settings are what they are.</p>`,
    sections,
  };
}

function modelCard({ model, slug, spec }: ModelPage): Html {
  const { info } = model;
  return markup`<li><article class="card"><h3><a href="models/${slug}.html">${info.name}</a></h3>
<p class="from">${spec.file}</p>
${info.doc === '' ? undefined : markup`<p>${renderInline(firstSentence(info.doc))}</p>`}
<ul class="chips"><li>${roughly(model.layout.size)} parameters</li><li>${info.process.steps} steps</li>${info.modalities.map(
    (m) => markup`<li>${m.name}: ${m.type}</li>`,
  )}</ul></article></li>
`;
}

function moduleCard({ title, slug, networks }: ModulePage): Html {
  return markup`<li><article class="card"><h3><a href="networks/${slug}.html">${title}</a></h3>
<p>${networks.map(
    ({ name }, i) =>
      markup`${i > 0 ? ', ' : ''}<a href="networks/${slug}.html#${name}"><code>${name}</code></a>`,
  )}</p></article></li>
`;
}

/** The networks of one module. */
export function modulePage(site: Site, page: ModulePage, project: Project): Page {
  const link = (name: string): string | undefined => {
    const target = networkLink(site, project, page.module, name, 'html');
    return target && `../${target}`;
  };
  const users = (network: string): ModelPage[] =>
    site.models.filter(({ model }) =>
      model.layout.trainable.some((slot) =>
        slot.name.split('.').some((part) => part.replace(/_\d+$/, '') === network),
      ),
    );
  const sections = page.networks.map((network): Section => {
    const calls = network.calls.flatMap((name) => {
      const target = link(name);
      return target === undefined || name === network.name
        ? []
        : [markup`<a href="${target}"><code>${name}</code></a>`];
    });
    const used = users(network.name).map(
      ({ model, slug }) => markup`<a href="../models/${slug}.html#networks">${model.info.name}</a>`,
    );
    return {
      id: network.name,
      title: network.name,
      content: markup`<pre class="signature" tabindex="0" role="region" aria-label="Signature of ${network.name}"><code>${inlineCode(network.signature)}</code></pre>
${network.doc === '' ? undefined : markup`<div class="doc">${renderMarkdown(network.doc)}</div>`}
${calls.length === 0 ? undefined : markup`<p class="note">Uses ${joined(calls)}.</p>`}
${used.length === 0 ? undefined : markup`<p class="note">In ${joined(used)}.</p>`}
<details><summary>Source</summary>${listing(network.source, `Source of ${network.name}`, link)}</details>`,
    };
  });
  return {
    title: page.title,
    crumb: page.module.library ? 'Library' : 'Networks',
    root: '../',
    head: markup`<p class="from">${page.networks.length === 1 ? 'One network' : `${page.networks.length} networks`}${
      page.title === 'std/prelude' ? ', which every file sees without importing them' : ''
    }</p>`,
    sections,
  };
}

function joined(items: readonly Html[]): Html[] {
  return items.map((item, i) => markup`${i > 0 ? ', ' : ''}${item}`);
}
