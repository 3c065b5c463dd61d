import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { attrForm } from '../../compiler/graph/attrs.js';
import { GraphBuilder } from '../../compiler/graph/builder.js';
import { hash } from '../../compiler/graph/hash.js';
import { OPS } from '../../compiler/graph/infer.js';
import type { Graph } from '../../compiler/graph/ir.js';
import {
  fromJSON,
  GRAPH_SCHEMA,
  GRAPH_VERSION,
  GraphFormatError,
  toJSON,
} from '../../compiler/graph/json.js';
import { parseText, print } from '../../compiler/graph/text.js';
import { optimize } from '../../compiler/passes/index.js';
import { Random } from './random.js';
import { randomGraph } from './random-graph.js';
import { unet } from './unet.js';

interface Definitions {
  readonly node: { readonly properties: { readonly op: { readonly enum: readonly string[] } } };
}

const schema = JSON.parse(
  readFileSync(new URL('../../schema/graph.schema.json', import.meta.url), 'utf8'),
) as {
  readonly $id: string;
  readonly properties: { readonly version: { readonly const: number } };
  readonly $defs: Definitions;
};
const validate = new Ajv2020({ allErrors: true }).compile(schema);

function sample(): Graph {
  const b = new GraphBuilder('a "sample"');
  b.origin = { file: 'digits.mmd', start: 120, end: 140 };
  const x = b.input('x // a:1..2', [2, 3]);
  b.origin = { file: 'C:\\a b\\"c".mmd', start: 0, end: 7 };
  const w = b.parameter('w', [4, 3]);
  b.origin = undefined;
  const odd = b.constant([NaN, Infinity, -Infinity, -0, 1e-300, 0.1], [2, 3]);
  b.output('y', b.matmul(b.add(x, odd), w, { transposeB: true }));
  b.output('i', b.argmax(b.sum(b.conv2d(b.reshape(x, [1, 1, 2, 3]), b.reshape(w, [2, 1, 2, 3])), [2], true)));
  return b.finish();
}

const graphs = (): Graph[] => {
  const b = new GraphBuilder('unet');
  b.output('y', unet(b, b.input('x', [2, 8, 8, 3]), b.input('time', [2, 8]), { attention: true }));
  const random = Array.from({ length: 40 }, (_, k) => randomGraph(new Random(k + 1), 40));
  return [sample(), b.finish(), optimize(b.finish()), ...random];
};

describe('the text form', () => {
  it('is readable', () => {
    expect(print(sample())).toBe(`graph "a \\"sample\\"" {
  %0: f32[2, 3] = input {name: "x // a:1..2"}  // digits.mmd:120..140
  %1: f32[4, 3] = parameter {name: "w"}  // "C:\\\\a b\\\\\\"c\\".mmd":0..7
  %2: f32[2, 3] = constant {data: [NaN, Infinity, -Infinity, -0, 1e-300, 0.1]}
  %3: f32[2, 3] = add(%0, %2)
  %4: f32[2, 4] = matmul(%3, %1) {transposeB: true}
  %5: f32[1, 1, 2, 3] = reshape(%0) {shape: [1, 1, 2, 3]}
  %6: f32[2, 1, 2, 3] = reshape(%1) {shape: [2, 1, 2, 3]}
  %7: f32[1, 2, 1, 1] = conv2d(%5, %6) {stride: [1, 1], pad: [0, 0, 0, 0]}
  %8: f32[1, 2, 1, 1] = sum(%7) {axes: [2], keep: true}
  %9: i32[1, 2, 1] = argmax(%8)
  output "y" = %4
  output "i" = %9
}
`);
  });

  it('reads back what it wrote', () => {
    for (const graph of graphs()) expect(parseText(print(graph))).toEqual(graph);
  });

  it('refuses what is no graph, with the line', () => {
    const text = print(sample());
    const edits: readonly [from: string, to: string, message: string][] = [
      ['%3: f32[2, 3] = add', '%3: f32[3, 2] = add', 'line 5: %3: add gives f32[2, 3], declared f32[3, 2]'],
      ['add(%0, %2)', 'plus(%0, %2)', 'line 5: "plus" is no primitive'],
      ['add(%0, %2)', 'add(%0, %9)', 'line 5: %3: uses %9, which does not come before it'],
      ['add(%0, %2)', 'add(%0, 2)', 'line 5: expected "%" before `2)`'],
      ['add(%0, %2)', 'add(%0, %2) +', 'line 5: unexpected text before `+`'],
      ['{axes: [2], keep: true}', '{axis: [2]}', 'line 10: sum has no attribute "axis"'],
      [
        '{axes: [2], keep: true}',
        '{keep: true}',
        'line 10: attribute axes of sum must be a list of integers',
      ],
      ['%9: i32', '%8: i32', 'line 11: %9: has id 8'],
      ['output "i" = %9', 'output "y" = %9', 'graph: output "y" exists twice'],
      ['graph ', 'grape ', 'line 1: expected `graph "name" {`'],
      ['\n}\n', '\n', 'end of text: the graph is not complete'],
    ];
    for (const [from, to, message] of edits) {
      expect(text).toContain(from);
      expect(() => parseText(text.replace(from, to)), to).toThrow(
        new GraphFormatError('', '').constructor as never,
      );
      expect(() => parseText(text.replace(from, to)), to).toThrow(message);
    }
  });
});

