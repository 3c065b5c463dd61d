/**
 * Finds out whether this machine has onnxruntime's blocked convolution, and how wide its blocks are.
 *
 * @module
 */
import { GraphBuilder } from '../../../compiler/graph/builder.js';
import { sizeOf } from '../../../compiler/graph/ir.js';
import { blockedDomain, encodeModel, lowerToOnnx } from '../../../compiler/targets/onnx/index.js';
import { sessionOptions } from './engine.js';
import type { Engine } from './engine.js';

const channels = 16;

/**
 * The width follows from the vector instructions (16 with AVX-512, 8 with AVX2), which no interface tells. So a
 * change of layout is tried: of 16 channels with two pixels each, the first pixel's channels come out in a row, as
 * many as a block has. A convolution in that layout must then agree with the plain one.
 *
 * @returns 8 or 16, or undefined where the kernels are missing.
 */
export async function channelBlock(engine: Engine): Promise<number | undefined> {
  try {
    const width = await blockWidth(engine);
    if (width !== 8 && width !== channels) return undefined;
    const [blocked, plain] = [await convolve(engine, width), await convolve(engine, undefined)];
    const agree = blocked.every((x, k) => Math.abs(x - (plain[k] as number)) < 1e-3);
    return agree ? width : undefined;
  } catch {
    return undefined;
  }
}

async function blockWidth(engine: Engine): Promise<number> {
  const shape = [1, channels, 1, 2];
  const node = {
    name: 'r',
    op: 'ReorderInput',
    domain: blockedDomain,
    inputs: ['x'],
    outputs: ['y'],
    attributes: {},
  };
  const model = encodeModel({
    irVersion: 9,
    opsets: { '': 20, [blockedDomain]: 1 },
    producer: 'mmdc',
    graph: {
      name: 'probe',
      nodes: [node],
      initializers: new Map(),
      inputs: [{ name: 'x', type: 'f32', dims: shape }],
      outputs: [{ name: 'y', type: 'f32', dims: shape }],
    },
  });
  return (await runOnce(engine, model, { x: shape })).indexOf(1);
}

/** A 3x3 convolution of small integers, 16 to 16 channels. */
async function convolve(engine: Engine, block: number | undefined): Promise<Float32Array> {
  const [x, w] = [
    [1, channels, 4, 5],
    [channels, channels, 3, 3],
  ] as const;
  const b = new GraphBuilder('probe');
  b.output('y', b.conv2d(b.input('x', x), b.input('w', w), { pad: [1, 1, 1, 1] }));
  const options = {
    provider: 'cpu',
    contrib: true,
    ...(block === undefined ? {} : { channelBlock: block }),
  } as const;
  return runOnce(engine, lowerToOnnx(b.finish(), options).bytes, { x, w });
}

async function runOnce(
  engine: Engine,
  model: Uint8Array,
  inputs: Readonly<Record<string, readonly number[]>>,
): Promise<Float32Array> {
  const session = await engine.ort.InferenceSession.create(model, sessionOptions(engine, 1));
  try {
    const feeds = Object.entries(inputs).map(([name, shape]) => {
      const data = Float32Array.from({ length: sizeOf(shape) }, (_, k) => (k < 32 ? k : (k * 7) % 11));
      return [name, new engine.ort.Tensor('float32', data, shape)] as const;
    });
    const { y } = await session.run(Object.fromEntries(feeds));
    return y?.data as Float32Array;
  } finally {
    await session.release();
  }
}
