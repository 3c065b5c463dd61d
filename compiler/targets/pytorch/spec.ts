/**
 * `spec.py`: everything of the model's record that is not a network, as plain Python values.
 *
 * @module
 */
import type { CompiledModel } from '../../driver.js';
import { logNormaliser } from '../../lower/losses.js';
import type { BuiltEncoder } from '../../lower/networks.js';
import type { FormValue } from '../../model/forms.js';
import type { DerivedInfo, Likelihood, ModalityInfo } from '../../model/info.js';
import { holeSides } from '../../model/transforms.js';
import type { Schedule, WeightCurve, Weights } from '../../process/schedule.js';
import { sizeOf } from '../../graph/ir.js';
import { attributeName, valueName } from './names.js';
import { docstring, lineLength, pythonNumber, pythonString, pythonTuple } from './python.js';
import type { Trace } from './trace.js';

/** A Python value that is laid out where it is written. */
type Node =
  | string
  | { readonly call: string; readonly args: readonly (readonly [string, Node])[] }
  | { readonly tuple: readonly Node[] }
  | { readonly dict: readonly (readonly [string, Node])[] };

const float = (value: number): string => pythonNumber(value, false);
const call = (name: string, args: Readonly<Record<string, Node>>): Node => ({
  call: name,
  args: Object.entries(args),
});
const strings = (items: readonly string[]): Node => ({ tuple: items.map(pythonString) });
const ints = (items: readonly number[]): string => pythonTuple(items.map(String));

