/**
 * Tasks: what is given, what is produced, and how it is read out.
 *
 * @module
 */
import type { Name, Task } from '../../grammar/ast.js';
import { readKnown } from './known.js';
import { didYouMean } from '../diagnostics/suggest.js';
import type { Sampler } from '../process/samplers.js';
import type { FieldReader, FormValue, Forms } from './forms.js';
import type { ModalityInfo, TaskInfo } from './info.js';
import { canGuide, isCompact } from './modalities.js';
import { SettingsReader, type FilledDefault } from './settings.js';

export const samplerForms: Forms = {
  ddpm: [],
  ddim: [{ name: 'eta', field: { type: 'float', min: 0, max: 1 }, default: 0 }],
  dpmpp: [],
};

const readoutForms: Forms = {
  chain: [],
  terminal: [{ name: 'calls', field: { type: 'int', min: 1, max: 1024 }, default: 8 }],
};

/** Reads one task; undefined after a report that leaves nothing of it. */
export function readTask(
  fields: FieldReader,
  task: Task,
  modalities: readonly ModalityInfo[],
  process: { readonly steps: number },
  defaults: FilledDefault[],
): TaskInfo | undefined {
  const { evaluator, env } = fields;
  const seen = new Set<string>();
  const resolve = (names: readonly Name[]): ModalityInfo[] =>
    names.flatMap((name) => {
      if (name.text === '') return [];
      const found = modalities.find((m) => m.name === name.text);
      if (!found) {
        if (fields.unread.has(name.text)) return [];
        const near = didYouMean(
          name.text,
          modalities.map((m) => m.name),
        );
        evaluator.report(
          'MMD0304',
          env,
          name.range,
          { name: name.text },
          near === undefined ? {} : { help: `did you mean \`${near}\`?` },
        );
        return [];
      }
      if (seen.has(name.text)) {
        evaluator.report('MMD0702', env, name.range, { name: name.text, task: task.name.text });
        return [];
      }
      seen.add(name.text);
      return [found];
    });
  const given = resolve(task.given);
  const produced = resolve(task.produced);
  const path = `task.${task.name.text}`;
  const settings = new SettingsReader(fields, path, task.options, task.range, defaults);
  const guidance = settings.float('guidance', 1, '', { min: 0, max: 100 });
  const sampler = toSampler(
    settings.form(
      'sampler',
      samplerForms,
      { form: 'ddim', args: { eta: 0 } },
      'deterministic, and good at few steps',
    ),
  );
  const steps = settings.int('steps', Math.min(50, process.steps), 'more rarely shows', {
    min: 1,
    max: process.steps,
  });
  const compact = given.length > 0 && produced.every(isCompact);
  const readout = settings.form(
    'readout',
    readoutForms,
    compact ? { form: 'terminal', args: { calls: 8 } } : { form: 'chain', args: {} },
    compact
      ? 'a low-dimensional target leaks through z_t; at t = T it is read from what is given'
      : 'produced modalities must fit each other',
  );
  const known = readKnown(settings, task, given, produced, modalities);
  settings.finish();
  if (guidance !== 1 && !canGuide(given, produced)) {
    evaluator.report('MMD0703', env, settings.rangeOf('guidance'), { task: task.name.text });
  }
  if (produced.length === 0) return undefined;
  return {
    name: task.name.text,
    given: given.map((m) => m.name),
    produced: produced.map((m) => m.name),
    known,
    guidance,
    sampler,
    steps,
    readout:
      readout.form === 'terminal'
        ? { form: 'terminal', calls: readout.args.calls as number }
        : { form: 'chain' },
    place: task.name.range,
  };
}

export function toSampler({ form, args }: FormValue): Sampler {
  if (form === 'ddim') return { form, eta: args.eta as number };
  return form === 'ddpm' ? { form } : { form: 'dpmpp' };
}
