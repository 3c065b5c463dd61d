/**
 * What a body's static values and dimensions are, in all the uses that one class serves.
 *
 * @module
 */
import type { Body, Expr, IfExpr, Name, Network, Range } from '../../../grammar/ast.js';
import { builtinDims } from './builtin.js';
import type { Emitter } from './emitter.js';
import { valueName } from './names.js';
import type { Out } from './out.js';
import { matchOperands, type Operand } from './operand.js';
import {
  equalStatic,
  listCode,
  literal,
  nameCode,
  staticOf,
  translate,
  within,
  type Code,
  type Place,
  type Static,
} from './statics.js';
import type { CallRecord, Scope } from './trace.js';
import { Split, type Group, type Unit } from './unit.js';

export interface Variable {
  readonly text: string;
  readonly dims: () => Code | undefined;
}

export abstract class UnitStatics {
  protected active: readonly Scope[];
  protected readonly variables = new Map<string, Variable>();
  /** Static `let`s of inner blocks, put in where they are read. */
  protected readonly inlined = new Map<string, Code>();
  protected readonly taken: Set<string>;
  private readonly shapes = new Map<Expr, Code | undefined>();

  constructor(
    readonly emitter: Emitter,
    readonly unit: Unit,
    /** What is taken apart where uses differ. */
    protected readonly group: Group | undefined,
    protected readonly outer?: UnitStatics,
  ) {
    this.active = unit.uses;
    this.taken = new Set(emitter.functionNames);
  }

  abstract expr(expr: Expr): Out;

  // ---- uses

  get first(): Scope {
    return this.active[0];
  }

  /** The uses that are being emitted. */
  get uses(): readonly Scope[] {
    return this.active;
  }

  split(): never {
    if (this.group) throw new Split(this.group);
    throw new Error('a declaration has one use');
  }

  /** What all uses agree on. */
  same<T>(read: (use: Scope) => T): T {
    const [value, ...rest] = this.active.map(read);
    if (rest.some((other) => JSON.stringify(other) !== JSON.stringify(value))) this.split();
    return value;
  }

  record(range: Range): CallRecord {
    return this.first.calls.get(range) as CallRecord;
  }

  // ---- static values

  protected readonly resolver = {
    name: (name: string): Code | undefined => this.staticName(name),
    shape: (expr: Expr): Code | undefined => {
      const value = this.first.values.get(expr);
      if (value?.kind === 'space') return literal(value.shape);
      return this.dims(expr);
    },
    exact: (expr: Expr): boolean => {
      const value = this.first.values.get(expr);
      return value === undefined || value.kind === 'int';
    },
  };

  protected staticName(name: string): Code | undefined {
    const inlined = this.inlined.get(name);
    if (inlined) return inlined;
    if (staticOf(this.first.env.lookup(name)) === undefined) return undefined;
    if (this.unit.kind === 'declaration') return literal(staticOf(this.first.env.lookup(name)) as Static);
    return nameCode(name);
  }

  protected translated(expr: Expr): Code | undefined {
    if (this.unit.kind === 'declaration') {
      const value = staticOf(this.first.values.get(expr));
      if (value !== undefined) return literal(value, this.first.values.get(expr)?.kind === 'float');
    }
    return translate(expr, this.resolver);
  }

  /** A static expression, held to what it came to in every use. */
  code(expr: Expr): Code {
    const values = this.active.map((use) => use.values.get(expr));
    return this.checked(() => this.translated(expr), values.map(staticOf), values[0]?.kind === 'float');
  }

  /** `make()` where it agrees with `values` in every use, else a literal or a name that does. */
  checked(make: () => Code | undefined, values: readonly (Static | undefined)[], float = false): Code {
    const code = make();
    if (code && this.active.every((use, i) => equalStatic(code.evaluate(use), values[i]))) return code;
    const [value] = values;
    if (value !== undefined && values.every((other) => equalStatic(other, value)))
      return literal(value, float);
    for (const name of this.staticNames()) {
      const candidate = nameCode(name);
      if (this.active.every((use, i) => equalStatic(candidate.evaluate(use), values[i]))) return candidate;
    }
    return this.split();
  }

  protected staticNames(): string[] {
    const { network } = this.unit;
    if (!network) return this.outer?.staticNames() ?? [];
    return declaredNames(network).filter((name) => staticOf(this.first.env.lookup(name)) !== undefined);
  }

  /** Writes a code, noting what it reads. */
  write(code: Code, place: Place = 'forward'): string {
    for (const name of code.names) this.mark(name, place);
    return code.text((name, at) => this.naming(name, at), place);
  }

  writeWithin(code: Code, strength: number, place: Place = 'forward'): string {
    for (const name of code.names) this.mark(name, place);
    return within(code, strength, (name, at) => this.naming(name, at), place);
  }

  naming(name: string, place: Place): string {
    return place === 'forward' && !this.unit.isFunction ? `self.${valueName(name)}` : valueName(name);
  }

