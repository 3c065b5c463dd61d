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

/** Names of a model that a declaration of this kind does not see, each with the reason. */
export function hiddenNames(
  kind: DeclarationKind,
  names: { readonly modalities: readonly string[]; readonly space: string; readonly backbone: string },
): Map<string, string> {
  const reasons: Record<DeclarationKind, string> = {
    encoder: 'an encoder sees only the data of its own modality',
    backbone: `the backbone sees data only through \`${names.space}\` and \`given\``,
    decoder: `a decoder sees \`${names.backbone}\` and \`t\`, never data`,
  };
  const hidden = [...names.modalities, names.backbone, names.space, 't', 'given'];
  return new Map(hidden.map((name) => [name, reasons[kind]]));
}

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
  const hidden = hiddenNames(kind, {
    modalities: model.modalities.map((modality) => modality.name),
    space: model.space.name,
    backbone: model.backbone.name.text,
  });
  const path = kind === 'backbone' ? 'backbone' : `${kind}.${name}`;
  const env = new Environment(model.module, new ParameterScope(path), [], undefined, hidden);
  for (const [key, value] of constants) env.define(key, value);
  for (const [key, value] of Object.entries(values)) env.define(key, value);
  return env;
}
