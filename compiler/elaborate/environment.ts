/**
 * Names in scope while an expression is evaluated, and the chain of network uses that led there.
 *
 * @module
 */
import type { Range } from '../../grammar/ast.js';
import type { Place } from '../diagnostics/diagnostic.js';
import type { Module } from '../project/project.js';
import type { Value } from './values.js';

/** One use of a network on the way to the expression being evaluated. */
export interface Frame {
  readonly network: string;
  /** Where it was called. */
  readonly call: Place;
  /** Whether the network's own file belongs to the standard library. */
  readonly library: boolean;
  /** `H = 28, W = 28`: dimensions and static arguments, for messages. */
  bindings: string;
}

/**
 * Where parameters made by an expression belong: a path such as `backbone.UNet_1`, with a counter per callee so
 * that each written call owns its parameters and evaluating a declaration again finds the same ones.
 */
export class ParameterScope {
  private readonly counts = new Map<string, number>();

  constructor(readonly path: string) {}

  /** The scope of the next call of `callee` written here. */
  enter(callee: string): ParameterScope {
    const count = (this.counts.get(callee) ?? 0) + 1;
    this.counts.set(callee, count);
    return new ParameterScope(`${this.path}.${callee}_${count}`);
  }

  /** How many calls of `callee` were entered here so far. */
  entered(callee: string): number {
    return this.counts.get(callee) ?? 0;
  }

  /** One round of a repetition. */
  round(index: number): ParameterScope {
    return new ParameterScope(`${this.path}.${index}`);
  }
}

export class Environment {
  private readonly values = new Map<string, Value>();

  constructor(
    readonly module: Module,
    readonly parameters: ParameterScope,
    readonly frames: readonly Frame[],
    private readonly parent?: Environment,
    /** Names that exist in the model but not in this place, with the reason. */
    private readonly hidden: ReadonlyMap<string, string> = new Map(),
  ) {}

  define(name: string, value: Value): void {
    if (name !== '') this.values.set(name, value);
  }

  lookup(name: string): Value | undefined {
    return this.values.get(name) ?? this.parent?.lookup(name);
  }

  /** Why a name of the model cannot be used here, if that is the case. */
  reasonHidden(name: string): string | undefined {
    return this.hidden.get(name) ?? this.parent?.reasonHidden(name);
  }

  /** Names in scope, innermost first, for suggestions. */
  names(): string[] {
    return [...this.values.keys(), ...(this.parent?.names() ?? [])];
  }

  /** A nested scope for a body, with the same parameters. */
  child(parameters: ParameterScope = this.parameters): Environment {
    return new Environment(this.module, parameters, this.frames, this);
  }

  place(range: Range): Place {
    return { file: this.module.file, range };
  }
}
