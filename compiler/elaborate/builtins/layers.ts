/**
 * Functions with parameters of their own, and the resampling of images.
 *
 * @module
 */
import type { Node } from '../../graph/ir.js';
import { sizeOf } from '../../graph/ir.js';
import { affineIn, nonlinearIn, showShape, type Init, type TensorValue, type Value } from '../values.js';
import { hidden, type Builtin, type BuiltinCall, type BuiltinParam } from './builtin.js';

const image = { name: 'x', type: 'tensor', about: '`f32[H, W, C]`' } as const;
const init: BuiltinParam = {
  name: 'init',
  type: 'init',
  default: null,
  about: 'start of the weights; when left out, uniform on +-1/sqrt(fan-in)',
};
const bias: BuiltinParam = {
  name: 'bias',
  type: 'bool',
  default: true,
  about: 'whether a bias is added; it starts at zero',
};

export const layerBuiltins: readonly Builtin[] = [
  {
    name: 'linear',
    params: [
      { name: 'x', type: 'tensor', about: '`f32[...S, C]`' },
      { name: 'width', type: 'int', about: 'size of the result' },
      bias,
      init,
    ],
    result: 'f32[...S, width]',
    about: 'x W^T + b over the last axis. Parameters `weight` [width, C] and `bias` [width].',
    apply: linear,
  },
  {
    name: 'conv',
    params: [
      image,
      { name: 'width', type: 'int', about: 'channels of the result' },
      { name: 'kernel', type: 'int', default: 3, about: 'side of the square kernel, odd' },
      { name: 'stride', type: 'int', default: 1, about: 'step between positions; it must divide H and W' },
      bias,
      init,
    ],
    result: 'f32[H / stride, W / stride, width]',
    about:
      'Two-dimensional convolution with zero padding that keeps the size (at stride 1). Parameters `weight` [width, C, kernel, kernel] and `bias` [width].',
    apply: conv,
  },
  {
    name: 'group_norm',
    params: [
      { name: 'x', type: 'tensor', about: '`f32[...S, C]`, at least one axis before the channels' },
      { name: 'groups', type: 'int', about: 'number of groups; it must divide C' },
      { name: 'eps', type: 'float', default: 1e-5, about: 'added to the variance' },
    ],
    result: 'f32[...S, C]',
    about: 'Group normalisation (Wu & He, 2018) with a learned gain and bias per channel.',
    apply: groupNorm,
  },
  {
    name: 'layer_norm',
    params: [
      { name: 'x', type: 'tensor', about: '`f32[...S, C]`' },
      {
        name: 'affine',
        type: 'bool',
        default: true,
        about: 'whether a gain and bias per channel are learned',
      },
      { name: 'eps', type: 'float', default: 1e-6, about: 'added to the variance' },
    ],
    result: 'f32[...S, C]',
    about: 'Layer normalisation over the last axis (Ba, Kiros & Hinton, 2016).',
    apply: layerNorm,
  },
  {
    name: 'param',
    params: [
      { name: 'shape', type: 'ints', about: 'dimensions' },
      { ...init, default: { form: 'normal', std: 0.02 } },
    ],
    result: 'f32[...shape]',
    about: 'A learned tensor, the same for every row.',
    apply: parameter,
  },
  {
    name: 'upsample',
    params: [image, { name: 'factor', type: 'int', default: 2, about: 'repetitions along each side' }],
    result: 'f32[factor * H, factor * W, C]',
    about: 'Nearest-neighbour enlargement.',
    apply: upsample,
  },
  {
    name: 'avg_pool',
    params: [
      image,
      {
        name: 'factor',
        type: 'int',
        default: 2,
        about: 'side of the averaged squares; it must divide H and W',
      },
    ],
    result: 'f32[H / factor, W / factor, C]',
    about: 'Averages of disjoint squares.',
    apply: averagePool,
  },
];

function fanIn(count: number): Init {
  return { form: 'uniform', bound: 1 / Math.sqrt(count) };
}

function positive(call: BuiltinCall, name: string): number | undefined {
  const value = call.number(name);
  if (value >= 1 && value <= 1e9) return value;
  call.fail('MMD0412', name, { dimension: name, value });
  return undefined;
}

function linear(call: BuiltinCall): Value {
  const x = call.tensor('x');
  const width = positive(call, 'width');
  if (width === undefined) return { kind: 'error' };
  if (x.shape.length === 0)
    return call.shapeError(
      'x',
      'at least one dimension',
      'a scalar (`reshape(x, [1])` makes a vector of it)',
    );
  const b = call.builder;
  const scope = call.scope();
  const channels = x.shape[x.shape.length - 1];
  if (!call.fits([width, channels]) || !call.fits([...x.shape.slice(0, -1), width])) return { kind: 'error' };
  const weight = call.parameter(
    scope,
    'weight',
    [width, channels],
    call.init('init') ?? fanIn(channels),
    true,
  );
  // One matrix product over all positions: a batch of small ones is slower, and so is its weight gradient.
  const flat = b.reshape(x.node, [sizeOf(x.node.shape) / channels, channels]);
  let y = b.matmul(flat, weight.node, { transposeB: true });
  if (call.bool('bias')) y = b.add(y, call.parameter(scope, 'bias', [width], { form: 'zeros' }, false).node);
  const shape = [...x.shape.slice(0, -1), width];
  return call.make(x, b.reshape(y, [...hidden(x), ...shape]), shape, affineIn(x.degree));
}

function checkImage(call: BuiltinCall, x: TensorValue): boolean {
  if (x.shape.length === 3 && x.batched) return true;
  call.shapeError('x', '`f32[H, W, C]`', `\`${showShape(x.shape)}\``);
  return false;
}

