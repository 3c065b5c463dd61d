/**
 * A project: the root file, what it imports, and what every name of a file refers to.
 *
 * @module
 */
import type { Import, Model, Network, Range, SourceFile, TopLevel } from '../../grammar/ast.js';
import { parse, type ParseResult } from '../../grammar/index.js';
import type { Diagnostics } from '../diagnostics/collect.js';
import { didYouMean } from '../diagnostics/suggest.js';
import { reportSyntax } from '../diagnostics/syntax.js';
import type { Host } from './host.js';

export interface Module {
  /** Path relative to the project's root, or `std/name`. */
  readonly file: string;
  readonly text: string;
  readonly tree: SourceFile;
  readonly library: boolean;
  /** What the file itself declares. */
  readonly declared: ReadonlyMap<string, TopLevel>;
  /** Everything visible at the top of the file: its own declarations and its imports. */
  readonly scope: ReadonlyMap<string, Visible>;
}

export interface Visible {
  readonly declaration: TopLevel;
  readonly module: Module;
}

export interface Project {
  readonly root: Module;
  /** All modules read, by file, in the order of first import. */
  readonly modules: ReadonlyMap<string, Module>;
  /** Networks that every file sees without importing them (`std/prelude`). */
  readonly prelude: ReadonlyMap<string, Visible>;
}

const maxModules = 512;

/** Reads `file` and everything it imports. Problems become diagnostics; the result is always usable. */
export function loadProject(
  host: Host,
  file: string,
  text: string,
  diagnostics: Diagnostics,
  read: (file: string, text: string) => ParseResult = (_, own) => parse(own),
): Project {
  const loader = new Loader(host, diagnostics, read);
  const prelude = loader.library('prelude');
  const root = loader.load(file, text, false);
  return { root, modules: loader.modules, prelude: prelude?.scope ?? new Map() };
}

class Loader {
  readonly modules = new Map<string, Module>();
  private readonly loading: string[] = [];

  constructor(
    private readonly host: Host,
    private readonly diagnostics: Diagnostics,
    private readonly read: (file: string, text: string) => ParseResult,
  ) {}

  library(name: string): Module | undefined {
    const file = `std/${name}`;
    const known = this.modules.get(file);
    if (known) return known;
    const text = this.host.readLibrary(name);
    return text === undefined ? undefined : this.load(file, text, true);
  }

  load(file: string, text: string, library: boolean): Module {
    const { tree, problems } = this.read(file, text);
    reportSyntax(this.diagnostics, file, problems);
    const declared = new Map<string, TopLevel>();
    const scope = new Map<string, Visible>();
    const module: Module = { file, text, tree, library, declared, scope };
    this.modules.set(file, module);
    this.loading.push(file);
    for (const declaration of tree.declarations) {
      const name = declaration.name.text;
      if (name === '') continue;
      const earlier = declared.get(name);
      if (earlier) this.duplicate(file, declaration, earlier);
      else {
        declared.set(name, declaration);
        scope.set(name, { declaration, module });
      }
    }
    for (const item of tree.imports) this.import(module, item, scope);
    this.loading.pop();
    return module;
  }

  private duplicate(file: string, again: Model | Network, earlier: Model | Network): void {
    this.diagnostics.report(
      'MMD0305',
      { file, range: again.name.range },
      { kind: again.kind === 'Model' ? 'the model' : 'the network', name: again.name.text },
      { labels: [{ file, range: earlier.name.range, message: 'first declared here' }] },
    );
  }

  private import(module: Module, item: Import, scope: Map<string, Visible>): void {
    const target = this.resolve(module, item);
    if (!target) return;
    for (const { imported, local } of item.names) {
      if (imported.text === '') continue;
      const declaration = target.declared.get(imported.text);
      if (!declaration) {
        const near = didYouMean(imported.text, [...target.declared.keys()]);
        this.diagnostics.report(
          'MMD0204',
          { file: module.file, range: imported.range },
          { path: item.path.value, name: imported.text },
          near === undefined ? {} : { help: `did you mean \`${near}\`?` },
        );
        continue;
      }
      const earlier = scope.get(local.text);
      if (earlier) {
        const { file } = earlier.module;
        this.diagnostics.report(
          'MMD0305',
          { file: module.file, range: local.range },
          { kind: 'the name', name: local.text },
          { labels: [{ file, range: earlier.declaration.name.range, message: 'the other one' }] },
        );
        continue;
      }
      scope.set(local.text, { declaration, module: target });
    }
  }

  private resolve(module: Module, item: Import): Module | undefined {
    const path = item.path.value;
    const range = item.path.range;
    if (path === '' && range.start === range.end) return undefined;
    if (path.startsWith('std/')) {
      const found = this.library(path.slice(4));
      if (!found) {
        const near = didYouMean(
          path,
          this.host.libraryModules().map((name) => `std/${name}`),
        );
        this.diagnostics.report(
          'MMD0205',
          { file: module.file, range },
          { path },
          {
            help: near
              ? `did you mean \`${near}\`?`
              : `there are ${this.host
                  .libraryModules()
                  .map((m) => `\`std/${m}\``)
                  .join(', ')}`,
          },
        );
      }
      return found;
    }
    if (!/^\.\.?\//.test(path)) {
      this.diagnostics.report('MMD0206', { file: module.file, range }, { path });
      return undefined;
    }
    return this.relative(module, path, range);
  }

  private relative(module: Module, path: string, range: Range): Module | undefined {
    const place = { file: module.file, range };
    const file = joinPath(module.file, path);
    if (file === undefined) {
      this.diagnostics.report('MMD0203', place, {
        path,
        root: 'the folder of the spec, or of its package.json',
      });
      return undefined;
    }
    const cycle = this.loading.indexOf(file);
    if (cycle >= 0) {
      const chain = [...this.loading.slice(cycle), file].map((name) => `\`${name}\``).join(' -> ');
      this.diagnostics.report('MMD0202', place, { cycle: chain });
      return undefined;
    }
    const known = this.modules.get(file);
    if (known) return known;
    if (this.modules.size >= maxModules) {
      this.diagnostics.report('MMD0207', place, {
        path,
        reason: `a project has at most ${maxModules} files`,
      });
      return undefined;
    }
    const result = this.host.read(file);
    if (result.ok) return this.load(file, result.text, false);
    if (result.reason === 'missing') this.diagnostics.report('MMD0201', place, { path });
    else if (result.reason === 'outside')
      this.diagnostics.report('MMD0203', place, { path, root: result.detail });
    else this.diagnostics.report('MMD0207', place, { path, reason: result.detail });
    return undefined;
  }
}

/** `path` as seen from the folder of `from`; undefined where it leaves the root. */
export function joinPath(from: string, path: string): string | undefined {
  const parts = from.split('/').slice(0, -1);
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}
