/**
 * The training step as one static graph: forward process, model, losses, our own reverse mode, clipping, AdamW,
 * moving average. State goes in and comes out as packed vectors.
 *
 * @module
 */
import { gradients } from '../autodiff/gradients.js';
import { copyInto, GraphBuilder } from '../graph/builder.js';
import type { Graph, Node } from '../graph/ir.js';
import type { ModelInfo } from '../model/info.js';
import { dataNode, Forward } from './forward.js';
import type { Layout, Slot } from './layout.js';
import { lossTerms } from './losses.js';
import type { ModelNetworks, Statistic } from './networks.js';

/** Names of the graph inputs of a training step besides the data. */
export const trainInputs = {
  /** f32 [B, modalities] of 0/1. */
  given: 'given',
  produced: 'produced',
  /** i32 [B], 1..T. */
  t: 't',
  /** f32 [B]: 1 / P(t). */
  inverseProbability: 'inverse_probability',
  /** f32 [B, ...space]: standard normal. */
  noise: 'noise',
  /** f32 [4]: rate, 1/(1 - beta1^n), 1/(1 - beta2^n), decay of the moving average. */
  schedule: 'schedule',
  /** f32 [n]: the parameters that stay as they were loaded, where there are any. */
  frozen: 'frozen',
} as const;

/** Packed state: input name -> name of the output that is its next value. */
export const trainCarry = {
  parameters: 'parameters.next',
  moment1: 'moment1.next',
  moment2: 'moment2.next',
  ema: 'ema.next',
  statistics: 'statistics.next',
} as const;

export interface ForwardGraph {
  readonly graph: Graph;
  /** Names of the loss terms, in the order of the output `terms`. */
  readonly terms: readonly string[];
  readonly statistics: readonly Statistic[];
}

/**
 * Forward pass with its losses: outputs `loss` (scalar), `terms` [n], and one per kept statistic. Parameters are
 * `parameter` nodes.
 * @param networks made on an empty builder whose batch is `batch`
 */
export function forwardGraph(networks: ModelNetworks, batch: number): ForwardGraph | undefined {
  const b = networks.evaluator.builder;
  const { info } = networks;
  const count = info.modalities.length;
  const rows = {
    given: b.input(trainInputs.given, [batch, count]),
    produced: b.input(trainInputs.produced, [batch, count]),
    t: b.input(trainInputs.t, [batch], 'i32'),
  };
  const inverseProbability = b.input(trainInputs.inverseProbability, [batch]);
  const noise = b.input(trainInputs.noise, [batch, ...info.space.shape]);
  const data = new Map(info.modalities.map((m) => [m.name, dataNode(b, m, batch)]));
  const present = (name: string): Node => {
    const column = info.modalities.findIndex((m) => m.name === name);
    const cut = (x: Node) => b.reshape(b.slice(x, [0, column], [batch, column + 1]), [batch]);
    return b.add(cut(rows.given), cut(rows.produced));
  };
  const forward = new Forward(networks, rows, batch, data, { from: 'batch', present });
  if (forward.encoders.length !== info.encoders.size) return undefined;
  const evaluated = forward.evaluate(forward.marginal(noise));
  if (!evaluated || networks.evaluator.diagnostics.hasErrors) return undefined;
  const { loss, terms } = lossTerms(forward, evaluated, inverseProbability, data);
  b.output('loss', loss);
  b.output(
    'terms',
    b.concat(
      [...terms.values()].map((term) => b.reshape(term, [1])),
      0,
    ),
  );
  for (const statistic of networks.statistics) b.output(statistic.name, statistic.value);
  return { graph: b.finish(), terms: [...terms.keys()], statistics: networks.statistics };
}

export interface TrainingStep {
  readonly graph: Graph;
  readonly layout: Layout;
  readonly terms: readonly string[];
}

/**
 * The losses of a forward graph alone, for parameters that come in packed as in a training step. Outputs: `loss` and
 * `terms`.
 */
export function lossStep(forward: ForwardGraph, layout: Layout): Graph {
  const b = new GraphBuilder(forward.graph.name);
  const packed = b.input('parameters', [layout.size]);
  const views = new Map(layout.trainable.map((slot) => [slot.name, view(b, packed, slot)]));
  if (layout.frozenSize > 0) {
    const frozen = b.input(trainInputs.frozen, [layout.frozenSize]);
    for (const slot of layout.frozen) views.set(slot.name, view(b, frozen, slot));
  }
  const copies = copyInto(b, forward.graph, (node) =>
    node.op === 'parameter' ? views.get(node.attrs.name) : undefined,
  );
  for (const { name, node } of forward.graph.outputs) {
    if (name === 'loss' || name === 'terms') b.output(name, copies.get(node) as Node);
  }
  return b.finish();
}

/**
 * Completes a (preferably optimised) forward graph to a training step. Outputs: `loss`, `terms`, `grad_norm`, and
 * the next state under {@link trainCarry}.
 */
