/**
 * The `loss` and `train` blocks.
 *
 * @module
 */
import { didYouMean } from '../diagnostics/suggest.js';
import { bareNumber, type FieldType, type FormValue, type Forms } from './forms.js';
import type { SnrWeight } from '../process/weighting.js';
import type { LossInfo, ModalityInfo, TrainInfo } from './info.js';
import type { SettingsReader } from './settings.js';

const weight: FieldType = { type: 'float', min: 0 };
const share = { min: 0, max: 1 };

const snrForms: Forms = {
  none: [],
  /** Hang et al., "Efficient Diffusion Training via Min-SNR Weighting Strategy", 2023. */
  min: [{ name: 'gamma', field: { type: 'float', min: 0, above: true } }],
  /** The truncated weight max(SNR, 1) of Salimans & Ho (2022), bounded above like min-SNR. */
  clamp: [
    { name: 'low', field: { type: 'float', min: 0, above: true }, default: 1 },
    { name: 'high', field: { type: 'float', min: 0, above: true }, default: 5 },
  ],
  /** Choi et al., "Perception Prioritized Training of Diffusion Models", 2022. */
  p2: [
    { name: 'k', field: { type: 'float', min: 0, above: true }, default: 1 },
    { name: 'gamma', field: { type: 'float', min: 0 }, default: 1 },
  ],
};

const l1Forms: Forms = {
  bound: [{ name: 'weight', field: weight, default: 1 }],
  simplified: [
    { name: 'weight', field: weight, default: 1 },
    { name: 'snr', field: { type: 'form', forms: snrForms }, default: { form: 'none', args: {} } },
  ],
  [bareNumber]: [{ name: 'weight', field: weight }],
};

const l2Forms: Forms = {
  nats: [{ name: 'weight', field: weight, default: 1 }],
  mean: [{ name: 'weight', field: weight, default: 1 }],
  [bareNumber]: [{ name: 'weight', field: weight }],
};

const piForms: Forms = {
  drawn: [],
  uniform: [],
  cosine: [],
  linear: [
    { name: 'from', field: weight },
    { name: 'to', field: weight },
  ],
};

const l3Forms: Forms = {
  bound: [
    { name: 'weight', field: weight, default: 1 },
    { name: 'sigma', field: { type: 'float', min: 0, above: true }, default: null },
  ],
  [bareNumber]: [
    { name: 'weight', field: weight },
    { name: 'sigma', field: { type: 'float', min: 0, above: true }, default: null },
  ],
};

/**
 * @param terms modalities that have a term in L2: those with a decoder
 * @param sigma1 sigma_1 of the process, the default of the decoder variance in L3
 */
export function readLoss(
  settings: SettingsReader,
  terms: readonly ModalityInfo[],
  hasOrigin: boolean,
  sigma1: number,
): LossInfo {
  const { evaluator, env } = settings.fields;
  const one: FormValue = { form: bareNumber, args: { weight: 1 } };
  const bound = 'a term of the bound counts once';
  const L0 = settings.float('L0', 1, bound, { min: 0 });
  const l1 = settings.form('L1', l1Forms, { form: 'bound', args: { weight: 1 } }, bound);
  const simplified = l1.form === 'simplified';
  const L2 = new Map<string, { weight: number; mean: boolean }>();
  const block = settings.entry('L2')?.block ? settings.nested('L2') : undefined;
  const shared = block || !settings.entry('L2') ? undefined : settings.form('L2', l2Forms, one, '');
  for (const modality of terms) {
    const value = block?.form(modality.name, l2Forms, one, bound) ?? shared ?? one;
    if (!block && !shared) settings.filled(`L2.${modality.name}`, one, bound);
    L2.set(modality.name, { weight: value.args.weight as number, mean: value.form === 'mean' });
  }
  for (const entry of block?.others() ?? []) {
    if (settings.fields.unread.has(entry.key.text)) continue;
    const near = didYouMean(
      entry.key.text,
      terms.map((m) => m.name),
    );
    evaluator.report(
      'MMD0304',
      env,
      entry.key.range,
      { name: entry.key.text },
      { help: near ? `did you mean \`${near}\`?` : 'L2 has a term for every modality with a decoder' },
    );
  }
  const l3 = settings.form(
    'L3',
    l3Forms,
    { form: bareNumber, args: { weight: simplified || !hasOrigin ? 0 : 1, sigma: null } },
    simplified
      ? 'the simplified L1 covers t = 1 (DDPM, eq. 14); still reported'
      : hasOrigin
        ? bound
        : 'the origin is zero',
  );
  const pi = settings.form('pi', piForms, { form: 'drawn', args: {} }, 't is drawn as it is read out');
  if (pi.form === 'linear' && pi.args.from === 0 && pi.args.to === 0) {
    const found = { what: '`pi`', expected: 'above 0 at one end', found: '0 everywhere' };
    evaluator.report('MMD0414', env, settings.rangeOf('pi'), found);
  }
  const encoders = settings.form(
    'encoders',
    { stopped: [], trained: [] },
    { form: 'stopped', args: {} },
    'a code that is easy to predict would be a collapsed one',
  ).form as LossInfo['encoders'];
  const balance = settings.form(
    'balance',
    { fixed: [], uncertainty: [] },
    { form: 'fixed', args: {} },
    'the weights say how much a term counts',
  ).form as LossInfo['balance']['form'];
  settings.finish();
  return {
    L0,
    L1: simplified
      ? { form: 'simplified', weight: l1.args.weight as number, snr: toSnr(l1.args.snr as FormValue) }
      : { form: 'bound', weight: l1.args.weight as number },
    L2,
    L3: { weight: l3.args.weight as number, sigma: (l3.args.sigma as number | null) ?? sigma1 },
    pi: toPi(pi),
    encoders,
    balance: balance === 'fixed' ? { form: balance } : { form: balance, place: settings.rangeOf('balance') },
  };
}

