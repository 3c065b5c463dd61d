/**
 * Checks a model: reads its declarations and blocks into a {@link ModelInfo}, and holds the rules that connect them.
 *
 * @module
 */
import type { Decoder, Encoder, Model, Range } from '../../grammar/ast.js';
import { didYouMean } from '../diagnostics/suggest.js';
import { Dimensions } from '../elaborate/apply.js';
import { Environment, ParameterScope } from '../elaborate/environment.js';
import type { Evaluator } from '../elaborate/evaluator.js';
import type { Value } from '../elaborate/values.js';
import { sizeOf, type Shape } from '../graph/ir.js';
import type { Module } from '../project/project.js';
import { readData } from './data.js';
import { sourcesOf } from './derived.js';
import { FieldReader, overrideEnvironment } from './forms.js';
import { applyOverrides, type Override } from './overrides.js';
import type { ModalityInfo, ModelInfo, TaskInfo, WeightsInfo } from './info.js';
import { collectMembers, type Members } from './members.js';
import { readMetrics } from './metrics.js';
import { checkSize, readModality } from './modalities.js';
import { reportProcess } from './process-check.js';
import { readProcess } from './process.js';
import { SettingsReader, type FilledDefault } from './settings.js';
import { readTask } from './tasks.js';
import { readLoss, readTrain } from './training.js';
import { readWeights } from './weights.js';

export interface CheckedModel {
  readonly info: ModelInfo;
  /** Values of the model's `let`s. */
  readonly constants: ReadonlyMap<string, Value>;
}

