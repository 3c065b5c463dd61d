/** Forward graphs and training steps of small models, run by the reference executor in float64. */
import type { CompiledModel } from '../../compiler/driver.js';
import { analyzeText, shown } from '../model/support.js';
import { Evaluator } from '../../compiler/graph/evaluate.js';
import type { NdArray } from '../../compiler/graph/evaluate.js';
import type { Graph, Shape } from '../../compiler/graph/ir.js';
import { sizeOf } from '../../compiler/graph/ir.js';
import { dataInput } from '../../compiler/lower/forward.js';
import { trainInputs } from '../../compiler/lower/training.js';
import { Random } from '../graph/random.js';

/** A model whose spec may have warnings, but no errors. */
export function compile(text: string, set: readonly string[] = [], name?: string): CompiledModel {
  const analysis = analyzeText(text, set);
  const model = name === undefined ? [...analysis.models.values()][0] : analysis.models.get(name);
  if (!model) throw new Error(shown(analysis));
  return model;
}

export type Values = Map<string, Float64Array>;

/** Values for every trainable parameter, normal-ish and not small. */
export function randomParameters(model: CompiledModel, seed = 1, scale = 0.5): Values {
  const random = new Random(seed);
  return new Map(model.layout.trainable.map((slot) => [slot.name, random.uniform(slot.size, -scale, scale)]));
}

export type Role = 'given' | 'produced' | 'absent';

/** One row of a batch. */
export interface Row {
  readonly t: number;
  readonly roles: Readonly<Record<string, Role>>;
  /** Data by modality, C order; indices where it is discrete. */
  readonly data: Readonly<Record<string, readonly number[]>>;
}

export interface Batch {
  readonly rows: readonly Row[];
  /** [B, ...space], row by row. */
  readonly noise: Float64Array;
  readonly inverseProbability: Float64Array;
}

/** Rows with random data and noise for the given times and roles. */
export function randomBatch(
  model: CompiledModel,
  rows: readonly { readonly t: number; readonly roles: readonly Role[] }[],
  seed = 2,
): Batch {
  const { info } = model;
  const random = new Random(seed);
  const made = rows.map(({ t, roles }): Row => ({
    t,
    roles: Object.fromEntries(info.modalities.map((m, i) => [m.name, roles[i]!])),
    data: Object.fromEntries(
      info.modalities.map((m) => {
        const size = sizeOf(m.dataShape);
        if (m.discrete) return [m.name, Array.from({ length: size }, () => random.int(0, m.classes - 1))];
        if (m.type === 'binary') return [m.name, Array.from({ length: size }, () => random.int(0, 1))];
        return [m.name, [...random.uniform(size, -1, 1)]];
      }),
    ),
  }));
  return {
    rows: made,
    noise: random.uniform(rows.length * sizeOf(info.space.shape), -1.7, 1.7),
    inverseProbability: random.uniform(rows.length, 1, 9),
  };
}

export function batchFeeds(
  model: CompiledModel,
  { rows, noise, inverseProbability }: Batch,
): Record<string, NdArray> {
  const { info } = model;
  const B = rows.length;
  const flags = (role: Role): NdArray => ({
    data: Float64Array.from(
      rows.flatMap((row) => info.modalities.map((m) => Number(row.roles[m.name] === role))),
    ),
    shape: [B, info.modalities.length],
  });
  const feeds: Record<string, NdArray> = {
    [trainInputs.given]: flags('given'),
    [trainInputs.produced]: flags('produced'),
    [trainInputs.t]: { data: Int32Array.from(rows.map((row) => row.t)), shape: [B] },
    [trainInputs.inverseProbability]: { data: inverseProbability, shape: [B] },
    [trainInputs.noise]: { data: noise, shape: [B, ...info.space.shape] },
  };
  for (const m of info.modalities) {
    const values = rows.flatMap((row) => [...row.data[m.name]!]);
    feeds[dataInput(m.name)] = {
      data: m.discrete ? Int32Array.from(values) : Float64Array.from(values),
      shape: [B, ...m.dataShape],
    };
  }
  return feeds;
}

const evaluators = new WeakMap<Graph, Evaluator>();

function evaluatorOf(graph: Graph): Evaluator {
  let evaluator = evaluators.get(graph);
  if (!evaluator) evaluators.set(graph, (evaluator = new Evaluator(graph, 'f64')));
  return evaluator;
}

/** What `make` gives for a model and a batch size, made once. */
function once<T>(
  make: (model: CompiledModel, batch: number) => T,
): (model: CompiledModel, batch: number) => T {
  const made = new WeakMap<CompiledModel, Map<number, T>>();
  return (model, batch) => {
    const own = made.get(model) ?? new Map<number, T>();
    made.set(model, own);
    const value = own.get(batch) ?? make(model, batch);
    own.set(batch, value);
    return value;
  };
}

export const forwardOf = once((model, batch) => model.forward(batch));
export const stepOf = once((model, batch) => model.trainingStep(batch));

/** Runs a graph on those of the feeds that it wants. */
export function run(
  graph: Graph,
  feeds: Readonly<Record<string, NdArray>>,
  parameters: Values = new Map(),
): Record<string, NdArray> {
  const wanted: Record<string, NdArray> = {};
  for (const node of graph.nodes) {
    if (node.op === 'input') wanted[node.attrs.name] = feeds[node.attrs.name]!;
    if (node.op === 'parameter') {
      wanted[node.attrs.name] = { data: parameters.get(node.attrs.name)!, shape: node.shape };
    }
  }
  return evaluatorOf(graph).run(wanted);
}

/** Loss and terms by name. */
export function losses(model: CompiledModel, batch: Batch, parameters: Values): Record<string, number> {
  const { graph, terms } = forwardOf(model, batch.rows.length);
  const outputs = run(graph, batchFeeds(model, batch), parameters);
  return {
    loss: outputs.loss!.data[0]!,
    ...Object.fromEntries(terms.map((name, i) => [name, outputs.terms!.data[i]!])),
  };
}

/** Parameters in the order of the packed vector. */
export function pack(model: CompiledModel, values: Values): Float64Array {
  const packed = new Float64Array(model.layout.size);
  for (const slot of model.layout.trainable) packed.set(values.get(slot.name)!, slot.offset);
  return packed;
}

export const vector = (data: Float64Array): NdArray => ({ data, shape: [data.length] satisfies Shape });

/** |a - b| / |b| over a whole tensor. */
export function normError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [error, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    error += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return a.length === b.length ? Math.sqrt(error) / Math.max(Math.sqrt(norm), 1e-12) : Infinity;
}
