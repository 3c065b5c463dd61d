/**
 * Evaluates expressions: static values to numbers, lists and strings, tensors to graph nodes. Checking a model and
 * lowering it are the same walk, so that what is checked is what runs.
 *
 * @module
 */
import type {
  Binary,
  Body,
  Call,
  Expr,
  IfExpr,
  Index,
  Name,
  Network,
  Pipe,
  Range,
  RepeatStage,
  Statement,
} from '../../grammar/ast.js';
import type { Place } from '../diagnostics/diagnostic.js';
import type { Diagnostics } from '../diagnostics/collect.js';
import { didYouMean } from '../diagnostics/suggest.js';
import { diagnostic, type Code, type ReportArgs } from '../diagnostics/table.js';
import type { GraphBuilder } from '../graph/builder.js';
import { sizeOf, type Node, type Shape } from '../graph/ir.js';
import type { Project } from '../project/project.js';
import { applyNetwork } from './apply.js';
import { binary, unary } from './arithmetic.js';
import type { Observer } from './observer.js';
import { builtins } from './builtins/index.js';
import { applyBuiltin } from './builtins/call.js';
import type { Environment, Frame } from './environment.js';
import type { ParameterTable } from './parameters.js';
import { bool, errorValue, float, int, list, showType, type TensorValue, type Value } from './values.js';

/** Bounds that end recursion and repetition with a diagnostic instead of a hung process. */
export const limits = {
  /** Networks inside each other. */
  depth: 64,
  /** Nodes of the graph. */
  nodes: 200_000,
  /** Expressions evaluated, for what makes no nodes. */
  evaluations: 2_000_000,
  repeat: 4096,
  /** Elements of one row of a tensor, or of a parameter: beyond this nothing could be trained. */
  elements: 2 ** 28,
  /** Items of a list, characters of a string. */
  length: 65_536,
};

/** An argument as written: the piped value, or an expression with an optional name. */
export interface Argument {
  readonly name?: Name;
  readonly expr?: Expr;
  readonly value?: Value;
  readonly range: Range;
}

export class Evaluator {
  private overflowed = false;
  private evaluations = 0;
  /** Names that unknown ones are still compared with: thousands of either would take minutes. */
  private comparisons = 300_000;
  /** Calls of library networks that have a problem: what else goes wrong inside follows from it. */
  private readonly faulty = new Set<string>();
  /** Called with the nodes that a use of a network has made. */
  onNetwork?: (path: string, network: Network, from: number, to: number) => void;
  /** Networks that were evaluated. */
  readonly used = new Set<Network>();
  /** Nodes made by `into`, with the channels of the space that they fill. */
  readonly placed = new WeakMap<Node, { readonly from: number; readonly to: number }>();

  constructor(
    readonly project: Project,
    readonly builder: GraphBuilder,
    readonly parameters: ParameterTable,
    readonly diagnostics: Diagnostics,
    /** Rows of batched tensors in this graph. */
    public batch: number,
    /** Is told what expressions and settings come to. */
    readonly observer?: Observer,
  ) {}

  // ---- problems

  /**
   * Reports a problem at `range`. Inside a network of the standard library the place is the user's own call, with
   * the inner place as a label and the chain of calls as help.
   */
  report<C extends Code>(code: C, env: Environment, range: Range, ...rest: ReportArgs<C>): typeof errorValue {
    const made = diagnostic(code, env.place(range), ...rest);
    const outer = env.frames.findIndex((frame) => frame.library);
    if (outer < 0) {
      this.diagnostics.add(
        env.frames.length === 0 ? made : { ...made, help: joinHelp(made.help, chain(env.frames)) },
      );
      return errorValue;
    }
    const call = env.frames[outer].call;
    const key = `${call.file}:${call.range.start}:${call.range.end}`;
    if (this.faulty.has(key)) return errorValue;
    this.faulty.add(key);
    this.diagnostics.add({
      ...made,
      file: call.file,
      range: call.range,
      labels: [
        ...made.labels,
        {
          file: made.file,
          range: made.range,
          message: `here, inside \`${env.frames[env.frames.length - 1].network}\``,
        },
      ],
      help: joinHelp(made.help, chain(env.frames)),
    });
    return errorValue;
  }

