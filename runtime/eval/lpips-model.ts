/**
 * The model of LPIPS as ONNX, from its weights: pictures less the mean of ImageNet over its deviation, the features of
 * AlexNet or VGG-16 after five of their layers, scaled to unit length over channels; squared differences, weighed by
 * channel, averaged over positions, summed over layers.
 *
 * @module
 */
import {
  encodeModel,
  type Attributes,
  type OnnxNode,
  type TensorLiteral,
} from '../../compiler/targets/onnx/proto.js';
import type { StoredTensor } from '../checkpoint/safetensors.js';
import { InputFault } from '../faults.js';

type Tensors = ReadonlyMap<string, StoredTensor>;

interface Layer {
  /** Number of the layer in torchvision's `features`. */
  readonly at: number;
  readonly stride?: number;
  readonly pad: number;
}

interface Trunk {
  /** Kernel of the poolings, whose stride is 2. */
  readonly pool: number;
  /** Convolutions, each with a ReLU, of the five slices; a pooling comes before every slice in `pooled`. */
  readonly slices: readonly (readonly Layer[])[];
  readonly pooled: readonly number[];
}

const three = (...numbers: readonly number[]): Layer[] => numbers.map((at) => ({ at, pad: 1 }));

/** Krizhevsky (2014) and Simonyan & Zisserman (2015), as torchvision numbers their layers. */
const trunks: Readonly<Record<string, Trunk>> = {
  alex: {
    pool: 3,
    slices: [[{ at: 0, stride: 4, pad: 2 }], [{ at: 3, pad: 2 }], three(6), three(8), three(10)],
    pooled: [1, 2],
  },
  vgg: {
    pool: 2,
    slices: [three(0, 2), three(5, 7), three(10, 12, 14), three(17, 19, 21), three(24, 26, 28)],
    pooled: [1, 2, 3, 4],
  },
};

/** Of ImageNet, scaled to [-1, 1]. */
const shift = [-0.03, -0.088, -0.188];
const deviation = [0.458, 0.448, 0.45];

/**
 * @param tensors names as in the published files: `net.slice1.0.weight` (or `features.0.weight`) and `lin0.model.1.weight`
 * @returns a model of two inputs [n, 3, H, W] in [-1, 1] and the distances [n]
 * @throws InputFault that names the tensors that are missing or do not fit
 */
export function lpipsModel(tensors: Tensors): { network: string; model: Uint8Array } {
  // The second layer of VGG is a convolution, that of AlexNet a pooling.
  const network = find(tensors, [...namesOf(0, 2, 'weight')]) ? 'vgg' : 'alex';
  const { slices, pooled, pool } = trunks[network]!;
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, TensorLiteral>();
  const missing: string[] = [];
  const node = (op: string, inputs: string[], output: string, attributes: Attributes = {}): string => {
    nodes.push({ name: output, op, domain: '', inputs, outputs: [output], attributes });
    return output;
  };
  const constant = (name: string, data: ArrayLike<number>, dims: readonly number[]): string => {
    initializers.set(name, {
      type: 'f32',
      dims,
      raw: new Uint8Array(Float32Array.from(data).buffer),
    });
    return name;
  };
  /** A tensor of the file under its first name; its shape must have `rank` axes, the second of `channels`. */
  const weight = (names: readonly string[], rank: number, channels?: number): StoredTensor | undefined => {
    const found = find(tensors, names);
    if (!found) missing.push(`\`${names[0]}\` is missing`);
    else if (found.shape.length !== rank || (channels !== undefined && found.shape[1] !== channels))
      missing.push(`\`${names[0]}\` is [${found.shape.join(', ')}], which does not fit`);
    else return found;
    return undefined;
  };
  constant('shift', shift, [1, 3, 1, 1]);
  constant('deviation', deviation, [1, 3, 1, 1]);
  constant('tiny', [1e-10], []);
  const pictures = ['a', 'b'].map((x) =>
    node('Div', [node('Sub', [x, 'shift'], `${x}.0`), 'deviation'], `${x}.in`),
  );
  let states = pictures;
  let channels: number | undefined = 3;
  const parts: string[] = [];
  slices.forEach((layers, slice) => {
    if (pooled.includes(slice)) {
      const attributes = { kernel_shape: { ints: [pool, pool] }, strides: { ints: [2, 2] } };
      states = states.map((x, i) => node('MaxPool', [x], `${'ab'[i]}.pool${slice}`, attributes));
    }
    for (const { at, pad, stride = 1 } of layers) {
      const w = weight(namesOf(slice, at, 'weight'), 4, channels);
      const bias = weight(namesOf(slice, at, 'bias'), 1);
      channels = w?.shape[0];
      if (!w || !bias) continue;
      constant(`w${at}`, w.data as Float32Array, w.shape);
      constant(`b${at}`, bias.data as Float32Array, bias.shape);
      const attributes = { pads: { ints: [pad, pad, pad, pad] }, strides: { ints: [stride, stride] } };
      states = states.map((x, i) =>
        node(
          'Relu',
          [node('Conv', [x, `w${at}`, `b${at}`], `${'ab'[i]}.conv${at}`, attributes)],
          `${'ab'[i]}.relu${at}`,
        ),
      );
    }
    const lin = weight([`lin${slice}.model.1.weight`, `lins.${slice}.model.1.weight`], 4, channels);
    if (!lin) return;
    constant(`lin${slice}`, lin.data as Float32Array, lin.shape);
    const units = states.map((x, i) => {
      const name = `${'ab'[i]}.unit${slice}`;
      const norm = node('ReduceL2', [x, 'channels'], `${name}.norm`, { keepdims: { i: 1 } });
      return node('Div', [x, node('Add', [norm, 'tiny'], `${name}.above`)], name);
    });
    const difference = node('Sub', units, `d${slice}`);
    const square = node('Mul', [difference, difference], `square${slice}`);
    const weighed = node('Conv', [square, `lin${slice}`], `weighed${slice}`);
    parts.push(node('ReduceMean', [weighed, 'rest'], `layer${slice}`, { keepdims: { i: 0 } }));
  });
  if (missing.length > 0) {
    const more = missing.length > 4 ? `, and ${missing.length - 4} more` : '';
    throw new InputFault(
      `these are no weights of LPIPS: ${missing.slice(0, 4).join(', ')}${more}`,
      'the published state (`net.slice1.0.weight` ... `lin4.model.1.weight`) as safetensors, of `alex` or `vgg`',
    );
  }
  const axes = (name: string, values: readonly number[]) =>
    initializers.set(name, {
      type: 'i64',
      dims: [values.length],
      raw: new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer),
    });
  axes('channels', [1]);
  axes('rest', [1, 2, 3]);
  node('Sum', parts, 'distance');
  const model = encodeModel({
    irVersion: 9,
    opsets: { '': 18 },
    producer: 'mmdc',
    graph: {
      name: 'lpips',
      nodes,
      initializers,
      inputs: ['a', 'b'].map((name) => ({ name, type: 'f32' as const, dims: ['n', 3, 'H', 'W'] })),
      outputs: [{ name: 'distance', type: 'f32' as const, dims: ['n'] }],
    },
  });
  return { network, model };
}

const namesOf = (slice: number, at: number, what: string): string[] => [
  `net.slice${slice + 1}.${at}.${what}`,
  `features.${at}.${what}`,
];

function find(tensors: Tensors, names: readonly string[]): StoredTensor | undefined {
  for (const name of names) {
    const found = tensors.get(name);
    if (found) return found;
  }
  return undefined;
}
