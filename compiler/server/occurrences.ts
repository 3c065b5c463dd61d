/**
 * What every name of a file refers to. Names in expressions are resolved by the compiler's own pass over names; this
 * module adds those that a model's declarations are named by, keys of blocks, imports and arguments.
 *
 * @module
 */
import type { Entry, Model, Name, Node, Range } from '../../grammar/ast.js';
import { children, walk } from '../../grammar/visit.js';
import { Diagnostics } from '../diagnostics/collect.js';
import { collectMembers } from '../model/members.js';
import { checkNames } from '../names/index.js';
import { joinPath, type Module, type Project, type Visible } from '../project/project.js';

export type SymbolKind =
  | 'model'
  | 'network'
  | 'modality'
  | 'space'
  | 'backbone'
  | 'task'
  | 'let'
  | 'parameter'
  | 'dimension'
  | 'import'
  /** Of the language: a function, or `t` and `given`. */
  | 'builtin';

/** What a name stands for. Equal keys are the same thing. */
export interface Symbol {
  readonly key: string;
  readonly kind: SymbolKind;
  readonly name: string;
  /** Where it is declared; absent for what the language brings. */
  readonly file?: string;
  readonly declared?: Name;
  /** The node that declares it. */
  readonly node?: Node;
}

export interface Occurrence {
  readonly range: Range;
  readonly symbol: Symbol;
  readonly declaration: boolean;
}

/** The occurrences of all symbols in one file of a project, in order. */
export function occurrencesIn(project: Project, module: Module): Occurrence[] {
  return new Collector(project, module).collect();
}

/** The occurrence at an offset. */
export function occurrenceAt(list: readonly Occurrence[], offset: number): Occurrence | undefined {
  return list.find(({ range }) => range.start <= offset && offset <= range.end);
}

class Collector {
  private readonly found = new Map<string, Occurrence>();
  private readonly symbols = new Map<Name, Symbol>();

  constructor(
    private readonly project: Project,
    private readonly module: Module,
  ) {}

  collect(): Occurrence[] {
    const { tree } = this.module;
    for (const declaration of tree.declarations) {
      if (declaration.kind === 'Model') this.model(declaration);
      else this.declare(declaration.name, 'network', declaration);
      walk(declaration, (node) => this.locals(node));
    }
    this.imports();
    checkNames(this.project, new Diagnostics(), {
      add: (module, use, target) => {
        if (module === this.module) this.use(use, target);
      },
    });
    for (const declaration of tree.declarations) walk(declaration, (node) => this.argument(node));
    return [...this.found.values()].sort((a, b) => a.range.start - b.range.start);
  }

  private add(range: Range, symbol: Symbol, declaration = false): void {
    if (range.end <= range.start) return;
    const key = `${range.start}:${range.end}`;
    if (!this.found.has(key)) this.found.set(key, { range, symbol, declaration });
  }

  private symbolOf(name: Name, kind: SymbolKind, node: Node, file = this.module.file): Symbol {
    let symbol = this.symbols.get(name);
    if (!symbol) {
      symbol = { key: `${file}:${name.range.start}`, kind, name: name.text, file, declared: name, node };
      this.symbols.set(name, symbol);
    }
    return symbol;
  }

  private declare(name: Name, kind: SymbolKind, node: Node): void {
    this.add(name.range, this.symbolOf(name, kind, node), true);
  }

  private visible({ declaration, module }: Visible): Symbol {
    const kind = declaration.kind === 'Model' ? 'model' : 'network';
    return this.symbolOf(declaration.name, kind, declaration, module.file);
  }

  private use(use: Name, target: Name | Visible | string): void {
    if (typeof target === 'string')
      this.add(use.range, { key: `builtin:${target}`, kind: 'builtin', name: target });
    else if ('declaration' in target) this.add(use.range, this.alias(use.text) ?? this.visible(target));
    else if (target.text === 't' || target.text === 'given')
      this.add(use.range, { key: `builtin:${target.text}`, kind: 'builtin', name: target.text });
    else {
      const symbol = this.symbols.get(target) ?? this.byPlace(target);
      if (symbol) this.add(use.range, symbol);
    }
  }

  /** A name declared at a place that another declaration has named: an encoder binds its modality. */
  private byPlace(target: Name): Symbol | undefined {
    return this.found.get(`${target.range.start}:${target.range.end}`)?.symbol;
  }

  /** The name that an import gives to something, where it is another one. */
  private alias(name: string): Symbol | undefined {
    for (const item of this.module.tree.imports) {
      for (const one of item.names)
        if (one.local.text === name && one.local !== one.imported)
          return this.symbolOf(one.local, 'import', one);
    }
    return undefined;
  }