  /** False, with one diagnostic, once the graph has grown past its bound. */
  withinBudget(env: Environment, range: Range): boolean {
    if (this.overflowed) return false;
    const { nodes, evaluations } = limits;
    const tooMany = this.builder.nodes.length > nodes;
    if (!tooMany && ++this.evaluations <= evaluations) return true;
    this.report('MMD0802', env, range, { limit: tooMany ? nodes : evaluations });
    this.overflowed = true;
    return false;
  }

  /** False, with a diagnostic, where a shape is too large for anything to hold it. */
  fits(shape: Shape, env: Environment, range: Range): boolean {
    const elements = sizeOf(shape);
    if (elements <= limits.elements) return true;
    this.report('MMD0803', env, range, { elements, limit: limits.elements });
    return false;
  }

  // ---- expressions

  evaluate(expr: Expr, env: Environment): Value {
    if (!this.withinBudget(env, expr.range)) return errorValue;
    const value = this.compute(expr, env);
    this.observer?.value(expr, value, env);
    return value;
  }

  private compute(expr: Expr, env: Environment): Value {
    switch (expr.kind) {
      case 'Number':
        return expr.integer ? int(expr.value) : float(expr.value);
      case 'String':
        return { kind: 'string', value: expr.value };
      case 'Bool':
        return bool(expr.value);
      case 'Ref':
        return this.name(expr.name, env);
      case 'Paren':
        return this.evaluate(expr.inner, env);
      case 'List':
        return this.list(expr.items, env);
      case 'Tuple':
        return { kind: 'tuple', items: expr.items.map((item) => this.evaluate(item, env)) };
      case 'Range':
        return this.range(expr.from, expr.to, env);
      case 'Unary':
        return unary(this, env, expr, this.evaluate(expr.operand, env));
      case 'Binary':
        return this.binary(expr, env);
      case 'Index':
        return this.index(expr, env);
      case 'Call':
        return this.call(expr, undefined, env);
      case 'Pipe':
        return this.pipe(expr, env);
      case 'If':
        return this.conditional(expr, env);
      case 'Repeat':
      case 'Error':
        return errorValue;
    }
  }

  body(body: Body, env: Environment): Value {
    // What follows a requirement may rely on it.
    for (const statement of body.statements) if (!this.statement(statement, env)) return errorValue;
    return this.evaluate(body.result, env);
  }

  /** @returns false where a `require` is not met */
  statement(statement: Statement, env: Environment): boolean {
    if (statement.kind === 'Let') {
      const value = this.evaluate(statement.value, env);
      if (!statement.tuple) {
        env.define(statement.names[0]?.text ?? '', value);
        return true;
      }
      const items = value.kind === 'tuple' || value.kind === 'list' ? value.items : undefined;
      if (items && items.length === statement.names.length) {
        statement.names.forEach((name, i) => env.define(name.text, items[i]));
        return true;
      }
      if (value.kind !== 'error') {
        this.report('MMD0419', env, statement.range, {
          names: statement.names.length,
          values: items?.length ?? 1,
        });
      }
      for (const name of statement.names) env.define(name.text, errorValue);
      return true;
    }
    const condition = this.evaluate(statement.condition, env);
    const message = this.evaluate(statement.message, env);
    if (condition.kind !== 'bool') {
      this.expected(env, statement.condition.range, 'the condition of `require`', 'true or false', condition);
    } else if (!condition.value) {
      this.report('MMD0408', env, statement.range, {
        message: message.kind === 'string' ? message.value : 'a requirement is not met',
      });
    }
    return condition.kind === 'bool' && condition.value;
  }

  /** Evaluates an expression that must be a tensor. */
  tensor(expr: Expr, env: Environment, what: string): TensorValue | undefined {
    const value = this.evaluate(expr, env);
    if (value.kind === 'tensor') return value;
    if (value.kind !== 'error') this.expected(env, expr.range, what, 'a tensor', value);
    return undefined;
  }

  /** Reports a value of the wrong kind. */
  expected(env: Environment, range: Range, what: string, expected: string, found: Value): typeof errorValue {
    if (found.kind === 'error') return errorValue;
    return this.report('MMD0406', env, range, { what, expected, found: showType(found) });
  }