/** Reads and checks everything but the expressions of networks; undefined where too little is left to go on. */
export function checkModel(
  evaluator: Evaluator,
  model: Model,
  module: Module,
  overrides: readonly Override[] = [],
): CheckedModel | undefined {
  const replaced = new WeakMap<object, Override>();
  const declared = collectMembers(model, module, evaluator.diagnostics);
  if (!declared.whole) return undefined;
  const members = applyOverrides(declared, overrides, evaluator.diagnostics, replaced);
  const env = new Environment(module, new ParameterScope('model'), []);
  const constants = new Map<string, Value>();
  for (const item of members.lets) {
    const override = replaced.get(item);
    if (override)
      env.define(item.names[0].text, evaluator.evaluate(override.value, overrideEnvironment(override, env)));
    else evaluator.statement(item, env);
    for (const name of item.names) constants.set(name.text, env.lookup(name.text) ?? { kind: 'error' });
  }
  const defaults: FilledDefault[] = [];
  const fields = new FieldReader(evaluator, env, replaced);
  const modalities: ModalityInfo[] = [];
  for (const { name } of members.modalities) fields.later.set(name.text, name);
  for (const declaration of members.modalities) {
    const { text } = declaration.name;
    fields.later.delete(text);
    const read = readModality(fields, declaration, defaults, modalities);
    if (read) modalities.push(read);
    else fields.unread.add(text);
  }
  const whole = modalities.length === members.modalities.length;
  const space = readSpace(evaluator, env, members, model);
  const spaceName = members.spaces[0]?.name.text;
  const names = modalities.map((m) => m.name);
  const known = (list: readonly (Encoder | Decoder)[], also: readonly string[], what: string) =>
    list.filter(({ name }) => {
      if (name.text === '') return false;
      const all = [...names, ...also];
      if (all.includes(name.text) || fields.unread.has(name.text)) return true;
      const near = didYouMean(name.text, all);
      evaluator.report(
        'MMD0304',
        env,
        name.range,
        { name: name.text },
        { help: near ? `did you mean \`${near}\`?` : `${what} is named after the modality it belongs to` },
      );
      return false;
    });
  const encoders = new Map(known(members.encoders, [], 'an encoder').map((e) => [e.name.text, e as Encoder]));
  // Without a space, what is no modality may be meant for it.
  const heads = spaceName === undefined ? members.decoders.map((d) => d.name.text) : [spaceName];
  const decoders = new Map(
    known(members.decoders, heads, 'a decoder').map((d) => [d.name.text, d as Decoder]),
  );
  const place = model.name.range;
  const reader = (section: Parameters<Members['sections']['get']>[0]) => {
    const found = members.sections.get(section);
    return new SettingsReader(fields, section, found?.block, found?.keyword ?? place, defaults);
  };
  const placeOf = (section: 'process' | 'loss' | 'train') => members.sections.get(section)?.keyword ?? place;
  const process = readProcess(reader('process'), modalities, new Set(encoders.keys()));
  if (process && space)
    reportProcess(fields, members.sections.get('process'), place, process, sizeOf(space.shape));
  const tasks = members.tasks.flatMap(
    (task) => readTask(fields, task, modalities, { steps: process?.spec.steps ?? 1000 }, defaults) ?? [],
  );
  const origin = process?.spec.origin.form === 'modality' ? process.spec.origin.name : undefined;
  const terms = modalities.filter((m) => decoders.has(m.name));
  const loss = readLoss(reader('loss'), terms, origin !== undefined, process?.tables.sigma[1] ?? 1);
  const train = readTrain(reader('train'));
  const data = readData(reader('data'), modalities);
  const evalReader = reader('eval');
  const evalRows = evalReader.range('rows', '');
  const metrics = readMetrics(evalReader, modalities);
  evalReader.finish();
  const backbone = members.backbones[0];
  const weights = new Map<string, WeightsInfo>();
  for (const declaration of [...encoders.values(), ...members.backbones, ...members.decoders]) {
    const { kind, name } = declaration;
    const path = `${kind.toLowerCase()}.${name.text}`;
    const settings = new SettingsReader(fields, path, declaration.options, declaration.range, defaults);
    const read = readWeights(settings, name.text);
    if (read) weights.set(kind === 'Backbone' ? 'backbone' : path, read);
    // An encoder has more settings, which are read where its networks are.
    if (kind !== 'Encoder') settings.finish();
  }
  if (modalities.length === 0 && whole)
    evaluator.report('MMD0503', env, place, { name: model.name.text, what: 'modality' });
  if (!backbone) evaluator.report('MMD0503', env, place, { name: model.name.text, what: 'backbone' });
  if (!backbone || !process || !space || !whole || modalities.length === 0) return undefined;
  const info: ModelInfo = {
    name: model.name.text,
    module,
    doc: model.doc?.text ?? '',
    modalities,
    space,
    encoders,
    backbone,
    decoders,
    weights,
    process: process.spec,
    tables: process.tables,
    predict: process.predict,
    tasks,
    loss,
    train,
    data,
    evalRows,
    metrics,
    defaults,
    places: {
      model: place,
      process: placeOf('process'),
      loss: placeOf('loss'),
      train: placeOf('train'),
    },
  };
  checkRules(evaluator, env, info, model.name.range, origin);
  return { info, constants };
}

function readSpace(
  evaluator: Evaluator,
  env: Environment,
  members: Members,
  model: Model,
): { name: string; shape: Shape } | undefined {
  const space = members.spaces[0];
  if (!space) {
    evaluator.report('MMD0503', env, model.name.range, { name: model.name.text, what: 'space' });
    return undefined;
  }
  const type = space.type;
  if (type.kind === 'ErrorType') return undefined;
  if (type.kind !== 'NamedType' || type.name.text !== 'f32' || !type.args || type.args.length === 0) {
    evaluator.report('MMD0406', env, type.range, {
      what: 'the type of the space',
      expected: 'a tensor such as `f32[28, 28, 1]`',
      found: 'another type',
    });
    return undefined;
  }
  const shape = new Dimensions(evaluator, env).evaluate(type.args);
  if (!shape) return undefined;
  const wrong = shape.findIndex((d) => d < 1);
  if (wrong >= 0) {
    evaluator.report('MMD0412', env, type.args[wrong].range, {
      dimension: `dimension ${wrong + 1}`,
      value: shape[wrong],
    });
    return undefined;
  }
  return checkSize(evaluator, env, shape, type) ? { name: space.name.text, shape } : undefined;
}

