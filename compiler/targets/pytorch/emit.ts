/**
 * From networks to classes: one walk over a body's syntax for all its uses, with what elaboration found in each.
 *
 * @module
 */
import type { Body, Expr, Name, Pipe, Range, RepeatStage, Statement } from '../../../grammar/ast.js';
import type { Value } from '../../elaborate/values.js';
import { builtinCall } from './builtin.js';
import { attributeName, className, valueName } from './names.js';
import { atom, binaryOut, callOut, member, statements, textOf, type Out } from './out.js';
import { declaredNames, UnitStatics } from './unit-statics.js';
import { matchOperands, type Operand } from './operand.js';
import { bracketed, lineLength } from './python.js';
import { listCode, literal, nameCode, staticOf, type Code } from './statics.js';
import type { CallRecord, Scope } from './trace.js';
import { newUnit, Split, type Unit } from './unit.js';

/** `null` returns the value. */
type Target = string | null;
export class UnitEmitter extends UnitStatics {
  private depth = 0;

  // ---- entry points

  network(): void {
    const { network } = this.unit;
    if (!network) return;
    for (const param of network.params) {
      if (this.first.env.lookup(param.name.text)?.kind !== 'tensor') continue;
      const name = param.name.text;
      const type = param.type;
      const args = type.kind === 'NamedType' ? (type.args ?? []) : [];
      const dims = () => {
        const items = args.map((arg) =>
          arg.kind === 'RestDim'
            ? { code: nameCode(arg.name.text), spread: true }
            : { code: this.translated(arg), spread: false },
        );
        return items.every((item) => item.code !== undefined)
          ? listCode(items as { code: Code; spread: boolean }[])
          : undefined;
      };
      this.input(name, dims);
    }
    this.body(network.body, null);
  }

  /** A declaration: everything static is a number. */
  declaration(expr: Expr, inputs: readonly string[]): void {
    for (const name of inputs) {
      this.input(name, () => {
        const value = this.first.env.lookup(name);
        return value?.kind === 'tensor' ? literal(value.shape) : undefined;
      });
    }
    this.result(expr, null);
  }

  /** The stages of one round. */
  round(stage: RepeatStage, input: string, dims: () => Code | undefined): void {
    this.input(input, dims);
    let out: Out = atom(valueName(input));
    let shape = dims;
    stage.stages.forEach((inner, i) => {
      const operand: Operand = {
        out: () => out,
        value: (use) => this.stageInput(use, inner),
        dims: shape,
      };
      const made = this.stage(inner, operand);
      const last = i === stage.stages.length - 1;
      if (last) this.statement(null, made);
      else {
        const name = this.fresh(valueName(input));
        this.statement(name, made);
        out = atom(name);
      }
      shape = () => undefined;
    });
  }

  private stageInput(use: Scope, stage: Pipe['stage']): Value | undefined {
    if (stage.kind === 'Repeat') return use.repeats.get(stage)?.input;
    return use.calls.get(stage.range)?.args[0]?.value;
  }

  // ---- statements

  private get indent(): string {
    return '    '.repeat((this.unit.isFunction ? 1 : 2) + this.depth);
  }

  line(...text: readonly string[]): void {
    const indent = this.indent;
    const lines = text.map((part) => indent + part);
    this.unit.forward.push(() => lines);
  }

  statement(target: Target, out: Out): void {
    const prefix = target === null ? 'return ' : `${target} = `;
    const lines = statements(this.indent, prefix, out, target ?? 'y', (base) => this.fresh(base));
    this.unit.forward.push(() => lines);
  }

  private body(body: Body, target: Target): void {
    for (const statement of body.statements) this.letStatement(statement);
    this.result(body.result, target);
  }