  mark(name: string, place: Place): void {
    if (place === 'forward') this.unit.kept.add(name);
    const local = this.unit.lets.get(name);
    if (local) {
      this.unit.used.add(name);
      for (const inner of local.code.names) this.mark(inner, 'init');
    } else this.unit.used.add(name);
  }

  // ---- shapes

  /** Dimensions of a tensor expression as a list code; undefined where they cannot be told. */
  dims(expr: Expr): Code | undefined {
    if (this.shapes.has(expr)) return this.shapes.get(expr);
    const made = this.findDims(expr);
    if (made && expr.kind !== 'If') this.shapes.set(expr, made);
    return made;
  }

  protected findDims(expr: Expr): Code | undefined {
    switch (expr.kind) {
      case 'Paren':
        return this.dims(expr.inner);
      case 'Ref':
        return this.variable(expr.name.text)?.dims();
      case 'Unary':
        return this.dims(expr.operand);
      case 'Binary':
        return this.broadcastDims(expr.left, expr.right);
      case 'Call':
        return this.callDims(expr.range, expr.callee, this.operands(expr.args));
      case 'Pipe': {
        const { stage } = expr;
        if (stage.kind === 'Repeat') return this.dims(expr.left);
        if (stage.kind === 'Error') return undefined;
        const left = this.operand(expr.left);
        return stage.kind === 'Ref'
          ? this.callDims(stage.range, stage.name, [left])
          : this.callDims(stage.range, stage.callee, [left, ...this.operands(stage.args)]);
      }
      case 'If':
        return this.conditionalDims(expr);
      default:
        return undefined;
    }
  }

  protected broadcastDims(left: Expr, right: Expr): Code | undefined {
    const [x, y] = [this.first.values.get(left), this.first.values.get(right)];
    if (x?.kind !== 'tensor') return this.dims(right);
    if (y?.kind !== 'tensor') return this.dims(left);
    const [a, b] = [this.dims(left), this.dims(right)];
    if (
      x.shape.length > y.shape.length &&
      y.shape.every((d, i) => d === x.shape[i + x.shape.length - y.shape.length])
    )
      return a;
    if (
      y.shape.length > x.shape.length &&
      x.shape.every((d, i) => d === y.shape[i + y.shape.length - x.shape.length])
    )
      return b;
    return x.shape.join() === y.shape.join() ? a : undefined;
  }

  protected callDims(range: Range, callee: Name, operands: readonly Operand[]): Code | undefined {
    // Shapes are also asked for after a branch was left: then any use that went through here will do.
    const use = [...this.active, ...this.unit.uses].find((other) => other.calls.has(range));
    const record = use?.calls.get(range);
    if (!record) return undefined;
    if (!record.network) return builtinDims(this, callee.text, operands);
    const { result, params } = record.network;
    if (result.kind !== 'NamedType') return undefined;
    const mapping = (name: string) => this.calleeCode(record, operands, name);
    const items = (result.args ?? []).map((arg) =>
      arg.kind === 'RestDim'
        ? { code: mapping(arg.name.text), spread: true }
        : {
            code: translate(arg, { name: mapping, shape: () => undefined, exact: () => true }),
            spread: false,
          },
    );
    void params;
    if (items.some((item) => item.code === undefined)) return undefined;
    const flat = items.flatMap((item) =>
      item.spread && item.code?.items ? item.code.items : [item as { code: Code; spread: boolean }],
    );
    return listCode(flat);
  }

  /** What a name of the called network is here; undefined where it cannot be written. */
  protected calleeCode(record: CallRecord, operands: readonly Operand[], name: string): Code | undefined {
    const network = record.network;
    if (!network) return undefined;
    const { named } = matchOperands(
      network.params.map((p) => ({ name: p.name.text })),
      operands,
    );
    for (const param of network.params) {
      const operand = named.get(param.name.text);
      if (param.name.text === name) {
        if (operand?.expr) return this.translated(operand.expr);
        const fallback = param.default;
        if (!fallback) return undefined;
        return translate(fallback, {
          name: (n) => (n === name ? undefined : this.calleeCode(record, operands, n)),
          shape: () => undefined,
          exact: () => true,
        });
      }
      if (!operand || param.type.kind !== 'NamedType' || param.type.name.text !== 'f32') continue;
      const args = param.type.args ?? [];
      const rest = args.findIndex((arg) => arg.kind === 'RestDim');
      const at = args.findIndex((arg) =>
        arg.kind === 'RestDim' ? arg.name.text === name : arg.kind === 'Ref' && arg.name.text === name,
      );
      if (at < 0) continue;
      const items = operand.dims()?.items;
      if (!items) continue;
      if (at === rest) {
        const after = args.length - rest - 1;
        return listCode(items.slice(rest, items.length - after));
      }
      const item = rest >= 0 && at > rest ? items[items.length - (args.length - at)] : items[at];
      const before = items.slice(0, rest >= 0 && at > rest ? 0 : at);
      const after = rest >= 0 && at > rest ? items.slice(items.length - (args.length - at)) : [];
      if (item && ![item, ...before, ...after].some((i) => i.spread)) return item.code;
    }
    return undefined;
  }

