/**
 * Computes what depends on constants alone, in float64, where the result is small.
 *
 * @module
 */
import type { GraphBuilder, Value } from '../graph/builder.js';
import { KernelError } from '../graph/evaluate.js';
import { sizeOf } from '../graph/ir.js';
import type { Node, NodeOf, Op, Shape } from '../graph/ir.js';
import { compute, constantData } from '../graph/kernels/table.js';
import type { Computed } from '../graph/kernels/table.js';
import { rewrite } from './pass.js';
import { uniformValue } from '../graph/patterns.js';
import type { Pass } from './pass.js';

/** Larger results are left to run time: they would only make the artifact larger. Operands may be this many times larger. */
const largestResult = 4096;
const operandFactor = 16;

const elementwise: ReadonlySet<Op> = new Set<Op>([
  ...(['neg', 'exp', 'log', 'sqrt', 'sin', 'cos', 'tanh', 'sigmoid', 'erf', 'abs', 'sign'] as const),
  ...(['add', 'sub', 'mul', 'div', 'max', 'min', 'pow', 'less', 'equal', 'select', 'cast'] as const),
]);
const moving: ReadonlySet<Op> = new Set<Op>(['reshape', 'transpose', 'broadcast', 'slice', 'stop_gradient']);

type Constant = NodeOf<'constant'>;

function isComputed(node: Node): node is Node & NodeOf<Computed> {
  return node.op !== 'input' && node.op !== 'parameter' && node.op !== 'constant';
}

/** One number where all elements are that number. */
function constant(b: GraphBuilder, data: ArrayLike<number>, shape: Shape, dtype: Node['dtype']): Value {
  const [first] = [data[0]];
  let uniform = first !== undefined;
  for (let i = 1; uniform && i < data.length; i++) uniform = Object.is(data[i], first);
  return b.constant(uniform ? [first!] : data, shape, dtype);
}

function evaluated(
  node: NodeOf<Computed>,
  inputs: readonly Constant[],
  shapes: readonly Shape[],
): ArrayLike<number> {
  const operands = inputs.map((c, k) => ({
    data: constantData({ ...c, shape: shapes[k]! }, 'f64'),
    shape: shapes[k]!,
  }));
  return compute(node, operands, 'f64').data;
}

function fold(b: GraphBuilder, node: Node, inputs: readonly Value[]): Value | undefined {
  if (!isComputed(node) || inputs.length === 0) return undefined;
  const constants = inputs.filter((v): v is Value & Constant => v.op === 'constant');
  if (constants.length < inputs.length) return undefined;
  if (constants.every((c) => uniformValue(c) !== undefined)) {
    if (moving.has(node.op)) return b.constant([uniformValue(constants[0]!)!], node.shape, node.dtype);
    if (elementwise.has(node.op)) {
      const scalars = constants.map((): Shape => []);
      return b.constant(evaluated({ ...node, shape: [] }, constants, scalars), node.shape, node.dtype);
    }
  }
  const read = constants.reduce((n, c) => n + sizeOf(c.shape), 0);
  if (sizeOf(node.shape) > largestResult || read > operandFactor * largestResult) return undefined;
  try {
    const shapes = constants.map((c) => c.shape);
    return constant(b, evaluated(node, constants, shapes), node.shape, node.dtype);
  } catch (e) {
    // An index out of range is reported when the graph runs, with the node's name.
    if (e instanceof KernelError) return undefined;
    throw e;
  }
}

export const foldConstants: Pass = {
  name: 'fold-constants',
  about: 'computes small results that depend on constants alone',
  run: (graph) => rewrite(graph, fold),
};
