/**
 * Modality types: what data look like, and the likelihood, range and representation that follow from them.
 *
 * @module
 */
import type { Modality, TypeArg, TypeExpr } from '../../grammar/ast.js';
import { didYouMean } from '../diagnostics/suggest.js';
import type { Environment } from '../elaborate/environment.js';
import type { Evaluator } from '../elaborate/evaluator.js';
import { showType } from '../elaborate/values.js';
import { readDerived } from './derived.js';
import type { FieldReader, FormValue, Forms } from './forms.js';
import type { Likelihood, ModalityInfo, ModalityType } from './info.js';
import { SettingsReader, type FilledDefault } from './settings.js';

const dimensionNames: Record<ModalityType, readonly string[] | null> = {
  image: ['H', 'W', 'C'],
  mask: ['H', 'W', 'K'],
  category: ['K'],
  vector: ['D'],
  binary: null,
  tokens: ['L', 'V'],
};

const likelihoodForms: Forms = {
  gaussian: [{ name: 'sigma', field: { type: 'float', min: 0, above: true }, default: 1 }],
  cosine: [{ name: 'kappa', field: { type: 'float', min: 0, above: true }, default: 10 }],
  bernoulli: [],
  categorical: [],
};

const allowed: Record<ModalityType, readonly Likelihood['form'][]> = {
  image: ['gaussian'],
  mask: ['categorical'],
  category: ['categorical'],
  vector: ['gaussian', 'cosine'],
  binary: ['bernoulli'],
  tokens: ['categorical'],
};

/**
 * Reads one declaration; undefined after a report.
 * @param before the modalities declared above it, from which it may be derived
 */
export function readModality(
  fields: FieldReader,
  declaration: Modality,
  defaults: FilledDefault[],
  before: readonly ModalityInfo[],
): ModalityInfo | undefined {
  const { evaluator, env } = fields;
  const type = declaration.type;
  if (type.kind === 'ErrorType') return undefined;
  if (type.kind !== 'NamedType' || !Object.hasOwn(dimensionNames, type.name.text)) {
    const name = type.kind === 'NamedType' ? type.name.text : 'a list';
    const types = Object.keys(dimensionNames);
    const near = didYouMean(name, types);
    evaluator.report(
      'MMD0303',
      env,
      type.range,
      { name },
      {
        help: near
          ? `did you mean \`${near}\`?`
          : `modality types are ${types.map((t) => `\`${t}\``).join(', ')}`,
      },
    );
    return undefined;
  }
  const kind = type.name.text as ModalityType;
  const read = readDimensions(evaluator, env, kind, type.args ?? [], type);
  if (!read) return undefined;
  const discrete = kind === 'mask' || kind === 'category' || kind === 'tokens';
  const shape = read.dims;
  const settings = new SettingsReader(
    fields,
    `modality.${declaration.name.text}`,
    declaration.options,
    declaration.range,
    defaults,
  );
  const likelihood = readLikelihood(settings, kind);
  settings.finish();
  const derived = declaration.derived && readDerived(fields, declaration, { type: kind, shape }, before);
  if (declaration.derived && !derived) return undefined;
  return {
    name: declaration.name.text,
    type: kind,
    shape,
    dataShape: discrete ? shape.slice(0, -1) : shape,
    discrete,
    classes: discrete ? shape[shape.length - 1] : 0,
    ...(read.labels ? { labels: read.labels } : {}),
    likelihood,
    range: kind === 'image' ? [-1, 1] : kind === 'binary' ? [0, 1] : null,
    ...(derived ? { derived } : {}),
    place: declaration.name.range,
  };
}

function readLikelihood(settings: SettingsReader, kind: ModalityType): Likelihood {
  const [first] = allowed[kind];
  const fallback: FormValue = { form: first, args: first === 'gaussian' ? { sigma: 1 } : {} };
  const reason = kind === 'vector' || kind === 'image' ? `a ${kind} is real` : '';
  const forms = Object.fromEntries(
    Object.entries(likelihoodForms).filter(([name]) => allowed[kind].includes(name as Likelihood['form'])),
  );
  return toLikelihood(settings.form('likelihood', forms, fallback, reason));
}

function toLikelihood(value: FormValue): Likelihood {
  switch (value.form) {
    case 'gaussian':
      return { form: 'gaussian', sigma: value.args.sigma as number };
    case 'cosine':
      return { form: 'cosine', kappa: value.args.kappa as number };
    case 'bernoulli':
      return { form: 'bernoulli' };
    default:
      return { form: 'categorical' };
  }
}

interface ReadDimensions {
  readonly dims: number[];
  readonly labels?: readonly string[];
}

function readDimensions(
  evaluator: Evaluator,
  env: Environment,
  kind: ModalityType,
  args: readonly TypeArg[],
  type: TypeExpr,
): ReadDimensions | undefined {
  const names = dimensionNames[kind];
  const values = args.map((arg) => {
    if (arg.kind !== 'RestDim') return evaluator.evaluate(arg, env);
    evaluator.report('MMD0406', env, arg.range, {
      what: 'a dimension of a modality',
      expected: 'an integer',
      found: 'a list',
    });
    return undefined;
  });
  if (values.some((v) => v === undefined || v.kind === 'error')) return undefined;
  if (kind === 'category' && values.length > 0 && values.every((v) => v?.kind === 'string')) {
    const labels = values.map((v) => (v as { value: string }).value);
    const again = labels.findIndex((label, i) => labels.indexOf(label) !== i);
    if (again >= 0) {
      evaluator.report('MMD0305', env, args[again].range, { kind: 'the class', name: labels[again] });
      return undefined;
    }
    return { dims: [labels.length], labels };
  }
  if (names ? values.length !== names.length : values.length === 0) {
    evaluator.report('MMD0409', env, type.range, {
      what: `\`${kind}[${(names ?? ['...']).join(', ')}]\``,
      expected: names?.length ?? 1,
      found: values.length,
      shape: `\`${kind}[${values.map((v) => (v && 'value' in v ? String(v.value) : '?')).join(', ')}]\``,
    });
    return undefined;
  }
  const dims: number[] = [];
  for (const [i, value] of values.entries()) {
    const what = `the dimension ${names?.[i] ?? i + 1} of \`${kind}\``;
    if (value?.kind !== 'int') {
      evaluator.report('MMD0406', env, args[i].range, {
        what,
        expected: 'an integer',
        found: value ? showType(value) : 'nothing',
      });
      return undefined;
    }
    if (value.value < 1) {
      evaluator.report('MMD0412', env, args[i].range, {
        dimension: names?.[i] ?? `dimension ${i + 1}`,
        value: value.value,
      });
      return undefined;
    }
    dims.push(value.value);
  }
  return checkSize(evaluator, env, dims, type) ? { dims } : undefined;
}

/** Low-dimensional modalities: they leak through z_t in training, and can guide what is produced with them. */
export function isCompact({ type }: Pick<ModalityInfo, 'type'>): boolean {
  return type === 'category' || type === 'vector';
}

/** Whether guidance has something to work with: a condition, or a class or vector beside what it could guide. */
export function canGuide(
  given: readonly unknown[],
  produced: readonly Pick<ModalityInfo, 'type'>[],
): boolean {
  return given.length > 0 || (produced.some(isCompact) && !produced.every(isCompact));
}

/** Refuses shapes that nothing could hold. */
export function checkSize(
  evaluator: Evaluator,
  env: Environment,
  dims: readonly number[],
  type: TypeExpr,
): boolean {
  return evaluator.fits(dims, env, type.range);
}