  private letStatement(statement: Statement): void {
    if (statement.kind !== 'Let') return;
    const { value, names, tuple } = statement;
    const found = this.first.values.get(value);
    if (!tuple && staticOf(found) !== undefined) {
      const name = names[0].text;
      const code = this.code(value);
      if (this.depth === 0 && !this.unit.lets.has(name) && this.unit.kind === 'network') {
        this.unit.lets.set(name, { code, before: this.unit.init.length });
      } else this.inlined.set(name, code);
      return;
    }
    if (tuple) {
      const targets = names.map((name) => this.fresh(valueName(name.text)));
      this.statement(targets.join(', '), this.expr(value));
      const dims = this.tupleDims(value);
      names.forEach((name, i) => this.variables.set(name.text, { text: targets[i], dims }));
      return;
    }
    const name = names[0].text;
    const existing = this.depth > 0 ? undefined : this.variables.get(name);
    void existing;
    const target = this.fresh(valueName(name));
    this.result(value, target);
    this.variables.set(name, { text: target, dims: () => this.dims(value) });
  }

  private tupleDims(value: Expr): () => Code | undefined {
    return () => this.dims(value);
  }

  /** Assigns or returns an expression; conditions that differ between uses become `if` statements. */
  private result(expr: Expr, target: Target): void {
    const inner = expr.kind === 'Paren' ? expr.inner : expr;
    if (inner.kind !== 'If') {
      const out = this.expr(expr);
      if (target !== null && textOf(out) === target) return;
      this.statement(target, out);
      return;
    }
    const outer = this.active;
    const branches = this.branches(inner);
    if (branches.length === 1) {
      this.body(branches[0].body, target);
      return;
    }
    const initBefore = this.unit.init;
    const blocks: { condition?: Code; lines: Unit['init'] }[] = [];
    branches.forEach(({ condition, uses, body }, i) => {
      const last = i === branches.length - 1;
      if (!last) this.line(`${i === 0 ? 'if' : 'elif'} ${this.write(condition as Code)}:`);
      else if (target !== null) this.line('else:');
      const lines: Unit['init'] = [];
      (this.unit as { init: Unit['init'] }).init = lines;
      this.active = uses;
      const nested = !last || target !== null;
      if (nested) this.depth++;
      else this.depth += 0;
      const own = new Map(this.variables);
      this.nested(() => this.body(body, target));
      this.variables.clear();
      for (const [key, value] of own) this.variables.set(key, value);
      if (nested) this.depth--;
      blocks.push({ ...(last ? {} : { condition }), lines });
    });
    (this.unit as { init: Unit['init'] }).init = initBefore;
    this.active = outer;
    const conditions = blocks.map((block) => (block.condition ? this.write(block.condition, 'init') : ''));
    this.unit.init.push(() => {
      const rendered = blocks.map((block) =>
        block.lines.flatMap((line) => line()).map((text) => `    ${text}`),
      );
      const lastFilled = rendered.findLastIndex((lines) => lines.length > 0);
      if (lastFilled < 0) return [];
      return rendered.slice(0, lastFilled + 1).flatMap((lines, i) => {
        const head = i === blocks.length - 1 ? 'else:' : `${i === 0 ? 'if' : 'elif'} ${conditions[i]}:`;
        return [`        ${head}`, ...(lines.length > 0 ? lines : ['            pass'])];
      });
    });
  }

  /** Static `let`s of a block are put in where they are read. */
  private nested(run: () => void): void {
    const before = this.depth;
    if (before === 0) this.depth = 0;
    const inlined = new Map(this.inlined);
    run();
    this.inlined.clear();
    for (const [key, value] of inlined) this.inlined.set(key, value);
  }

  // ---- expressions

  expr(expr: Expr): Out {
    const value = this.first.values.get(expr);
    if (value && staticOf(value) !== undefined) return this.staticOut(this.code(expr));
    switch (expr.kind) {
      case 'Paren':
        return this.expr(expr.inner);
      case 'Ref':
        return atom(this.variable(expr.name.text)?.text ?? valueName(expr.name.text));
      case 'Unary':
        return atom(`-${textOf(wrap(this.expr(expr.operand), 6))}`, 6);
      case 'Binary':
        return this.binary(expr.op, this.operand(expr.left), this.operand(expr.right));
      case 'Index': {
        const index = staticOf(this.first.values.get(expr.index));
        return member(this.expr(expr.target), `[${String(index)}]`);
      }
      case 'Call':
        return this.call(expr.range, expr.callee, this.operands(expr.args));
      case 'Pipe':
        return this.stage(expr.stage, this.operand(expr.left));
      case 'If': {
        const branches = this.branches(expr);
        if (branches.length === 1 && branches[0].body.statements.length === 0)
          return this.expr(branches[0].body.result);
        const name = this.fresh('y');
        this.result(expr, name);
        return atom(name);
      }
      default:
        throw new Error(`no way to write ${expr.kind}`);
    }
  }

