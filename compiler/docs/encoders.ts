/**
 * What is worth saying of an encoder, read off its expression and its parameters.
 *
 * @module
 */
import type { Layout } from '../lower/layout.js';
import type { ModelInfo } from '../model/info.js';

/** What is documented of a checked model: a `CompiledModel` is one. */
export interface Subject {
  readonly info: ModelInfo;
  readonly layout: Layout;
}

/** Whether an encoder gives its modality as it is. */
export function isIdentity(info: ModelInfo, modality: string): boolean {
  const value = info.encoders.get(modality)?.value;
  return value?.kind === 'Ref' && value.name.text === modality;
}

/** Whether an encoder has parameters that are trained. */
export function isLearned({ layout }: Subject, modality: string): boolean {
  return layout.trainable.some((slot) => slot.name.startsWith(`encoder.${modality}.`));
}

/** Whether an encoding is centred and scaled: as every learned one, unless `{ scale: none }` says otherwise. */
export function isNormalised(model: Subject, modality: string): boolean {
  const scale = model.info.encoders
    .get(modality)
    ?.options?.entries.find((entry) => entry.key.text === 'scale')?.value;
  if (scale?.kind === 'Ref' && scale.name.text === 'none') return false;
  return isLearned(model, modality);
}