  private imports(): void {
    for (const item of this.module.tree.imports) {
      const path = item.path.value;
      const file = path.startsWith('std/') ? path : joinPath(this.module.file, path);
      const target = file === undefined ? undefined : this.project.modules.get(file);
      for (const one of item.names) {
        const declaration = target?.declared.get(one.imported.text);
        if (one.local !== one.imported) this.declare(one.local, 'import', one);
        if (declaration && target)
          this.add(one.imported.range, this.visible({ declaration, module: target }));
      }
    }
  }

  // ---- models

  private model(model: Model): void {
    this.declare(model.name, 'model', model);
    if (model.base) {
      const base = this.module.declared.get(model.base.text);
      if (base) this.add(model.base.range, this.visible({ declaration: base, module: this.module }));
    }
    const members = collectMembers(model, this.module, new Diagnostics());
    const named = new Map<string, Symbol>();
    for (const item of members.modalities)
      named.set(item.name.text, this.symbolOf(item.name, 'modality', item));
    for (const item of members.spaces) named.set(item.name.text, this.symbolOf(item.name, 'space', item));
    for (const item of members.backbones) this.symbolOf(item.name, 'backbone', item);
    const refer = (name: Name): void => {
      const symbol = named.get(name.text);
      if (symbol) this.add(name.range, symbol);
    };
    for (const member of model.members) {
      switch (member.kind) {
        case 'Modality':
        case 'Space':
        case 'Backbone':
        case 'Task':
          this.declare(member.name, member.kind.toLowerCase() as SymbolKind, member);
          if (member.kind === 'Task') for (const name of [...member.given, ...member.produced]) refer(name);
          break;
        case 'Encoder':
        case 'Decoder':
          refer(member.name);
          break;
        case 'Let':
          for (const name of member.names) this.declare(name, 'let', member);
          break;
        case 'Section':
          for (const entry of member.block.entries) this.entry(entry, member.section, named);
      }
    }
  }

  /** Keys that are names of modalities, and the origin. */
  private entry(entry: Entry, path: string, named: ReadonlyMap<string, Symbol>): void {
    const byModality = ['process.weights', 'loss.L2', 'data'].includes(path);
    const symbol = byModality ? named.get(entry.key.text) : undefined;
    if (symbol?.kind === 'modality') this.add(entry.key.range, symbol);
    for (const inner of entry.block?.entries ?? []) this.entry(inner, `${path}.${entry.key.text}`, named);
    if (path !== 'process' || entry.key.text !== 'origin' || entry.value?.kind !== 'Ref') return;
    const origin = named.get(entry.value.name.text);
    if (origin) this.add(entry.value.range, origin);
  }

  // ---- networks

  private locals(node: Node): void {
    if (node.kind === 'Let') for (const name of node.names) this.declare(name, 'let', node);
    if (node.kind !== 'Network') return;
    const known = new Set<string>();
    for (const param of node.params) {
      walk(param.type, (inner) => {
        const name = inner.kind === 'Ref' || inner.kind === 'RestDim' ? inner.name : undefined;
        if (!name || known.has(name.text) || param.type.kind !== 'NamedType') return;
        known.add(name.text);
        this.declare(name, 'dimension', inner);
      });
      known.add(param.name.text);
      this.declare(param.name, 'parameter', param);
    }
  }

  private argument(node: Node): void {
    if (node.kind !== 'Call') return;
    const callee = this.found.get(`${node.callee.range.start}:${node.callee.range.end}`)?.symbol;
    const imported = callee?.kind === 'import' ? this.module.scope.get(callee.name)?.declaration : undefined;
    const network = callee?.node?.kind === 'Network' ? callee.node : imported;
    if (network?.kind !== 'Network') return;
    const file = callee?.kind === 'import' ? this.module.scope.get(callee.name)?.module.file : callee?.file;
    for (const { name } of node.args) {
      const param = name && network.params.find((p) => p.name.text === name.text);
      if (name && param) this.add(name.range, this.symbolOf(param.name, 'parameter', param, file));
    }
  }
}

/** The nodes around an offset, innermost first. */
export function nodesAt(root: Node, offset: number): Node[] {
  const found: Node[] = [];
  for (let node: Node | undefined = root; node;) {
    found.unshift(node);
    const inside: Node[] = children(node).filter(
      (child) => child.range.start <= offset && offset <= child.range.end,
    );
    // At a border, the one that begins there.
    node = inside.at(-1);
  }
  return found;
}
