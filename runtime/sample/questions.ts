/**
 * What can be asked of a model beside its declared tasks: any modalities given, any others produced.
 *
 * @module
 */
import type { ModelInfo, TaskInfo } from '../../compiler/model/info.js';
import { isCompact } from '../../compiler/model/modalities.js';
import { allRoles, isTrained, type Role } from '../train/roles.js';
import { describe } from './sampler.js';

export type Question = Omit<TaskInfo, 'name' | 'place'>;

/** The declared task with these roles, or one with the options that a task has by default. */
export function questionOf(
  info: ModelInfo,
  given: readonly string[],
  produced: readonly string[],
): Question & Partial<Pick<TaskInfo, 'name'>> {
  const same = (a: readonly string[], b: readonly string[]): boolean =>
    [...a].sort().join() === [...b].sort().join();
  const declared = info.tasks.find(
    (t) => t.known.length === 0 && same(t.given, given) && same(t.produced, produced),
  );
  if (declared) return declared;
  const compact =
    given.length > 0 && info.modalities.filter((m) => produced.includes(m.name)).every((m) => isCompact(m));
  return {
    given,
    produced,
    known: [],
    guidance: 1,
    sampler: { form: 'ddim', eta: 0 },
    steps: Math.min(50, info.tables.steps),
    readout: compact ? { form: 'terminal', calls: 8 } : { form: 'chain' },
  };
}

export interface Questions {
  /** By what is given and produced: `image -> mask, label`. */
  readonly asked: ReadonlyMap<string, Question>;
  /** Those that no row of the training had. */
  readonly untrained: readonly string[];
}

/**
 * Every vector of roles: each modality given, produced or absent, at least one produced. With encoders and decoders for all
 * of N modalities there are 3^N - 2^N.
 */
export function everyQuestion(info: ModelInfo): Questions {
  const asked = new Map<string, Question>();
  const untrained: string[] = [];
  for (const roles of allRoles(info)) {
    const having = (role: Role): string[] =>
      info.modalities.filter((_, i) => roles[i] === role).map((m) => m.name);
    const [given, produced] = [having('given'), having('produced')];
    const text = describe(given, produced).replaceAll('`', '');
    if (isTrained(info, roles)) asked.set(text, questionOf(info, given, produced));
    else untrained.push(text);
  }
  return { asked, untrained };
}
