/**
 * The negative variational bound as graph nodes: L0 + L1 + L2 + L3 in nats per row, each a scalar averaged over the
 * batch, and the weighted sum that is minimised (MT-Diffusion, arXiv 2407.17571).
 *
 * @module
 */
import type { GraphBuilder } from '../graph/builder.js';
import { sizeOf, type Node } from '../graph/ir.js';
import type { ModalityInfo } from '../model/info.js';
import { curveOf } from '../process/schedule.js';
import { snr } from '../process/tables.js';
import { snrWeight, type SnrWeight } from '../process/weighting.js';
import { Balance } from './balance.js';
import { logBesselI } from './bessel.js';
import { unitVector, type Evaluated, type Forward } from './forward.js';

export interface LossTerms {
  readonly loss: Node;
  /** Every term under its name, scalars, in the order of the log. */
  readonly terms: ReadonlyMap<string, Node>;
}

/**
 * @param inverseProbability 1 / P(t) of each row's time step, [B]
 * @param data data by modality as networks see it, [B, ...shape]
 */
export function lossTerms(
  forward: Forward,
  evaluated: Evaluated,
  inverseProbability: Node,
  data: ReadonlyMap<string, Node>,
): LossTerms {
  const { b } = forward;
  const { info } = forward.networks;
  const terms = new Map<string, Node>();
  const errors = componentErrors(forward, evaluated);
  const mean = (rows: Node) => b.mean(rows, [0]);

  const balance = new Balance(forward.networks);

  const l0 = mean(terminal(forward));
  terms.set('L0', l0);
  // What encodings leave in z_T has no variance that could be learned: L0 keeps its weight.
  let loss: Node = b.mul(l0, info.loss.L0);

  const bound = mean(b.mul(transitions(forward, errors), inverseProbability));
  terms.set('L1', bound);
  if (info.loss.L1.form === 'simplified') {
    const simplified = mean(simplifiedError(forward, errors, info.loss.L1.snr));
    terms.set('L1.simplified', simplified);
    loss = b.add(loss, balance.weigh('L1', simplified, info.loss.L1.weight));
  } else {
    loss = b.add(loss, balance.weigh('L1', bound, info.loss.L1.weight));
  }

  const pi = timeWeight(forward, inverseProbability);
  for (const [name, { weight, mean: perElement }] of info.loss.L2) {
    const modality = info.modalities.find((m) => m.name === name) as ModalityInfo;
    const output = evaluated.outputs.get(name);
    const x = data.get(name);
    if (!output || !x) continue;
    const counted = b.mul(forward.role('produced', name), pi);
    const rows = b.mul(negativeLogLikelihood(b, modality, x, output), counted);
    const term = mean(rows);
    terms.set(`L2.${name}`, term);
    const scale = perElement ? 1 / sizeOf(modality.dataShape) : 1;
    const floor = b.mul(mean(counted), leastNats(modality));
    loss = b.add(loss, balance.weigh(`L2.${name}`, term, weight, { scale, floor }));
  }

  const l3 = originTerm(forward, errors, inverseProbability);
  if (l3) {
    terms.set('L3', l3.nats);
    loss = b.add(loss, balance.weigh('L3', l3.nats, info.loss.L3.weight, { floor: l3.floor }));
  } else {
    terms.set('L3', b.scalar(0));
  }
  for (const [name, factor] of balance.factors) terms.set(`balance.${name}`, factor);
  return { loss, terms };
}

const sumRows = (b: GraphBuilder, x: Node): Node =>
  b.sum(
    x,
    x.shape.slice(1).map((_, i) => i + 1),
  );

/** pi_t / P(t), by which a row counts in L2, [B] or a number: sum_t pi_t = 1, and `drawn` is pi_t = P(t). */
function timeWeight(forward: Forward, inverseProbability: Node): Node | number {
  const { b } = forward;
  const { loss, tables } = forward.networks.info;
  if (loss.pi === 'drawn') return 1;
  const curve = curveOf(loss.pi);
  const values = Array.from({ length: tables.steps + 1 }, (_, t) => (t === 0 ? 0 : curve(t, tables.steps)));
  const total = values.reduce((sum, x) => sum + x, 0);
  return b.mul(forward.lookup(values.map((x) => x / total)), inverseProbability);
}

/** produced_j (Y_j - Yh_j) by component; a gradient reaches the encoders through it where the spec says so. */
function componentErrors(forward: Forward, evaluated: Evaluated): Map<string, Node> {
  const { b } = forward;
  const stopped = forward.networks.info.loss.encoders === 'stopped';
  const predicted = forward.components(evaluated, stopped);
  const errors = new Map<string, Node>();
  for (const encoder of forward.encoders) {
    const name = encoder.modality.name;
    const estimate = predicted.get(name) as Node;
    const produced = forward.perRow(forward.role('produced', name), estimate.shape.length);
    const target = stopped ? b.stopGradient(encoder.encoding) : encoder.encoding;
    errors.set(name, b.mul(b.sub(target, estimate), produced));
  }
  return errors;
}

/** L0 = KL( q(z_T | X), N(0, I) ), [B]; what is given is known to the prior too and contributes nothing. */
function terminal(forward: Forward): Node {
  const { b } = forward;
  const { tables, space } = forward.networks.info;
  const T = tables.steps;
  const D = sizeOf(space.shape);
  const constant = 0.5 * D * (-tables.A[T] - Math.log(tables.B[T]));
  let mean: Node | undefined;
  for (const encoder of forward.encoders) {
    const c = tables.components.find((component) => component.name === encoder.modality.name)?.c[T] ?? 0;
    const produced = forward.perRow(
      b.mul(forward.role('produced', encoder.modality.name), c),
      encoder.encoding.shape.length,
    );
    const part = b.mul(produced, encoder.encoding);
    mean = mean ? b.add(mean, part) : part;
  }
  if (!mean) return b.constant([constant], [forward.batch]);
  return b.add(b.mul(sumRows(b, b.mul(mean, mean)), 0.5), constant);
}

