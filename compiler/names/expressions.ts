/**
 * Names in expressions, bodies and types.
 *
 * @module
 */
import type { Arg, Body, Call, Expr, Let, Pipe, RepeatStage, TypeExpr } from '../../grammar/ast.js';
import { builtins } from '../elaborate/builtins/index.js';
import type { FileNames } from './file.js';
import { Scope } from './scope.js';

/** Resolves every name of an expression. */
export function checkExpression(file: FileNames, expr: Expr, scope: Scope): void {
  switch (expr.kind) {
    case 'Ref':
      file.resolve(expr.name, scope, 'value');
      return;
    case 'Call':
      checkCall(file, expr, scope, 0);
      return;
    case 'Pipe':
      checkExpression(file, expr.left, scope);
      checkStage(file, expr.stage, scope);
      return;
    case 'Binary':
      checkExpression(file, expr.left, scope);
      checkExpression(file, expr.right, scope);
      return;
    case 'Index':
      checkExpression(file, expr.target, scope);
      checkExpression(file, expr.index, scope);
      return;
    case 'Unary':
      checkExpression(file, expr.operand, scope);
      return;
    case 'Paren':
      checkExpression(file, expr.inner, scope);
      return;
    case 'Range':
      if (expr.from) checkExpression(file, expr.from, scope);
      if (expr.to) checkExpression(file, expr.to, scope);
      return;
    case 'List':
    case 'Tuple':
      for (const item of expr.items) checkExpression(file, item, scope);
      return;
    case 'If':
      // All branches, whichever will be taken.
      checkExpression(file, expr.condition, scope);
      checkBody(file, expr.then, scope);
      if (expr.otherwise.kind === 'If') checkExpression(file, expr.otherwise, scope);
      else checkBody(file, expr.otherwise, scope);
      return;
    case 'Repeat':
      checkStage(file, expr, scope);
      return;
    case 'Number':
    case 'String':
    case 'Bool':
    case 'Error':
      return;
  }
}

function checkStage(file: FileNames, stage: Pipe['stage'], scope: Scope): void {
  if (stage.kind === 'Ref') file.resolve(stage.name, scope, 'callee');
  else if (stage.kind === 'Call') checkCall(file, stage, scope, 1);
  else if (stage.kind === 'Repeat') checkRepeat(file, stage, scope);
}

function checkRepeat(file: FileNames, stage: RepeatStage, scope: Scope): void {
  checkExpression(file, stage.count, scope);
  for (const inner of stage.stages) checkStage(file, inner, scope);
}

/** @param piped number of arguments that come before the written ones */
function checkCall(file: FileNames, call: Call, scope: Scope, piped: number): void {
  file.resolve(call.callee, scope, 'callee');
  const own = scope.find(call.callee.text) ?? file.network(call.callee.text);
  const params = own ? [] : (builtins.get(call.callee.text)?.params ?? []);
  let position = piped;
  for (const arg of call.args) {
    const { name } = arg;
    const param = name ? params.find((p) => p.name === name.text) : params[position++];
    if (param?.type === 'init') checkInit(file, arg.value, scope);
    else checkExpression(file, arg.value, scope);
  }
}

/** `zeros`, `normal(0.02)`: the word means something here only, its arguments are expressions. */
function checkInit(file: FileNames, value: Arg['value'], scope: Scope): void {
  if (value.kind === 'Paren') checkInit(file, value.inner, scope);
  else if (value.kind === 'Call') for (const arg of value.args) checkExpression(file, arg.value, scope);
  else if (value.kind !== 'Ref') checkExpression(file, value, scope);
}

/** A body is a scope of its own; each of its `let`s is in scope below its own line. */
export function checkBody(file: FileNames, body: Body, around: Scope): void {
  const scope = new Scope(around);
  const lets = body.statements.filter((statement) => statement.kind === 'Let');
  for (const item of lets) for (const name of item.names) scope.announce(name);
  for (const statement of body.statements) {
    if (statement.kind === 'Require') {
      checkExpression(file, statement.condition, scope);
      checkExpression(file, statement.message, scope);
      continue;
    }
    checkExpression(file, statement.value, scope);
    for (const name of statement.names) {
      const earlier = scope.own(name.text);
      if (!earlier) file.declareChecked({ name, what: 'the `let`' }, scope);
      else {
        const labels = [{ ...file.place(earlier.name.range), message: 'first declared here' }];
        file.report('MMD0305', name.range, { kind: 'the `let`', name: name.text }, { labels });
      }
    }
  }
  checkExpression(file, body.result, scope);
  for (const item of lets) reportUnused(file, item, (name) => scope.own(name.text)?.name === name);
}

/** Reports the names of a `let` that nothing uses. `counts` tells those that are declared by it. */
export function reportUnused(
  file: FileNames,
  item: Let,
  counts: (name: Let['names'][number]) => boolean,
): void {
  if (file.damaged) return;
  const unused = item.names.filter((name) => !file.isUsed(name) && counts(name));
  for (const name of unused) {
    if (name.text === '' || name.text.startsWith('_')) continue;
    // Not safe: without the call in it, the parameters of those that follow would change their names.
    const whole = unused.length === item.names.length;
    const edit = whole ? { range: item.range, text: '' } : { range: name.range, text: `_${name.text}` };
    const title = whole ? 'remove the `let`' : `rename to \`_${name.text}\``;
    const fixes = [{ title, safe: false, edits: [{ file: file.module.file, ...edit }] }];
    file.report('MMD0321', name.range, { name: name.text }, { fixes });
  }
}

/** Resolves the dimensions of a type; a rest (`...S`) is a use of the list of that name. */
export function checkType(file: FileNames, type: TypeExpr, scope: Scope): void {
  if (type.kind !== 'NamedType') return;
  for (const arg of type.args ?? []) {
    if (arg.kind === 'RestDim') file.use(arg.name, scope);
    else checkExpression(file, arg, scope);
  }
}
