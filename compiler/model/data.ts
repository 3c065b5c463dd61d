/**
 * The `data` and `eval` blocks: where rows come from. Files are opened by the runtime; here their kinds are checked.
 *
 * @module
 */
import type { FormParam, Forms, FormValue } from './forms.js';
import type { DataInfo, ModalityInfo, ModalityType, SourceInfo } from './info.js';
import type { SettingsReader } from './settings.js';

const path = { name: 'path', field: { type: 'string' } } as const;

const fitForms: Forms = {
  /** Pictures must have the size of the modality. */
  none: [],
  /** Resized to it, whatever the aspect. */
  stretch: [],
  /** The largest middle part of the right aspect, resized. */
  crop: [],
};
const fit = {
  name: 'fit',
  field: { type: 'form', forms: fitForms },
  default: { form: 'none', args: {} },
} as const;
const key = (optional: boolean) =>
  ({ name: 'key', field: { type: 'string' }, ...(optional ? { default: null } : {}) }) as const;
/** Whether rows may have no value: they are trained on as rows in which the modality is absent. */
const missing = { name: 'missing', field: { type: 'bool' }, default: false } as const;
/** Columns of a table: one, or several whose numbers make up a row; `id` names the rows for a join. */
const columnParams: FormParam[] = [
  path,
  { name: 'column', field: { type: 'string' }, default: null },
  { name: 'columns', field: { type: 'strings' }, default: null },
  { name: 'id', field: { type: 'string' }, default: null },
  missing,
  fit,
];

const sourceForms: Forms = {
  /** IDX, plain or gzip. */
  idx: [path],
  /** NumPy array, first axis rows. */
  npy: [path],
  /** One array of a NumPy archive. */
  npz: [path, key(true)],
  /** One tensor of a safetensors file. */
  safetensors: [path, key(false)],
  /** CIFAR's binary files: a folder, a file or a pattern. */
  cifar: [path, { name: 'labels', field: { type: 'int', min: 1, max: 2 }, default: 1 }],
  /** Folder of images, or a pattern. */
  images: [path, fit, missing],
  /** Folder of 8-bit class images; `void` marks pixels without a class. */
  masks: [path, { name: 'void', field: { type: 'int', min: 0, max: 255 }, default: null }, fit, missing],
  /** Files beside pictures that have a value each: `sidecars("train", ".txt")`. */
  sidecars: [path, { name: 'ending', field: { type: 'string' } }, missing],
  /** WebDataset: tar archives of samples; `field` is the ending of the wanted file. */
  shards: [path, { name: 'field', field: { type: 'string' } }, missing, fit],
  csv: columnParams,
  tsv: columnParams,
  jsonl: columnParams,
  parquet: columnParams,
  arrow: columnParams,
};

/** Kinds of files that a modality of a type can come from. */
const texts = ['csv', 'tsv', 'jsonl', 'parquet', 'arrow', 'shards', 'sidecars'];
const arrays = ['npy', 'npz', 'safetensors'];
const readable: Record<ModalityType, readonly string[]> = {
  image: ['idx', ...arrays, 'images', 'cifar', 'shards', 'parquet', 'arrow'],
  mask: ['idx', ...arrays, 'masks', 'shards', 'parquet', 'arrow'],
  category: ['idx', ...arrays, 'cifar', ...texts],
  vector: [...arrays, ...texts],
  binary: ['idx', ...arrays, ...texts],
  tokens: [...arrays, ...texts],
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
  const join = settings.form(
    'join',
    { order: [], id: [] },
    { form: 'order', args: {} },
    columns.length > 0 ? 'row i of every source is of the same thing' : '',
  ).form;
  const errors = settings.form(
    'errors',
    { stop: [], skip: [] },
    { form: 'stop', args: {} },
    columns.length > 0 ? 'nothing is left out unasked' : '',
  ).form;
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
    join: join as DataInfo['join'],
    errors: errors as DataInfo['errors'],
    rows,
    place: settings.place,
  };
}

/** Names a source the way the spec writes it. */
export function showSource({ form, args }: FormValue): string {
  return `${form}("${String(args.path ?? args.name)}")`;
}
