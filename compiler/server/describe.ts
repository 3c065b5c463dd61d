/**
 * What things are, in Markdown: for hover, completion and signatures.
 *
 * @module
 */
import type { Model, Network, Param } from '../../grammar/ast.js';
import type { CompiledModel } from '../driver.js';
import type { Builtin, BuiltinParam } from '../elaborate/builtins/builtin.js';
import { showShape } from '../elaborate/values.js';
import { sizeOf } from '../graph/ir.js';
import { showField, type FieldType } from '../model/forms.js';
import type { ModalityInfo, ModelInfo, TaskInfo } from '../model/info.js';
import { snr } from '../process/tables.js';

export const code = (text: string): string => `\`\`\`mmd\n${text}\n\`\`\``;

/** Parts set apart, those that say nothing left out. */
export const paragraphs = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join('\n\n');

export function count(n: number): string {
  if (n < 10_000) return String(n);
  return n < 1e6 ? `${(n / 1e3).toFixed(1)} k` : `${(n / 1e6).toFixed(2)} M`;
}

export function bytes(n: number): string {
  if (n < 1e6) return `${(n / 1e3).toFixed(0)} kB`;
  return n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`;
}

/** The head of a network as it is written. */
export function networkHead(network: Network, text: string): string {
  return text.slice(network.range.start, network.body.range.start).trim().replace(/\s+/g, ' ');
}

export function parameterText(param: Param, text: string): string {
  return text.slice(param.range.start, param.range.end).replace(/\s+/g, ' ');
}

export function builtinParameter(param: BuiltinParam): string {
  const given = param.default;
  const shown =
    given === undefined
      ? ''
      : given === null
        ? '?'
        : typeof given === 'object'
          ? ` = ${given.form}`
          : ` = ${String(given)}`;
  return `${param.variadic ? '...' : ''}${param.name}: ${param.type}${shown}`;
}

export function builtinHead(builtin: Builtin): string {
  return `${builtin.name}(${builtin.params.map(builtinParameter).join(', ')}) -> ${builtin.result}`;
}

export function describeBuiltin(builtin: Builtin): string {
  const params = builtin.params.map((p) => `- \`${p.name}\`: ${p.about}`).join('\n');
  return paragraphs(code(builtinHead(builtin)), builtin.about, params);
}

/** Trainable values whose names begin with a path, `encoder.image`. */
export function parametersOf(model: CompiledModel, path: string): number {
  return model.parameterList
    .filter((p) => p.trainable && p.name.startsWith(`${path}.`))
    .reduce((sum, p) => sum + sizeOf(p.shape), 0);
}

export function describeModality(modality: ModalityInfo, info: ModelInfo, doc = ''): string {
  const { likelihood: l } = modality;
  const constant =
    l.form === 'gaussian' ? `(sigma: ${l.sigma})` : l.form === 'cosine' ? `(kappa: ${l.kappa})` : '';
  const range = modality.range ? `, values in ${modality.range[0]} to ${modality.range[1]}` : '';
  return paragraphs(
    doc,
    `In networks \`${showShape(modality.shape)}\`${modality.discrete ? ', one-hot or probabilities' : ''}. ` +
      `Likelihood \`${l.form}${constant}\`${range}.`,
    coefficients(info, modality.name),
  );
}

/** A table of what the process does to a modality's encoding, or to all of them. */
export function coefficients(info: ModelInfo, only?: string): string | undefined {
  const { tables } = info;
  const shown = tables.components.filter((c) => only === undefined || c.name === only);
  if (shown.length === 0) return undefined;
  const T = tables.steps;
  const steps = [...new Set([1, Math.round(T / 4), Math.round(T / 2), Math.round((3 * T) / 4), T])];
  const number = (x: number): string =>
    x === 0 ? '0' : x >= 1e-3 && x < 1e4 ? x.toPrecision(3) : x.toExponential(1);
  const head = ['t', ...shown.map((c) => `c of ${c.name}`), 'sigma', ...shown.map((c) => `SNR of ${c.name}`)];
  const rows = steps.map((t) => [
    String(t),
    ...shown.map((c) => number(c.c[t])),
    number(tables.sigma[t]),
    ...shown.map((c) => number(snr(tables, c, t))),
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '--:')), ...rows.map(line)].join('\n');
}

export function describeTask(task: TaskInfo, doc = ''): string {
  const given = task.given.length > 0 ? `${task.given.join(', ')} given, ` : '';
  const readout =
    task.readout.form === 'terminal'
      ? `mean of ${task.readout.calls} calls at t = T`
      : `chain of ${task.steps} calls`;
  const known = task.known.map((k) => `, ${k.modality} known ${k.where} ${k.region}`).join('');
  const guided = task.guidance === 1 ? '' : `, guidance ${task.guidance}`;
  return paragraphs(
    doc,
    `${given}${task.produced.join(', ')} produced${known}: ${readout}, \`${task.sampler.form}\`${guided}.`,
  );
}

/** Defaults that were filled in below a path, with their reasons. */
export function describeDefaults(info: ModelInfo, path: string): string | undefined {
  const filled = info.defaults.filter((d) => d.path.startsWith(`${path}.`));
  if (filled.length === 0) return undefined;
  return `Filled in:\n${filled.map((d) => `- \`${d.path.slice(path.length + 1)}: ${d.value}\` (${d.reason})`).join('\n')}`;
}

export function describeModel(model: CompiledModel, declaration: Model): string {
  const { info } = model;
  const tasks = info.tasks.map((t) => t.name).join(', ');
  return paragraphs(
    declaration.doc?.text,
    `${count(parametersOfAll(model))} parameters; ${info.modalities.length} modalities in \`${showShape(info.space.shape)}\`` +
      `${tasks === '' ? '' : `; tasks ${tasks}`}.`,
    coefficients(info),
  );
}

export const parametersOfAll = (model: CompiledModel): number =>
  model.parameterList.reduce((sum, p) => sum + (p.trainable ? sizeOf(p.shape) : 0), 0);

/** What may stand at a key. */
export function describeField(field: FieldType | 'block'): string {
  if (field === 'block') return 'a block';
  if (field.type === 'form')
    return Object.entries(field.forms)
      .map(([name, params]) => formHead(name, params ?? []))
      .join(' | ');
  const bounds =
    field.type === 'int' || field.type === 'float'
      ? [
          field.min === undefined ? '' : `${field.above ? 'above' : 'at least'} ${field.min}`,
          field.max === undefined ? '' : `at most ${field.max}`,
        ].filter((s) => s !== '')
      : [];
  return [field.type, ...bounds].join(', ');
}

type FormParams = NonNullable<Extract<FieldType, { type: 'form' }>['forms'][string]>;

export function formParameter({ name, field, default: value }: FormParams[number]): string {
  const type = field.type === 'form' ? Object.keys(field.forms).join(' | ') : field.type;
  return `${name}: ${type}${value === undefined ? '' : ` = ${showField(value)}`}`;
}

export function formHead(name: string, params: FormParams): string {
  if (name === 'constant') return params[0]?.name ?? name;
  return params.length === 0 ? name : `${name}(${params.map(formParameter).join(', ')})`;
}
