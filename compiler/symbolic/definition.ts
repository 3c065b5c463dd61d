/**
 * The check of a network where it is defined: its body is evaluated once over symbols. Only what is wrong for every use is
 * reported here; what depends on the numbers is settled when the network is used.
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
import type { Diagnostics } from '../diagnostics/collect.js';
import { didYouMean } from '../diagnostics/suggest.js';
import type { Code, ReportArgs } from '../diagnostics/table.js';
import { builtins } from '../elaborate/builtins/index.js';
import type { Module, Project, Visible } from '../project/project.js';
import { binary, unary } from './arithmetic.js';
import { applyFunction } from './functions.js';
import { Names } from './names.js';
import {
  bindParameters,
  declaredResult,
  isOfType,
  matchParameter,
  ofType,
  typeName,
  type Callee,
} from './signature.js';
import {
  any,
  Dims,
  int,
  isRest,
  showShape,
  showType,
  tensor,
  type Dim,
  type Shape,
  type Sym,
} from './values.js';

/** An argument as written, or the value that a pipe passes. */
export interface Argument {
  readonly name?: Name;
  readonly expr?: Expr;
  readonly value?: Sym;
  readonly range: Range;
}

/** Called with what a body ends in, for every branch. */
type AtEnd = (value: Sym, range: Range) => void;

/** Expressions of signatures that are evaluated for calls: hostile programs multiply them. */
export class Budget {
  left = 4_000_000;
}

export class Definition {
  readonly dims = new Dims();
  /** While positive, a signature is evaluated for a call: what is wrong in it is reported where it is defined. */
  private foreign = 0;
  /** Where names that are not values are looked up. */
  private scope: Module;
  private reports = 0;

  constructor(
    readonly project: Project,
    readonly module: Module,
    private readonly diagnostics: Diagnostics,
    private readonly budget: Budget,
    private readonly onReport: (code: Code, range: Range) => void,
  ) {
    this.scope = module;
  }

  check(network: Network): void {
    const names = Names.empty();
    bindParameters(this, network, names);
    for (const { name, type, default: value } of network.params) {
      if (!value || type.kind !== 'NamedType') continue;
      const found = this.evaluate(value, names);
      const what = `the default of \`${name.text}\``;
      if (!isOfType(type.name.text, found)) this.expected(value.range, what, typeName(type.name.text), found);
    }
    const declared = declaredResult(this, network.result, names);
    this.body(network.body, names, (value, range) => this.checkResult(network, declared, value, range));
  }

  private checkResult(network: Network, declared: Sym, value: Sym, range: Range): void {
    const type = network.result;
    if (value.kind === 'any' || declared.kind === 'any') return;
    const fits =
      declared.kind === 'tensor'
        ? value.kind === 'tensor' &&
          (!value.shape ||
            !declared.shape ||
            this.dims.compareShapes(declared.shape, value.shape) !== 'different')
        : declared.kind === 'list'
          ? value.kind === 'list'
          : type.kind !== 'NamedType' || isOfType(type.name.text, value);
    if (fits) return;
    const expected =
      declared.kind === 'tensor' && declared.shape
        ? `\`${showShape(declared.shape)}\``
        : type.kind === 'NamedType'
          ? typeName(type.name.text)
          : 'a list';
    const labels = [{ file: this.module.file, range: type.range, message: 'declared here' }];
    this.report(
      'MMD0416',
      range,
      { network: network.name.text, expected, found: showType(value) },
      { labels },
    );
  }

  // ---- problems

  report<C extends Code>(code: C, range: Range, ...rest: ReportArgs<C>): Sym {
    if (this.foreign === 0) {
      this.diagnostics.report(code, { file: this.module.file, range }, ...rest);
      this.onReport(code, range);
      this.reports++;
    }
    return any;
  }

  expected(range: Range, what: string, expected: string, found: Sym): Sym {
    return found.kind === 'any'
      ? any
      : this.report('MMD0406', range, { what, expected, found: showType(found) });
  }

  // ---- expressions

