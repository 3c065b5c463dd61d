/**
 * One reverse step as a graph: predictions at z_t, guidance, and the linear update to z_s that every sampler is.
 *
 * @module
 */
import { copyInto, GraphBuilder } from '../graph/builder.js';
import { sizeOf, type Graph, type Node } from '../graph/ir.js';
import { from } from './origin.js';
import { dataNode, Forward, limited, type Evaluated, type Roles } from './forward.js';
import { isCompact } from '../model/modalities.js';
import type { ModalityInfo } from '../model/info.js';
import type { BuiltEncoder, ModelNetworks } from './networks.js';

/** Names of the graph inputs of a sampling step besides the data. J is the number of components. */
export const sampleInputs = {
  given: 'given',
  produced: 'produced',
  t: 't',
  /** f32 [B, ...space]: z_t, or at the start sigma_T times noise. */
  z: 'z',
  /** f32 [1]: 1 at the start, where the encodings of what is given are added to z; else 0. */
  start: 'start',
  /** f32 [B, ...space]: standard normal. */
  noise: 'noise',
  /** f32 [J, B, ...space]: Yh of the last call; zeros at the start. */
  previous: 'previous',
  /** f32 [2 + 2 J]: coefficients of z, noise, Yh by component, and Yh of the last call. */
  update: 'update',
  /** f32 [1]: guidance g, only in a guided graph. */
  guidance: 'guidance',
} as const;

/** Input of a known region, f32 [B, H, W, 1]: 1 where the data of the modality are known. */
export const knownInput = (modality: string): string => `known.${modality}`;

/** What is settled when a sampling step is built. */
export interface SamplingOptions {
  /**
   * Where all rows have the same: the graph then has no inputs for them, and makes no prediction of what is not produced.
   */
  readonly roles?: Roles;
  /**
   * Produced modalities of which a part is known. There its data take the place of the prediction, and the update is then
   * that of the process's own posterior given them: z_s is q(z_s | z_t, X) in the known part, exactly what replacing it by a
   * noised copy (Song et al., 2021, appendix I.2) does for encoders that are the identity, and defined for every encoder and
   * sampler.
   */
  readonly known?: readonly string[];
}

/**
 * Outputs: `z` (z_s), `components` [J, B, ...space], and `prediction.NAME` for every modality that has one.
 * Parameters, and the statistics of learned encoders, are `parameter` nodes.
 */
export function samplingStep(
  networks: ModelNetworks,
  batch: number,
  guided: boolean,
  options: SamplingOptions = {},
): Graph | undefined {
  const { info, evaluator } = networks;
  return from(evaluator.builder, info, info.places.process, () =>
    buildStep(networks, batch, guided, options),
  );
}

/** The roles of the rows: fed, or constants. */
function roleRows(networks: ModelNetworks, batch: number, roles: Roles | undefined) {
  const b = networks.evaluator.builder;
  const { modalities } = networks.info;
  const rows = (role: keyof Roles): Node => {
    const shape = [batch, modalities.length];
    if (!roles) return b.input(sampleInputs[role], shape);
    const flags = modalities.map(({ name }) => Number(roles[role].includes(name)));
    return b.broadcast(b.constant(flags, [1, modalities.length]), shape);
  };
  return { given: rows('given'), produced: rows('produced'), ...(roles && { known: roles }) };
}

