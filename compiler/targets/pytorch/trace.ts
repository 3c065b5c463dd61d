/**
 * What a model's expressions came to: every use of a network, every value, every call, by the path under which its
 * parameters lie. Elaborating a model with a {@link TracingEvaluator} is the walk that the compiler makes anyway, so
 * the emitted program says what was checked.
 *
 * @module
 */
import type { Expr, Name, Network, Range, RepeatStage } from '../../../grammar/ast.js';
import { Diagnostics } from '../../diagnostics/collect.js';
import type { CompiledModel } from '../../driver.js';
import type { Environment } from '../../elaborate/environment.js';
import { Evaluator, type Argument } from '../../elaborate/evaluator.js';
import { ParameterTable } from '../../elaborate/parameters.js';
import type { Value } from '../../elaborate/values.js';
import { GraphBuilder } from '../../graph/builder.js';
import { ModelNetworks } from '../../lower/networks.js';
import { forwardGraph } from '../../lower/training.js';
import type { Module } from '../../project/project.js';

/** One call as it was made. */
export interface CallRecord {
  readonly callee: string;
  /** The network that was called; undefined for a builtin. */
  readonly network?: Network;
  readonly module?: Module;
  /** Where its parameters lie. */
  readonly path: string;
  readonly args: readonly Argument[];
  readonly value: Value;
}

export interface RepeatRecord {
  /** `PATH.repeat_1`; its rounds are `PATH.repeat_1.0` and so on. */
  readonly path: string;
  readonly count: number;
  readonly input: Value;
  readonly value: Value;
}

/** One evaluation of a body: a use of a network, a round of a repetition, a declaration. */
export interface Scope {
  readonly path: string;
  readonly env: Environment;
  readonly values: Map<Expr, Value>;
  /** By the range object of the call's syntax. */
  readonly calls: Map<Range, CallRecord>;
  readonly repeats: Map<RepeatStage, RepeatRecord>;
}

export class TracingEvaluator extends Evaluator {
  readonly scopes = new Map<string, Scope>();

  override evaluate(expr: Expr, env: Environment): Value {
    const scope = this.scope(env);
    const value = super.evaluate(expr, env);
    scope.values.set(expr, value);
    return value;
  }

  protected override apply(callee: Name, args: readonly Argument[], range: Range, env: Environment): Value {
    const scope = this.scope(env);
    const value = super.apply(callee, args, range, env);
    const target = this.callee(callee, env);
    const path = `${env.parameters.path}.${callee.text}_${env.parameters.entered(callee.text)}`;
    const network = target?.kind === 'network' ? { network: target.network, module: target.module } : {};
    scope.calls.set(range, { callee: callee.text, ...network, path, args, value });
    return value;
  }

  protected override repeat(stage: RepeatStage, input: Argument, env: Environment): Value {
    const scope = this.scope(env);
    const value = super.repeat(stage, input, env);
    const count = scope.values.get(stage.count);
    scope.repeats.set(stage, {
      path: `${env.parameters.path}.repeat_${env.parameters.entered('repeat')}`,
      count: count?.kind === 'int' ? count.value : 0,
      input: input.value ?? value,
      value,
    });
    return value;
  }

  private scope(env: Environment): Scope {
    const { path } = env.parameters;
    let scope = this.scopes.get(path);
    if (!scope) {
      scope = { path, env, values: new Map(), calls: new Map(), repeats: new Map() };
      this.scopes.set(path, scope);
    }
    return scope;
  }
}

export interface Trace {
  readonly scopes: ReadonlyMap<string, Scope>;
  readonly networks: ModelNetworks;
}

/** Elaborates a checked model once more, keeping everything. */
export function trace(model: CompiledModel): Trace {
  const parameters = new ParameterTable();
  const builder = new GraphBuilder(model.info.name);
  const evaluator = new TracingEvaluator(model.project, builder, parameters, new Diagnostics(), 2);
  const networks = new ModelNetworks(model.info, model.constants, evaluator);
  forwardGraph(networks, 2);
  return { scopes: evaluator.scopes, networks };
}