  /** A name that is neither a value, a network nor a primitive. */
  unknown(name: Name, env: Environment, candidates: () => readonly string[]): Value {
    if (name.text === '') return errorValue;
    const reason = env.reasonHidden(name.text);
    if (reason !== undefined) {
      return this.report('MMD0308', env, name.range, { kind: 'the name', name: name.text, reason });
    }
    let near: string | undefined;
    if (this.comparisons > 0) {
      const names = candidates();
      this.comparisons -= names.length;
      near = didYouMean(name.text, names);
    }
    const help = near === undefined ? {} : { help: `did you mean \`${near}\`?` };
    return this.report('MMD0301', env, name.range, { name: name.text }, help);
  }

  /** What a callee's name refers to. */
  callee(name: Name, env: Environment): Value | undefined {
    const value = env.lookup(name.text);
    if (value) return value;
    const visible = env.module.scope.get(name.text) ?? this.project.prelude.get(name.text);
    if (visible?.declaration.kind !== 'Network') return undefined;
    return { kind: 'network', network: visible.declaration, module: visible.module };
  }

  private name(name: Name, env: Environment): Value {
    if (name.text === '') return errorValue;
    const value = this.callee(name, env);
    if (value) return value;
    if (builtins.has(name.text)) {
      return this.report(
        'MMD0307',
        env,
        name.range,
        { name: name.text, found: 'a function', expected: 'a value' },
        { help: `call it, \`${name.text}(x)\`, or pass a value to it, \`x |> ${name.text}\`` },
      );
    }
    return this.unknown(name, env, () => env.names());
  }

  private list(exprs: readonly Expr[], env: Environment): Value {
    const items = exprs.map((item) => this.evaluate(item, env));
    return items.some((item) => item.kind === 'error') ? errorValue : list(items);
  }

  private range(from: Expr | undefined, to: Expr | undefined, env: Environment): Value {
    const end = (expr: Expr | undefined): number | undefined | 'error' => {
      if (!expr) return undefined;
      const value = this.evaluate(expr, env);
      if (value.kind === 'int') return value.value;
      this.expected(env, expr.range, 'an end of a range', 'an integer', value);
      return 'error';
    };
    const [first, last] = [end(from), end(to)];
    if (first === 'error' || last === 'error') return errorValue;
    return { kind: 'range', from: first, to: last };
  }

  private binary(expr: Binary, env: Environment): Value {
    const left = this.evaluate(expr.left, env);
    if ((expr.op === '&&' || expr.op === '||') && left.kind === 'bool' && left.value === (expr.op === '||'))
      return left;
    return binary(this, env, expr, left, this.evaluate(expr.right, env));
  }

  private index(expr: Index, env: Environment): Value {
    const target = this.evaluate(expr.target, env);
    const index = this.evaluate(expr.index, env);
    if (target.kind === 'error' || index.kind === 'error') return errorValue;
    if (target.kind !== 'list' && target.kind !== 'tuple') {
      return this.expected(env, expr.target.range, 'what is indexed', 'a list or a tuple', target);
    }
    const length = target.items.length;
    if (index.kind === 'range') {
      const from = index.from ?? 0;
      const to = index.to ?? length;
      if (from < 0 || to > length || from > to) {
        return this.report('MMD0413', env, expr.index.range, { index: `${from}..${to}`, length });
      }
      return list(target.items.slice(from, to));
    }
    if (index.kind !== 'int')
      return this.expected(env, expr.index.range, 'an index', 'an integer or a range', index);
    const at = index.value < 0 ? index.value + length : index.value;
    return target.items[at] ?? this.report('MMD0413', env, expr.index.range, { index: index.value, length });
  }

  private conditional(expr: IfExpr, env: Environment): Value {
    const condition = this.evaluate(expr.condition, env);
    if (condition.kind === 'error') return errorValue;
    if (condition.kind !== 'bool') {
      return this.expected(env, expr.condition.range, 'the condition of `if`', 'true or false', condition);
    }
    if (condition.value) return this.body(expr.then, env.child());
    return expr.otherwise.kind === 'If'
      ? this.conditional(expr.otherwise, env)
      : this.body(expr.otherwise, env.child());
  }

