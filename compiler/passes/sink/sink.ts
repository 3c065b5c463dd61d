/**
 * Sinks transpositions. The language is channels-last and convolutions are channels-first, so that a network arrives
 * here with a pair of transpositions around every convolution and every group norm. Each is held back as a view and
 * passed on to the results of the operations that can work on the untransposed data, until it meets its inverse or an
 * operation that needs the data in order.
 *
 * @module
 */
import { GraphBuilder } from '../../graph/builder.js';
import type { Value } from '../../graph/builder.js';
import { liveNodes } from '../../graph/evaluate.js';
import type { Graph } from '../../graph/ir.js';
import { sizeOf } from '../../graph/ir.js';
import { compose, identity } from '../../graph/permutation.js';
import { elementsMoved } from '../../graph/stats.js';
import { dropDead } from '../dce.js';
import type { Pass } from '../pass.js';
import { isPending, Layouts } from './layout.js';
import type { View } from './layout.js';
import type { Context, Way } from './way.js';
import { findAbsorbing } from './absorb.js';
import { ways } from './ways.js';

/** The node on operands in order. */
function inOrder({ b, layouts, node, inputs }: Context): Way {
  const plain = inputs.map((view) => identity(view.perm.length));
  return {
    cost: inputs.reduce((sum, view, k) => sum + layouts.cost(view, plain[k]!), 0),
    pending: false,
    build: () => {
      const values = inputs.map((view, k) => layouts.make(view, plain[k]!));
      return { base: b.like(node, values), perm: identity(node.shape.length) };
    },
  };
}

/**
 * The cheapest way. What comes later counts too: a pending result that nothing takes up will have to be made, and a
 * result in order that an explicit transposition waits for will have to be transposed. Where that comes to the same,
 * results are pending only if something takes them up, since what is made early can be shared.
 */
function choose(context: Context): View {
  const size = sizeOf(context.node.shape);
  const total = (way: Way): number => way.cost + (way.pending !== context.absorbed ? size : 0);
  let best = inOrder(context);
  for (const way of ways(context)) {
    const difference = total(way) - total(best);
    if (difference < 0 || (difference === 0 && context.absorbed)) best = way;
  }
  return best.build();
}

function sinkAll(graph: Graph): Graph {
  const b = new GraphBuilder(graph.name);
  const layouts = new Layouts(b);
  const live = liveNodes(graph);
  const absorbing = findAbsorbing(graph, live);
  const views = new Map<number, View>();
  const made = (id: number): Value => {
    const view = views.get(id)!;
    return layouts.make(view, identity(view.perm.length));
  };
  for (const node of graph.nodes) {
    b.origin = node.origin;
    const leaf = node.op === 'input' || node.op === 'parameter';
    if (!live.has(node.id) && !leaf) continue;
    const inputs = node.inputs.map((id) => views.get(id)!);
    if (node.op === 'transpose') {
      const { base, perm } = inputs[0]!;
      views.set(node.id, { base, perm: compose(node.attrs.perm, perm) });
    } else if (inputs.every((view) => !isPending(view))) {
      views.set(node.id, { base: b.like(node, node.inputs.map(made)), perm: identity(node.shape.length) });
    } else {
      views.set(node.id, choose({ b, layouts, node, inputs, absorbed: absorbing.has(node.id) }));
    }
  }
  for (const { name, node } of graph.outputs) {
    b.origin = graph.nodes[node]!.origin;
    b.output(name, made(node));
  }
  return dropDead(b.finish());
}

export const sinkTransposes: Pass = {
  name: 'sink-transposes',
  about: 'moves transpositions towards the outputs until they cancel',
  run(graph) {
    // The choice is local, so that it can lose where values have many users; then the graph stays as it was.
    const sunk = sinkAll(graph);
    return elementsMoved(sunk) <= elementsMoved(graph) ? sunk : graph;
  },
};
