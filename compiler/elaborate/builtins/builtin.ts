/**
 * What a function of the language's core is: a row with its parameters, documentation and meaning.
 *
 * @module
 */
import type { Range } from '../../../grammar/ast.js';
import type { ReportArgs, Code } from '../../diagnostics/table.js';
import type { GraphBuilder } from '../../graph/builder.js';
import type { Node, Shape } from '../../graph/ir.js';
import type { Environment, ParameterScope } from '../environment.js';
import type { Evaluator } from '../evaluator.js';
import type { Degree, errorValue, Init, TensorValue, Value } from '../values.js';

export type ParamType =
  'tensor' | 'int' | 'float' | 'bool' | 'ints' | 'range' | 'init' | 'space' | 'shaped' | 'list' | 'any';

export interface BuiltinParam {
  readonly name: string;
  readonly type: ParamType;
  /** Missing arguments take this; without it the argument is required. */
  readonly default?: number | boolean | Init | null;
  /** The last parameter may take any number of arguments. */
  readonly variadic?: boolean;
  readonly about: string;
}

export interface Builtin {
  readonly name: string;
  readonly params: readonly BuiltinParam[];
  /** Type of the result in the language's notation. */
  readonly result: string;
  /** One paragraph of Markdown. */
  readonly about: string;
  apply(call: BuiltinCall): Value;
}

/** The checked arguments of one call, and what building needs. */
export class BuiltinCall {
  constructor(
    readonly evaluator: Evaluator,
    readonly builtin: Builtin,
    readonly env: Environment,
    readonly range: Range,
    private readonly values: ReadonlyMap<string, Value | Init | null>,
    private readonly variadic: readonly Value[],
    private readonly ranges: ReadonlyMap<string, Range>,
  ) {}

  get builder(): GraphBuilder {
    return this.evaluator.builder;
  }

  /** Parameters of this call belong here. Each call of it is one written call: take it once. */
  scope(): ParameterScope {
    return this.env.parameters.enter(this.builtin.name);
  }

  tensor(name: string): TensorValue {
    return this.values.get(name) as TensorValue;
  }

  number(name: string): number {
    return (this.values.get(name) as { value: number }).value;
  }

  bool(name: string): boolean {
    return (this.values.get(name) as { value: boolean }).value;
  }

  ints(name: string): number[] {
    const value = this.values.get(name) as Extract<Value, { kind: 'list' }>;
    return value.items.map((item) => (item as { value: number }).value);
  }

  init(name: string): Init | null {
    return this.values.get(name) as Init | null;
  }

  value(name: string): Value {
    return this.values.get(name) as Value;
  }

  /** Whether an optional argument without a default value was left out. */
  missing(name: string): boolean {
    return this.values.get(name) === null;
  }

  tensors(): readonly TensorValue[] {
    return this.variadic as readonly TensorValue[];
  }

  rest(): readonly Value[] {
    return this.variadic;
  }

  rangeOf(name: string): Range {
    return this.ranges.get(name) ?? this.range;
  }

  fail<C extends Code>(code: C, at: string | undefined, ...rest: ReportArgs<C>): typeof errorValue {
    return this.evaluator.report(code, this.env, at === undefined ? this.range : this.rangeOf(at), ...rest);
  }

  /** False, with a diagnostic, where a shape is too large for anything to hold it. */
  fits(shape: Shape): boolean {
    return this.evaluator.fits(shape, this.env, this.range);
  }

  /** Reports a tensor of the wrong shape. */
  shapeError(at: string, expected: string, found: string): typeof errorValue {
    return this.fail('MMD0401', at, {
      what: `the argument \`${at}\` of \`${this.builtin.name}\``,
      expected,
      found,
    });
  }

  parameter(scope: ParameterScope, name: string, shape: Shape, init: Init, decay: boolean): TensorValue {
    const node = this.evaluator.parameters.use(this.builder, {
      name: `${scope.path}.${name}`,
      shape,
      init,
      decay,
      trainable: true,
    });
    return { kind: 'tensor', node, shape, batched: false, degree: 'constant' };
  }

  /** A tensor like `of`, with another node, shape or degree. */
  make(of: TensorValue, node: Node, shape: Shape, degree: Degree): TensorValue {
    return { kind: 'tensor', node, shape, batched: of.batched, degree };
  }
}

/** Leading axes of a node that the language does not see. */
export const hidden = (value: TensorValue): Shape => (value.batched ? value.node.shape.slice(0, 1) : []);