/** Whether a modality can be produced: it has a decoder, or it is the origin and is read off z_0. */
export function canProduce(info: Pick<ModelInfo, 'decoders' | 'process' | 'space'>, name: string): boolean {
  const { origin } = info.process;
  return (
    info.decoders.has(name) ||
    (origin.form === 'modality' && origin.name === name && info.decoders.has(info.space.name))
  );
}

function checkRules(
  evaluator: Evaluator,
  env: Environment,
  info: ModelInfo,
  place: Range,
  origin: string | undefined,
): void {
  const { space, encoders, decoders } = info;
  if (origin !== undefined && !decoders.has(space.name)) {
    evaluator.report('MMD0505', env, encoders.get(origin)?.name.range ?? place, {
      name: origin,
      space: space.name,
    });
  }
  if (origin === undefined && decoders.has(space.name)) {
    evaluator.report('MMD0506', env, (decoders.get(space.name) as Decoder).name.range, { space: space.name });
  }
  if (encoders.size === 0) evaluator.report('MMD0503', env, place, { name: info.name, what: 'encoder' });
  const reported = new Set<string>();
  for (const task of info.tasks) checkTask(evaluator, env, info, task, origin, reported);
  // What others are derived from, or a task is known by, has a use of its own.
  const sources = new Set([
    ...info.modalities.flatMap((m) => (m.derived ? sourcesOf(m.derived) : [])),
    ...info.tasks.flatMap((task) => task.known.map((part) => part.region)),
  ]);
  for (const modality of info.modalities) {
    if (sources.has(modality.name)) continue;
    if (reported.has(modality.name) || encoders.has(modality.name) || decoders.has(modality.name)) continue;
    evaluator.report('MMD0507', env, modality.place, { name: modality.name });
  }
  if (
    !info.modalities.some((m) => canProduce(info, m.name)) &&
    reported.size === 0 &&
    (origin === undefined || decoders.has(space.name))
  ) {
    evaluator.report('MMD0503', env, place, { name: info.name, what: 'decoder' });
  }
}

function checkTask(
  evaluator: Evaluator,
  env: Environment,
  info: ModelInfo,
  task: TaskInfo,
  origin: string | undefined,
  reported: Set<string>,
): void {
  const modality = (name: string) => info.modalities.find((m) => m.name === name) as ModalityInfo;
  const { encoders } = info;
  for (const name of task.produced) {
    if (canProduce(info, name) || reported.has(name) || name === origin) continue;
    reported.add(name);
    evaluator.report(
      'MMD0504',
      env,
      modality(name).place,
      { name },
      { labels: [{ ...env.place(task.place), message: `the task \`${task.name}\` produces it` }] },
    );
  }
  for (const name of task.given) {
    if (info.encoders.has(name) || reported.has(name)) continue;
    reported.add(name);
    evaluator.report(
      'MMD0508',
      env,
      modality(name).place,
      { name },
      { labels: [{ ...env.place(task.place), message: `the task \`${task.name}\` is given it` }] },
    );
  }
  for (const { modality: name } of task.known) {
    // A head of its own says what the encoding of the origin is: pixels that are known have no part in it.
    const value = encoders.get(name)?.value;
    if (name !== origin || (value?.kind === 'Ref' && value.name.text === name)) continue;
    const reason =
      'it is the origin, whose encoding is predicted by a head of its own and not from its pixels';
    evaluator.report('MMD0621', env, task.place, { task: task.name, name, reason });
  }
  if (task.guidance !== 1 && info.train.roles.absent === 0) {
    evaluator.report('MMD0706', env, task.place, { task: task.name });
  }
}