function buildStep(
  networks: ModelNetworks,
  batch: number,
  guided: boolean,
  { roles, known: parts = [] }: SamplingOptions,
): Graph | undefined {
  const b = networks.evaluator.builder;
  const { info } = networks;
  const { tables, space } = info;
  const J = tables.components.length;
  const rank = space.shape.length + 1;
  const rows = {
    ...roleRows(networks, batch, roles),
    t: b.input(sampleInputs.t, [batch], 'i32'),
  };
  const input = b.input(sampleInputs.z, [batch, ...space.shape]);
  const start = b.input(sampleInputs.start, [1]);
  const noise = b.input(sampleInputs.noise, [batch, ...space.shape]);
  const previous = b.input(sampleInputs.previous, [J, batch, ...space.shape]);
  const update = b.input(sampleInputs.update, [2 + 2 * J]);
  const data = new Map(
    info.modalities.map((m) => [m.name, from(b, info, m.place, () => dataNode(b, m, batch))]),
  );
  const forward = new Forward(networks, rows, batch, data, { from: 'kept' });
  if (forward.encoders.length !== info.encoders.size) return undefined;

  /** sum_{i given} c_i(t) E_i. */
  let known: Node | undefined;
  for (const encoder of forward.encoders) {
    const name = encoder.modality.name;
    if (!forward.may('given', name)) continue;
    const c = b.mul(forward.coefficient(name), forward.role('given', name));
    const part = b.mul(forward.perRow(c, rank), encoder.encoding);
    known = known ? b.add(known, part) : part;
  }
  const pasted = new Map(
    info.modalities
      .filter((m) => parts.includes(m.name))
      .map((m) => [m.name, new KnownPart(b, m, data.get(m.name) as Node, batch)]),
  );
  for (const [name, part] of pasted) {
    const encoder = forward.encoderOf(name);
    const begin = encoder && part.start(encoder, forward.coefficient(name), space.shape);
    if (begin) known = known ? b.add(known, begin) : begin;
  }
  const z = known ? b.add(input, b.mul(known, start)) : input;
  const evaluated = guided ? guidedEvaluation(networks, forward, data, z) : forward.evaluate(z);
  if (!evaluated || networks.evaluator.diagnostics.hasErrors) return undefined;

  const means = new Map<string, Node>();
  for (const modality of info.modalities) {
    const mean = evaluated.means.get(modality.name);
    if (!mean) continue;
    const within = limited(b, modality, mean);
    means.set(modality.name, pasted.get(modality.name)?.paste(within) ?? within);
  }
  const components = forward.components({ means, origin: evaluated.origin }, false);
  const coefficient = (index: number) => b.slice(update, [index], [index + 1]);
  let next: Node = b.add(b.mul(z, coefficient(0)), b.mul(noise, coefficient(1)));
  const stacked: Node[] = [];
  tables.components.forEach((component, j) => {
    const y = components.get(component.name) as Node;
    stacked.push(b.reshape(y, [1, ...y.shape]));
    if (!forward.may('given', component.name) && !forward.may('produced', component.name)) return;
    const before = b.reshape(b.slice(previous, [j, ...y.shape.map(() => 0)], [j + 1, ...y.shape]), y.shape);
    next = b.add(next, b.add(b.mul(y, coefficient(2 + j)), b.mul(before, coefficient(2 + J + j))));
  });
  b.output('z', next);
  b.output('components', b.concat(stacked, 0));
  for (const [name, mean] of means) b.output(`prediction.${name}`, mean);
  return b.finish();
}

/** The data of a modality where they are known. */
class KnownPart {
  /** Whether a pixel is known, bool [B, H, W, 1]. */
  private readonly here: Node;

  constructor(
    private readonly b: GraphBuilder,
    modality: ModalityInfo,
    /** As networks see it, [B, ...shape]. */
    private readonly x: Node,
    batch: number,
  ) {
    const region = b.input(knownInput(modality.name), [batch, ...modality.shape.slice(0, 2), 1]);
    // A pixel without a class is not known, wherever it is.
    const has = modality.discrete ? b.mul(region, b.sum(x, [-1], true)) : region;
    this.here = b.less(0.5, has);
  }

  /** A prediction with what is known in place, to the last bit. */
  paste(mean: Node): Node {
    return this.b.select(this.here, this.x, mean);
  }

  /**
   * What the known part adds to z_T: its encoding with the coefficient of the marginal. It is next to nothing where the
   * chain ends in noise; undefined where the space has no pixels of the modality's own to add it to.
   */
  start(encoder: BuiltEncoder, coefficient: Node, space: readonly number[]): Node | undefined {
    const { b, x, here } = this;
    if (space.length !== 3 || space[0] !== x.shape[1] || space[1] !== x.shape[2]) return undefined;
    const encoding = encoder.encode(b.select(here, x, b.mul(x, 0)));
    const c = b.reshape(coefficient, [x.shape[0], 1, 1, 1]);
    return b.select(here, b.mul(c, encoding), b.mul(encoding, 0));
  }
}

