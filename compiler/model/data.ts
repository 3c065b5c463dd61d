/**
 * The `data` and `eval` blocks: where rows come from. Files are opened by the runtime; here their kinds are checked.
 *
 * @module
 */
import type { Forms, FormValue } from './forms.js';
import type { DataInfo, ModalityInfo, ModalityType, SourceInfo } from './info.js';
import type { SettingsReader } from './settings.js';

const path = { name: 'path', field: { type: 'string' } } as const;

const sourceForms: Forms = {
  /** IDX, plain or gzip. */
  idx: [path],
  /** NumPy array, first axis rows. */
  npy: [path],
  /** Folder of images. */
  images: [path],
  /** Folder of 8-bit class images; `void` marks pixels without a class. */
  masks: [path, { name: 'void', field: { type: 'int', min: 0, max: 255 }, default: null }],
};

/** Kinds of files that a modality of a type can come from. */
const readable: Record<ModalityType, readonly string[]> = {
  image: ['idx', 'npy', 'images'],
  mask: ['idx', 'npy', 'masks'],
  category: ['idx', 'npy'],
  vector: ['npy'],
  binary: ['idx', 'npy'],
  tokens: ['npy'],
};

const setForms: Forms = { builtin: [{ name: 'name', field: { type: 'string' } }] };

/** Names of the embedded sets. */
export const builtinSets = ['scenes'];

export function readData(settings: SettingsReader, modalities: readonly ModalityInfo[]): DataInfo {
  const { evaluator, env } = settings.fields;
  const set = settings.has('source')
    ? settings.form('source', setForms, { form: 'none', args: {} }, '')
    : null;
  const columns: SourceInfo[] = [];
  for (const modality of modalities) {
    if (!settings.has(modality.name)) continue;
    if (modality.derived) {
      const place = settings.fields.env.place(modality.place);
      const labels = [{ ...place, message: 'derived here' }];
      evaluator.report('MMD0516', env, settings.rangeOf(modality.name), { name: modality.name }, { labels });
      continue;
    }
    const forms = Object.fromEntries(readable[modality.type].map((name) => [name, sourceForms[name]]));
    const source = settings.form(modality.name, forms, { form: 'none', args: {} }, '');
    if (source.form !== 'none')
      columns.push({ modality: modality.name, source, place: settings.rangeOf(modality.name) });
  }
  const rows = settings.range('rows', '');
  settings.finish([...modalities.map((m) => m.name), ...settings.fields.unread]);
  if (set?.form === 'builtin' && !builtinSets.includes(set.args.name as string)) {
    evaluator.report('MMD0705', env, settings.rangeOf('source'), {
      name: set.args.name as string,
      sets: builtinSets.map((name) => `\`builtin("${name}")\``).join(', '),
    });
  }
  return {
    set: set && set.form !== 'none' ? { source: set, place: settings.rangeOf('source') } : null,
    columns,
    rows,
    place: settings.place,
  };
}

/** Names a source the way the spec writes it. */
export function showSource({ form, args }: FormValue): string {
  return `${form}("${String(args.path ?? args.name)}")`;
}
