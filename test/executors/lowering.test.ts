import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../compiler/graph/builder.js';
import { gelu } from '../../compiler/graph/compose.js';
import type { Graph } from '../../compiler/graph/ir.js';
import { lowerToOnnx } from '../../compiler/targets/onnx/index.js';
import type { LowerOptions } from '../../compiler/targets/onnx/index.js';
import { loadEngine, sessionOptions } from '../../runtime/executors/ort/engine.js';
import { Draw } from './cases.js';
import { present } from './present.js';
import { evaluate, expectClose } from './support.js';

const cpu: LowerOptions = { provider: 'cpu', contrib: true };

/** Names and operators stand in the model as they are, so its text tells what is in it. */
function text(graph: Graph, options: LowerOptions = cpu): string {
  return String.fromCharCode(...lowerToOnnx(graph, options).bytes);
}

function convolution(inC: number, outC: number): Graph {
  const b = new GraphBuilder('conv');
  const y = b.conv2d(b.input('x', [1, inC, 8, 8]), b.input('w', [outC, inC, 3, 3]), { pad: [1, 1, 1, 1] });
  b.output('y', b.add(y, b.input('bias', [outC, 1, 1])));
  return b.finish();
}

describe('lowering to ONNX', () => {
  it('equal graphs give equal bytes', () => {
    const bytes = [0, 1].map(() => lowerToOnnx(convolution(4, 4), cpu).bytes);
    expect(bytes[0]).toEqual(bytes[1]);
    expect(lowerToOnnx(convolution(4, 5), cpu).bytes).not.toEqual(bytes[0]);
  });

  it('names inputs and outputs as the graph does, with their shapes', () => {
    const { inputs, outputs } = lowerToOnnx(convolution(3, 4), cpu);
    expect(inputs.map((p) => [p.name, p.value, p.shape])).toEqual([
      ['x', 'x', [1, 3, 8, 8]],
      ['w', 'w', [4, 3, 3, 3]],
      ['bias', 'bias', [4, 1, 1]],
    ]);
    expect(outputs.map((p) => [p.name, p.value, p.shape])).toEqual([['y', 'y', [1, 4, 8, 8]]]);
  });

  it('nodes carry the graph node they come from', () => {
    const b = new GraphBuilder('names');
    const x = b.input('x', [2]);
    const y = b.exp(x);
    b.output('y', b.neg(y));
    expect(text(b.finish())).toContain(`%${y.id}.Exp`);
  });

  it('a bias per channel becomes part of the convolution, unless the convolution has another reader', () => {
    const fused = convolution(4, 4);
    expect(text(fused)).not.toContain('Add');
    const twice: Graph = { ...fused, outputs: [...fused.outputs, { name: 'plain', node: 2 }] };
    expect(text(twice)).toContain('Add');
  });

  it('blocked convolution is used for 3x3 kernels with whole blocks, and only on request', () => {
    const blocked: LowerOptions = { ...cpu, channelBlock: 16 };
    expect(text(convolution(32, 16), blocked)).toContain('com.microsoft.nchwc');
    expect(text(convolution(32, 16), cpu)).not.toContain('com.microsoft.nchwc');
    expect(text(convolution(20, 20), blocked)).not.toContain('com.microsoft.nchwc');
  });

  it('a comparison that only chooses is never made a number', () => {
    const b = new GraphBuilder('choice');
    const [x, y] = [b.input('x', [3]), b.input('y', [3])];
    const smaller = b.less(x, y);
    b.output('min', b.select(smaller, x, y));
    expect(text(b.finish())).not.toContain('Cast');
    b.output('mask', smaller);
    expect(text(b.finish())).toContain('Cast');
  });

  it('a bias, a number after a product and numbers before it are part of it', () => {
    const b = new GraphBuilder('product');
    const [x, w, bias] = [b.input('x', [6, 4]), b.input('w', [4, 5]), b.input('bias', [5])];
    b.output('y', b.mul(b.add(b.matmul(b.mul(x, 3), w), bias), 0.5));
    const stacked = b.matmul(b.mul(b.input('q', [2, 3, 4]), 0.5), b.input('k', [2, 7, 4]), {
      transposeB: true,
    });
    b.output('z', stacked);
    expect(text(b.finish())).not.toMatch(/\.(Mul|Add)/);
    expect(text(b.finish())).toMatch(/\.Gemm/);
    // Without onnxruntime's own operation a batched product cannot take the number.
    expect(text(b.finish(), { provider: 'webgpu', contrib: true })).toMatch(/\.Mul/);
  });

  it('a number that something else reads too is multiplied', () => {
    const b = new GraphBuilder('product');
    const [x, w] = [b.input('x', [6, 4]), b.input('w', [4, 5])];
    const scaled = b.mul(x, 3);
    b.output('y', b.matmul(scaled, w));
    b.output('x3', scaled);
    expect(text(b.finish())).toMatch(/\.Mul/);
  });

  it('a GELU is one operation, unless its parts are read', () => {
    const b = new GraphBuilder('gelu');
    const x = b.input('x', [3]);
    b.output('y', gelu(b, x));
    expect(text(b.finish())).toMatch(/\.Gelu/);
    b.output('e', b.erf(b.mul(x, Math.SQRT1_2)));
    expect(text(b.finish())).toMatch(/\.Gelu/);
    const c = new GraphBuilder('gelu');
    const u = c.mul(c.input('x', [3]), Math.SQRT1_2);
    const e = c.erf(u);
    c.output('y', c.mul(c.mul(u, c.add(e, 1)), Math.SQRT1_2));
    c.output('e', e);
    expect(text(c.finish())).not.toMatch(/\.Gelu/);
  });

  it('what is small and read much later is computed early, by outputs that nobody has to fetch', () => {
    const b = new GraphBuilder('early');
    let x = b.input('x', [8, 16]);
    const sums = Array.from({ length: 3 }, () => {
      for (let k = 0; k < 12; k++) x = b.tanh(x);
      return b.sum(x, [0]);
    });
    b.output('y', b.concat(sums, 0));
    const graph = b.finish();
    expect(lowerToOnnx(graph, cpu).outputs.map((p) => p.name)).toEqual(['y']);
    // The first is read 26 nodes later; in exported models nothing is there for one engine's sake.
    expect(text(graph).match(/%\d+\.Slice/g)).not.toBeNull();
    expect(text(graph, { provider: 'cpu', contrib: false })).not.toMatch(/%\d+\.Slice/);
  });

  it('normalize and rstd of one value share one node', () => {
    const b = new GraphBuilder('norm');
    const x = b.input('x', [4, 8]);
    b.output('y', b.normalize(x, 1e-5));
    b.output('r', b.rstd(x, 1e-5));
    expect(text(b.finish()).match(/%\d+\.LayerNormalization(?!:)/g)).toHaveLength(1);
  });

  it.skipIf(!present.includes('ort')).each([
    { provider: 'cpu', contrib: false },
    { provider: 'webgpu', contrib: true },
  ] as const)('%j needs no operator outside the standard', async (options) => {
    const [g] = fc.sample(fc.gen(), { numRuns: 1, seed: 1 }) as [fc.GeneratorValue];
    const d = new Draw(g);
    const [x, y] = [d.f32([2, 3, 5]), d.f32([2, 4, 5])];
    d.b.output('y', d.b.matmul(x, y, { transposeB: true }));
    d.b.output('z', d.b.matmul(y, y, { transposeA: true }));
    const graph = d.b.finish();
    expect(text(graph, options)).not.toContain('com.microsoft');
    const { ort, ...engine } = await loadEngine('native', 1);
    const model = lowerToOnnx(graph, options);
    const session = await ort.InferenceSession.create(model.bytes, sessionOptions({ ort, ...engine }, 1));
    const feeds = Object.entries(d.feeds).map(([name, t]) => {
      return [name, new ort.Tensor('float32', Float32Array.from(t.data), t.shape)] as const;
    });
    const results = await session.run(Object.fromEntries(feeds));
    for (const [name, expected] of Object.entries(evaluate(graph, d.feeds))) {
      expectClose({ data: results[name]?.data as Float32Array, shape: expected.shape }, expected);
    }
    await session.release();
  });
});
