/**
 * All networks of a model as Python: groups of uses become classes or functions, callees first.
 *
 * @module
 */
import type { Range } from '../../../grammar/ast.js';
import type { Slot } from '../../lower/layout.js';
import { UnitEmitter } from './emit.js';
import { className, UniqueNames, valueName } from './names.js';
import { bracketed, docstring } from './python.js';
import { within, type Code } from './statics.js';
import { trace, type Trace } from './trace.js';
import type { CompiledModel } from '../../driver.js';
import { Groups, newUnit, Split, type Group, type Unit } from './unit.js';

interface Edge {
  readonly parent: UnitEmitter;
  readonly child: Unit;
  readonly find: (name: string) => Code;
}

export class Emitter {
  /** Finished units, callees first. */
  readonly units: Unit[] = [];
  readonly functionNames = new Set<string>();
  private readonly edges: Edge[] = [];
  private readonly names = new UniqueNames();
  private readonly texts = new Map<Unit, UnitEmitter>();

  constructor(
    readonly model: CompiledModel,
    readonly trace: Trace,
    readonly groups: Groups,
  ) {
    this.names.take(className(model.info.name));
    for (const group of groups.all) {
      if (!group.isFunction) continue;
      // Functions' names are reserved before any value is named.
      this.functionNames.add(functionName(group.network.name.text));
    }
    for (const name of ['block']) this.functionNames.add(name);
  }

  unique(name: string, isFunction: boolean): string {
    return this.names.take(isFunction && !/^[a-z_]/.test(name) ? functionName(name) : name);
  }

  /** The unit of a group, emitted on first use. */
  unit(group: Group): Unit {
    if (group.unit) {
      if (group.isFunction && !this.texts.has(group.unit)) throw new Split(group);
      return group.unit;
    }
    const text = group.network.name.text;
    const unit = newUnit({
      kind: 'network',
      name: group.isFunction ? this.names.take(functionName(text)) : this.names.take(className(text)),
      doc: group.network.doc?.text ?? '',
      network: group.network,
      module: group.module,
      uses: group.uses,
      isFunction: group.isFunction,
    });
    group.unit = unit;
    this.functionNames.add(unit.name);
    const emitter = new UnitEmitter(this, unit, group);
    emitter.network();
    this.finish(emitter);
    return unit;
  }

  finish(emitter: UnitEmitter): void {
    this.texts.set(emitter.unit, emitter);
    this.units.push(emitter.unit);
  }

  connect(parent: UnitEmitter, child: Unit, find: (name: string) => Code): void {
    this.edges.push({ parent, child, find });
  }

  /** Marks what children need until nothing is added. */
  settle(): void {
    for (let changed = true; changed;) {
      changed = false;
      for (const { parent, child, find } of this.edges) {
        for (const name of this.parametersOf(child)) {
          for (const read of find(name).names) {
            const before = parent.unit.used.size;
            parent.mark(read, 'init');
            if (parent.unit.used.size > before) changed = true;
          }
        }
      }
    }
  }

  /** Static names that a class or function is given, in the order of the network's parameters. */
  parametersOf(unit: Unit): string[] {
    const names = [...unit.used].filter((name) => !unit.lets.has(name) && !this.derived(unit, name));
    const order = declaredOrder(unit);
    return names.sort((a, b) => rank(order, a) - rank(order, b) || (a < b ? -1 : 1));
  }

  /** Where a function finds a dimension: the tensor and its axis. */
  private derived(unit: Unit, name: string): string | undefined {
    if (!unit.isFunction || !unit.network) return undefined;
    for (const param of unit.network.params) {
      if (param.type.kind !== 'NamedType' || param.type.name.text !== 'f32') continue;
      const value = unit.uses[0].env.lookup(param.name.text);
      if (value?.kind !== 'tensor') continue;
      const args = param.type.args ?? [];
      const rest = args.findIndex((arg) => arg.kind === 'RestDim');
      const first = value.batched ? 1 : 0;
      const at = args.findIndex((arg) =>
        arg.kind === 'RestDim' ? arg.name.text === name : arg.kind === 'Ref' && arg.name.text === name,
      );
      if (at < 0) continue;
      const x = valueName(param.name.text);
      if (at === rest) {
        const after = args.length - rest - 1;
        return `${x}.shape[${rest + first}:${after > 0 ? `-${after}` : ''}]`;
      }
      return rest >= 0 && at > rest ? `${x}.shape[${at - args.length}]` : `${x}.shape[${at + first}]`;
    }
    return undefined;
  }

