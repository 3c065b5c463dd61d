/**
 * Finds out whether this machine has onnxruntime's blocked convolution, and how wide its blocks are.
 *
 * @module
 */
import { blockedDomain, encodeModel } from '../../../compiler/targets/onnx/index.js';
import { sessionOptions } from './engine.js';
import type { Engine } from './engine.js';

const channels = 16;

/**
 * The width follows from the vector instructions (16 with AVX-512, 8 with AVX2), which no interface tells. So a
 * change of layout is tried: of 16 channels with two pixels each, the first pixel's channels come out in a row, as
 * many as a block has.
 *
 * @returns 8 or 16, or undefined where the kernels are missing.
 */
export async function channelBlock(engine: Engine): Promise<number | undefined> {
  const shape = [1, channels, 1, 2];
  const model = encodeModel({
    irVersion: 9,
    opsets: { '': 20, [blockedDomain]: 1 },
    producer: 'mmdc',
    graph: {
      name: 'probe',
      nodes: [
        {
          name: 'r',
          op: 'ReorderInput',
          domain: blockedDomain,
          inputs: ['x'],
          outputs: ['y'],
          attributes: {},
        },
      ],
      initializers: new Map(),
      inputs: [{ name: 'x', type: 'f32', dims: shape }],
      outputs: [{ name: 'y', type: 'f32', dims: shape }],
    },
  });
  const data = Float32Array.from({ length: 2 * channels }, (_, k) => k);
  try {
    const session = await engine.ort.InferenceSession.create(model, sessionOptions(engine, 1));
    try {
      const { y } = await session.run({ x: new engine.ort.Tensor('float32', data, shape) });
      const width = (y?.data as Float32Array).indexOf(1);
      return width === 8 || width === channels ? width : undefined;
    } finally {
      await session.release();
    }
  } catch {
    return undefined;
  }
}
