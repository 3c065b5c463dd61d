/**
 * The graph as JSON: what `mmdc compile` writes, and reading it back. `schema/graph.schema.json` describes the form; the
 * reader here checks that and what a schema cannot say (references, shapes).
 *
 * @module
 */
import { attrForm, isOp, kindProblem } from './attrs.js';
import type { AttrKind } from './attrs.js';
import { GraphError, showType } from './errors.js';
import { GraphFormatError, specialName, specialNumber } from './format.js';
import { infer, sameShape } from './infer.js';
import type { DType, Graph, Node, Op, Origin, Output } from './ir.js';

export { GraphFormatError } from './format.js';

/** The schema's `$id`. */
export const GRAPH_SCHEMA = 'urn:mmdc:schema:graph:1';
export const GRAPH_VERSION = 1;

/** A number, or the name of one that JSON cannot hold: `"NaN"`, `"Infinity"`, `"-Infinity"`, `"-0"`. */
export type JsonNumber = number | string;

export interface NodeJson {
  readonly op: Op;
  /** Positions of earlier nodes. */
  readonly inputs: readonly number[];
  readonly attrs: Readonly<Record<string, string | boolean | JsonNumber | readonly JsonNumber[]>>;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly origin?: Origin;
}

export interface GraphJson {
  readonly schema: typeof GRAPH_SCHEMA;
  readonly version: typeof GRAPH_VERSION;
  readonly name: string;
  readonly nodes: readonly NodeJson[];
  readonly outputs: readonly Output[];
}

function numberToJson(x: number): JsonNumber {
  return specialName(x) ?? x;
}

function attrsToJson(node: Node): NodeJson['attrs'] {
  const values: Readonly<Record<string, unknown>> = { ...node.attrs };
  const attrs: Record<string, string | boolean | JsonNumber | readonly JsonNumber[]> = {};
  for (const [name] of attrForm(node.op)) {
    const value = values[name];
    if (Array.isArray(value) || value instanceof Float64Array) {
      attrs[name] = Array.from(value as ArrayLike<number>, numberToJson);
    } else {
      attrs[name] = value as string | boolean | number;
    }
  }
  return attrs;
}