function toPi({ form, args }: FormValue): LossInfo['pi'] {
  if (form === 'uniform') return { form: 'constant', value: 1 };
  if (form === 'cosine') return { form, scale: 1 };
  return form === 'linear' ? { form, from: args.from as number, to: args.to as number } : 'drawn';
}

function toSnr({ form, args }: FormValue): SnrWeight {
  if (form === 'min') return { form, gamma: args.gamma as number };
  if (form === 'clamp') return { form, low: args.low as number, high: args.high as number };
  return form === 'p2' ? { form, k: args.k as number, gamma: args.gamma as number } : { form: 'none' };
}

const optimizerForms: Forms = {
  adamw: [
    { name: 'decay', field: weight, default: 0.01 },
    { name: 'beta1', field: { type: 'float', min: 0, max: 0.99999 }, default: 0.9 },
    { name: 'beta2', field: { type: 'float', min: 0, max: 0.9999999 }, default: 0.999 },
    { name: 'epsilon', field: { type: 'float', min: 0, above: true }, default: 1e-8 },
  ],
};

const rate: FieldType = { type: 'float', min: 0, above: true };
const warmup: FieldType = { type: 'int', min: 0 };
const rateForms: Forms = {
  cosine: [
    { name: 'peak', field: rate },
    { name: 'warmup', field: warmup, default: 0 },
    { name: 'floor', field: weight, default: 0 },
  ],
  [bareNumber]: [
    { name: 'peak', field: rate },
    { name: 'warmup', field: warmup, default: 0 },
  ],
};

export function readTrain(settings: SettingsReader): TrainInfo {
  const adamw: FormValue = { form: 'adamw', args: { decay: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } };
  const optimizer = settings.form('optimizer', optimizerForms, adamw, 'AdamW with its usual constants');
  const rateValue = settings.form(
    'rate',
    rateForms,
    { form: 'cosine', args: { peak: 3e-4, warmup: 100, floor: 0 } },
    'a safe rate for Adam',
  );
  const batch = settings.int('batch', 64, 'fits a small machine', { min: 1, max: 65_536 });
  const steps = settings.int('steps', 5000, 'a first look at small data', { min: 1, max: 1_000_000_000 });
  const ema = settings.float('ema', 0.999, 'samples come from averaged weights', { min: 0, max: 0.9999999 });
  const seed = settings.int('seed', 0, 'runs repeat unless told otherwise', { min: 0 });
  const clip = settings.float('clip', 1, 'a single bad batch cannot ruin a run', { min: 0 });
  const timesteps = settings.form(
    'timesteps',
    { uniform: [], stratified: [] },
    { form: 'stratified', args: {} },
    'less noise in the loss at no cost',
  ).form as TrainInfo['timesteps'];
  const roles = settings.nested('roles');
  const read = (key: string, value: number, reason: string) =>
    roles?.float(key, value, '', share) ?? note(settings, key, value, reason);
  const drawn = {
    all: read('all', 0.5, 'half of the rows train joint generation'),
    tasks: read('tasks', 0.4, 'most of the rest train the declared tasks'),
    any: read('any', 0.1, 'every other subset is seen too'),
    absent: read('absent', 0.1, 'one given modality in ten is hidden, which guidance needs'),
  };
  roles?.finish();
  settings.finish();
  const total = drawn.all + drawn.tasks + drawn.any;
  if (Math.abs(total - 1) > 1e-6) {
    const { evaluator, env } = settings.fields;
    evaluator.report('MMD0704', env, settings.rangeOf('roles'), { total });
  }
  return {
    optimizer: optimizer.args as unknown as TrainInfo['optimizer'],
    rate: {
      form: rateValue.form === 'cosine' ? 'cosine' : 'constant',
      peak: rateValue.args.peak as number,
      warmup: rateValue.args.warmup as number,
      floor: (rateValue.args.floor as number | undefined) ?? 0,
    },
    batch,
    steps,
    ema,
    seed,
    clip,
    timesteps,
    roles: drawn,
  };
}

/** Lists a default of the absent `roles` block. */
function note(settings: SettingsReader, key: string, value: number, reason: string): number {
  settings.filled(`roles.${key}`, value, reason);
  return value;
}
