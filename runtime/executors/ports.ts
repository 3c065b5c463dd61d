/**
 * What a program checks before it runs, whatever the engine: names, types and pairs of carried values.
 *
 * @module
 */
import type { DType, Graph, Node, Shape } from '../../compiler/graph/ir.js';
import { sizeOf } from '../../compiler/graph/ir.js';
import type { Tensor } from './executor.js';
import { RunFault } from './fault.js';

/** A fed node, or an output's node, by name. */
export type Ports = ReadonlyMap<string, Node>;

export interface Typed {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Inputs and parameters by name. */
export function fedNodes(graph: Graph): Ports {
  const ports = new Map<string, Node>();
  for (const node of graph.nodes) {
    if (node.op === 'input' || node.op === 'parameter') ports.set(node.attrs.name, node);
  }
  return ports;
}

/** @throws RunFault when `carry` names what the graph has not, or pairs values of different types. */
export function checkCarry(
  inputs: ReadonlyMap<string, Typed>,
  outputs: ReadonlyMap<string, Typed>,
  carry: Iterable<readonly [string, string]>,
): void {
  const used = new Set<string>();
  for (const [from, to] of carry) {
    const input = inputs.get(from);
    const output = outputs.get(to);
    if (input === undefined) throw new RunFault(`carry: the graph has no input '${from}'`);
    if (output === undefined) throw new RunFault(`carry: the graph has no output '${to}'`);
    if (used.has(to)) throw new RunFault(`carry: output '${to}' is carried to two inputs`);
    if (describe(input) !== describe(output)) {
      throw new RunFault(`carry: '${from}' is ${describe(input)} but '${to}' is ${describe(output)}`);
    }
    used.add(to);
  }
}

/** @throws RunFault when a value is not of the type of the input that it is for. */
export function checkTensor(name: string, port: Typed, { data, shape }: Tensor): void {
  const dtype = data instanceof Int32Array ? 'i32' : 'f32';
  const fits = shape.join() === port.shape.join() && data.length === sizeOf(port.shape);
  if (dtype === port.dtype && fits) return;
  const given = `${data.length} elements as ${describe({ dtype, shape })}`;
  throw new RunFault(`input '${name}' is ${describe(port)}; it was given ${given}`);
}

/** @throws RunFault when the feeds of a run are not exactly the inputs that are not carried, or state is missing. */
export function checkFeeds(
  inputs: ReadonlyMap<string, Typed>,
  carry: ReadonlyMap<string, string>,
  written: { has(name: string): boolean },
  feeds: Readonly<Record<string, Tensor>>,
): void {
  for (const name of Object.keys(feeds)) {
    if (!inputs.has(name) || carry.has(name)) throw new RunFault(`no input '${name}' is fed on a run`);
  }
  for (const name of inputs.keys()) {
    if (carry.has(name)) {
      if (!written.has(name)) throw new RunFault(`carried input '${name}' was never written`);
    } else if (!Object.hasOwn(feeds, name)) throw new RunFault(`input '${name}' was not fed`);
  }
}

/** `f32[2, 3]` */
export function describe({ dtype, shape }: Typed): string {
  return `${dtype}[${shape.join(', ')}]`;
}
