/** A small U-Net in the forms the language's layers are written in: channels last, with transpositions around convolutions. */
import type { GraphBuilder, Value } from '../../compiler/graph/builder.js';
import * as compose from '../../compiler/graph/compose.js';

export class Layers {
  readonly #b: GraphBuilder;
  #count = 0;

  constructor(b: GraphBuilder) {
    this.#b = b;
  }

  parameter(shape: readonly number[]): Value {
    return this.#b.parameter(`p${this.#count++}`, shape);
  }

  /** x [B, H, W, C] -> [B, H', W', out]; kernel 3, or 1. */
  conv(x: Value, out: number, stride = 1, kernel = 3): Value {
    const b = this.#b;
    const side = (kernel - 1) / 2;
    const w = this.parameter([out, x.shape[3]!, kernel, kernel]);
    const y = b.conv2d(b.transpose(x, [0, 3, 1, 2]), w, {
      stride: [stride, stride],
      pad: [side, side, side, side],
    });
    return b.add(b.transpose(y, [0, 2, 3, 1]), this.parameter([out]));
  }

  /** Over channels / groups and all positions, scale and shift a channel. */
  groupNorm(x: Value, groups: number): Value {
    const b = this.#b;
    const [n, , , c] = x.shape as [number, number, number, number];
    const first = b.transpose(x, [0, 3, 1, 2]);
    const y = b.reshape(b.normalize(b.reshape(first, [n, groups, -1]), 1e-5), first.shape);
    const scaled = b.mul(y, b.reshape(this.parameter([c]), [c, 1, 1]));
    return b.transpose(b.add(scaled, b.reshape(this.parameter([c]), [c, 1, 1])), [0, 2, 3, 1]);
  }

  linear(x: Value, out: number): Value {
    const b = this.#b;
    return b.add(b.matmul(x, this.parameter([x.shape.at(-1)!, out])), this.parameter([out]));
  }

  /** Nearest neighbour, twice the size. */
  upsample(x: Value): Value {
    const b = this.#b;
    const [n, h, w, c] = x.shape as [number, number, number, number];
    const wide = b.broadcast(b.reshape(x, [n, h, 1, w, 1, c]), [n, h, 2, w, 2, c]);
    return b.reshape(wide, [n, 2 * h, 2 * w, c]);
  }

  /** 2 x 2 average pooling. */
  pool(x: Value): Value {
    const b = this.#b;
    const [n, h, w, c] = x.shape as [number, number, number, number];
    return b.mean(b.reshape(x, [n, h / 2, 2, w / 2, 2, c]), [2, 4]);
  }

  /** norm, silu, conv; time added; norm, silu, conv; residual. `time` is [B, E]. */
  block(x: Value, time: Value, out: number): Value {
    const b = this.#b;
    let h = this.conv(compose.silu(b, this.groupNorm(x, 2)), out);
    h = b.add(h, b.reshape(this.linear(time, out), [x.shape[0]!, 1, 1, out]));
    h = this.conv(compose.silu(b, this.groupNorm(h, 2)), out);
    return b.add(h, x.shape[3] === out ? x : this.conv(x, out, 1, 1));
  }

  /** Self-attention of one head over positions, on a group norm. */
  attention(x: Value): Value {
    const b = this.#b;
    const [n, h, w, c] = x.shape as [number, number, number, number];
    const tokens = b.reshape(this.groupNorm(x, 2), [n, h * w, c]);
    const [q, k, v] = [this.linear(tokens, c), this.linear(tokens, c), this.linear(tokens, c)];
    const weights = b.softmax(b.mul(b.matmul(q, k, { transposeB: true }), 1 / Math.sqrt(c)));
    return b.add(x, b.reshape(this.linear(b.matmul(weights, v), c), x.shape));
  }
}

export interface UNetOptions {
  readonly size?: number;
  readonly width?: number;
  readonly attention?: boolean;
}

/** x [B, S, S, 3], time [B, 8] -> [B, S, S, 3]. */
export function unet(
  b: GraphBuilder,
  x: Value,
  time: Value,
  { width = 4, attention = false }: UNetOptions = {},
): Value {
  const layers = new Layers(b);
  const first = layers.conv(x, width);
  const one = layers.block(first, time, width);
  const two = layers.block(layers.pool(one), time, 2 * width);
  let middle = layers.block(layers.conv(two, 2 * width, 2), time, 2 * width);
  if (attention) middle = layers.attention(middle);
  const up = layers.block(b.concat([layers.upsample(middle), two], -1), time, width);
  const out = layers.block(b.concat([layers.upsample(up), one], -1), time, width);
  return layers.conv(compose.silu(b, layers.groupNorm(out, 2)), 3);
}
