/**
 * What a model costs before anything runs: parameters, arithmetic and memory, for the whole, for each declaration and for
 * each use of a network.
 *
 * @module
 */
import { gradients } from './autodiff/gradients.js';
import type { CompiledModel } from './driver.js';
import { liveNodes } from './graph/evaluate.js';
import { sizeOf } from './graph/ir.js';
import { flopsOf, isComputed, stats } from './graph/stats.js';
import { forwardGraph } from './lower/training.js';

/** Arithmetic is counted as in {@link stats}: products and convolutions, a multiplication with its addition as two. */
export interface Cost {
  /** Values of its parameters, frozen ones included. */
  readonly parameters: number;
  /** Of these, what training changes. */
  readonly trainable: number;
  /** Floating-point operations for one row of a batch: the forward pass of training. */
  readonly flops: number;
  /** The same for one row of a training step: forward and backward. */
  readonly trainingFlops: number;
  /** Bytes of the values that the forward pass computes for one row, at four bytes each. */
  readonly activationBytes: number;
  /** Bytes that training keeps between steps: parameters, two moments, moving average. */
  readonly stateBytes: number;
}

/** Cost of a declaration, or of the uses of a network in it that share their parameters. */
export interface PartCost extends Cost {
  /** As in the names of parameters: `encoder.image`, `backbone.UNet_1.Levels_1`. */
  readonly path: string;
  /** The network that is used; undefined for a declaration. */
  readonly network?: string;
}

export interface PartEstimates {
  /** Rows of the batch that was counted: the spec's. */
  readonly batch: number;
  readonly declarations: readonly PartCost[];
  /** In the order of the source, uses inside uses after them. */
  readonly networks: readonly PartCost[];
}

export interface Estimate extends PartEstimates {
  /** The whole model, optimised: what `mmdc compile --stats` says, a row. */
  readonly total: Cost & {
    /** The most bytes that the values of a training step occupy at one time, for the batch. */
    readonly peakBytes: number;
    /** With the state: memory for training at the spec's batch, without what an executor adds. */
    readonly trainingBytes: number;
    /** Floating-point operations of one model call in sampling, a row, without guidance. */
    readonly samplingFlops: number;
  };
}

/** Vectors of the size of the parameters that training carries: themselves, Adam's two moments, their average. */
const stateVectors = 4;

/** A part's nodes: half-open ranges of ids, in increasing order. */
interface Spans {
  readonly network?: string;
  readonly ranges: [number, number][];
}

/** Costs of declarations and networks, from the graphs as they are written; quicker than {@link estimate}. */
export function estimateParts(model: CompiledModel): PartEstimates {
  const { batch } = model.info.train;
  const networks = model.networks('estimate', batch);
  const { evaluator } = networks;
  const b = evaluator.builder;
  const parts = new Map<string, Spans>();
  const note = (path: string, from: number, to: number, network?: string) => {
    const part = parts.get(path);
    if (part) part.ranges.push([from, to]);
    else parts.set(path, { ...(network === undefined ? {} : { network }), ranges: [[from, to]] });
  };
  networks.onDeclaration = (path, from, to) => note(path, from, to);
  evaluator.onNetwork = (path, network, from, to) => note(path, from, to, network.name.text);
  const forward = forwardGraph(networks, batch);
  if (!forward) throw new Error('a model without errors did not compile');
  const end = b.nodes.length;
  const loss = b.nodes[forward.graph.outputs.find((o) => o.name === 'loss')?.node ?? -1];
  const trainable = new Set(model.layout.trainable.map((slot) => slot.name));
  const leaves = b.nodes.filter((n) => n.op === 'parameter' && trainable.has(n.attrs.name));
  /** The node of which each appended one is the derivative. */
  const derivative: (number | undefined)[] = [];
  const parameterGradients = gradients(b, loss, leaves, (node, from, to) => {
    for (let id = from; id < to; id++) derivative[id] = node.id;
  });
  const nodes = b.nodes;
  const outputs = [
    ...forward.graph.outputs,
    ...parameterGradients.map((g, i) => ({ name: `gradient.${i}`, node: g.id })),
  ];
  const live = liveNodes({ name: 'estimate', nodes, outputs });
  // Sums up to each node, so that the cost of a range is a difference.
  const flops = new Float64Array(end + 1);
  const training = new Float64Array(end + 1);
  const bytes = new Float64Array(end + 1);
  for (const node of nodes) {
    if (!live.has(node.id)) continue;
    const cost = flopsOf({ nodes }, node);
    const at = node.id < end ? node.id : derivative[node.id];
    if (at === undefined) continue;
    training[at + 1] += cost;
    if (node.id >= end) continue;
    flops[at + 1] += cost;
    if (isComputed(node)) bytes[at + 1] += 4 * sizeOf(node.shape);
  }
  for (const sums of [flops, training, bytes]) for (let i = 1; i <= end; i++) sums[i] += sums[i - 1];
  const all = [...parts].map(([path, { network, ranges }]): PartCost => {
    const sum = (sums: Float64Array) =>
      ranges.reduce((total, [from, to]) => total + sums[to] - sums[from], 0);
    return {
      path,
      ...(network === undefined ? {} : { network }),
      ...parametersUnder(model, `${path}.`),
      flops: sum(flops) / batch,
      trainingFlops: sum(training) / batch,
      activationBytes: sum(bytes) / batch,
    };
  });
  const first = new Map([...parts].map(([path, { ranges }]) => [path, ranges[0]]));
  // In the order of the source: a use begins no later than what is inside it, and ends no earlier.
  const byPlace = (a: PartCost, c: PartCost) => {
    const [[from, to], [otherFrom, otherTo]] = [a, c].map((p) => first.get(p.path) as [number, number]);
    return from - otherFrom || otherTo - to || a.path.length - c.path.length;
  };
  return {
    batch,
    declarations: all.filter((part) => part.network === undefined),
    networks: all.filter((part) => part.network !== undefined).sort(byPlace),
  };
}

function parametersUnder({ layout }: CompiledModel, prefix: string) {
  const count = (slots: readonly { name: string; size: number }[]) =>
    slots.reduce((sum, slot) => sum + (slot.name.startsWith(prefix) ? slot.size : 0), 0);
  const trainable = count(layout.trainable);
  const frozen = count(layout.frozen);
  return {
    parameters: trainable + frozen,
    trainable,
    stateBytes: 4 * (stateVectors * trainable + frozen + count(layout.statistics)),
  };
}

/** Costs of a model and its parts. Builds the training and sampling graphs, which takes a second for large models. */
export function estimate(model: CompiledModel): Estimate {
  const { batch } = model.info.train;
  const forward = stats(model.forward(batch).graph);
  const step = stats(model.trainingStep(batch).graph);
  const call = stats(model.samplingStep(batch, false));
  const own = parametersUnder(model, '');
  return {
    ...estimateParts(model),
    total: {
      ...own,
      flops: forward.flops / batch,
      trainingFlops: step.flops / batch,
      activationBytes: forward.activationBytes / batch,
      samplingFlops: call.flops / batch,
      peakBytes: step.peakBytes,
      trainingBytes: step.peakBytes + own.stateBytes,
    },
  };
}
