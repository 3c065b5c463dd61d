/**
 * Metrics that `eval { metrics { image: kid } }` can ask for, and the types of modalities that they are defined on. What
 * they are computed from is in `runtime/eval`, and described in docs/evaluation.md.
 *
 * @module
 */
import type { Expr } from '../../grammar/ast.js';
import { didYouMean, enumerate } from '../diagnostics/suggest.js';
import type { ModalityInfo, ModalityType } from './info.js';
import type { SettingsReader } from './settings.js';

/** By name; `agreement` stands for that with every category, `clip` for that with every embedding. */
export const metricTypes: Readonly<Record<string, readonly ModalityType[]>> = {
  accuracy: ['category', 'mask', 'binary', 'tokens'],
  nll: ['category'],
  calibration: ['category', 'mask'],
  total_variation: ['category', 'mask', 'tokens'],
  miou: ['mask'],
  cosine: ['vector'],
  top1: ['vector'],
  top5: ['vector'],
  rank: ['vector'],
  frechet: ['vector'],
  kid: ['image'],
  fid: ['image'],
  precision: ['image'],
  recall: ['image'],
  copied: ['image'],
  agreement: ['image'],
  psnr: ['image'],
  perceptual: ['image'],
  lpips: ['image'],
  clip: ['image'],
};

/**
 * Reads `metrics { image: [kid, psnr], label: accuracy }`.
 * @returns by modality the metrics that are asked for; a modality that is not named has all of its own. null where the
 *   block says nothing
 */
export function readMetrics(
  settings: SettingsReader,
  modalities: readonly ModalityInfo[],
): ReadonlyMap<string, readonly string[]> | null {
  const block = settings.nested('metrics');
  if (!block) return null;
  const wanted = new Map<string, readonly string[]>();
  for (const modality of modalities) {
    const entry = block.entry(modality.name);
    if (!entry) continue;
    const exprs = entry.value?.kind === 'List' ? entry.value.items : entry.value ? [entry.value] : [];
    if (!entry.value) {
      const { evaluator, env } = settings.fields;
      evaluator.report('MMD0701', env, entry.range, {
        key: modality.name,
        expected: 'a metric, or a list of them',
      });
    }
    wanted.set(
      modality.name,
      exprs.flatMap((expr) => readMetric(block, modality, expr) ?? []),
    );
  }
  block.finish([...settings.fields.unread]);
  return wanted;
}

function readMetric(settings: SettingsReader, modality: ModalityInfo, expr: Expr): string | undefined {
  const { evaluator, env } = settings.fields;
  if (expr.kind === 'Error' || (expr.kind === 'Ref' && expr.name.text === '')) return undefined;
  const names = Object.keys(metricTypes);
  const own = names.filter((name) => metricTypes[name].includes(modality.type));
  const offered = `those of ${article(modality.type)} are ${enumerate(own.map((name) => `\`${name}\``))}`;
  if (expr.kind !== 'Ref') {
    const expected = 'the name of a metric';
    evaluator.report(
      'MMD0406',
      env,
      expr.range,
      { what: `\`${modality.name}\``, expected, found: 'something else' },
      { help: offered },
    );
    return undefined;
  }
  const name = expr.name.text;
  if (!Object.hasOwn(metricTypes, name)) {
    const near = didYouMean(name, names);
    evaluator.report(
      'MMD0307',
      env,
      expr.range,
      { name, found: 'not known here', expected: 'a metric' },
      { help: near ? `did you mean \`${near}\`?` : offered },
    );
    return undefined;
  }
  if (own.includes(name)) return name;
  evaluator.report(
    'MMD0708',
    env,
    expr.range,
    {
      metric: name,
      types: enumerate(metricTypes[name].map((type) => `\`${type}\``)),
      name: modality.name,
      type: modality.type,
    },
    {
      labels: [{ ...env.place(modality.place), message: `${article(modality.type)}` }],
      help: offered,
    },
  );
  return undefined;
}

const article = (type: ModalityType): string =>
  type === 'image'
    ? 'an image'
    : type === 'tokens'
      ? 'tokens'
      : type === 'binary'
        ? 'binary data'
        : `a ${type}`;

/** Whether a figure is among what was asked for: `agreement` and `clip` bring those with every other modality. */
export function isWanted(wanted: readonly string[] | undefined, figure: string): boolean {
  return !wanted || wanted.includes(figure.replace(/^(agreement|clip)_.*/, '$1'));
}