  /** Source text of a range in the unit's own file. */
  sourceOf(unit: Unit, range: Range): string {
    const text = unit.module?.text ?? this.model.project.root.text;
    return text.slice(range.start, range.end).replace(/\s+/g, ' ');
  }

  // ---- text

  render(unit: Unit): string[] {
    return unit.isFunction ? this.renderFunction(unit) : this.renderClass(unit);
  }

  private renderFunction(unit: Unit): string[] {
    const body = unit.forward.flatMap((line) => line());
    const parameters = this.parametersOf(unit);
    const inputs = [...unit.inputs.values()].map((name) => `${name}: Tensor`);
    const keywords = parameters.map((name) => `${valueName(name)}: ${typeOf(unit, name)}`);
    if (unit.needsDevice) keywords.push('device: torch.device');
    const all =
      keywords.length > 0 && inputs.length > 0 ? [...inputs, '*', ...keywords] : [...inputs, ...keywords];
    const locals = [...unit.used].flatMap((name) => {
      const from = unit.lets.has(name) ? undefined : this.derived(unit, name);
      return from === undefined ? [] : [`    ${valueName(name)} = ${from}`];
    });
    const emitter = this.texts.get(unit) as UnitEmitter;
    const lets = [...unit.lets].flatMap(([name, { code }]) =>
      unit.used.has(name) ? [`    ${valueName(name)} = ${emitter.write(code, 'init')}`] : [],
    );
    return [
      ...bracketed('', `def ${unit.name}(`, all, ') -> Tensor:'),
      ...docstring(unit.doc, '    '),
      ...locals,
      ...lets,
      ...body,
    ];
  }

  private renderClass(unit: Unit): string[] {
    const emitter = this.texts.get(unit) as UnitEmitter;
    const forward = unit.forward.flatMap((line) => line());
    const init: string[] = [];
    const lets = [...unit.lets].filter(([name]) => unit.used.has(name) || unit.kept.has(name));
    const letLines = (before: number) =>
      lets
        .filter(([, l]) => l.before === before)
        .flatMap(([name, { code }]) => {
          const own = valueName(name);
          const text = within(code, 0, (n, p) => emitter.naming(n, p), 'init');
          return [
            `        ${own} = ${text}`,
            ...(unit.kept.has(name) ? [`        self.${own} = ${own}`] : []),
          ];
        });
    unit.init.forEach((line, i) => {
      init.push(...letLines(i), ...line());
    });
    init.push(...letLines(unit.init.length));
    const parameters = this.parametersOf(unit);
    const keep = parameters
      .filter((name) => unit.kept.has(name))
      .map((name) => `        self.${valueName(name)} = ${valueName(name)}`);
    const signature = parameters.map((name) => `${valueName(name)}: ${typeOf(unit, name)}`);
    const inputs = [...unit.inputs.values()].map((name) => `${name}: Tensor`);
    const hasInit = init.length > 0 || keep.length > 0;
    return [
      `class ${unit.name}(Network):`,
      ...docstring(unit.doc, '    '),
      ...(unit.doc.trim() !== '' ? [''] : []),
      ...(hasInit
        ? [
            ...bracketed(
              '    ',
              'def __init__(',
              signature.length > 0 ? ['self', '*', ...signature] : ['self'],
              ') -> None:',
            ),
            '        super().__init__()',
            ...keep,
            ...init,
            '',
          ]
        : []),
      ...bracketed('    ', 'def forward(', ['self', ...inputs], ') -> Tensor:'),
      ...forward,
    ];
  }
}