  evaluate(expr: Expr, names: Names): Sym {
    // A default may call its own network.
    if (this.foreign > mostForeign || (this.foreign > 0 && --this.budget.left < 0)) return any;
    switch (expr.kind) {
      case 'Number':
        return expr.integer ? int(expr.value) : { kind: 'float', value: expr.value };
      case 'String':
        return { kind: 'string', value: expr.value };
      case 'Bool':
        return { kind: 'bool', value: expr.value };
      case 'Ref':
        return this.callee(expr.name, names) ?? any;
      case 'Paren':
        return this.evaluate(expr.inner, names);
      case 'List':
        return { kind: 'list', items: expr.items.map((item) => this.evaluate(item, names)) };
      case 'Tuple':
        return { kind: 'tuple', items: expr.items.map((item) => this.evaluate(item, names)) };
      case 'Range':
        return this.range(expr.from, expr.to, names);
      case 'Unary':
        return unary(this, expr, this.evaluate(expr.operand, names));
      case 'Binary':
        return this.binary(expr, names);
      case 'Index':
        return this.index(expr, names);
      case 'Call':
        return this.call(expr, undefined, names);
      case 'Pipe':
        return this.stage(
          expr.stage,
          { value: this.evaluate(expr.left, names), range: expr.left.range },
          names,
        );
      case 'If':
        return this.conditional(expr, names);
      case 'Repeat':
      case 'Error':
        return any;
    }
  }

  private body(body: Body, around: Names, atEnd?: AtEnd): Sym {
    const names = around.child();
    for (const statement of body.statements) if (!this.statement(statement, names)) return any;
    let { result } = body;
    while (result.kind === 'Paren') result = result.inner;
    if (result.kind === 'If') return this.conditional(result, names, atEnd);
    const value = this.evaluate(result, names);
    atEnd?.(value, body.result.range);
    return value;
  }

  /** @returns false where nothing after it is reached */
  private statement(statement: Statement, names: Names): boolean {
    if (statement.kind === 'Require') {
      const condition = this.evaluate(statement.condition, names);
      this.evaluate(statement.message, names);
      if (condition.kind === 'bool') return condition.value !== false;
      this.expected(statement.condition.range, 'the condition of `require`', 'true or false', condition);
      return condition.kind === 'any';
    }
    const value = this.evaluate(statement.value, names);
    if (!statement.tuple) {
      names.define(statement.names[0]?.text ?? '', value);
      return true;
    }
    const items = value.kind === 'tuple' || value.kind === 'list' ? value.items : undefined;
    const open = value.kind === 'any' || (value.kind === 'list' && (!items || items.some(isRest)));
    if (!open && items?.length !== statement.names.length) {
      this.report('MMD0419', statement.range, { names: statement.names.length, values: items?.length ?? 1 });
    }
    statement.names.forEach((name, i) => {
      const item = open || items?.length !== statement.names.length ? undefined : items[i];
      names.define(name.text, item && !isRest(item) ? item : any);
    });
    return true;
  }

  private conditional(expr: IfExpr, names: Names, atEnd?: AtEnd): Sym {
    const condition = this.evaluate(expr.condition, names);
    const known = condition.kind === 'bool' ? condition.value : undefined;
    if (condition.kind !== 'bool')
      this.expected(expr.condition.range, 'the condition of `if`', 'true or false', condition);
    const yes = known === false ? undefined : this.body(expr.then, names, atEnd);
    if (known === true) return yes as Sym;
    const no =
      expr.otherwise.kind === 'If'
        ? this.conditional(expr.otherwise, names, atEnd)
        : this.body(expr.otherwise, names, atEnd);
    return yes ? this.join(yes, no) : no;
  }

  /** What is known of a value that is one of two. */
  private join(a: Sym, b: Sym): Sym {
    if (a === b) return a;
    if (a.kind === 'tensor' && b.kind === 'tensor') {
      const [x, y] = [a.shape, b.shape];
      if (!x || !y || x.length !== y.length) return tensor(undefined);
      const shape: Shape = x.map((item, i) => {
        const other = y[i];
        if (isRest(item) || isRest(other)) return item;
        return this.dims.compare(item, other) === 'equal' ? item : this.dims.unknown();
      });
      const rests = x.every((item, i) => {
        const other = y[i];
        return isRest(item) === isRest(other) && (!isRest(item) || item.rest === (other as typeof item).rest);
      });
      return tensor(rests ? shape : undefined);
    }
    if (a.kind === 'int' && b.kind === 'int' && this.dims.compare(a.value, b.value) === 'equal') return a;
    if (
      a.kind === b.kind &&
      (a.kind === 'int' || a.kind === 'float' || a.kind === 'bool' || a.kind === 'string')
    )
      return ofType(
        this,
        { kind: 'NamedType', name: { kind: 'Name', text: a.kind, range: nowhere }, range: nowhere },
        this.dims.unsigned(),
      );
    return any;
  }

