/**
 * The `process` block: schedule, origin, aggregation weights; and the checks that make it a process.
 *
 * @module
 */
import { didYouMean } from '../diagnostics/suggest.js';
import type { Schedule, WeightCurve, Weights } from '../process/schedule.js';
import { processTables, type Origin, type ProcessSpec, type ProcessTables } from '../process/tables.js';
import { bareNumber, type FieldType, type FormValue, type Forms } from './forms.js';
import type { ModalityInfo } from './info.js';
import type { SettingsReader } from './settings.js';

const unit: FieldType = { type: 'float', min: 0, max: 1, above: true };

const scheduleForms: Forms = {
  cosine: [
    { name: 'offset', field: { type: 'float', min: 0, max: 1 }, default: 0.008 },
    { name: 'max', field: unit, default: 0.999 },
  ],
  linear: [
    { name: 'first', field: unit, default: 1e-4 },
    { name: 'last', field: unit, default: 0.02 },
  ],
  [bareNumber]: [{ name: 'value', field: unit }],
};

const curveForms: Forms = {
  cosine: [{ name: 'scale', field: { type: 'float', min: 0, above: true }, default: 1 }],
  linear: [
    { name: 'from', field: { type: 'float', min: 0 } },
    { name: 'to', field: { type: 'float', min: 0 } },
  ],
  [bareNumber]: [{ name: 'value', field: { type: 'float', min: 0 } }],
};

const curve: FieldType = { type: 'form', forms: curveForms };

const weightForms: Forms = {
  nested: [{ name: 'scale', field: { type: 'float', min: 0, above: true }, default: 1 }],
  marginal: [{ name: 'curve', field: curve }],
  step: [{ name: 'curve', field: curve }],
};

export interface ReadProcess {
  readonly spec: ProcessSpec;
  readonly tables: ProcessTables;
  readonly predict: 'x0' | 'v' | 'eps';
}

/** Reads and checks the block; undefined when its tables could not be made. */
export function readProcess(
  settings: SettingsReader,
  modalities: readonly ModalityInfo[],
  encoders: ReadonlySet<string>,
): ReadProcess | undefined {
  const { evaluator, env } = settings.fields;
  const steps = settings.int('steps', 1000, 'as in DDPM', { min: 2, max: 100_000 });
  const encoded = modalities.filter((m) => encoders.has(m.name)).map((m) => m.name);
  const origin = readOrigin(settings, encoded);
  const weights = readWeights(settings, encoded, origin);
  const aggregated = weights.size;
  const literal = settings.has('alpha');
  if (literal && settings.has('retention')) {
    evaluator.report(
      'MMD0601',
      env,
      settings.rangeOf('alpha'),
      {},
      {
        labels: [{ ...env.place(settings.rangeOf('retention')), message: '`retention` is set here' }],
      },
    );
  }
  const fallback: FormValue = { form: 'cosine', args: { offset: 0.008, max: 0.999 } };
  const schedule = literal
    ? settings.form('alpha', scheduleForms, fallback, '')
    : settings.form('retention', scheduleForms, fallback, 'z_T is N(0, I) and z_1 nearly clean');
  const normaliser = settings.float(
    'normaliser',
    literal ? aggregated + 1 : 1,
    literal ? 'N + 1, the form of MT-Diffusion, for `alpha`' : '`retention` gives a_t itself',
    { min: 0, above: true },
  );
  const predictForms: Forms = { x0: [], v: [], eps: [] };
  const predict = settings.form(
    'predict',
    predictForms,
    { form: 'x0', args: {} },
    'works with any number of components',
  ).form as 'x0' | 'v' | 'eps';
  if (predict !== 'x0' && (encoded.length > 1 || origin.form !== 'modality')) {
    evaluator.report('MMD0603', env, settings.rangeOf('predict'), { predict });
  }
  settings.finish();
  const spec: ProcessSpec = {
    steps,
    schedule: toSchedule(schedule),
    normaliser,
    origin,
    components: encoded.map((name) => ({ name, weights: weights.get(name) })),
  };
  const tables = processTables(spec);
  const wrong = tables.a.findIndex((a, t) => t > 0 && !(a > 0 && a < 1));
  if (wrong > 0) {
    evaluator.report('MMD0602', env, settings.rangeOf(literal ? 'alpha' : 'retention'), {
      t: wrong,
      value: tables.a[wrong],
    });
    return undefined;
  }
  return { spec, tables, predict };
}

function readOrigin(settings: SettingsReader, encoded: readonly string[]): Origin {
  const { evaluator, env, unread } = settings.fields;
  const names = [...encoded, ...unread];
  const forms: Forms = { zero: [], mean: [], ...Object.fromEntries(names.map((name) => [name, []])) };
  const value = settings.form('origin', forms, { form: 'zero', args: {} }, 'every modality is aggregated');
  if (value.form === 'zero' || value.form === 'mean') {
    if (encoded.includes(value.form)) {
      evaluator.report('MMD0307', env, settings.rangeOf('origin'), {
        name: value.form,
        found: 'both a modality and a kind of origin',
        expected: 'another name for the modality',
      });
    }
    return { form: value.form };
  }
  return { form: 'modality', name: value.form };
}

/** Aggregated modalities and their weights: all but the origin, unless the block says otherwise. */
function readWeights(
  settings: SettingsReader,
  encoded: readonly string[],
  origin: Origin,
): Map<string, Weights> {
  const weights = new Map<string, Weights>();
  const aggregated = encoded.filter((name) => !(origin.form === 'modality' && origin.name === name));
  const nested: FormValue = { form: 'nested', args: { scale: 1 } };
  const reason = 'each z_t is a degraded z_{t-1}, as in DDPM';
  if (!settings.entry('weights')?.block) {
    const value = settings.form('weights', weightForms, nested, aggregated.length > 0 ? reason : '');
    for (const name of aggregated) weights.set(name, toWeights(value));
    return weights;
  }
  const block = settings.nested('weights') as SettingsReader;
  for (const name of encoded) {
    if (aggregated.includes(name) || block.has(name))
      weights.set(name, toWeights(block.form(name, weightForms, nested, reason)));
  }
  const { evaluator, env, unread } = settings.fields;
  for (const entry of block.others()) {
    if (unread.has(entry.key.text)) continue;
    const near = didYouMean(entry.key.text, encoded);
    evaluator.report(
      'MMD0304',
      env,
      entry.key.range,
      { name: entry.key.text },
      { help: near ? `did you mean \`${near}\`?` : 'a weight belongs to a modality with an encoder' },
    );
  }
  return weights;
}

function toSchedule({ form, args }: FormValue): Schedule {
  switch (form) {
    case 'cosine':
      return { form, offset: args.offset as number, max: args.max as number };
    case 'linear':
      return { form, first: args.first as number, last: args.last as number };
    default:
      return { form: 'constant', value: args.value as number };
  }
}

function toCurve({ form, args }: FormValue): WeightCurve {
  switch (form) {
    case 'cosine':
      return { form, scale: args.scale as number };
    case 'linear':
      return { form, from: args.from as number, to: args.to as number };
    default:
      return { form: 'constant', value: args.value as number };
  }
}

function toWeights({ form, args }: FormValue): Weights {
  if (form === 'nested') return { form, scale: args.scale as number };
  return { form: form === 'marginal' ? 'marginal' : 'step', curve: toCurve(args.curve as FormValue) };
}
