/**
 * Writes ONNX models. Only the messages and fields that the lowering needs are here, with the field numbers of
 * the public schema (onnx/onnx, `onnx.proto`, IR version 9).
 *
 * @module
 */
import protobuf from 'protobufjs/minimal.js';

type Writer = protobuf.Writer;

/** `TensorProto.DataType` values in use. */
export const dataType = { f32: 1, i32: 6, i64: 7, bool: 9 } as const;

export type DataType = keyof typeof dataType;

/** Constant data: `raw` holds the elements in C order, little endian. */
export interface TensorLiteral {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly raw: Uint8Array;
}

/** An attribute: float, int, ints, string or tensor. */
export type Attribute =
  | { readonly f: number }
  | { readonly i: number }
  | { readonly ints: readonly number[] }
  | { readonly s: string }
  | { readonly t: TensorLiteral }
  /** The body of a Loop. */
  | { readonly g: OnnxGraph };

export type Attributes = Readonly<Record<string, Attribute>>;

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

export interface ValueInfo {
  readonly name: string;
  readonly type: DataType;
  /** Sizes; a name stands for a size that is known when the model runs. */
  readonly dims: readonly (number | string)[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, TensorLiteral>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

export interface OnnxModel {
  readonly irVersion: number;
  /** Operator set domain -> version; the standard domain is the empty string. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer: string;
  /** Markdown about the model. */
  readonly doc?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly graph: OnnxGraph;
}

/** Serialises a model; equal models give equal bytes. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const w = protobuf.Writer.create();
  int(w, 1, model.irVersion);
  text(w, 2, model.producer);
  if (model.doc !== undefined) text(w, 6, model.doc);
  message(w, 7, () => graph(w, model.graph));
  for (const [domain, version] of Object.entries(model.opsets)) {
    message(w, 8, () => {
      text(w, 1, domain);
      int(w, 2, version);
    });
  }
  for (const [key, value] of Object.entries(model.metadata ?? {})) {
    message(w, 14, () => {
      text(w, 1, key);
      text(w, 2, value);
    });
  }
  // A copy: under Node the writer hands out a slice of a pooled Buffer.
  return new Uint8Array(w.finish());
}

function graph(w: Writer, g: OnnxGraph): void {
  for (const n of g.nodes) message(w, 1, () => node(w, n));
  text(w, 2, g.name);
  for (const [name, t] of g.initializers) message(w, 5, () => tensor(w, t, name));
  for (const v of g.inputs) message(w, 11, () => valueInfo(w, v));
  for (const v of g.outputs) message(w, 12, () => valueInfo(w, v));
}

function node(w: Writer, n: OnnxNode): void {
  for (const x of n.inputs) text(w, 1, x);
  for (const y of n.outputs) text(w, 2, y);
  text(w, 3, n.name);
  text(w, 4, n.op);
  for (const [name, value] of Object.entries(n.attributes)) message(w, 5, () => attribute(w, name, value));
  if (n.domain !== '') text(w, 7, n.domain);
}

function attribute(w: Writer, name: string, a: Attribute): void {
  text(w, 1, name);
  if ('f' in a) {
    w.uint32(tag(2, 5)).float(a.f);
    int(w, 20, 1);
  } else if ('i' in a) {
    int(w, 3, a.i);
    int(w, 20, 2);
  } else if ('s' in a) {
    text(w, 4, a.s);
    int(w, 20, 3);
  } else if ('t' in a) {
    const { t } = a;
    message(w, 5, () => tensor(w, t, ''));
    int(w, 20, 4);
  } else if ('g' in a) {
    const { g } = a;
    message(w, 6, () => graph(w, g));
    int(w, 20, 5);
  } else {
    for (const x of a.ints) int(w, 8, x);
    int(w, 20, 7);
  }
}

function tensor(w: Writer, t: TensorLiteral, name: string): void {
  for (const d of t.dims) int(w, 1, d);
  int(w, 2, dataType[t.type]);
  text(w, 8, name);
  w.uint32(tag(9, 2)).bytes(t.raw);
}

function valueInfo(w: Writer, v: ValueInfo): void {
  text(w, 1, v.name);
  message(w, 2, () =>
    message(w, 1, () => {
      int(w, 1, dataType[v.type]);
      message(w, 2, () => {
        for (const d of v.dims) message(w, 1, () => (typeof d === 'string' ? text(w, 2, d) : int(w, 1, d)));
      });
    }),
  );
}

function tag(field: number, wire: 0 | 2 | 5): number {
  return field * 8 + wire;
}

function int(w: Writer, field: number, value: number): void {
  w.uint32(tag(field, 0)).int64(value);
}

function text(w: Writer, field: number, value: string): void {
  w.uint32(tag(field, 2)).string(value);
}

function message(w: Writer, field: number, body: () => void): void {
  w.uint32(tag(field, 2)).fork();
  body();
  w.ldelim();
}
