/**
 * Names of a model: its constants, and what each of its declarations sees.
 *
 * @module
 */
import type { Block, Expr, Model, Name } from '../../grammar/ast.js';
import { walk } from '../../grammar/visit.js';
import { Diagnostics } from '../diagnostics/collect.js';
import { hiddenNames, type DeclarationKind } from '../model/environments.js';
import { collectMembers, type Members } from '../model/members.js';
import { checkExpression, checkType } from './expressions.js';
import type { FileNames } from './file.js';
import { isGiven, reportReserved } from './networks.js';
import { Scope, type Binding } from './scope.js';

/** Checks a model with what it has from its bases. */
export function checkModelNames(file: FileNames, model: Model): void {
  // What is wrong with the members themselves is reported where the model is read.
  const members = collectMembers(model, file.module, new Diagnostics());
  const scope = checkConstants(file, members);
  for (const modality of members.modalities) {
    checkReserved(file, modality.name, 'a modality');
    checkType(file, modality.type, scope);
    if (modality.derived) markUses(file, modality.derived, scope);
    markUses(file, modality.options, scope);
  }
  for (const space of members.spaces) {
    checkReserved(file, space.name, 'the space');
    checkType(file, space.type, scope);
  }
  for (const backbone of members.backbones) checkReserved(file, backbone.name, 'the backbone');
  checkDeclarations(file, members, scope);
  for (const task of members.tasks) markUses(file, task.options, scope);
  for (const section of members.sections.values()) markUses(file, section.block, scope);
}

/** Constants are evaluated from top to bottom, before anything else. */
function checkConstants(file: FileNames, members: Members): Scope {
  const scope = new Scope();
  const declared = new Map<string, Binding>();
  for (const { name } of members.modalities) declared.set(name.text, { name, what: 'the modality' });
  for (const { name } of members.spaces) declared.set(name.text, { name, what: 'the space' });
  for (const { name } of members.backbones) declared.set(name.text, { name, what: 'the backbone' });
  for (const item of members.lets) for (const name of item.names) scope.announce(name);
  for (const item of members.lets) {
    checkExpression(file, item.value, scope);
    for (const name of item.names) {
      const other = declared.get(name.text);
      if (name.text === '') continue;
      if (isGiven(name.text)) {
        reportReserved(file, name, 'a `let` of a model');
        scope.declare({ name, what: 'the `let`' });
      } else if (other) {
        const labels = [{ ...file.place(other.name.range), message: `${other.what} is declared here` }];
        file.report('MMD0324', name.range, { name: name.text, other: other.what }, { labels });
        scope.declare({ name, what: 'the `let`' });
      } else file.declareChecked({ name, what: 'the `let`' }, scope);
    }
  }
  return scope;
}

function checkReserved(file: FileNames, name: Name, kind: string): void {
  if (isGiven(name.text)) reportReserved(file, name, kind);
}

function checkDeclarations(file: FileNames, members: Members, constants: Scope): void {
  const space = members.spaces[0]?.name;
  const backbone = members.backbones[0]?.name;
  const modalities = members.modalities.map((modality) => modality.name);
  const declarations = [...members.encoders, ...members.backbones, ...members.decoders];
  for (const { options } of declarations) markUses(file, options, constants);
  if (!space || !backbone) {
    // Reported as missing: what refers to it is not a problem of its own.
    for (const { value } of declarations) markUses(file, value, constants);
    return;
  }
  const hidden = (kind: DeclarationKind) =>
    hiddenNames(kind, {
      modalities: modalities.map((name) => name.text),
      space: space.text,
      backbone: backbone.text,
    });
  const within = (kind: DeclarationKind, value: Expr, ...seen: Name[]): void => {
    const scope = new Scope(constants, hidden(kind));
    for (const name of seen) scope.declare({ name, what: 'the name' });
    checkExpression(file, value, scope);
  };
  const t: Name = { ...backbone, text: 't' };
  const given: Name = { ...backbone, text: 'given' };
  for (const { name, value } of members.encoders) within('encoder', value, space, name);
  for (const { value } of members.backbones) within('backbone', value, space, t, given);
  for (const { value } of members.decoders) within('decoder', value, space, backbone, t);
}

/**
 * Marks the constants that settings refer to. What another name means there depends on its key, and is settled where
 * the settings are read.
 */
function markUses(file: FileNames, node: Block | Expr | undefined, scope: Scope): void {
  if (!node) return;
  walk(node, (child) => {
    if (child.kind === 'Ref') file.use(child.name, scope);
    else if (child.kind === 'Call') file.use(child.callee, scope);
  });
}