/** The JSON form. Properties have a fixed order, so that `JSON.stringify` gives equal text for equal graphs. */
export function toJSON(graph: Graph): GraphJson {
  return {
    schema: GRAPH_SCHEMA,
    version: GRAPH_VERSION,
    name: graph.name,
    nodes: graph.nodes.map((node) => ({
      op: node.op,
      inputs: [...node.inputs],
      attrs: attrsToJson(node),
      shape: [...node.shape],
      dtype: node.dtype,
      ...(node.origin === undefined
        ? {}
        : { origin: { file: node.origin.file, start: node.origin.start, end: node.origin.end } }),
    })),
    outputs: graph.outputs.map(({ name, node }) => ({ name, node })),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function fail(place: string, message: string): never {
  throw new GraphFormatError(place, message);
}

function object(
  value: unknown,
  place: string,
  required: readonly string[],
  optional: readonly string[] = [],
): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fail(place, 'must be an object');
  const fields: Fields = { ...value };
  const missing = required.find((name) => !Object.hasOwn(fields, name));
  if (missing !== undefined) return fail(place, `has no "${missing}"`);
  const extra = Object.keys(fields).find((name) => !required.includes(name) && !optional.includes(name));
  if (extra !== undefined) return fail(`${place}/${pointerPart(extra)}`, 'is not known here');
  return fields;
}

/** A name as it is written in a JSON pointer (RFC 6901). */
function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function list(value: unknown, place: string): readonly unknown[] {
  return Array.isArray(value) ? value : fail(place, 'must be a list');
}

function text(value: unknown, place: string): string {
  return typeof value === 'string' ? value : fail(place, 'must be a string');
}

function count(value: unknown, place: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  return fail(place, 'must be a non-negative integer');
}

function numbers(value: unknown, place: string): Float64Array {
  return Float64Array.from(list(value, place), (x, k) => {
    if (typeof x === 'number') return x;
    return (
      (typeof x === 'string' ? specialNumber(x) : undefined) ?? fail(`${place}/${k}`, 'must be a number')
    );
  });
}

function attribute(kind: AttrKind, value: unknown, place: string): unknown {
  if (kind === 'numbers') return numbers(value, place);
  const wanted = kindProblem(kind, value);
  if (wanted !== undefined) return fail(place, `must be ${wanted}`);
  return Array.isArray(value) ? [...(value as unknown[])] : value;
}

function originFrom(value: unknown, place: string): Origin {
  const fields = object(value, place, ['file', 'start', 'end']);
  return {
    file: text(fields['file'], `${place}/file`),
    start: count(fields['start'], `${place}/start`),
    end: count(fields['end'], `${place}/end`),
  };
}

function nodeFrom(value: unknown, earlier: readonly Node[]): Node {
  const id = earlier.length;
  const place = `/nodes/${id}`;
  const fields = object(value, place, ['op', 'inputs', 'attrs', 'shape', 'dtype'], ['origin']);
  const op = text(fields['op'], `${place}/op`);
  if (!isOp(op)) return fail(`${place}/op`, `"${op}" is no primitive`);
  const inputs = list(fields['inputs'], `${place}/inputs`).map((input, k) => {
    const at = count(input, `${place}/inputs/${k}`);
    return at < id ? at : fail(`${place}/inputs/${k}`, `node ${at} does not come before node ${id}`);
  });
  const form = attrForm(op);
  const given = object(
    fields['attrs'],
    `${place}/attrs`,
    form.map(([name]) => name),
  );
  const attrs = Object.fromEntries(
    form.map(([name, kind]) => [name, attribute(kind, given[name], `${place}/attrs/${name}`)]),
  );
  const shape = list(fields['shape'], `${place}/shape`).map((d, k) => count(d, `${place}/shape/${k}`));
  const { dtype } = fields;
  if (dtype !== 'f32' && dtype !== 'i32') return fail(`${place}/dtype`, 'must be "f32" or "i32"');
  const origin =
    fields['origin'] === undefined ? {} : { origin: originFrom(fields['origin'], `${place}/origin`) };
  // Each attribute has been checked against the operation's form.
  const node = { id, op, inputs, attrs, shape, dtype, ...origin } as unknown as Node;
  checkType(node, earlier, place);
  return node;
}

function checkType(node: Node, earlier: readonly Node[], place: string): void {
  const inputs = node.inputs.map((id) => earlier[id]!);
  try {
    const type = infer(node.op, inputs, node.attrs, node);
    if (!sameShape(type.shape, node.shape)) fail(`${place}/shape`, `${node.op} gives ${showType(type)}`);
    if (type.dtype !== node.dtype) fail(`${place}/dtype`, `${node.op} gives ${showType(type)}`);
  } catch (e) {
    if (e instanceof GraphError) fail(place, e.message);
    throw e;
  }
}

/**
 * Reads the JSON form.
 *
 * @param value parsed JSON
 * @throws GraphFormatError with a JSON pointer to what is wrong: another form or version, an unknown primitive, a reference
 *   that does not point backwards, a shape or dtype that is not what the operation gives, a name used twice.
 */
export function fromJSON(value: unknown): Graph {
  const fields = object(value, '', ['schema', 'version', 'name', 'nodes', 'outputs']);
  const version = count(fields['version'], '/version');
  if (version !== GRAPH_VERSION) {
    const how = version > GRAPH_VERSION ? 'was written by a newer mmdc' : 'is not known';
    fail('/version', `version ${version} ${how}; this one reads version ${GRAPH_VERSION}`);
  }
  if (fields['schema'] !== GRAPH_SCHEMA) fail('/schema', `must be "${GRAPH_SCHEMA}"`);
  const name = text(fields['name'], '/name');
  const nodes: Node[] = [];
  const names = new Set<string>();
  for (const item of list(fields['nodes'], '/nodes')) {
    const node = nodeFrom(item, nodes);
    if (node.op === 'input' || node.op === 'parameter') {
      if (names.has(node.attrs.name))
        fail(`/nodes/${node.id}/attrs/name`, `"${node.attrs.name}" exists already`);
      names.add(node.attrs.name);
    }
    nodes.push(node);
  }
  const taken = new Set<string>();
  const outputs = list(fields['outputs'], '/outputs').map((item, k): Output => {
    const output = object(item, `/outputs/${k}`, ['name', 'node']);
    const label = text(output['name'], `/outputs/${k}/name`);
    if (taken.has(label)) fail(`/outputs/${k}/name`, `"${label}" exists already`);
    taken.add(label);
    const node = count(output['node'], `/outputs/${k}/node`);
    if (node >= nodes.length) fail(`/outputs/${k}/node`, `there is no node ${node}`);
    return { name: label, node };
  });
  return { name, nodes, outputs };
}
