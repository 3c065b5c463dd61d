/**
 * What a site consists of and where everything is, so that pages can link to each other.
 *
 * @module
 */
import type { Analysis, CompiledModel } from '../driver.js';
import type { Module, Project } from '../project/project.js';
import { networksOf, resolveNetwork, type NetworkDoc } from './networks.js';
import type { Entry } from './search.js';

/** A spec to document: checked, without errors. */
export interface DocSpec {
  /** Its name for readers. */
  readonly file: string;
  readonly analysis: Analysis;
}

export interface ModelPage {
  readonly model: CompiledModel;
  readonly spec: DocSpec;
  /** Without folder and extension; unique, also where case does not count. */
  readonly slug: string;
}

export interface ModulePage {
  readonly module: Module;
  /** Its name for readers: `std/backbones`, or the path of a file. */
  readonly title: string;
  readonly slug: string;
  readonly networks: readonly NetworkDoc[];
}

export interface Site {
  readonly models: readonly ModelPage[];
  readonly modules: readonly ModulePage[];
}

/** Lays a site out: a page for every model, and one for every module with networks that any of them can see. */
export function siteOf(specs: readonly DocSpec[]): Site {
  const slug = slugs();
  const models = specs.flatMap((spec) =>
    [...spec.analysis.models.values()].map((model): ModelPage => ({
      model,
      spec,
      slug: slug(model.info.name),
    })),
  );
  const modules = new Map<string, ModulePage>();
  const pages = slugs();
  for (const { file, analysis } of specs) {
    const { project } = analysis;
    for (const module of project.modules.values()) {
      const title =
        module === project.root ? file : module.library ? module.file : beside(file, project, module);
      const networks = networksOf(module);
      if (networks.length === 0 || modules.has(title)) continue;
      modules.set(title, { module, title, networks, slug: pages(title.replace(/\.mmd$/, '')) });
    }
  }
  const own = [...modules.values()].filter((page) => !page.module.library);
  const library = [...modules.values()].filter((page) => page.module.library);
  return {
    models,
    modules: [...own, ...library.sort((a, b) => (a.title < b.title ? -1 : 1))],
  };
}

/** The shown name of a module, from the shown and the real name of the root. */
function beside(file: string, project: Project, module: Module): string {
  const { file: root } = project.root;
  return file.endsWith(root) ? `${file.slice(0, file.length - root.length)}${module.file}` : module.file;
}

/** Gives every text a name for a file of its own. */
function slugs(): (text: string) => string {
  const taken = new Set<string>(['index']);
  return (text) => {
    const base =
      text
        .replace(/[^A-Za-z0-9_]+/g, '-')
        .replace(/^-+|-+$/g, '')
        .slice(0, 80) || 'page';
    let name = base;
    for (let i = 2; taken.has(name.toLowerCase()); i++) name = `${base}-${i}`;
    taken.add(name.toLowerCase());
    return name;
  };
}

/**
 * Where a network's name leads, relative to the root of the site.
 * @param extension of the pages that link: `html` or `md`
 */
export function networkLink(
  site: Site,
  project: Project,
  from: Module,
  name: string,
  extension: string,
): string | undefined {
  const target = resolveNetwork(project, from, name);
  if (!target) return undefined;
  const page = site.modules.find(
    ({ module }) => module.file === target.file && module.text === project.modules.get(target.file)?.text,
  );
  return page && `networks/${page.slug}.${extension}#${target.name}`;
}

/**
 * Where the network leads that a parameter's path ends with: `backbone.UNet_1.Levels_1` is the `Levels` that the module
 * of `UNet` sees.
 */
export function pathLink(
  site: Site,
  { info, project }: CompiledModel,
  path: string,
  extension: string,
): string | undefined {
  let module: Module | undefined = info.module;
  let link: string | undefined;
  for (const part of path.split('.')) {
    const called = /^([A-Za-z]\w*)_\d+$/.exec(part)?.[1];
    if (called === undefined || module === undefined) continue;
    link = networkLink(site, project, module, called, extension);
    module = project.modules.get(resolveNetwork(project, module, called)?.file ?? '');
  }
  return link;
}

/** Everything that search finds. */
export function entriesOf(site: Site): Entry[] {
  const models = site.models.flatMap(({ model, slug, spec }): Entry[] => {
    const { info } = model;
    const url = `models/${slug}.html`;
    return [
      {
        title: info.name,
        kind: 'model',
        url,
        text: `${spec.file} ${info.doc.replace(/\s+/g, ' ').slice(0, 200)}`,
      },
      ...info.modalities.map((m) => ({
        title: m.name,
        kind: `modality of ${info.name}`,
        url: `${url}#modalities`,
        text: `${m.type}, ${m.likelihood.form}`,
      })),
      ...info.tasks.map((t) => ({
        title: t.name,
        kind: `task of ${info.name}`,
        url: `${url}#tasks`,
        text: `${t.given.join(', ')} → ${t.produced.join(', ')}`,
      })),
      ...info.defaults.map((d) => ({
        title: d.path,
        kind: `default of ${info.name}`,
        url: `${url}#defaults`,
        text: `${d.value}: ${d.reason}`,
      })),
    ];
  });
  const networks = site.modules.flatMap(({ networks: all, slug, title }) =>
    all.map(({ name, signature, doc }) => ({
      title: name,
      kind: `network of ${title}`,
      url: `networks/${slug}.html#${name}`,
      text: `${signature} ${doc.replace(/\s+/g, ' ').slice(0, 160)}`,
    })),
  );
  return [...models, ...networks];
}