/**
 * Classifier-free guidance for shared states (Ho & Salimans, 2021): the prediction is moved away from what the model
 * says without the condition, Y = Y(u_t, absent) + g [ Y(z_t, given) - Y(u_t, absent) ]. z_t contains the condition, so
 * the second pass starts from u_t = z_t - sum_i c_i(t) E_i with those modalities absent.
 *
 * The condition is what is given and, where pictures are produced together with classes or vectors, also those, at
 * what the first pass predicts for them: then a picture is guided by its own class. Their predictions are the first
 * pass's.
 */
function guidedEvaluation(
  networks: ModelNetworks,
  forward: Forward,
  data: ReadonlyMap<string, Node>,
  z: Node,
): Evaluated | undefined {
  const b = networks.evaluator.builder;
  const { batch, rows } = forward;
  const { modalities } = networks.info;
  const guidance = b.input(sampleInputs.guidance, [1]);
  const first = forward.evaluate(z);
  if (!first) return undefined;
  const compact = b.constant(
    modalities.map((m) => Number(isCompact(m))),
    [1, modalities.length],
  );
  /** 1 in rows that produce something else than classes and vectors, [B, 1]. */
  const large = b.reduceMax(b.mul(rows.produced, b.sub(1, compact)), [1], true);
  const guides = b.mul(b.mul(rows.produced, compact), large);
  const without = {
    given: rows.known ? b.constant([0], rows.given.shape) : b.mul(rows.given, 0),
    produced: b.sub(rows.produced, guides),
    t: rows.t,
    ...(rows.known && { known: withoutGuides(rows.known, modalities) }),
  };
  let u = z;
  for (const encoder of forward.encoders) {
    const { modality } = encoder;
    const column = modalities.indexOf(modality);
    const rank = z.shape.length;
    const c = forward.coefficient(modality.name);
    if (forward.may('given', modality.name)) {
      const flag = forward.role('given', modality.name);
      u = b.sub(u, b.mul(forward.perRow(b.mul(c, flag), rank), encoder.encoding));
    }
    const mean = first.means.get(modality.name);
    if (!isCompact(modality) || !mean || without.known?.produced.includes(modality.name)) continue;
    const guide = b.reshape(b.slice(guides, [0, column], [batch, column + 1]), [batch]);
    const own = b.mul(forward.perRow(b.mul(c, guide), rank), encoder.encode(limited(b, modality, mean)));
    u = b.sub(u, own);
  }
  const second = new Forward(networks, without, batch, data, { from: 'kept' }).evaluate(u);
  if (!second) return undefined;
  const combine = (x: Node, y: Node): Node => b.add(y, b.mul(b.sub(x, y), guidance));
  const means = new Map<string, Node>();
  for (const [name, mean] of first.means) {
    const modality = modalities.find((m) => m.name === name) as ModalityInfo;
    const other = second.means.get(name);
    // What guides is no part of the second pass where the roles are known.
    if (!other) {
      means.set(name, mean);
      continue;
    }
    const combined = combine(mean, other);
    const here = b.reshape(large, [batch, ...mean.shape.slice(1).map(() => 1)]);
    means.set(name, isCompact(modality) ? b.select(here, mean, combined) : combined);
  }
  return {
    outputs: new Map(),
    means,
    origin: first.origin && second.origin && combine(first.origin, second.origin),
  };
}

/** Roles of the pass without the condition: nothing is given, and what guides is absent. */
function withoutGuides({ produced }: Roles, modalities: readonly ModalityInfo[]): Roles {
  const compact = (name: string): boolean => modalities.some((m) => m.name === name && isCompact(m));
  return { given: [], produced: produced.every(compact) ? produced : produced.filter((n) => !compact(n)) };
}

/** The graph with its parameters as constants, which lets executors prepare them once. */
export function bindParameters(graph: Graph, values: ReadonlyMap<string, ArrayLike<number>>): Graph {
  const b = new GraphBuilder(graph.name);
  const copies = copyInto(b, graph, (node) => {
    if (node.op !== 'parameter') return undefined;
    const value = values.get(node.attrs.name);
    if (!value || value.length !== sizeOf(node.shape))
      throw new Error(`no value for the parameter "${node.attrs.name}"`);
    return b.constant(value, node.shape);
  });
  for (const { name, node } of graph.outputs) b.output(name, copies.get(node) as Node);
  return b.finish();
}
