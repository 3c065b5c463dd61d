/**
 * Weights from files: `{ load: "vae.safetensors", frozen: true }` after an encoder, the backbone or a decoder.
 *
 * @module
 */
import type { ParameterInfo } from '../elaborate/parameters.js';
import type { Evaluator } from '../elaborate/evaluator.js';
import { diagnostic } from '../diagnostics/table.js';
import type { ModelInfo, WeightsInfo } from './info.js';
import type { SettingsReader } from './settings.js';

/** The settings of a declaration that are about its weights. */
export const weightSettings = ['load', 'prefix', 'frozen'] as const;

/** undefined where the declaration says nothing of them. */
export function readWeights(settings: SettingsReader, name: string): WeightsInfo | undefined {
  const said = weightSettings.filter((key) => settings.has(key));
  const load = settings.string('load', null, '');
  const prefix = settings.string('prefix', null, '');
  const frozen = settings.bool('frozen', false, '');
  if (said.length === 0) return undefined;
  const { evaluator, env } = settings.fields;
  // What could not be read has been reported, and is not missing.
  if (!said.includes('load') && (frozen || prefix !== null)) {
    evaluator.report('MMD0517', env, settings.rangeOf(frozen ? 'frozen' : 'prefix'), { name });
  }
  return { load, prefix, frozen, place: settings.rangeOf(said[0]) };
}

/** Warns of weights for declarations that have no parameters; call it once the networks are built. */
export function reportWeightless(info: ModelInfo, evaluator: Evaluator): void {
  for (const [path, { load, place }] of info.weights) {
    if (load === null || parametersOf(path, evaluator.parameters.all).length > 0) continue;
    const name = path.replace('.', ' ');
    evaluator.diagnostics.add(diagnostic('MMD0518', { file: info.module.file, range: place }, { name }));
  }
}

/** The parameters of a declaration, its kept statistics included. */
export function parametersOf<P extends Pick<ParameterInfo, 'name'>>(path: string, all: readonly P[]): P[] {
  return all.filter((p) => p.name.startsWith(`${path}.`));
}