export function specModule(model: CompiledModel, trace: Trace): string {
  const { info } = model;
  const renamed = renamedPaths(model);
  const spec = call('Spec', {
    name: pythonString(info.name),
    hash: pythonString(model.hash()),
    modalities: {
      tuple: info.modalities.map((m) => modality(m, trace, info.decoders.has(m.name))),
    },
    space: ints(info.space.shape),
    process: call('Process', {
      steps: String(info.process.steps),
      schedule: schedule(info.process.schedule),
      normaliser: float(info.process.normaliser),
      origin: pythonString(
        info.process.origin.form === 'modality' ? info.process.origin.name : info.process.origin.form,
      ),
      components: {
        dict: info.process.components.map(
          (c) => [pythonString(c.name), c.weights ? weights(c.weights) : 'None'] as const,
        ),
      },
      predict: pythonString(info.predict),
    }),
    tasks: {
      tuple: info.tasks.map((task) =>
        call('Task', {
          name: pythonString(task.name),
          given: strings(task.given),
          produced: strings(task.produced),
          guidance: float(task.guidance),
          sampler: pythonString(task.sampler.form),
          eta: float(task.sampler.form === 'ddim' ? task.sampler.eta : 0),
          steps: String(task.steps),
          calls: String(task.readout.form === 'terminal' ? task.readout.calls : 0),
        }),
      ),
    },
    loss: loss(model),
    train: train(model),
    data: data(model),
    ...(renamed.length > 0
      ? { renamed: { dict: renamed.map(([a, b]) => [pythonString(a), pythonString(b)] as const) } }
      : {}),
    ...weightFields(model),
  });
  const body = `SPEC = ${layout(spec, 0, 'SPEC = '.length, 0)}`;
  const names = [...new Set([...body.matchAll(/\b([A-Z][A-Za-z0-9]*)\(/g)].map((m) => m[1]))].sort(byRuff);
  const imports = `from .schema import (\n${names.map((n) => `    ${n},\n`).join('')})`;
  const flat = `from .schema import ${names.join(', ')}`;
  return `${docstring(`The model \`${info.name}\`: modalities, process, tasks, losses, training and data, as its spec has them.`, '').join('\n')}\n\n${flat.length <= lineLength ? flat : imports}\n\n${body}\n`;
}

/** Ruff sorts constants, then classes. */
function byRuff(a: string, b: string): number {
  const constant = (name: string) => Number(!/^[A-Z0-9_]+$/.test(name));
  return constant(a) - constant(b) || (a < b ? -1 : 1);
}

/** Which declarations stay as they are, and whether values of some come from a file. */
function weightFields({ info }: CompiledModel): Record<string, Node> {
  const frozen = [...info.weights].filter(([, weights]) => weights.frozen);
  return {
    ...(frozen.length > 0
      ? { frozen: strings(frozen.map(([path]) => pythonPath(path, info.space.name))) }
      : {}),
    ...([...info.weights.values()].some(({ load }) => load !== null) ? { loaded: 'True' } : {}),
  };
}

function modality(m: ModalityInfo, trace: Trace, decoded: boolean): Node {
  const built = trace.networks.encoders.get(m.name);
  return call('Modality', {
    name: pythonString(m.name),
    attribute: pythonString(valueName(m.name)),
    type: pythonString(m.type),
    shape: ints(m.shape),
    data_shape: ints(m.dataShape),
    classes: String(m.classes),
    likelihood: likelihood(m.likelihood, sizeOf(m.shape)),
    range: m.range ? pythonTuple(m.range.map(float)) : 'None',
    encoder: built ? encoder(m, built, trace) : 'None',
    decoded: decoded ? 'True' : 'False',
    ...(m.labels ? { labels: strings(m.labels) } : {}),
    ...(m.derived ? { derived: transform(m.derived) } : {}),
  });
}

function transform(derived: DerivedInfo): Node {
  if (derived.op === 'modality') return pythonString(derived.name);
  const { name, values, modalities, stream } = derived;
  const numbers = ['fill', 'sigma', 'level'].filter((key) => typeof values[key] === 'number');
  const cuts = name === 'holes' || name === 'cutout';
  const spread = cuts && typeof values.most === 'number';
  const holes = cuts && !spread ? holeSides(derived.shape, values, 0) : undefined;
  return call('Transform', {
    name: pythonString(name),
    input: derived.input ? transform(derived.input) : 'None',
    kind: pythonString(derived.type),
    shape: ints(derived.shape),
    ...(stream === null ? {} : { stream: pythonString(stream) }),
    ...(modalities.hole ? { hole: pythonString(modalities.hole) } : {}),
    ...(holes ? { count: String(values.count), height: String(holes[0]), width: String(holes[1]) } : {}),
    ...(spread
      ? {
          count: String(values.count),
          area: float(values.area as number),
          most: float(values.most as number),
        }
      : {}),
    ...(typeof values.factor === 'number' ? { factor: String(values.factor) } : {}),
    ...Object.fromEntries(numbers.map((key) => [key, float(values[key] as number)])),
  });
}

function encoder(m: ModalityInfo, built: BuiltEncoder, trace: Trace): Node {
  const flag = (value: boolean) => (value ? 'True' : 'False');
  return call('Encoder', {
    table: flag(m.type === 'category'),
    learned: flag(trace.networks.isLearned(m.name)),
    identity: flag(built.identity),
    channels: ints([built.channels.from, built.channels.to]),
  });
}

function likelihood(value: Likelihood, size: number): Node {
  switch (value.form) {
    case 'gaussian':
      return call('Gaussian', { sigma: float(value.sigma) });
    case 'cosine':
      return call('Cosine', {
        kappa: float(value.kappa),
        log_normaliser: float(logNormaliser(size, value.kappa)),
      });
    case 'bernoulli':
      return call('Bernoulli', {});
    case 'categorical':
      return call('Categorical', {});
  }
}

function schedule(value: Schedule): Node {
  switch (value.form) {
    case 'cosine':
      return call('CosineSchedule', { offset: float(value.offset), maximum: float(value.max) });
    case 'linear':
      return call('LinearSchedule', { first: float(value.first), last: float(value.last) });
    case 'constant':
      return call('ConstantSchedule', { value: float(value.value) });
  }
}

function weights(value: Weights): Node {
  if (value.form === 'nested') return call('Weights', { form: '"nested"', scale: float(value.scale) });
  return call('Weights', { form: pythonString(value.form), curve: curve(value.curve) });
}

function curve(value: WeightCurve): Node {
  switch (value.form) {
    case 'constant':
      return call('Curve', { form: '"constant"', a: float(value.value) });
    case 'cosine':
      return call('Curve', { form: '"cosine"', a: float(value.scale) });
    case 'linear':
      return call('Curve', { form: '"linear"', a: float(value.from), b: float(value.to) });
  }
}

function loss({ info }: CompiledModel): Node {
  const { L0, L1, L2, L3 } = info.loss;
  const snr = L1.form === 'simplified' ? L1.snr : { form: 'none' as const };
  const range: Record<string, Node> =
    snr.form === 'min'
      ? { high: float(snr.gamma) }
      : snr.form === 'clamp'
        ? { low: float(snr.low), high: float(snr.high) }
        : snr.form === 'p2'
          ? { p2_k: float(snr.k), p2_gamma: float(snr.gamma) }
          : {};
  return call('Loss', {
    l0: float(L0),
    l1: call('L1', { form: pythonString(L1.form), weight: float(L1.weight), ...range }),
    l2: {
      dict: [...L2].map(
        ([name, l2]) =>
          [
            pythonString(name),
            call('L2', { weight: float(l2.weight), mean: l2.mean ? 'True' : 'False' }),
          ] as const,
      ),
    },
    l3: float(L3.weight),
    l3_sigma: float(L3.sigma),
  });
}

function train({ info }: CompiledModel): Node {
  const { optimizer, rate, roles, batch, steps, ema, seed, clip, timesteps, ...unknown } = info.train;
  // A setting that is added to the language does not compile until it is written here.
  unknown satisfies Record<string, never>;
  return call('Train', {
    optimizer: call('AdamW', {
      decay: float(optimizer.decay),
      beta1: float(optimizer.beta1),
      beta2: float(optimizer.beta2),
      epsilon: float(optimizer.epsilon),
    }),
    rate: call('Rate', {
      form: pythonString(rate.form),
      peak: float(rate.peak),
      warmup: String(rate.warmup),
      floor: float(rate.floor),
    }),
    batch: String(batch),
    steps: String(steps),
    ema: float(ema),
    seed: String(seed),
    clip: float(clip),
    stratified: timesteps === 'stratified' ? 'True' : 'False',
    roles: call('RoleShares', {
      all: float(roles.all),
      tasks: float(roles.tasks),
      any: float(roles.any),
      absent: float(roles.absent),
    }),
  });
}

function data({ info }: CompiledModel): Node {
  const { set, columns, rows } = info.data;
  const range = (value: { from: number; to: number }) => ints([value.from, value.to]);
  return call('Data', {
    ...(set ? { builtin: pythonString(String(set.source.args.name)) } : {}),
    ...(columns.length > 0
      ? {
          sources: {
            dict: columns.map(
              ({ modality: name, source: from }) => [pythonString(name), source(from)] as const,
            ),
          },
        }
      : {}),
    ...(rows ? { rows: range(rows) } : {}),
    ...(info.evalRows ? { eval_rows: range(info.evalRows) } : {}),
    ...(info.data.join === 'order' ? {} : { join: pythonString(info.data.join) }),
    ...(info.data.errors === 'skip' ? { skip: 'True' } : {}),
  });
}

/** A source with those of its arguments that say something. */
function source({ form, args }: FormValue): Node {
  const text = (name: string, as = name): Record<string, Node> =>
    typeof args[name] === 'string' ? { [as]: pythonString(args[name]) } : {};
  const columns = args.columns ?? (typeof args.column === 'string' ? [args.column] : null);
  const fit = (args.fit as FormValue | undefined)?.form ?? 'none';
  return call('Source', {
    form: pythonString(form),
    path: pythonString(String(args.path)),
    ...(typeof args.void === 'number' ? { void: String(args.void) } : {}),
    ...text('key'),
    ...(args.labels === 2 ? { labels: '2' } : {}),
    ...text('ending'),
    ...text('field', 'ending'),
    ...(columns === null ? {} : { columns: strings(columns as readonly string[]) }),
    ...text('id'),
    ...(fit === 'none' ? {} : { fit: pythonString(fit) }),
    ...(args.missing === true ? { missing: 'True' } : {}),
  });
}

/** Parameters whose names in checkpoints differ from those in Python. */
function renamedPaths(model: CompiledModel): [string, string][] {
  const { info, layout } = model;
  return [...layout.trainable, ...layout.frozen, ...layout.statistics].flatMap(
    ({ name }): [string, string][] => {
      const python = pythonPath(name, info.space.name);
      return python === name ? [] : [[python, name]];
    },
  );
}

/** A parameter's path in Python: names of modalities may be others, and the space's decoder is `origin`. */
export function pythonPath(name: string, space: string): string {
  const parts = name.split('.');
  if (parts[0] === 'backbone') return parts.map(attributeName).join('.');
  const own = parts[0] === 'decoder' && parts[1] === space ? 'origin' : valueName(parts[1]);
  return [parts[0], own, ...parts.slice(2).map(attributeName)].join('.');
}

/** Lays a value out the way ruff does: on one line where it fits, else one item a line. */
function layout(node: Node, indent: number, before: number, after: number): string {
  const flat = flatten(node);
  if (indent + before + flat.length + after <= lineLength) return flat;
  if (typeof node === 'string') return flat;
  const pad = ' '.repeat(indent + 4);
  const close = ' '.repeat(indent);
  if ('call' in node) {
    const inline = node.args.map(([name, value]) => `${name}=${flatten(value)}`).join(', ');
    if (indent + 4 + inline.length <= lineLength && !node.args.some(([, v]) => isOpen(v)))
      return `${node.call}(\n${pad}${inline}\n${close})`;
    const lines = node.args.map(
      ([name, value]) => `${pad}${name}=${layout(value, indent + 4, name.length + 1, 1)},\n`,
    );
    return `${node.call}(\n${lines.join('')}${close})`;
  }
  if ('tuple' in node) {
    return `(\n${node.tuple.map((item) => `${pad}${layout(item, indent + 4, 0, 1)},\n`).join('')}${close})`;
  }
  return `{\n${node.dict.map(([key, item]) => `${pad}${key}: ${layout(item, indent + 4, key.length + 2, 1)},\n`).join('')}${close}}`;
}

/** A one-item tuple's comma is no reason to break lines. */
const isOpen = (_: Node): boolean => false;

function flatten(node: Node): string {
  if (typeof node === 'string') return node;
  if ('call' in node) return `${node.call}(${node.args.map(([n, v]) => `${n}=${flatten(v)}`).join(', ')})`;
  if ('tuple' in node) return node.tuple.length === 0 ? '()' : pythonTuple(node.tuple.map(flatten));
  return `{${node.dict.map(([k, v]) => `${k}: ${flatten(v)}`).join(', ')}}`;
}
