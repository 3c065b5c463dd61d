/**
 * What a task knows of the pictures that it produces: `task fill: image { known: outside(hole) }`. Known pixels take the
 * place of predicted ones at every step of the chain, and are in the result as they were given.
 *
 * @module
 */
import type { Task } from '../../grammar/ast.js';
import type { FormValue, Forms } from './forms.js';
import type { KnownInfo, ModalityInfo } from './info.js';
import type { SettingsReader } from './settings.js';

/** Kinds of modalities that have pixels. */
const gridded: readonly ModalityInfo['type'][] = ['image', 'mask', 'binary'];

const hasPixels = (m: ModalityInfo): boolean => gridded.includes(m.type) && m.shape.length === 3;

/** For all produced modalities that have pixels, or in a block for each. */
export function readKnown(
  settings: SettingsReader,
  task: Task,
  given: readonly ModalityInfo[],
  produced: readonly ModalityInfo[],
  modalities: readonly ModalityInfo[],
): KnownInfo[] {
  const { unread } = settings.fields;
  const regions = { type: 'form', forms: Object.fromEntries(modalities.map((m) => [m.name, []])) } as const;
  const forms: Forms = Object.fromEntries(
    ['outside', 'inside'].map((name) => [name, [{ name: 'region', field: regions }]]),
  );
  const none: FormValue = { form: 'none', args: {} };
  const read = (reader: SettingsReader, key: string, modality: ModalityInfo): KnownInfo[] => {
    const value = reader.form(key, forms, none, '');
    if (value.form === 'none') return [];
    const region = modalities.find((m) => m.name === (value.args.region as FormValue).form) as ModalityInfo;
    const reason = unfit(region, modality, produced);
    if (reason !== undefined) {
      const { evaluator, env } = reader.fields;
      evaluator.report(
        'MMD0620',
        env,
        reader.rangeOf(key),
        { region: region.name, name: modality.name, reason },
        { labels: [{ ...env.place(region.place), message: `\`${show(region)}\`` }] },
      );
    }
    return [{ modality: modality.name, region: region.name, where: value.form as KnownInfo['where'] }];
  };
  if (!settings.has('known')) return [];
  if (!settings.entry('known')?.block) {
    const pictures = produced.filter(hasPixels);
    if (pictures.length > 0) return pictures.flatMap((modality) => read(settings, 'known', modality));
    settings.form('known', forms, none, '');
    report(settings, task, produced[0], 'it produces nothing that has pixels');
    return [];
  }
  const block = settings.nested('known') as SettingsReader;
  const found: KnownInfo[] = [];
  for (const modality of modalities) {
    if (!block.has(modality.name)) continue;
    if (!produced.includes(modality)) {
      const what = given.includes(modality) ? 'it is given all of it' : 'it does not produce it';
      report(block, task, modality, what);
    } else if (!hasPixels(modality)) report(block, task, modality, `a \`${modality.type}\` has no pixels`);
    else found.push(...read(block, modality.name, modality));
  }
  block.finish([...unread]);
  return found;
}

const show = ({ type, shape }: ModalityInfo): string => `${type}[${shape.join(', ')}]`;

/** Why a modality cannot say where another is known; undefined where it can. */
function unfit(
  region: ModalityInfo,
  modality: ModalityInfo,
  produced: readonly ModalityInfo[],
): string | undefined {
  const wanted = [modality.shape[0], modality.shape[1], 1];
  if (region.type !== 'binary' || region.shape.join() !== wanted.join())
    return `it is \`${show(region)}\`, and \`binary[${wanted.join(', ')}]\` is needed`;
  return produced.includes(region) ? 'the task produces it' : undefined;
}

function report(
  settings: SettingsReader,
  task: Task,
  modality: ModalityInfo | undefined,
  reason: string,
): void {
  if (!modality) return;
  const { evaluator, env } = settings.fields;
  const key = settings.path.endsWith('.known') ? modality.name : 'known';
  evaluator.report('MMD0621', env, settings.rangeOf(key), {
    task: task.name.text,
    name: modality.name,
    reason,
  });
}