  staticOut(code: Code): Out {
    return atom(this.write(code), code.strength);
  }

  private binary(op: string, left: Operand, right: Operand): Out {
    const facts = this.same((use) =>
      [left, right].map((operand) => {
        const value = operand.value(use);
        return value?.kind === 'tensor' ? [value.shape.length, value.batched] : [0, false];
      }),
    );
    const rank = Math.max(...facts.map(([length]) => Number(length)));
    const sides = [left, right].map((operand, i) => {
      const [length, batched] = facts[i];
      const out = operand.out();
      const missing = rank - Number(length);
      // A batched operand with fewer axes gets axes of size 1 behind its batch axis.
      return batched && missing > 0 ? member(out, `[:, ${new Array(missing).fill('None').join(', ')}]`) : out;
    });
    return binaryOut(op === '^' ? '**' : op, sides[0], sides[1]);
  }

  private stage(stage: Pipe['stage'], input: Operand): Out {
    switch (stage.kind) {
      case 'Ref':
        return this.call(stage.range, stage.name, [input]);
      case 'Call':
        return this.call(stage.range, stage.callee, [input, ...this.operands(stage.args)]);
      case 'Repeat':
        return this.repeat(stage, input);
      case 'Error':
        throw new Error('a model without errors has no error in it');
    }
  }

  private call(range: Range, callee: Name, operands: readonly Operand[]): Out {
    const record = this.record(range);
    if (record.network) return this.networkCall(range, operands);
    return builtinCall(this, range, callee.text, operands);
  }

  private networkCall(range: Range, operands: readonly Operand[]): Out {
    const { emitter } = this;
    const records = this.active.map((use) => use.calls.get(range) as CallRecord);
    const groups = new Set(records.map((record) => emitter.groups.of(record.path)));
    const [group] = groups;
    if (groups.size !== 1) this.split();
    const unit = emitter.unit(group);
    const network = group.network;
    const { named } = matchOperands(
      network.params.map((p) => ({ name: p.name.text })),
      operands,
    );
    const args = [...unit.inputs.keys()].map((name) => {
      const operand = named.get(name);
      if (!operand) throw new Error(`a tensor is left out of ${network.name.text}`);
      return operand.out();
    });
    // What the callee's names are here, found out now and written once it is known which it reads. Uses that differ in
    // a name matter only then.
    const [first] = records;
    const found = new Map<string, Code | Split>();
    for (const name of declaredNames(network)) {
      const values = records.map((record) =>
        staticOf(emitter.trace.scopes.get(record.path)?.env.lookup(name)),
      );
      if (values[0] === undefined) continue;
      try {
        found.set(
          name,
          this.checked(() => this.calleeCode(first, operands, name), values),
        );
      } catch (error) {
        if (!(error instanceof Split)) throw error;
        found.set(name, error);
      }
    }
    const mapping = (name: string): Code => {
      const code = found.get(name);
      if (code === undefined) throw new Error(`${network.name.text} has no static name ${name}`);
      if (code instanceof Split) throw code;
      return code;
    };
    if (unit.isFunction) {
      const wanted = emitter.parametersOf(unit);
      const keywords = wanted.map((name) => atom(`${valueName(name)}=${this.write(mapping(name))}`));
      if (unit.needsDevice) keywords.push(atom(`device=${this.device()}`));
      return callOut(unit.name, ...args, ...keywords);
    }
    const attribute = this.attribute(range);
    this.child(attribute, unit, mapping);
    return callOut(`self.${attribute}`, ...args);
  }

  /** The submodule's name, which is that of its parameters in checkpoints. */
  attribute(range: Range): string {
    return attributeName(this.same((use) => use.calls.get(range)?.path.slice(use.path.length + 1) ?? ''));
  }

