/** `compile` of a written graph: read back whole, and refused with the place where it was edited badly. */
import { beforeAll, describe, expect, it } from 'vitest';
import { fromJSON, type GraphJson } from '../../compiler/graph/json.js';
import { evaluate } from '../../compiler/graph/evaluate.js';
import { sizeOf } from '../../compiler/graph/ir.js';
import { folder, tinySpec } from './support.js';

const dir = folder();
dir.write('tiny.mmd', tinySpec);

/** JSON that may be edited into anything. */
interface Loose {
  version: unknown;
  nodes: { op: unknown; inputs: number[]; shape: number[]; dtype: unknown; attrs: Record<string, unknown> }[];
}

let good: string;
beforeAll(async () => {
  const { code, err } = await dir.run('compile', 'tiny.mmd', '-o', 'made');
  expect(err).toBe('');
  expect(code).toBe(0);
  good = dir.read('made/sample.graph.json');
});

/** The first node with two operands, neither of them a leaf's only place. */
function firstBinary(graph: Loose): number {
  return graph.nodes.findIndex((node) => node.op === 'mul' && node.dtype === 'f32');
}

function edited(edit: (graph: Loose, at: number) => void): string {
  const graph = JSON.parse(good) as Loose;
  edit(graph, firstBinary(graph));
  return JSON.stringify(graph);
}

describe('mmdc compile of a graph', () => {
  it('writes it after the passes, with the same results, and as ONNX', async () => {
    dir.write('again.graph.json', good);
    const first = await dir.run('compile', 'again.graph.json', '-o', 'out', '--stats');
    expect(first).toMatchObject({ code: 0, out: 'out/again.graph.json\n' });
    expect(first.err).toMatch(/^again: \d+ operations/);
    const [before, after] = [good, dir.read('out/again.graph.json')].map((text) =>
      fromJSON(JSON.parse(text) as GraphJson),
    );
    const feeds = Object.fromEntries(
      before!.nodes.flatMap((node) =>
        node.op === 'input' || node.op === 'parameter'
          ? [
              [
                node.attrs.name,
                {
                  data:
                    node.dtype === 'i32'
                      ? new Int32Array(sizeOf(node.shape)).fill(1)
                      : Float64Array.from({ length: sizeOf(node.shape) }, (_, k) => Math.sin(k + 1)),
                  shape: node.shape,
                },
              ],
            ]
          : [],
      ),
    );
    const [x, y] = [before!, after!].map((graph) => evaluate(graph, feeds, { precision: 'f64' }));
    for (const [name, { data }] of Object.entries(x!)) {
      data.forEach((value, k) => expect(y![name]!.data[k]).toBeCloseTo(value, 9));
    }
    const onnx = await dir.run('compile', 'again.graph.json', '-o', 'onnx', '--target', 'onnx');
    expect(onnx).toMatchObject({ code: 0, out: 'onnx/again.onnx\n', err: '' });
  });

  it.each<[string, (graph: Loose, at: number) => void, (at: number) => RegExp]>([
    [
      'a wrong shape',
      (g, at) => g.nodes[at]!.shape.push(3),
      (at) => new RegExp(`/nodes/${at}/shape: mul gives f32`),
    ],
    [
      'a wrong dtype',
      (g, at) => (g.nodes[at]!.dtype = 'i32'),
      (at) => new RegExp(`/nodes/${at}/dtype: mul gives f32`),
    ],
    [
      'an unknown dtype',
      (g, at) => (g.nodes[at]!.dtype = 'f16'),
      (at) => new RegExp(`/nodes/${at}/dtype: must be`),
    ],
    [
      'a cycle',
      (g, at) => (g.nodes[at]!.inputs[0] = at),
      (at) => new RegExp(`/nodes/${at}/inputs/0: node ${at} does not come before node ${at}`),
    ],
    [
      'a longer cycle',
      (g, at) => (g.nodes[at]!.inputs[0] = g.nodes.length - 1),
      (at) => new RegExp(`/nodes/${at}/inputs/0: node \\d+ does not come before node ${at}`),
    ],
    [
      'an unknown primitive',
      (g, at) => (g.nodes[at]!.op = 'multiply'),
      (at) => new RegExp(`/nodes/${at}/op: "multiply" is no primitive`),
    ],
    [
      'an unknown attribute',
      (g, at) => (g.nodes[at]!.attrs.axis = 1),
      (at) => new RegExp(`/nodes/${at}/attrs/axis`),
    ],
    ['a newer version', (g) => (g.version = 2), () => /\/version: version 2 was written by a newer mmdc/],
  ])('%s is refused with its place, and nothing is written', async (name, edit, wanted) => {
    const file = `${name.replaceAll(' ', '-')}.graph.json`;
    dir.write(file, edited(edit));
    const { code, out, err } = await dir.run('compile', file, '-o', 'bad');
    expect(err).toMatch(wanted(firstBinary(JSON.parse(good) as Loose)));
    expect(err).toContain(`error: ${file}: /`);
    expect(err).toContain('help: ');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(dir.has('bad')).toBe(false);
  });

  it('what is no JSON, and what would be written over, is refused too', async () => {
    dir.write('torn.graph.json', good.slice(0, 500));
    expect(await dir.run('compile', 'torn.graph.json', '-o', 'bad')).toMatchObject({
      code: 1,
      err: expect.stringContaining('torn.graph.json is not JSON') as string,
    });
    dir.write('here.graph.json', good);
    expect((await dir.run('compile', 'here.graph.json', '-o', '.')).code).toBe(1);
    expect(dir.read('here.graph.json')).toBe(good);
    expect(await dir.run('compile', 'here.graph.json', '-o', 'o', '--set', 'train.steps=3')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--set is for specs') as string,
    });
  });
});
