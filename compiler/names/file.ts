/**
 * The names of one file: what they refer to, what is used, and the reports they lead to.
 *
 * @module
 */
import type { Name, Range } from '../../grammar/ast.js';
import type { Diagnostics } from '../diagnostics/collect.js';
import type { Place } from '../diagnostics/diagnostic.js';
import { suggestName } from '../diagnostics/suggest.js';
import type { Code, ReportArgs } from '../diagnostics/table.js';
import { builtins } from '../elaborate/builtins/index.js';
import type { Module, Project, Visible } from '../project/project.js';
import type { Binding, Scope } from './scope.js';

/** Unknown names of a file that are compared with the known ones: more than anyone reads, so that time stays linear. */
const mostCompared = 200;

/** Whether a name stands for a value, or for what is called. */
export type Role = 'value' | 'callee';

/** Is told what every name that is used refers to. */
export interface Uses {
  /** @param target the name where it is declared in the same file, the visible network, or a function's name */
  add(module: Module, use: Name, target: Name | Visible | string): void;
}

export class FileNames {
  /** Declarations that something refers to. */
  private readonly used = new Set<Name>();
  /** Networks of this file and imports that something refers to, by their names here. */
  private readonly usedNetworks = new Set<string>();
  /** Names that an import was meant to bring: what went wrong is reported there. */
  private readonly missing: ReadonlySet<string>;
  private compared = 0;
  /** The parser could not read all of the file, so that what is used cannot be told. */
  readonly damaged: boolean;

  constructor(
    readonly project: Project,
    readonly module: Module,
    private readonly diagnostics: Diagnostics,
    private readonly settle: (place: Place) => void,
    private readonly uses?: Uses,
  ) {
    const locals = module.tree.imports.flatMap((item) => item.names.map(({ local }) => local.text));
    this.missing = new Set(locals.filter((name) => !module.scope.has(name)));
    this.damaged = diagnostics.list.some((d) => d.file === module.file && d.code.startsWith('MMD01'));
  }

  place(range: Range): Place {
    return { file: this.module.file, range };
  }

  report<C extends Code>(code: C, range: Range, ...rest: ReportArgs<C>): void {
    this.diagnostics.report(code, this.place(range), ...rest);
  }

  isUsed(name: Name): boolean {
    return this.used.has(name);
  }

  isNetworkUsed(name: string): boolean {
    return this.usedNetworks.has(name);
  }

  /** A network visible in this file. */
  network(name: string): Visible | undefined {
    const visible = this.module.scope.get(name) ?? this.project.prelude.get(name);
    return visible?.declaration.kind === 'Network' ? visible : undefined;
  }

  /** Marks what a name refers to as used; true where it refers to something. */
  use(name: Name, scope: Scope): boolean {
    const binding = scope.find(name.text);
    const network = binding ? undefined : this.network(name.text);
    if (binding) this.used.add(binding.name);
    else if (network) this.usedNetworks.add(name.text);
    else return false;
    this.uses?.add(this.module, name, binding?.name ?? (network as Visible));
    return true;
  }

  /** Resolves a name, and reports it where it refers to nothing that can stand here. */
  resolve(name: Name, scope: Scope, role: Role): void {
    if (name.text === '' || this.use(name, scope)) return;
    const builtin = builtins.has(name.text);
    if (builtin && role === 'callee') {
      this.uses?.add(this.module, name, name.text);
      return;
    }
    this.settle(this.place(name.range));
    if (this.missing.has(name.text)) return;
    const later = scope.declaredLater(name.text);
    const reason = scope.reasonHidden(name.text);
    if (builtin) {
      this.report(
        'MMD0307',
        name.range,
        { name: name.text, found: 'a function', expected: 'a value' },
        { help: `call it, \`${name.text}(x)\`, or pass a value to it, \`x |> ${name.text}\`` },
      );
    } else if (later) {
      // Its only use may be this one: one report is enough.
      this.used.add(later);
      const labels = [{ ...this.place(later.range), message: 'declared here' }];
      this.report('MMD0309', name.range, { name: name.text }, { labels });
    } else if (reason !== undefined) {
      this.report('MMD0308', name.range, { kind: 'the name', name: name.text, reason });
    } else {
      const candidates = this.compared++ < mostCompared ? this.candidates(scope, role) : [];
      const near = suggestName(this.place(name.range), name.text, candidates, 0);
      this.report('MMD0301', name.range, { name: name.text }, near);
    }
  }

  private candidates(scope: Scope, role: Role): string[] {
    if (role === 'value') return scope.names();
    const networks = [...this.module.scope, ...this.project.prelude]
      .filter(([, visible]) => visible.declaration.kind === 'Network')
      .map(([name]) => name);
    return [...builtins.keys(), ...networks];
  }

  /** Declares a `let`, a space or a backbone, and reports what it hides. */
  declareChecked(binding: Binding, scope: Scope): void {
    const { name } = binding;
    if (name.text === '') return;
    const hidden = scope.find(name.text);
    const visible = this.network(name.text);
    const hides = (other: string, place?: Place): void => {
      const labels = place ? [{ ...place, message: `${other} is declared here` }] : [];
      this.report('MMD0324', name.range, { name: name.text, other }, { labels });
    };
    if (hidden) hides(hidden.what, this.place(hidden.name.range));
    else if (visible) {
      const { module, declaration } = visible;
      hides('the network', module.library ? undefined : { file: module.file, range: declaration.name.range });
    } else if (builtins.has(name.text)) hides('the function');
    scope.declare(binding);
  }
}
