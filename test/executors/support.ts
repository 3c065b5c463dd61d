/**
 * Evaluates graphs in float64 and compares results.
 *
 * @module
 */
import { expect } from 'vitest';
import { compute, constantData } from '../../compiler/graph/kernels/table.js';
import type { NdArray } from '../../compiler/graph/kernels/array.js';
import type { Graph } from '../../compiler/graph/ir.js';
import type { Tensor } from '../../runtime/executors/executor.js';

/** Every output of a graph, computed in float64 by the reference kernels. */
export function evaluate(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Record<string, NdArray> {
  const values: NdArray[] = [];
  for (const node of graph.nodes) {
    if (node.op === 'input' || node.op === 'parameter') {
      const { data } = feeds[node.attrs.name] as Tensor;
      values.push({ data: data instanceof Int32Array ? data : Float64Array.from(data), shape: node.shape });
    } else if (node.op === 'constant') {
      values.push({ data: constantData(node, 'f64'), shape: node.shape });
    } else {
      const inputs = node.inputs.map((id) => values[id] as NdArray);
      values.push(compute(node, inputs, 'f64'));
    }
  }
  return Object.fromEntries(graph.outputs.map(({ name, node }) => [name, values[node] as NdArray]));
}

/**
 * Fails unless |actual - expected| <= tolerance (|expected| + largest |expected|) + 3e-7 everywhere; integers are
 * exact. (The engine's sigmoid is right to 1.5e-7 absolutely: far out in the tail that is all of its value.)
 */
export function expectClose(actual: Tensor, expected: NdArray, tolerance = 1e-5): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.data.length).toBe(expected.data.length);
  if (expected.data instanceof Int32Array) {
    expect(actual.data).toBeInstanceOf(Int32Array);
    expect([...actual.data]).toEqual([...expected.data]);
    return;
  }
  let largest = 0;
  for (const x of expected.data) largest = Math.max(largest, Math.abs(x));
  expected.data.forEach((x, i) => {
    const y = actual.data[i] as number;
    const allowed = tolerance * (Math.abs(x) + largest) + 3e-7;
    if (!(Math.abs(x - y) <= allowed)) {
      throw new Error(`element ${i}: ${y}, expected ${x} (+- ${allowed.toExponential(1)})`);
    }
  });
}