describe('the JSON form', () => {
  it('reads back what it wrote, and is the same every time', () => {
    for (const graph of graphs()) {
      const text = JSON.stringify(toJSON(graph));
      const read = fromJSON(JSON.parse(text));
      expect(read).toEqual(graph);
      expect(JSON.stringify(toJSON(read))).toBe(text);
    }
  });

  it('fits its schema, which knows the same primitives and attributes', () => {
    for (const graph of graphs()) {
      expect(validate(JSON.parse(JSON.stringify(toJSON(graph)))), JSON.stringify(validate.errors)).toBe(true);
    }
    expect(schema.$id).toBe(GRAPH_SCHEMA);
    expect(schema.properties.version.const).toBe(GRAPH_VERSION);
    expect(schema.$defs.node.properties.op.enum).toEqual(OPS);
    for (const op of OPS) {
      const attrs = Object.fromEntries(attrForm(op).map(([name]) => [name, null]));
      validate({ ...toJSON(sample()), nodes: [{ op, inputs: [], attrs, shape: [], dtype: 'f32' }] });
      const places = (validate.errors ?? [])
        .map((e) => e.instancePath)
        .filter((p) => p.startsWith('/nodes/0/attrs'));
      // Every attribute is known, and null is a fault in each.
      expect(new Set(places), op).toEqual(new Set(attrForm(op).map(([name]) => `/nodes/0/attrs/${name}`)));
    }
  });

  type Path = readonly (string | number)[];

  function edited(path: Path, value: unknown): unknown {
    const json = JSON.parse(JSON.stringify(toJSON(sample()))) as Record<string | number, unknown>;
    const parent = path.slice(0, -1).reduce((at, key) => at[key] as Record<string | number, unknown>, json);
    if (value === undefined) delete parent[path.at(-1)!];
    else parent[path.at(-1)!] = value;
    return json;
  }

  it('refuses edited files, with the place', () => {
    const edits: readonly [path: Path, value: unknown, place: string, message: string][] = [
      [['nodes', 3, 'shape'], [3, 2], '/nodes/3/shape', 'add gives f32[2, 3]'],
      [['nodes', 3, 'shape', 1], -3, '/nodes/3/shape/1', 'must be a non-negative integer'],
      [['nodes', 9, 'dtype'], 'f32', '/nodes/9/dtype', 'argmax gives i32[1, 2, 1]'],
      [['nodes', 9, 'dtype'], 'f64', '/nodes/9/dtype', 'must be "f32" or "i32"'],
      [['nodes', 3, 'inputs', 1], 3, '/nodes/3/inputs/1', 'node 3 does not come before node 3'],
      [['nodes', 3, 'inputs', 1], 8, '/nodes/3/inputs/1', 'node 8 does not come before node 3'],
      [['nodes', 3, 'inputs'], [0], '/nodes/3', 'takes 2 inputs, got 1'],
      [['nodes', 3, 'op'], 'hasOwnProperty', '/nodes/3/op', '"hasOwnProperty" is no primitive'],
      [['nodes', 3, 'extra'], 1, '/nodes/3/extra', 'is not known here'],
      [['nodes', 3, 'a/b'], 1, '/nodes/3/a~1b', 'is not known here'],
      [['nodes', 8, 'attrs', 'axes'], [2.5], '/nodes/8/attrs/axes', 'must be a list of integers'],
      [['nodes', 8, 'attrs', 'axes'], [4], '/nodes/8', 'axes [4] must be increasing and below 4'],
      [['nodes', 8, 'attrs', 'axes'], undefined, '/nodes/8/attrs', 'has no "axes"'],
      [['nodes', 8, 'attrs', 'axis'], 1, '/nodes/8/attrs/axis', 'is not known here'],
      [['nodes', 2, 'attrs', 'data', 0], 'nan', '/nodes/2/attrs/data/0', 'must be a number'],
      [['nodes', 2, 'attrs', 'data'], [1, 2], '/nodes/2', 'holds 2 numbers'],
      [['nodes', 1, 'attrs', 'name'], 'x // a:1..2', '/nodes/1/attrs/name', 'exists already'],
      [['nodes', 0, 'origin', 'end'], '7', '/nodes/0/origin/end', 'must be a non-negative integer'],
      [['nodes', 0], null, '/nodes/0', 'must be an object'],
      [['outputs', 1, 'node'], 10, '/outputs/1/node', 'there is no node 10'],
      [['outputs', 1, 'name'], 'y', '/outputs/1/name', '"y" exists already'],
      [['nodes'], {}, '/nodes', 'must be a list'],
      [['schema'], 'urn:other', '/schema', 'must be "urn:mmdc:schema:graph:1"'],
      [['version'], 2, '/version', 'version 2 was written by a newer mmdc; this one reads version 1'],
      [['version'], 0, '/version', 'version 0 is not known'],
    ];
    for (const [path, value, place, message] of edits) {
      const read = (): Graph => fromJSON(edited(path, value));
      expect(read, `${path.join('/')}`).toThrow(message);
      try {
        read();
      } catch (e) {
        expect(e).toBeInstanceOf(GraphFormatError);
        expect((e as GraphFormatError).place).toBe(place);
      }
    }
  });
});