export function trainingStep(info: ModelInfo, forward: ForwardGraph, layout: Layout): TrainingStep {
  const b = new GraphBuilder(`${info.name}.train`);
  const packed = b.input('parameters', [layout.size]);
  const moment1 = b.input('moment1', [layout.size]);
  const moment2 = b.input('moment2', [layout.size]);
  const ema = b.input('ema', [layout.size]);
  const schedule = b.input(trainInputs.schedule, [4]);
  const views = new Map(layout.trainable.map((slot) => [slot.name, view(b, packed, slot)]));
  if (layout.frozenSize > 0) {
    const frozen = b.input(trainInputs.frozen, [layout.frozenSize]);
    for (const slot of layout.frozen) views.set(slot.name, view(b, frozen, slot));
  }
  const copies = copyInto(b, forward.graph, (node) =>
    node.op === 'parameter' ? views.get(node.attrs.name) : undefined,
  );
  const output = (name: string): Node => {
    const found = forward.graph.outputs.find((o) => o.name === name);
    return copies.get(found?.node ?? -1) as Node;
  };
  const loss = output('loss');
  const parts = gradients(
    b,
    loss,
    layout.trainable.map((slot) => views.get(slot.name) as Node),
  );
  const gradient = b.concat(
    parts.map((g, i) => b.reshape(g, [layout.trainable[i].size])),
    0,
  );
  const square = b.mul(gradient, gradient);
  const norm = b.sqrt(sumInRows(b, square));
  const { clip, optimizer } = info.train;
  /** What the gradient is multiplied by: [1] where it is clipped. */
  const factor = clip > 0 ? b.min(b.div(clip, b.add(norm, 1e-6)), 1) : b.scalar(1);

  const scalar = (index: number) => b.slice(schedule, [index], [index + 1]);
  const [rate, correction1, correction2, emaDecay] = [0, 1, 2, 3].map(scalar);
  // AdamW (Loshchilov & Hutter, 2019, algorithm 2): rate m c1 / (sqrt(v c2) + epsilon), with everything that is one
  // number multiplied first, since each operation is a pass over all parameters.
  const { beta1, beta2, epsilon, decay } = optimizer;
  const m = b.add(b.mul(moment1, beta1), b.mul(gradient, b.mul(factor, 1 - beta1)));
  const v = b.add(b.mul(moment2, beta2), b.mul(square, b.mul(b.mul(factor, factor), 1 - beta2)));
  const root2 = b.sqrt(correction2);
  const scale = b.div(b.mul(rate, correction1), root2);
  const step = b.mul(b.div(m, b.add(b.sqrt(v), b.div(epsilon, root2))), scale);
  const next = b.sub(decayed(b, packed, layout, b.mul(rate, decay)), step);
  const average = b.add(ema, b.mul(b.sub(next, ema), b.sub(1, emaDecay)));

  b.output('loss', loss);
  b.output('terms', output('terms'));
  b.output('grad_norm', norm);
  b.output(trainCarry.parameters, next);
  b.output(trainCarry.moment1, m);
  b.output(trainCarry.moment2, v);
  b.output(trainCarry.ema, average);
  if (layout.statisticsSize > 0) {
    const kept = b.input('statistics', [layout.statisticsSize]);
    const current = b.concat(
      layout.statistics.map((slot) => b.reshape(output(slot.name), [slot.size])),
      0,
    );
    // A shorter memory than the parameters' average: the encoders keep moving until the rate is low.
    const keep = b.min(emaDecay, 0.99);
    b.output(trainCarry.statistics, b.add(kept, b.mul(b.sub(current, kept), b.sub(1, keep))));
  }
  return { graph: b.finish(), layout, terms: forward.terms };
}

/**
 * The sum of a long vector, in rows first: engines that add up hundreds of thousands of numbers one after the other in
 * float32 lose the fourth digit.
 */
function sumInRows(b: GraphBuilder, x: Node): Node {
  const [size] = x.shape;
  const width = Math.ceil(Math.sqrt(size));
  const rows = Math.ceil(size / width);
  const padded = b.reshape(b.pad(x, [0], [rows * width - size]), [rows, width]);
  return b.sum(b.sum(padded, [1]), [0]);
}

function view(b: GraphBuilder, packed: Node, slot: Slot): Node {
  return b.reshape(b.slice(packed, [slot.offset], [slot.offset + slot.size]), slot.shape);
}

/** (1 - amount) p for the decayed part of the packed parameters, p for the rest. */
function decayed(b: GraphBuilder, packed: Node, layout: Layout, amount: Node): Node {
  if (layout.decayed === 0) return packed;
  const first = b.slice(packed, [0], [layout.decayed]);
  const shrunk = b.mul(first, b.sub(1, amount));
  if (layout.decayed === layout.size) return shrunk;
  return b.concat([shrunk, b.slice(packed, [layout.decayed], [layout.size])], 0);
}