  /** A submodule of the class being written. */
  child(attribute: string, unit: Unit, mapping: (name: string) => Code, repeated?: Code): void {
    const cached = new Map<string, Code>();
    const find = (name: string): Code => {
      const code = cached.get(name) ?? mapping(name);
      cached.set(name, code);
      return code;
    };
    this.emitter.connect(this, unit, find);
    const count = repeated && this.write(repeated, 'init');
    this.unit.init.push(() => {
      const args = this.emitter
        .parametersOf(unit)
        .map((name) => `${valueName(name)}=${this.write(find(name), 'init')}`);
      if (count === undefined) return bracketed('        ', `self.${attribute} = ${unit.name}(`, args, ')');
      const made = `${unit.name}(${args.join(', ')})`;
      const flat = `        self.${attribute} = nn.ModuleList(${made} for _ in range(${count}))`;
      if (flat.length <= lineLength) return [flat];
      return [
        `        self.${attribute} = nn.ModuleList(`,
        ...bracketed('            ', `${unit.name}(`, args, `) for _ in range(${count})`),
        '        )',
      ];
    });
  }

  private repeat(stage: RepeatStage, input: Operand): Out {
    const { scopes } = this.emitter.trace;
    const rounds = this.active.flatMap((use) => {
      const record = use.repeats.get(stage);
      return Array.from(
        { length: record?.count ?? 0 },
        (_, i) => scopes.get(`${record?.path}.${i}`) as Scope,
      );
    });
    const start = input.out();
    if (rounds.length === 0) return start;
    const attribute = attributeName(
      this.same((use) => use.repeats.get(stage)?.path.slice(use.path.length + 1) ?? ''),
    );
    const isFunction = !rounds.some((round) => this.emitter.groups.hasParameters(round.path));
    const name = this.emitter.unique(`${className(this.unit.name)}Round`, isFunction);
    const unit = newUnit({
      kind: 'round',
      name,
      doc: `One round of \`${this.emitter.sourceOf(this.unit, stage.range)}\`.`,
      uses: rounds,
      isFunction,
    });
    const inner = new UnitEmitter(this.emitter, unit, this.group, this);
    inner.round(stage, this.variables.has('x') ? 'y' : 'x', input.dims);
    this.emitter.finish(inner);
    const h = this.fresh('h');
    this.statement(h, start);
    const extra = [...unit.inputs.keys()]
      .slice(1)
      .map((tensor) => atom(this.variable(tensor)?.text ?? valueName(tensor)));
    const count = this.code(stage.count);
    const mapping = (n: string): Code => this.staticName(n) ?? nameCode(n);
    if (isFunction) {
      const keywords = this.emitter
        .parametersOf(unit)
        .map((n) => atom(`${valueName(n)}=${this.write(mapping(n))}`));
      this.line(`for _ in range(${this.write(count)}):`);
      this.depth++;
      this.statement(h, callOut(name, atom(h), ...extra, ...keywords));
    } else {
      this.child(attribute, unit, mapping, count);
      const block = this.fresh('block');
      this.line(`for ${block} in self.${attribute}:`);
      this.depth++;
      this.statement(h, callOut(block, atom(h), ...extra));
    }
    this.depth--;
    return atom(h);
  }

  /** A layer with parameters of its own. */
  layer(range: Range, text: (place: 'init') => { callee: string; args: string[] }): string {
    const attribute = this.attribute(range);
    const { callee, args } = text('init');
    this.unit.init.push(() => bracketed('        ', `self.${attribute} = ${callee}(`, args, ')'));
    return `self.${attribute}`;
  }

  /** Where constants are made: beside a tensor, or a parameter, that the unit has. */
  device(): string {
    const [input] = this.unit.inputs.values();
    if (input !== undefined) return `${input}.device`;
    this.unit.needsDevice = true;
    return 'device';
  }
}

function wrap(out: Out, least: number): Out {
  const weak = out.kind === 'binary' || (out.kind === 'atom' && out.strength < least);
  return weak ? atom(`(${textOf(out)})`) : out;
}