describe('hash', () => {
  it('is SHA-256 of the text without origins and name', () => {
    const b = new GraphBuilder('one');
    b.output('y', b.scalar(1));
    // printf '%%0: f32[] = constant {data: [1]}\noutput "y" = %%0\n' | sha256sum
    expect(hash(b.finish())).toBe('02c7e0a3152795f00629e35fd7642eb292bf3e6896d5637afefc1592f1de2e42');
  });

  it('does not see origins and names of graphs, and sees everything else', () => {
    const graph = sample();
    const bare = parseText(print(graph).replaceAll(/ {2}\/\/ .*:\d+\.\.\d+$/gm, ''));
    expect(bare.nodes.every((n) => n.origin === undefined)).toBe(true);
    expect(hash({ ...bare, name: 'other' })).toBe(hash(graph));
    const changed = [
      edit(graph, 'pad: [0, 0, 0, 0]', 'pad: [0, 0, 0, 0], stride: [2, 1]'),
      edit(graph, '0.1]', '0.2]'),
      edit(graph, '-0,', '0,'),
      edit(graph, '"w"', '"v"'),
      edit(graph, 'output "i"', 'output "j"'),
    ];
    expect(new Set([graph, ...changed].map(hash)).size).toBe(changed.length + 1);
  });

  function edit(graph: Graph, from: string, to: string): Graph {
    return parseText(print(graph).replace(from, to));
  }
});
