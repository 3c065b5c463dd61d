/**
 * Names of a network: parameters, the dimensions that their types bind, and the body.
 *
 * @module
 */
import type { Expr, Name, Network, RestDim, TypeExpr } from '../../grammar/ast.js';
import { suggestName } from '../diagnostics/suggest.js';
import { builtins } from '../elaborate/builtins/index.js';
import { checkBody, checkExpression, checkType } from './expressions.js';
import type { FileNames } from './file.js';
import { Scope } from './scope.js';

const typeNames = ['f32', 'int', 'float', 'bool', 'string'];

/** Checks a network, whether anything calls it or not. */
export function checkNetwork(file: FileNames, network: Network): void {
  checkNetworkName(file, network);
  const scope = new Scope();
  for (const param of network.params) {
    for (const name of boundDimensions(param.type)) scope.announce(name);
    scope.announce(param.name);
  }
  for (const param of network.params) {
    // In the order of a call: the default is evaluated before the type of its own parameter binds anything.
    if (param.default) checkExpression(file, param.default, scope);
    checkTypeName(file, param.type);
    if (param.type.kind === 'NamedType' && param.type.name.text === 'f32')
      for (const arg of param.type.args ?? []) bindDimension(file, arg, scope);
    declareParameter(file, param.name, scope);
  }
  checkTypeName(file, network.result);
  checkType(file, network.result, scope);
  checkBody(file, network.body, scope);
  if (file.damaged) return;
  for (const { name } of network.params) {
    if (name.text === '' || name.text.startsWith('_') || file.isUsed(name)) continue;
    if (scope.own(name.text)?.name === name)
      file.report('MMD0323', name.range, { name: name.text, network: network.name.text });
  }
}

/** Parameters are named for those who call: only what the signature itself binds is held against them. */
function declareParameter(file: FileNames, name: Name, scope: Scope): void {
  const earlier = scope.own(name.text);
  const label = (message: string) => ({
    labels: [{ ...file.place(earlier?.name.range ?? name.range), message }],
  });
  if (earlier?.what === 'the parameter') {
    file.report(
      'MMD0305',
      name.range,
      { kind: 'the parameter', name: name.text },
      label('first declared here'),
    );
    return;
  }
  // The body would see one of two numbers that a call may give differently.
  if (earlier) file.report('MMD0325', name.range, { name: name.text }, label('a dimension of this argument'));
  else scope.declare({ name, what: 'the parameter' });
}

function checkNetworkName(file: FileNames, { name }: Network): void {
  if (name.text === '') return;
  if (isReserved(name.text)) reportReserved(file, name, 'a network');
  else if (file.project.prelude.has(name.text))
    file.report('MMD0324', name.range, { name: name.text, other: 'the library network' });
}

/** Names that keep their meaning everywhere: the functions, and what a backbone is given. */
export function isReserved(name: string): boolean {
  return builtins.has(name) || isGiven(name);
}

/** `t` and `given`: values that the language brings into a model. */
export function isGiven(name: string): boolean {
  return name === 't' || name === 'given';
}

export function reportReserved(file: FileNames, name: Name, kind: string): void {
  const what = builtins.has(name.text) ? 'a function' : 'a value';
  file.report('MMD0310', name.range, { name: name.text, what, kind });
}

function checkTypeName(file: FileNames, type: TypeExpr): void {
  if (type.kind === 'ListType') checkTypeName(file, type.element);
  if (type.kind !== 'NamedType' || type.name.text === '' || typeNames.includes(type.name.text)) return;
  const near = suggestName(file.place(type.name.range), type.name.text, typeNames);
  file.report('MMD0303', type.name.range, { name: type.name.text }, near);
}

/** Names that the dimensions of a parameter's type may bind: those that stand in a polynomial. */
function boundDimensions(type: TypeExpr): Name[] {
  if (type.kind !== 'NamedType' || type.name.text !== 'f32') return [];
  const names: Name[] = [];
  const visit = (arg: Expr | RestDim): void => {
    if (arg.kind === 'Ref' || arg.kind === 'RestDim') names.push(arg.name);
    else if (arg.kind === 'Paren') visit(arg.inner);
    else if (arg.kind === 'Binary') {
      visit(arg.left);
      visit(arg.right);
    }
  };
  for (const arg of type.args ?? []) visit(arg);
  return names;
}

function bindDimension(file: FileNames, arg: Expr | RestDim, scope: Scope): void {
  switch (arg.kind) {
    case 'Ref':
    case 'RestDim':
      if (scope.own(arg.name.text)) file.use(arg.name, scope);
      else scope.declare({ name: arg.name, what: 'the dimension' });
      return;
    case 'Paren':
      bindDimension(file, arg.inner, scope);
      return;
    case 'Binary':
      bindDimension(file, arg.left, scope);
      bindDimension(file, arg.right, scope);
      return;
    default:
      // Anything else (`widths[0]`, `gcd(8, C)`) has to be known by now.
      checkExpression(file, arg, scope);
  }
}
