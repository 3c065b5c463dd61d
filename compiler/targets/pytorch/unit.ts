/**
 * Units of emitted code: a network (in all its uses of one kind), a round of a repetition, a declaration. A unit
 * becomes a module class, or a function where it has no parameters.
 *
 * @module
 */
import type { Expr, Network, Range, RepeatStage } from '../../../grammar/ast.js';
import type { Module } from '../../project/project.js';
import type { Code } from './statics.js';
import type { CallRecord, Scope } from './trace.js';

/** One submodule of a class. */
export interface Child {
  readonly unit: Unit;
  /** What the child's static names are, in terms of this unit's. */
  readonly mapping: ReadonlyMap<string, () => Code>;
}

/** A line of code, written once all units are known. */
export type Line = () => string[];

export interface Unit {
  readonly kind: 'network' | 'round' | 'declaration';
  /** Name of the class or function. */
  name: string;
  /** Text for the docstring. */
  doc: string;
  readonly network?: Network;
  readonly module?: Module;
  readonly uses: readonly Scope[];
  /** Whether it becomes a function. */
  readonly isFunction: boolean;
  /** Whether a function makes constants and has no tensor beside which to make them. */
  needsDevice?: boolean;
  /** Tensor parameters of `forward`, by the spec's names, with their names in Python. */
  readonly inputs: Map<string, string>;
  /** Static names that `__init__` (or the function) is given, filled while emitting. */
  readonly used: Set<string>;
  /** Static names that `forward` reads from attributes. */
  readonly kept: Set<string>;
  /** `let`s of static values that are written out, with their codes. */
  readonly lets: Map<string, { readonly code: Code; readonly before: number }>;
  readonly init: Line[];
  readonly forward: Line[];
  readonly children: Child[];
}

export function newUnit(
  part: Pick<Unit, 'kind' | 'name' | 'doc' | 'uses' | 'isFunction'> & Partial<Unit>,
): Unit {
  return {
    inputs: new Map(),
    used: new Set(),
    kept: new Set(),
    lets: new Map(),
    init: [],
    forward: [],
    children: [],
    ...part,
  };
}

/** Thrown where one class cannot serve all uses: the group is then taken apart. */
export class Split extends Error {
  constructor(readonly group: Group) {
    super('uses differ');
  }
}

/** Uses of one network whose tensors have equally many axes. */
export interface Group {
  readonly network: Network;
  readonly module: Module;
  readonly key: string;
  readonly uses: readonly Scope[];
  readonly records: readonly CallRecord[];
  readonly isFunction: boolean;
  unit?: Unit;
}

/** Groups of all network uses of a trace. */
export class Groups {
  readonly all: Group[] = [];
  private readonly byPath = new Map<string, Group>();
  private readonly parameterPaths = new Set<string>();

  constructor(scopes: ReadonlyMap<string, Scope>, parameters: Iterable<string>, apart: ReadonlySet<string>) {
    for (const name of parameters) {
      const parts = name.split('.');
      for (let i = 1; i < parts.length; i++) this.parameterPaths.add(parts.slice(0, i).join('.'));
    }
    const collected = new Map<string, { uses: Scope[]; records: CallRecord[] }>();
    const identity = new Map<Network, number>();
    for (const scope of scopes.values()) {
      for (const record of scope.calls.values()) {
        const inner = scopes.get(record.path);
        if (!record.network || !inner || record.value.kind !== 'tensor') continue;
        const id = identity.get(record.network) ?? identity.size;
        identity.set(record.network, id);
        const base = `${id} ${signature(record.network, inner)}`;
        const key = apart.has(base) ? `${base} ${record.path}` : base;
        const list = collected.get(key) ?? { uses: [], records: [] };
        list.uses.push(inner);
        list.records.push(record);
        collected.set(key, list);
      }
    }
    for (const [key, { uses, records }] of collected) {
      const [first] = records;
      const group: Group = {
        network: first.network as Network,
        module: first.module as Module,
        key: key.split(' ').slice(0, 2).join(' '),
        uses,
        records,
        isFunction: !uses.some((use) => this.hasParameters(use.path)),
      };
      this.all.push(group);
      for (const use of uses) this.byPath.set(use.path, group);
    }
  }

  of(path: string): Group {
    return this.byPath.get(path) as Group;
  }

  hasParameters(path: string): boolean {
    return this.parameterPaths.has(path);
  }
}

/** Ranks of the tensors that a network is given. */
function signature(network: Network, use: Scope): string {
  return network.params
    .map((param) => {
      const value = use.env.lookup(param.name.text);
      if (value?.kind !== 'tensor') return '-';
      return `${value.shape.length}${value.batched ? 'b' : ''}`;
    })
    .join(',');
}

export type { Expr, Range, RepeatStage };