function conv(call: BuiltinCall): Value {
  const x = call.tensor('x');
  const width = positive(call, 'width');
  if (width === undefined || !checkImage(call, x)) return { kind: 'error' };
  const [kernel, stride] = [call.number('kernel'), call.number('stride')];
  if (kernel < 1 || kernel % 2 === 0 || kernel > 63) {
    return call.fail('MMD0414', 'kernel', {
      what: 'the kernel of `conv`',
      expected: 'an odd number from 1 to 63',
      found: String(kernel),
    });
  }
  const [height, wide, channels] = x.shape;
  if (stride < 1 || height % stride !== 0 || wide % stride !== 0) {
    return call.fail('MMD0407', 'stride', {
      dividend: `the image \`${showShape(x.shape)}\``,
      divisor: stride,
    });
  }
  if (!call.fits([width, channels, kernel, kernel])) return { kind: 'error' };
  const b = call.builder;
  const scope = call.scope();
  const start = call.init('init') ?? fanIn(channels * kernel * kernel);
  const weight = call.parameter(scope, 'weight', [width, channels, kernel, kernel], start, true);
  // Padding that gives size / stride exactly: half the kernel before, and what is left after.
  const before = Math.floor(kernel / 2);
  const after = kernel - stride - before;
  const pad = [before, before, Math.max(after, 0), Math.max(after, 0)] as const;
  let y = b.conv2d(b.transpose(x.node, [0, 3, 1, 2]), weight.node, { stride: [stride, stride], pad });
  y = b.transpose(y, [0, 2, 3, 1]);
  if (call.bool('bias')) y = b.add(y, call.parameter(scope, 'bias', [width], { form: 'zeros' }, false).node);
  return call.make(x, y, [height / stride, wide / stride, width], affineIn(x.degree));
}

function groupNorm(call: BuiltinCall): Value {
  const x = call.tensor('x');
  const groups = call.number('groups');
  const rank = x.shape.length;
  if (rank < 2 || !x.batched)
    return call.shapeError('x', '`f32[...S, C]` with at least two dimensions', `\`${showShape(x.shape)}\``);
  const channels = x.shape[rank - 1];
  if (groups < 1 || channels % groups !== 0) {
    return call.fail('MMD0407', 'groups', {
      dividend: `the channels of \`${showShape(x.shape)}\``,
      divisor: groups,
    });
  }
  const b = call.builder;
  const scope = call.scope();
  const order = [0, rank, ...x.shape.slice(0, -1).map((_, i) => i + 1)];
  const first = b.transpose(x.node, order);
  const batch = x.node.shape[0];
  const grouped = b.reshape(first, [batch, groups, sizeOf(x.shape) / groups]);
  const normal = b.reshape(b.normalize(grouped, call.number('eps')), first.shape);
  const back = order.map((_, axis) => order.indexOf(axis));
  const y = affine(call, scope.path, b.transpose(normal, back), channels);
  return call.make(x, y, x.shape, nonlinearIn(x.degree));
}

function layerNorm(call: BuiltinCall): Value {
  const x = call.tensor('x');
  if (x.shape.length === 0) return call.shapeError('x', 'at least one dimension', 'a scalar');
  const normal = call.builder.normalize(x.node, call.number('eps'));
  const scope = call.scope();
  const node = call.bool('affine') ? affine(call, scope.path, normal, x.shape[x.shape.length - 1]) : normal;
  return call.make(x, node, x.shape, nonlinearIn(x.degree));
}

function affine(call: BuiltinCall, path: string, node: Node, channels: number): Node {
  const { builder: b, evaluator } = call;
  const use = (name: string, form: 'ones' | 'zeros') =>
    evaluator.parameters.use(b, {
      name: `${path}.${name}`,
      shape: [channels],
      init: { form },
      decay: false,
      trainable: true,
    });
  return b.add(b.mul(node, use('weight', 'ones')), use('bias', 'zeros'));
}

function parameter(call: BuiltinCall): Value {
  const shape = call.ints('shape');
  const least = Math.min(...shape);
  if (least < 1) return call.fail('MMD0412', 'shape', { dimension: `[${shape.join(', ')}]`, value: least });
  if (!call.fits(shape)) return { kind: 'error' };
  const start = call.init('init') ?? { form: 'normal', std: 0.02 };
  return call.parameter(call.scope(), 'weight', shape, start, false);
}

function upsample(call: BuiltinCall): Value {
  const x = call.tensor('x');
  const factor = positive(call, 'factor');
  if (factor === undefined || !checkImage(call, x)) return { kind: 'error' };
  const b = call.builder;
  const batch = x.node.shape[0];
  const [height, width, channels] = x.shape;
  const apart = b.reshape(x.node, [batch, height, 1, width, 1, channels]);
  const repeated = b.broadcast(apart, [batch, height, factor, width, factor, channels]);
  const shape = [height * factor, width * factor, channels];
  return call.make(x, b.reshape(repeated, [batch, ...shape]), shape, x.degree);
}

function averagePool(call: BuiltinCall): Value {
  const x = call.tensor('x');
  const factor = positive(call, 'factor');
  if (factor === undefined || !checkImage(call, x)) return { kind: 'error' };
  const [height, width, channels] = x.shape;
  if (height % factor !== 0 || width % factor !== 0) {
    return call.fail('MMD0407', 'factor', {
      dividend: `the image \`${showShape(x.shape)}\``,
      divisor: factor,
    });
  }
  const b = call.builder;
  const [h, w] = [height / factor, width / factor];
  const squares = b.reshape(x.node, [x.node.shape[0], h, factor, w, factor, channels]);
  return call.make(x, b.mean(squares, [2, 4]), [h, w, channels], x.degree);
}