  private range(from: Expr | undefined, to: Expr | undefined, names: Names): Sym {
    const end = (expr: Expr | undefined): Dim | 'unknown' | undefined => {
      if (!expr) return undefined;
      const value = this.evaluate(expr, names);
      if (value.kind === 'int') return value.value;
      this.expected(expr.range, 'an end of a range', 'an integer', value);
      return 'unknown';
    };
    const [first, last] = [end(from), end(to)];
    if (first === 'unknown' || last === 'unknown') return any;
    return {
      kind: 'range',
      ...(first === undefined ? {} : { from: first }),
      ...(last === undefined ? {} : { to: last }),
    };
  }

  private binary(expr: Binary, names: Names): Sym {
    const left = this.evaluate(expr.left, names);
    const decided = expr.op === '||' ? true : expr.op === '&&' ? false : undefined;
    if (decided !== undefined && left.kind === 'bool' && left.value === decided) return left;
    const right = this.evaluate(expr.right, names);
    return binary(this, expr, left, right);
  }

  private index(expr: Index, names: Names): Sym {
    const target = this.evaluate(expr.target, names);
    const index = this.evaluate(expr.index, names);
    if (target.kind === 'any' || index.kind === 'any') return any;
    if (target.kind !== 'list' && target.kind !== 'tuple')
      return this.expected(expr.target.range, 'what is indexed', 'a list or a tuple', target);
    if (index.kind !== 'int' && index.kind !== 'range')
      return this.expected(expr.index.range, 'an index', 'an integer or a range', index);
    const { items } = target;
    if (!items) return any;
    const first = items.findIndex(isRest);
    if (index.kind === 'range') return this.slice(expr, items, first, index);
    if (typeof index.value !== 'number') return any;
    const at = index.value;
    if (first < 0) {
      const item = items[at < 0 ? at + items.length : at];
      if (item && !isRest(item)) return item;
      return this.report('MMD0413', expr.index.range, { index: at, length: items.length });
    }
    if (at >= 0 && at < first) return items[at] as Sym;
    const rest = items[first];
    if (!isRest(rest) || !rest.element) return this.restItem(items, first, at);
    if (at >= 0) return ofType(this, rest.element, `${rest.rest}[${at - first + rest.from}]`);
    return first === items.length - 1 && first === 0 && rest.from === 0
      ? ofType(this, rest.element, `${rest.rest}[${at}]`)
      : any;
  }

  /** An item of a rest of dimensions. */
  private restItem(items: readonly unknown[], first: number, at: number): Sym {
    const rest = items[first] as { rest: string; from: number };
    if (at < 0 || first !== 0) return any;
    return int(this.dims.variable(`${rest.rest}[${at + rest.from}]`, true));
  }

  private slice(
    expr: Index,
    items: Extract<Sym, { kind: 'list' }>['items'] & object,
    first: number,
    { from = 0, to }: Extract<Sym, { kind: 'range' }>,
  ): Sym {
    if (typeof from !== 'number' || (to !== undefined && typeof to !== 'number')) return { kind: 'list' };
    if (first < 0) {
      const end = to ?? items.length;
      if (from >= 0 && end <= items.length && from <= end)
        return { kind: 'list', items: items.slice(from, end) };
      return this.report('MMD0413', expr.index.range, { index: `${from}..${end}`, length: items.length });
    }
    if (to !== undefined) {
      return from >= 0 && to <= first && from <= to
        ? { kind: 'list', items: items.slice(from, to) }
        : { kind: 'list' };
    }
    if (from < 0) return { kind: 'list' };
    if (from <= first) return { kind: 'list', items: items.slice(from) };
    const rest = items[first];
    if (first < items.length - 1 || !isRest(rest)) return { kind: 'list' };
    return { kind: 'list', items: [{ ...rest, from: rest.from + from - first }] };
  }

  // ---- calls

  /** What a name refers to; undefined where nothing is known of it, or it is a function. */
  callee(name: Name, names: Names): Sym | undefined {
    const value = names.find(name.text);
    if (value) return value;
    const visible = this.scope.scope.get(name.text) ?? this.project.prelude.get(name.text);
    return visible?.declaration.kind === 'Network' ? { kind: 'network', target: visible } : undefined;
  }

  private stage(stage: Pipe['stage'], input: Argument, names: Names): Sym {
    switch (stage.kind) {
      case 'Ref':
        return this.apply(stage.name, [input], stage.range, names);
      case 'Call':
        return this.call(stage, input, names);
      case 'Repeat':
        return this.repeat(stage, input, names);
      case 'Error':
        return any;
    }
  }

