/**
 * Graphs of the judge: a small convolutional classifier of 28x28 digits, in the layout that LeCun et al. ("Gradient-based
 * learning applied to document recognition", 1998) made usual: convolution, pooling, convolution, pooling, two dense
 * layers. It is built here from primitives, shares nothing with the models it judges, and is not written in `.mmd`.
 *
 * @module
 */
import { GraphBuilder, type Value } from '../compiler/graph/builder.js';
import { relu } from '../compiler/graph/compose.js';
import type { Graph, Shape } from '../compiler/graph/ir.js';
import { optimize } from '../compiler/passes/index.js';
import { layoutOf, trainingStep, unpack } from '../runtime/eval/networks/packed.js';
import { classes, pixels, side } from './mnist.js';

/** Channels of the two convolutions and units of the hidden layer. */
export const widths = { first: 16, second: 32, hidden: 128 } as const;

const shapes: readonly (readonly [name: string, shape: Shape, fan: number])[] = [
  ['conv1.weight', [widths.first, 1, 3, 3], 9],
  ['conv1.bias', [widths.first], 0],
  ['conv2.weight', [widths.second, widths.first, 3, 3], 9 * widths.first],
  ['conv2.bias', [widths.second], 0],
  ['dense1.weight', [(pixels / 16) * widths.second, widths.hidden], (pixels / 16) * widths.second],
  ['dense1.bias', [widths.hidden], 0],
  ['dense2.weight', [widths.hidden, classes], widths.hidden],
  ['dense2.bias', [classes], 0],
];

/** Where every parameter lies in the packed vector. */
export const layout = layoutOf(shapes);

/**
 * Classes from pictures: inputs `parameters` [P], `images` [B, 784]; output `probabilities` [B, 10].
 */
export function readingGraph(batch: number): Graph {
  const b = new GraphBuilder('judge.read');
  const packed = b.input('parameters', [layout.size]);
  b.output(
    'probabilities',
    b.softmax(logits(b, unpack(b, layout, packed), b.input('images', [batch, pixels]))),
  );
  return optimize(b.finish());
}

/**
 * One step of AdamW on the mean cross-entropy. Inputs beside the packed state: `images` [B, 784], `labels` i32 [B].
 */
export function trainingGraph(batch: number): Graph {
  return trainingStep('judge.train', layout, (b, parameters) => {
    const images = b.input('images', [batch, pixels]);
    const target = b.oneHot(b.input('labels', [batch], 'i32'), classes);
    const logProbabilities = b.logSoftmax(logits(b, parameters, images));
    return b.neg(b.mean(b.sum(b.mul(target, logProbabilities), [1]), [0]));
  });
}

/** [B, 784] -> [B, 10] */
function logits(b: GraphBuilder, parameters: ReadonlyMap<string, Value>, images: Value): Value {
  const batch = images.shape[0] as number;
  const get = (name: string) => parameters.get(name) as Value;
  const layer = (x: Value, name: string): Value => {
    const y = b.conv2d(x, get(`${name}.weight`), { pad: [1, 1, 1, 1] });
    return maxPool(b, relu(b, b.add(y, b.reshape(get(`${name}.bias`), [1, -1, 1, 1]))));
  };
  const maps = layer(layer(b.reshape(images, [batch, 1, side, side]), 'conv1'), 'conv2');
  const dense = (x: Value, name: string) => b.add(b.matmul(x, get(`${name}.weight`)), get(`${name}.bias`));
  return dense(relu(b, dense(b.reshape(maps, [batch, -1]), 'dense1')), 'dense2');
}

/** The largest of every square of 2x2: [B, C, H, W] -> [B, C, H/2, W/2]. */
function maxPool(b: GraphBuilder, x: Value): Value {
  const [B, C, H, W] = x.shape as [number, number, number, number];
  return b.reduceMax(b.reshape(x, [B, C, H / 2, 2, W / 2, 2]), [3, 5]);
}
