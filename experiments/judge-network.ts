/**
 * Graphs of the judge: a small convolutional classifier of 28x28 digits, in the layout that LeCun et al. ("Gradient-based
 * learning applied to document recognition", 1998) made usual: convolution, pooling, convolution, pooling, two dense
 * layers. It is built here from primitives, shares nothing with the models it judges, and is not written in `.mmd`.
 *
 * @module
 */
import { gradients } from '../compiler/autodiff/index.js';
import { GraphBuilder, type Value } from '../compiler/graph/builder.js';
import { relu } from '../compiler/graph/compose.js';
import { sizeOf, type Graph, type Shape } from '../compiler/graph/ir.js';
import { optimize } from '../compiler/passes/index.js';
import { classes, pixels, side } from './mnist.js';

/** Channels of the two convolutions and units of the hidden layer. */
export const widths = { first: 16, second: 32, hidden: 128 } as const;

export interface Slot {
  readonly name: string;
  readonly shape: Shape;
  /** Inputs of one unit, which its initial scale depends on; 0 for biases, which start at zero. */
  readonly fan: number;
  readonly offset: number;
}

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
export const slots: readonly Slot[] = (() => {
  let offset = 0;
  return shapes.map(([name, shape, fan]) => {
    const slot = { name, shape, fan, offset };
    offset += sizeOf(shape);
    return slot;
  });
})();

export const parameterCount = slots.reduce((sum, slot) => sum + sizeOf(slot.shape), 0);

/** Packed state of the training step: input name -> name of the output that is its next value. */
export const carry = {
  parameters: 'parameters.next',
  moment1: 'moment1.next',
  moment2: 'moment2.next',
} as const;

/** AdamW's constants (Loshchilov & Hutter, 2019, algorithm 2). */
export const adamw = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.01 } as const;

/**
 * Classes from pictures: inputs `parameters` [P], `images` [B, 784]; output `probabilities` [B, 10].
 */
export function readingGraph(batch: number): Graph {
  const b = new GraphBuilder('judge.read');
  const packed = b.input('parameters', [parameterCount]);
  b.output('probabilities', b.softmax(logits(b, unpack(b, packed), b.input('images', [batch, pixels]))));
  return optimize(b.finish());
}

/**
 * One step of AdamW on the mean cross-entropy. Further inputs: `labels` i32 [B], `schedule` [3] = rate,
 * 1/(1 - beta1^n), 1/(1 - beta2^n), and the state of {@link carry}; outputs `loss` [] and the next state.
 */
export function trainingGraph(batch: number): Graph {
  const b = new GraphBuilder('judge.train');
  const packed = b.input('parameters', [parameterCount]);
  const moment1 = b.input('moment1', [parameterCount]);
  const moment2 = b.input('moment2', [parameterCount]);
  const schedule = b.input('schedule', [3]);
  const images = b.input('images', [batch, pixels]);
  const target = b.oneHot(b.input('labels', [batch], 'i32'), classes);

  const parameters = unpack(b, packed);
  const logProbabilities = b.logSoftmax(logits(b, parameters, images));
  const loss = b.neg(b.mean(b.sum(b.mul(target, logProbabilities), [1]), [0]));
  const parts = gradients(
    b,
    loss,
    slots.map((slot) => parameters.get(slot.name) as Value),
  );
  const gradient = b.concat(
    parts.map((g) => b.reshape(g, [-1])),
    0,
  );
  const { beta1, beta2, epsilon, decay } = adamw;
  const [rate, correction1, correction2] = [0, 1, 2].map((i) => b.slice(schedule, [i], [i + 1])) as [
    Value,
    Value,
    Value,
  ];
  const m = b.add(b.mul(moment1, beta1), b.mul(gradient, 1 - beta1));
  const v = b.add(b.mul(moment2, beta2), b.mul(b.mul(gradient, gradient), 1 - beta2));
  const step = b.div(b.mul(m, correction1), b.add(b.sqrt(b.mul(v, correction2)), epsilon));
  // Biases are decayed like weights: there are 186 of them.
  const next = b.sub(packed, b.mul(rate, b.add(step, b.mul(packed, decay))));
  b.output('loss', loss);
  b.output(carry.parameters, next);
  b.output(carry.moment1, m);
  b.output(carry.moment2, v);
  return optimize(b.finish());
}

function unpack(b: GraphBuilder, packed: Value): Map<string, Value> {
  return new Map(
    slots.map(({ name, shape, offset }) => [
      name,
      b.reshape(b.slice(packed, [offset], [offset + sizeOf(shape)]), shape),
    ]),
  );
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