  private call(call: Call, piped: Argument | undefined, names: Names): Sym {
    const written = call.args.map((arg): Argument => ({
      name: arg.name,
      expr: arg.value,
      range: arg.value.range,
    }));
    return this.apply(call.callee, piped ? [piped, ...written] : written, call.range, names);
  }

  private apply(callee: Name, args: readonly Argument[], range: Range, names: Names): Sym {
    const target = this.callee(callee, names);
    if (target?.kind === 'network') return this.network(target.target, callee.text, args, range, names);
    const builtin = target === undefined ? builtins.get(callee.text) : undefined;
    if (builtin) return applyFunction(this, builtin, args, range, names);
    for (const { expr } of args) if (expr) this.evaluate(expr, names);
    return any;
  }

  private repeat(stage: RepeatStage, input: Argument, names: Names): Sym {
    const count = this.evaluate(stage.count, names);
    if (count.kind !== 'int') {
      if (count.kind !== 'any')
        this.report('MMD0414', stage.count.range, {
          what: 'the count of `repeat`',
          expected: 'an integer',
          found: showType(count),
        });
      return any;
    }
    const before = input.value ?? any;
    if (count.value === 0) return before;
    let value = before;
    for (const inner of stage.stages) value = this.stage(inner, { value, range: inner.range }, names);
    if (before.kind === 'any' || value.kind === 'any') return before;
    const differs =
      before.kind === 'tensor' && value.kind === 'tensor'
        ? before.shape && value.shape && this.dims.compareShapes(before.shape, value.shape) === 'different'
        : before.kind !== value.kind;
    if (differs)
      return this.report('MMD0418', stage.range, { left: showType(before), right: showType(value) });
    return before;
  }

  private network(
    { declaration, module }: Visible,
    callee: string,
    args: readonly Argument[],
    range: Range,
    names: Names,
  ): Sym {
    const network = declaration as Network;
    const given = new Map<string, { value: Sym; range: Range }>();
    let position = 0;
    let failed = false;
    for (const argument of args) {
      const { name } = argument;
      const value = argument.value ?? this.evaluate(argument.expr as Expr, names);
      const param = name ? network.params.find((p) => p.name.text === name.text) : network.params[position++];
      if (param && !given.has(param.name.text)) {
        given.set(param.name.text, { value, range: argument.range });
        continue;
      }
      failed = true;
      if (param) this.report('MMD0405', argument.range, { callee, name: param.name.text });
      else if (name) {
        const near = didYouMean(
          name.text,
          network.params.map((p) => p.name.text),
        );
        const help = near === undefined ? {} : { help: `did you mean \`${near}\`?` };
        this.report('MMD0404', name.range, { callee, name: name.text }, help);
      } else {
        const [expected, found] = [network.params.length, args.length];
        this.report('MMD0403', argument.range, { callee, expected, found });
        break;
      }
    }
    const missing = network.params.find((p) => !given.has(p.name.text) && !p.default);
    if (failed) return any;
    if (missing) return this.report('MMD0402', range, { callee, parameter: missing.name.text });
    return this.result({ network, module }, given, range);
  }

  /** What the signature says of a call, whose arguments are matched from left to right. */
  private result(
    { network, module }: { network: Network; module: Module },
    given: ReadonlyMap<string, { value: Sym; range: Range }>,
    range: Range,
  ): Sym {
    const inner = Names.empty();
    const callee: Callee = {
      network,
      evaluate: (expr, names) => this.abroad(module, () => this.evaluate(expr, names)),
    };
    for (const param of network.params) {
      const argument = given.get(param.name.text);
      const value = argument?.value ?? callee.evaluate(param.default as Expr, inner);
      const before = this.reports;
      const matched = matchParameter(this, callee, param, value, argument?.range ?? range, inner);
      if (this.reports > before) return any;
      inner.define(param.name.text, matched);
    }
    return this.abroad(module, () => declaredResult(this, network.result, inner));
  }

  /** Evaluates a part of a signature that is not this network's: its own problems are not reported here. */
  private abroad(module: Module, work: () => Sym): Sym {
    const home = this.scope;
    this.scope = module;
    this.foreign++;
    const value = work();
    this.foreign--;
    this.scope = home;
    return value;
  }
}

/** Signatures evaluated inside each other. */
const mostForeign = 16;

const nowhere: Range = { start: 0, end: 0 };