/** KL( posterior, model ) at each row's t >= 2 with s_t^2 = var_t, [B]; zero at t = 1, which is L3's. */
function transitions(forward: Forward, errors: ReadonlyMap<string, Node>): Node {
  const { b } = forward;
  const { tables } = forward.networks.info;
  let difference: Node | undefined;
  for (const component of tables.components) {
    const error = errors.get(component.name);
    if (!error) continue;
    const part = b.mul(forward.perRow(forward.lookup(component.k), error.shape.length), error);
    difference = difference ? b.add(difference, part) : part;
  }
  if (!difference) return b.constant([0], [forward.batch]);
  const scale = tables.variance.map((variance, t) => (t >= 2 ? 1 / (2 * variance) : 0));
  return b.mul(sumRows(b, b.mul(difference, difference)), forward.lookup(scale));
}

/** sum_j w_j(t) mean |Y_j - Yh_j|^2 over the channels that j fills, [B]. */
function simplifiedError(forward: Forward, errors: ReadonlyMap<string, Node>, weight: SnrWeight): Node {
  const { b } = forward;
  const { tables } = forward.networks.info;
  let total: Node = b.constant([0], [forward.batch]);
  for (const component of tables.components) {
    const error = errors.get(component.name);
    const encoder = forward.encoderOf(component.name);
    if (!error || !encoder) continue;
    const part = forward.networks.cut(error, encoder.channels);
    const square = b.mul(sumRows(b, b.mul(part, part)), 1 / sizeOf(part.shape.slice(1)));
    if (weight.form === 'none') {
      total = b.add(total, square);
      continue;
    }
    const table = component.c.map((_, t) => (t === 0 ? 0 : snrWeight(weight, snr(tables, component, t))));
    total = b.add(total, b.mul(square, forward.lookup(table)));
  }
  return total;
}

/** L3 = -log N(z_0; zh_0, sigma^2) at t = 1, where the origin is a modality itself; `floor` is what it is without error. */
function originTerm(
  forward: Forward,
  errors: ReadonlyMap<string, Node>,
  inverseProbability: Node,
): { nats: Node; floor: Node } | undefined {
  const { b } = forward;
  const { info } = forward.networks;
  const origin = forward.originName;
  if (origin === undefined || !forward.encoderOf(origin)?.identity) return undefined;
  const error = errors.get(origin) as Node;
  const sigma = info.loss.L3.sigma;
  const D = sizeOf(error.shape.slice(1));
  const produced = forward.role('produced', origin);
  const least = b.mul(produced, (D / 2) * Math.log(2 * Math.PI * sigma ** 2));
  const nats = b.add(b.mul(sumRows(b, b.mul(error, error)), 1 / (2 * sigma ** 2)), least);
  const first = b.cast(b.equal(forward.rows.t, 1), 'f32');
  const over = (rows: Node) => b.mean(b.mul(b.mul(rows, first), inverseProbability), [0]);
  return { nats: over(nats), floor: over(least) };
}

/** The least that {@link negativeLogLikelihood} can be of a row, in nats: with densities it may be below zero. */
export function leastNats(modality: ModalityInfo): number {
  const { likelihood } = modality;
  const n = sizeOf(modality.shape);
  if (likelihood.form === 'gaussian') return n * (0.5 * Math.log(2 * Math.PI) + Math.log(likelihood.sigma));
  if (likelihood.form === 'cosine') return -logNormaliser(n, likelihood.kappa) - likelihood.kappa;
  return 0;
}

/** -log p(x | output) in nats, [B]. */
export function negativeLogLikelihood(b: GraphBuilder, modality: ModalityInfo, x: Node, output: Node): Node {
  const { likelihood } = modality;
  const n = sizeOf(modality.shape);
  switch (likelihood.form) {
    case 'categorical':
      return b.neg(sumRows(b, b.mul(x, b.logSoftmax(output))));
    case 'gaussian': {
      const error = b.sub(x, output);
      const constant = n * (0.5 * Math.log(2 * Math.PI) + Math.log(likelihood.sigma));
      return b.add(b.mul(sumRows(b, b.mul(error, error)), 1 / (2 * likelihood.sigma ** 2)), constant);
    }
    case 'bernoulli': {
      // -log p = softplus(o) - x o, with softplus(o) = max(o, 0) + log(1 + exp(-|o|)).
      const softplus = b.add(b.max(output, 0), b.log(b.add(b.exp(b.neg(b.abs(output))), 1)));
      return sumRows(b, b.sub(softplus, b.mul(x, output)));
    }
    case 'cosine': {
      // von Mises-Fisher: log p = log C_D(kappa) + kappa mu.x on unit vectors.
      const cosine = sumRows(b, b.mul(unitVector(b, x), unitVector(b, output)));
      return b.sub(-logNormaliser(n, likelihood.kappa), b.mul(cosine, likelihood.kappa));
    }
  }
}

/** log C_D(kappa) = (D/2 - 1) log kappa - D/2 log 2 pi - log I_{D/2 - 1}(kappa) (Mardia & Jupp, 2000, eq. 9.3.4). */
export function logNormaliser(dimensions: number, kappa: number): number {
  const order = dimensions / 2 - 1;
  return order * Math.log(kappa) - (dimensions / 2) * Math.log(2 * Math.PI) - logBesselI(order, kappa);
}