  // ---- calls

  private pipe(expr: Pipe, env: Environment): Value {
    const left = this.evaluate(expr.left, env);
    return this.stage(expr.stage, { value: left, range: expr.left.range }, env);
  }

  /** One stage of a pipe, applied to `input`. */
  private stage(stage: Pipe['stage'], input: Argument, env: Environment): Value {
    const value = this.applyStage(stage, input, env);
    this.observer?.value(stage, value, env);
    return value;
  }

  private applyStage(stage: Pipe['stage'], input: Argument, env: Environment): Value {
    switch (stage.kind) {
      case 'Ref':
        return this.apply(stage.name, [input], stage.range, env);
      case 'Call':
        return this.call(stage, input, env);
      case 'Repeat':
        return this.repeat(stage, input, env);
      case 'Error':
        return errorValue;
    }
  }

  private call(call: Call, piped: Argument | undefined, env: Environment): Value {
    const written = call.args.map((arg): Argument => ({
      name: arg.name,
      expr: arg.value,
      range: arg.value.range,
    }));
    return this.apply(call.callee, piped ? [piped, ...written] : written, call.range, env);
  }

  protected apply(callee: Name, args: readonly Argument[], range: Range, env: Environment): Value {
    if (callee.text === '') return errorValue;
    if (!this.withinBudget(env, range)) return errorValue;
    const target = this.callee(callee, env);
    if (target?.kind === 'network')
      return this.located(env, range, () => applyNetwork(this, target, callee, args, range, env));
    const builtin = builtins.get(callee.text);
    if (target === undefined && builtin)
      return this.located(env, range, () => {
        const value = applyBuiltin(this, builtin, args, range, env);
        return value.kind === 'tensor' && !this.fits(value.shape, env, range) ? errorValue : value;
      });
    if (target === undefined) {
      const networks = (): string[] =>
        [...env.module.scope, ...this.project.prelude]
          .filter(([, visible]) => visible.declaration.kind === 'Network')
          .map(([name]) => name);
      return this.unknown(callee, env, () => [...builtins.keys(), ...networks()]);
    }
    if (target.kind === 'error') return errorValue;
    return this.report('MMD0307', env, callee.range, {
      name: callee.text,
      found: showType(target),
      expected: 'a network or a function',
    });
  }

  protected repeat(stage: RepeatStage, input: Argument, env: Environment): Value {
    const count = this.evaluate(stage.count, env);
    let value = input.value ?? errorValue;
    if (count.kind === 'error' || value.kind === 'error') return errorValue;
    if (count.kind !== 'int' || count.value < 0 || count.value > limits.repeat) {
      return this.report('MMD0414', env, stage.count.range, {
        what: 'the count of `repeat`',
        expected: `an integer from 0 to ${limits.repeat}`,
        found: showType(count),
      });
    }
    const scope = env.parameters.enter('repeat');
    const before = showType(value);
    for (let i = 0; i < count.value; i++) {
      const round = env.child(scope.round(i));
      for (const inner of stage.stages) value = this.stage(inner, { value, range: inner.range }, round);
      if (value.kind === 'error') return errorValue;
      const after = showType(value);
      if (after !== before) return this.report('MMD0418', env, stage.range, { left: before, right: after });
    }
    return value;
  }

  /** Runs `make` with the graph builder's origin set to the user's side of this place. */
  private located(env: Environment, range: Range, make: () => Value): Value {
    const outer = this.builder.origin;
    const frame = env.frames.find((f) => f.library);
    const place: Place = frame ? frame.call : env.place(range);
    this.builder.origin = { file: place.file, start: place.range.start, end: place.range.end };
    const value = make();
    this.builder.origin = outer;
    return value;
  }
}

function chain(frames: readonly Frame[]): string {
  return frames
    .map((frame) =>
      frame.bindings === '' ? `in \`${frame.network}\`` : `in \`${frame.network}\` with ${frame.bindings}`,
    )
    .slice(-6)
    .join(', ');
}

function joinHelp(help: string | undefined, more: string): string {
  return help === undefined ? more : `${help}; ${more}`;
}