/** `Fourier` as `fourier`: functions are written small. */
function functionName(name: string): string {
  const snake = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
  return valueName(snake);
}

function declaredOrder(unit: Unit): string[] {
  return (unit.network?.params ?? []).flatMap((param) => {
    const args = param.type.kind === 'NamedType' ? (param.type.args ?? []) : [];
    const dims = args.flatMap((arg) =>
      arg.kind === 'RestDim' ? [arg.name.text] : arg.kind === 'Ref' ? [arg.name.text] : [],
    );
    return [...dims, param.name.text];
  });
}

function rank(order: readonly string[], name: string): number {
  const at = order.indexOf(name);
  return at < 0 ? order.length : at;
}

function typeOf(unit: Unit, name: string): string {
  const value = unit.uses[0].env.lookup(name);
  switch (value?.kind) {
    case 'list':
      return 'tuple[int, ...]';
    case 'float':
      return 'float';
    case 'bool':
      return 'bool';
    case 'string':
      return 'str';
    default:
      return 'int';
  }
}

export interface EmittedNetworks {
  readonly emitter: Emitter;
  /** Of encoders, backbone and decoders, by path. */
  readonly declarations: ReadonlyMap<string, Unit>;
}

/** Emits every network of a model and its declarations; groups whose uses differ are taken apart. */
export function emitNetworks(model: CompiledModel): EmittedNetworks {
  const traced = trace(model);
  const { trainable, frozen, statistics } = model.layout;
  const slots: readonly Slot[] = [...trainable, ...frozen, ...statistics];
  const apart = new Set<string>();
  for (;;) {
    const groups = new Groups(
      traced.scopes,
      slots.map((slot) => slot.name),
      apart,
    );
    const emitter = new Emitter(model, traced, groups);
    try {
      const declarations = emitDeclarations(emitter);
      emitter.settle();
      return { emitter, declarations };
    } catch (error) {
      if (!(error instanceof Split) || apart.has(error.group.key)) throw error;
      apart.add(error.group.key);
    }
  }
}

function emitDeclarations(emitter: Emitter): Map<string, Unit> {
  const { info } = emitter.model;
  const units = new Map<string, Unit>();
  const declare = (
    path: string,
    name: string,
    range: Range,
    doc: string,
    expr: Parameters<UnitEmitter['declaration']>[0],
    inputs: string[],
  ) => {
    const use = emitter.trace.scopes.get(path);
    if (!use) return;
    const source = dedented(emitter.model.project.root.text.slice(range.start, range.end));
    const unit = newUnit({
      kind: 'declaration',
      name: emitter.unique(name, false),
      doc: `${doc === '' ? `\`${path}\` of the spec.` : doc}\n\n${source}`,
      uses: [use],
      isFunction: false,
    });
    const inner = new UnitEmitter(emitter, unit, undefined);
    inner.declaration(expr, inputs);
    emitter.finish(inner);
    units.set(path, unit);
  };
  for (const [name, encoder] of info.encoders)
    declare(
      `encoder.${name}`,
      `${className(name)}Encoder`,
      encoder.range,
      encoder.doc?.text ?? '',
      encoder.value,
      [name],
    );
  const { backbone } = info;
  declare('backbone', 'Backbone', backbone.range, backbone.doc?.text ?? '', backbone.value, [
    info.space.name,
    't',
    'given',
  ]);
  for (const [name, decoder] of info.decoders)
    declare(
      `decoder.${name}`,
      `${className(name)}Decoder`,
      decoder.range,
      decoder.doc?.text ?? '',
      decoder.value,
      [backbone.name.text, 't'],
    );
  return units;
}

/** Source text as a block of code, continuation lines set in by two columns. */
function dedented(text: string): string {
  const lines = text.split('\n').map((line) => line.trimEnd());
  const margins = lines
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.search(/\S/));
  const margin = Math.max(0, Math.min(...margins) - 2);
  return `\`\`\`mmd\n${lines.map((line, i) => (i === 0 ? line : line.slice(margin))).join('\n')}\n\`\`\``;
}
