/**
 * What each kind of declaration can see: an encoder its modality, the backbone z, t and `given`, a decoder h and t.
 *
 * @module
 */
import { Environment, ParameterScope } from '../elaborate/environment.js';
import type { Value } from '../elaborate/values.js';
import type { ModelInfo } from './info.js';

export type DeclarationKind = 'encoder' | 'backbone' | 'decoder';

/** Names of a model that matter for scoping. */
export type ScopeNames = Pick<ModelInfo, 'module' | 'space'> & {
  readonly modalities: readonly { readonly name: string }[];
  readonly backbone: { readonly name: { readonly text: string } };
};

/**
 * Environment for a declaration.
 * @param constants values of the model's `let`s
 * @param values what the declaration computes from, by name
 */
export function declarationEnvironment(
  model: ScopeNames,
  kind: DeclarationKind,
  name: string,
  constants: ReadonlyMap<string, Value>,
  values: Readonly<Record<string, Value>>,
): Environment {
  const hidden = new Map<string, string>();
  const backbone = model.backbone.name.text;
  const reasons: Record<DeclarationKind, string> = {
    encoder: 'an encoder sees only the data of its own modality',
    backbone: `the backbone sees data only through \`${model.space.name}\` and \`given\``,
    decoder: `a decoder sees \`${backbone}\` and \`t\`, never data`,
  };
  for (const modality of model.modalities) hidden.set(modality.name, reasons[kind]);
  for (const other of [backbone, model.space.name, 't', 'given']) hidden.set(other, reasons[kind]);
  const path = kind === 'backbone' ? 'backbone' : `${kind}.${name}`;
  const env = new Environment(model.module, new ParameterScope(path), [], undefined, hidden);
  for (const [key, value] of constants) env.define(key, value);
  for (const [key, value] of Object.entries(values)) env.define(key, value);
  return env;
}