  /** One dimension of an operand. */
  dim(operand: Operand, axis: number): Code {
    const values = this.active.map((use) => {
      const value = operand.value(use);
      return value?.kind === 'tensor' ? value.shape.at(axis) : undefined;
    });
    return this.checked(() => {
      const items = operand.dims()?.items;
      const item = items?.at(axis);
      if (!items || !item) return undefined;
      const passed = axis < 0 ? items.slice(items.length + axis) : items.slice(0, axis + 1);
      return passed.some((i) => i.spread) ? undefined : item.code;
    }, values);
  }

  protected conditionalDims(expr: IfExpr): Code | undefined {
    const outer = this.active;
    const branches = this.branches(expr);
    const codes = branches.map(({ uses, body }) => {
      this.active = uses;
      return this.dims(body.result);
    });
    this.active = outer;
    const [only] = codes;
    if (codes.length === 1 || !only) return only;
    if (codes.some((code) => code?.items?.length !== only.items?.length)) return undefined;
    const items = only.items?.map((item, axis) => {
      const choices = codes.map((code) => code?.items?.[axis].code as Code);
      const plain = (code: Code) => code.text((name) => name, 'init');
      if (choices.every((choice) => plain(choice) === plain(choices[0]))) return item;
      const code = branches
        .slice(0, -1)
        .reduceRight<Code>(
          (rest, branch, i) => choose(branch.condition as Code, choices[i], rest),
          choices[choices.length - 1],
        );
      return { code, spread: false };
    });
    return items && listCode(items);
  }

  // ---- variables

  protected input(name: string, dims: () => Code | undefined): void {
    const text = valueName(name);
    this.unit.inputs.set(name, text);
    this.taken.add(text);
    this.variables.set(name, { text, dims });
  }

  protected variable(name: string): Variable | undefined {
    const own = this.variables.get(name);
    if (own) return own;
    const above = this.outer?.variable(name);
    if (!above) return undefined;
    this.input(name, above.dims);
    return this.variables.get(name);
  }

  fresh(base: string): string {
    let name = base;
    for (let i = 2; this.taken.has(name); i++) name = `${base}${i}`;
    this.taken.add(name);
    return name;
  }

  /** The branches that some use takes, with the uses that take each. */
  protected branches(expr: IfExpr): { condition?: Code; uses: readonly Scope[]; body: Body }[] {
    const taken = (use: Scope) => staticOf(use.values.get(expr.condition)) === true;
    const yes = this.active.filter(taken);
    const no = this.active.filter((use) => !taken(use));
    const otherwise = (): { condition?: Code; uses: readonly Scope[]; body: Body }[] => {
      const outer = this.active;
      this.active = no;
      const found =
        expr.otherwise.kind === 'If' ? this.branches(expr.otherwise) : [{ uses: no, body: expr.otherwise }];
      this.active = outer;
      return found;
    };
    if (no.length === 0) return [{ uses: yes, body: expr.then }];
    if (yes.length === 0) return otherwise();
    return [{ condition: this.code(expr.condition), uses: yes, body: expr.then }, ...otherwise()];
  }

  operand(expr: Expr): Operand {
    return {
      expr,
      out: () => this.expr(expr),
      value: (use) => use.values.get(expr),
      dims: () => this.dims(expr),
    };
  }

  protected operands(args: readonly { readonly name?: Name; readonly value: Expr }[]): Operand[] {
    return args.map((arg) => ({ ...this.operand(arg.value), ...(arg.name ? { name: arg.name } : {}) }));
  }
}

/** `a if condition else b`. */
function choose(condition: Code, a: Code, b: Code): Code {
  return {
    text: (naming, place) =>
      `${a.text(naming, place)} if ${condition.text(naming, place)} else ${b.text(naming, place)}`,
    strength: 0,
    names: [...new Set([...a.names, ...condition.names, ...b.names])],
    evaluate: (use) => (condition.evaluate(use) === true ? a.evaluate(use) : b.evaluate(use)),
  };
}

/** Names that a network's signature binds: dimensions and parameters. */
export function declaredNames(network: Network): string[] {
  const names = new Set<string>();
  for (const param of network.params) {
    const args = param.type.kind === 'NamedType' ? (param.type.args ?? []) : [];
    const refs = (expr: Expr): void => {
      if (expr.kind === 'Ref') names.add(expr.name.text);
      else if (expr.kind === 'Paren') refs(expr.inner);
      else if (expr.kind === 'Binary') [expr.left, expr.right].forEach(refs);
    };
    for (const arg of args) {
      if (arg.kind === 'RestDim') names.add(arg.name.text);
      else refs(arg);
    }
    names.add(param.name.text);
  }
  return [...names];
}
