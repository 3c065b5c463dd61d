/**
 * Graphs of the networks that features come from. One trunk of four 3x3 convolutions, the last three with stride 2, and
 * a dense layer to 64 features; on it either a decoder (a denoising autoencoder, which knows no labels) or a classifier.
 *
 * @module
 */
import { GraphBuilder, type Value } from '../../../compiler/graph/builder.js';
import { relu, square } from '../../../compiler/graph/compose.js';
import type { Graph, Shape } from '../../../compiler/graph/ir.js';
import { optimize } from '../../../compiler/passes/index.js';
import { layoutOf, trainingStep, unpack, type Layout } from './packed.js';

/** Height, width and channels of a picture. */
export type PictureShape = readonly [H: number, W: number, C: number];

/** At most as many as a covariance of 2,000 rows can bear. */
export const featureWidth = 64;

const widths = [16, 32, 64, 64] as const;
const half = (n: number): number => Math.ceil(n / 2);

/** What a network is for: `autoencoder`, or the number of classes it tells apart. */
export type Kind = 'autoencoder' | number;

/** Heights and widths of the four convolutions' results. */
function sizes([H, W]: PictureShape): [number, number][] {
  const out: [number, number][] = [[H, W]];
  for (let i = 1; i < widths.length; i++) out.push(out[i - 1]!.map(half) as [number, number]);
  return out;
}

export function networkLayout(picture: PictureShape, kind: Kind): Layout {
  const shapes: [string, Shape, number][] = [];
  const layer = (name: string, weight: Shape, fan: number, units: number): void => {
    shapes.push([`${name}.weight`, weight, fan], [`${name}.bias`, [units], 0]);
  };
  let channels = picture[2];
  widths.forEach((width, i) => {
    layer(`conv${i}`, [width, channels, 3, 3], 9 * channels, width);
    channels = width;
  });
  const [h, w] = sizes(picture)[3]!;
  layer('features', [h * w * channels, featureWidth], h * w * channels, featureWidth);
  if (kind === 'autoencoder') {
    layer('open', [featureWidth, h * w * channels], featureWidth, h * w * channels);
    for (const [i, width] of [32, 16, 8].entries()) {
      layer(`up${i}`, [width, channels, 3, 3], 9 * channels, width);
      channels = width;
    }
    layer('picture', [picture[2], channels, 3, 3], 9 * channels, picture[2]);
  } else {
    layer('classes', [featureWidth, kind], featureWidth, kind);
  }
  return layoutOf(shapes);
}

/**
 * What is read from pictures: inputs `parameters` and `images` [B, H, W, C]; outputs `features` [B, 64], `layer0` to
 * `layer3` (the convolutions' results) and, for a classifier, `probabilities` [B, K].
 */
export function readingGraph(picture: PictureShape, kind: Kind, batch: number): Graph {
  const b = new GraphBuilder('features.read');
  const layout = networkLayout(picture, kind);
  const parameters = unpack(b, layout, b.input('parameters', [layout.size]));
  const { layers, features } = trunk(b, parameters, b.input('images', [batch, ...picture]));
  layers.forEach((layer, i) => b.output(`layer${i}`, layer));
  b.output('features', features);
  if (kind !== 'autoencoder') {
    b.output('probabilities', b.softmax(dense(b, parameters, 'classes', relu(b, features))));
  }
  return optimize(b.finish());
}

/**
 * A training step. Inputs beside the state: `images` [B, H, W, C] and `wanted`, the clean pictures of the same shape or
 * the classes, i32 [B].
 */
export function fittingGraph(picture: PictureShape, kind: Kind, batch: number): Graph {
  return trainingStep('features.train', networkLayout(picture, kind), (b, parameters) => {
    const { features } = trunk(b, parameters, b.input('images', [batch, ...picture]));
    if (kind === 'autoencoder') {
      const wanted = b.input('wanted', [batch, ...picture]);
      const made = decode(b, parameters, picture, features);
      return b.mean(square(b, b.sub(made, b.transpose(wanted, [0, 3, 1, 2]))), [0, 1, 2, 3]);
    }
    const target = b.oneHot(b.input('wanted', [batch], 'i32'), kind);
    const logits = dense(b, parameters, 'classes', relu(b, features));
    return b.neg(b.mean(b.sum(b.mul(target, b.logSoftmax(logits)), [1]), [0]));
  });
}

type Parameters = ReadonlyMap<string, Value>;

function trunk(b: GraphBuilder, parameters: Parameters, images: Value) {
  const layers: Value[] = [];
  let x = b.transpose(images, [0, 3, 1, 2]);
  for (let i = 0; i < widths.length; i++) {
    x = relu(b, convolution(b, parameters, `conv${i}`, x, i === 0 ? 1 : 2));
    layers.push(x);
  }
  return { layers, features: dense(b, parameters, 'features', b.reshape(x, [x.shape[0]!, -1])) };
}

/** Features [B, 64] to pictures [B, C, H, W]. */
function decode(b: GraphBuilder, parameters: Parameters, picture: PictureShape, features: Value): Value {
  const grids = sizes(picture);
  const batch = features.shape[0]!;
  let x = relu(b, dense(b, parameters, 'open', relu(b, features)));
  x = b.reshape(x, [batch, widths[3], ...grids[3]!]);
  for (let i = 0; i < 3; i++) {
    const [h, w] = grids[2 - i]!;
    const [, channels, H, W] = x.shape as [number, number, number, number];
    const wide = b.broadcast(b.reshape(x, [batch, channels, H, 1, W, 1]), [batch, channels, H, 2, W, 2]);
    const grown = b.reshape(wide, [batch, channels, 2 * H, 2 * W]);
    // An odd size was rounded up on the way down.
    const cut = b.slice(grown, [0, 0, 0, 0], [batch, channels, h, w]);
    x = relu(b, convolution(b, parameters, `up${i}`, cut, 1));
  }
  return convolution(b, parameters, 'picture', x, 1);
}

function convolution(b: GraphBuilder, p: Parameters, name: string, x: Value, stride: number): Value {
  const y = b.conv2d(x, p.get(`${name}.weight`) as Value, { pad: [1, 1, 1, 1], stride: [stride, stride] });
  return b.add(y, b.reshape(p.get(`${name}.bias`) as Value, [1, -1, 1, 1]));
}

function dense(b: GraphBuilder, p: Parameters, name: string, x: Value): Value {
  return b.add(b.matmul(x, p.get(`${name}.weight`) as Value), p.get(`${name}.bias`) as Value);
}
