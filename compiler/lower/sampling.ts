/**
 * One reverse step as a graph: predictions at z_t, guidance, and the linear update to z_s that every sampler is.
 *
 * @module
 */
import { copyInto, GraphBuilder } from '../graph/builder.js';
import { sizeOf, type Graph, type Node } from '../graph/ir.js';
import { dataNode, Forward, limited, type Evaluated } from './forward.js';
import type { ModelNetworks } from './networks.js';

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

/**
 * Outputs: `z` (z_s), `components` [J, B, ...space], and `prediction.NAME` for every modality that has one.
 * Parameters, and the statistics of learned encoders, are `parameter` nodes.
 */
export function samplingStep(networks: ModelNetworks, batch: number, guided: boolean): Graph | undefined {
  const b = networks.evaluator.builder;
  const { info } = networks;
  const { tables, space } = info;
  const count = info.modalities.length;
  const J = tables.components.length;
  const rank = space.shape.length + 1;
  const rows = {
    given: b.input(sampleInputs.given, [batch, count]),
    produced: b.input(sampleInputs.produced, [batch, count]),
    t: b.input(sampleInputs.t, [batch], 'i32'),
  };
  const input = b.input(sampleInputs.z, [batch, ...space.shape]);
  const start = b.input(sampleInputs.start, [1]);
  const noise = b.input(sampleInputs.noise, [batch, ...space.shape]);
  const previous = b.input(sampleInputs.previous, [J, batch, ...space.shape]);
  const update = b.input(sampleInputs.update, [2 + 2 * J]);
  const data = new Map(info.modalities.map((m) => [m.name, dataNode(b, m, batch)]));
  const forward = new Forward(networks, rows, batch, data, { from: 'kept' });
  if (forward.encoders.length !== info.encoders.size) return undefined;

  /** sum_{i given} c_i(t) E_i. */
  let known: Node | undefined;
  for (const encoder of forward.encoders) {
    const name = encoder.modality.name;
    const c = b.mul(forward.coefficient(name), forward.role('given', name));
    const part = b.mul(forward.perRow(c, rank), encoder.encoding);
    known = known ? b.add(known, part) : part;
  }
  const z = known ? b.add(input, b.mul(known, start)) : input;
  const evaluated = guided
    ? guidedEvaluation(networks, forward, data, z, known as Node)
    : forward.evaluate(z);
  if (!evaluated || networks.evaluator.diagnostics.hasErrors) return undefined;

  const means = new Map<string, Node>();
  for (const modality of info.modalities) {
    const mean = evaluated.means.get(modality.name);
    if (mean) means.set(modality.name, limited(b, modality, mean));
  }
  const components = forward.components({ means, origin: evaluated.origin }, false);
  const coefficient = (index: number) => b.slice(update, [index], [index + 1]);
  let next: Node = b.add(b.mul(z, coefficient(0)), b.mul(noise, coefficient(1)));
  const stacked: Node[] = [];
  tables.components.forEach((component, j) => {
    const y = components.get(component.name) as Node;
    const before = b.reshape(b.slice(previous, [j, ...y.shape.map(() => 0)], [j + 1, ...y.shape]), y.shape);
    next = b.add(next, b.add(b.mul(y, coefficient(2 + j)), b.mul(before, coefficient(2 + J + j))));
    stacked.push(b.reshape(y, [1, ...y.shape]));
  });
  b.output('z', next);
  b.output('components', b.concat(stacked, 0));
  for (const [name, mean] of means) b.output(`prediction.${name}`, mean);
  return b.finish();
}

/**
 * Classifier-free guidance for shared states: z_t contains what is given, so the pass without it starts from
 * u_t = z_t - sum_{i given} c_i(t) E_i with those modalities absent. Both passes run as one batch.
 */
function guidedEvaluation(
  networks: ModelNetworks,
  forward: Forward,
  data: ReadonlyMap<string, Node>,
  z: Node,
  known: Node,
): Evaluated | undefined {
  const b = networks.evaluator.builder;
  const { batch } = forward;
  const guidance = b.input(sampleInputs.guidance, [1]);
  const twice = (x: Node, second: Node = x) => b.concat([x, second], 0);
  const rows = {
    given: twice(forward.rows.given, b.mul(forward.rows.given, 0)),
    produced: twice(forward.rows.produced),
    t: twice(forward.rows.t),
  };
  networks.evaluator.batch = 2 * batch;
  const both = new Forward(
    networks,
    rows,
    2 * batch,
    new Map([...data].map(([name, x]) => [name, twice(x)])),
    { from: 'kept' },
  );
  const evaluated = both.evaluate(twice(z, b.sub(z, known)));
  networks.evaluator.batch = batch;
  if (!evaluated) return undefined;
  const combine = (x: Node): Node => {
    const none = x.shape.map(() => 0);
    const first = b.slice(x, none, [batch, ...x.shape.slice(1)]);
    const second = b.slice(x, [batch, ...none.slice(1)], [2 * batch, ...x.shape.slice(1)]);
    return b.add(second, b.mul(b.sub(first, second), guidance));
  };
  return {
    outputs: new Map(),
    means: new Map([...evaluated.means].map(([name, mean]) => [name, combine(mean)])),
    origin: evaluated.origin && combine(evaluated.origin),
  };
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
