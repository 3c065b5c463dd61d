/**
 * Evaluations as files: `RUN/eval.json` is what reports look for.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Evaluation } from './model.js';

export const evaluationFile = (dir: string): string => join(dir, 'eval.json');

/** Of an evaluation during training. */
export const scheduledFile = (dir: string, step: number): string =>
  join(dir, 'evaluations', `step-${String(step).padStart(8, '0')}.json`);

/** Evaluations that were made during training, in the order of their steps. */
export function readScheduled(dir: string): Evaluation[] {
  const folder = dirname(scheduledFile(dir, 0));
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /^step-\d+\.json$/.test(name));
  return names.sort().flatMap((name) => readEvaluation(join(folder, name)) ?? []);
}

/** The evaluation in a file; undefined where there is none, or what is there is something else. */
export function readEvaluation(file: string): Evaluation | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<Evaluation> | null;
    const known = typeof value?.tasks === 'object' && typeof value.provenance?.spec === 'string';
    return known ? (value as Evaluation) : undefined;
  } catch {
    return undefined;
  }
}
