/**
 * Values and derivatives against PyTorch's, in float64. Needs a Python with PyTorch, whose path `MMDC_PYTHON` gives;
 * skipped without.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradients } from '../../compiler/autodiff/index.js';
import { GraphBuilder, type Value } from '../../compiler/graph/builder.js';
import { gelu, logsumexp, silu, softplus } from '../../compiler/graph/compose.js';
import { evaluate, type NdArray } from '../../compiler/graph/evaluate.js';
import { sizeOf, type Shape } from '../../compiler/graph/ir.js';
import { distance, filled, Random } from '../graph/random.js';

const python = process.env.MMDC_PYTHON;

interface Case {
  readonly name: string;
  readonly inputs: readonly Input[];
  readonly make: (b: GraphBuilder, ...inputs: Value[]) => Value;
}

/** Reals in [low, high], or indices below `indices`. */
interface Input {
  readonly shape: Shape;
  readonly low?: number;
  readonly high?: number;
  readonly indices?: number;
}

const of = (...shape: number[]): Input => ({ shape });
const indices = (below: number, ...shape: number[]): Input => ({ shape, indices: below });

/** softmax(q k^T / sqrt(d)) v. */
function attention(b: GraphBuilder, q: Value, k: Value, v: Value): Value {
  const scores = b.mul(b.matmul(q, k, { transposeB: true }), 1 / Math.sqrt(q.shape[q.shape.length - 1]));
  return b.matmul(b.softmax(scores), v);
}

/** -log softmax(x) at the index. */
function crossEntropy(b: GraphBuilder, x: Value, index: Value): Value {
  const picked = b.mul(b.oneHot(index, x.shape[x.shape.length - 1]), b.logSoftmax(x));
  return b.neg(b.sum(picked, [x.shape.length - 1]));
}

const functions: readonly Case[] = [
  {
    name: 'conv',
    inputs: [of(2, 3, 5, 6), of(4, 3, 3, 3)],
    make: (b, x, w) => b.conv2d(x, w, { pad: [1, 1, 1, 1] }),
  },
  {
    name: 'strided conv',
    inputs: [of(2, 3, 6, 7), of(4, 3, 3, 3)],
    make: (b, x, w) => b.conv2d(x, w, { stride: [2, 2], pad: [1, 1, 1, 1] }),
  },
  {
    name: 'uneven conv',
    inputs: [of(1, 2, 7, 6), of(3, 2, 2, 4)],
    make: (b, x, w) => b.conv2d(x, w, { stride: [2, 3], pad: [1, 2, 3, 0] }),
  },
  { name: 'batched product', inputs: [of(2, 3, 4, 5), of(3, 5, 2)], make: (b, x, y) => b.matmul(x, y) },
  {
    name: 'product with transposed sides',
    inputs: [of(2, 5, 4), of(2, 3, 5)],
    make: (b, x, y) => b.matmul(x, y, { transposeA: true, transposeB: true }),
  },
  { name: 'softmax', inputs: [of(3, 4, 5)], make: (b, x) => b.softmax(x) },
  { name: 'log-softmax', inputs: [of(3, 4, 5)], make: (b, x) => b.logSoftmax(x) },
  { name: 'layer normalisation', inputs: [of(3, 4, 8)], make: (b, x) => b.normalize(x, 1e-5) },
  { name: 'rstd', inputs: [of(3, 4, 8)], make: (b, x) => b.rstd(x, 1e-3) },
  { name: 'logsumexp', inputs: [of(3, 7)], make: (b, x) => logsumexp(b, x, [1]) },
  { name: 'gelu', inputs: [{ shape: [40], low: -5, high: 5 }], make: gelu },
  { name: 'silu', inputs: [{ shape: [40], low: -9, high: 9 }], make: silu },
  { name: 'softplus', inputs: [{ shape: [40], low: -9, high: 9 }], make: softplus },
  { name: 'embedding', inputs: [of(6, 3), indices(6, 4, 5)], make: (b, x, index) => b.gather(x, index) },
  {
    name: 'sum of rows',
    inputs: [of(9, 3), indices(4, 9)],
    make: (b, x, index) => b.scatterAdd(x, index, 4),
  },
  { name: 'attention', inputs: [of(2, 3, 5, 4), of(2, 3, 6, 4), of(2, 3, 6, 2)], make: attention },
  { name: 'cross entropy', inputs: [of(7, 4), indices(4, 7)], make: crossEntropy },
  {
    name: 'power',
    inputs: [{ shape: [3, 4], low: 0.2, high: 3 }, of(4)],
    make: (b, x, y) => b.pow(x, y),
  },
  {
    name: 'reversed and padded',
    inputs: [of(3, 4)],
    make: (b, x) => b.pad(b.slice(x, [0, 3], [3, -1], [1, -1]), [0, 1], [0, 2]),
  },
];

const unary = ['neg', 'exp', 'log', 'sqrt', 'sin', 'cos', 'tanh', 'sigmoid', 'erf', 'abs', 'sign'] as const;
const binary = ['add', 'sub', 'mul', 'div', 'max', 'min'] as const;

/** The rest of the primitives, one by one. */
const primitives: readonly Case[] = [
  ...unary.map((op): Case => ({
    name: op,
    inputs: [op === 'log' || op === 'sqrt' ? { shape: [2, 3, 4], low: 0.1, high: 4 } : of(2, 3, 4)],
    make: (b, x) => b[op](x),
  })),
  ...binary.map((op): Case => ({
    name: op,
    inputs: [of(2, 1, 3, 1, 2), op === 'div' ? { shape: [4, 1, 5, 1], low: 0.5, high: 2 } : of(4, 1, 5, 1)],
    make: (b, x, y) => b[op](x, y),
  })),
  {
    name: 'select',
    inputs: [of(3, 1), of(2, 3, 4), of(4)],
    make: (b, c, x, y) => b.select(b.less(0, c), x, y),
  },
  { name: 'sum', inputs: [of(2, 3, 1, 2, 3)], make: (b, x) => b.sum(x, [0, 2, 4]) },
  { name: 'mean', inputs: [of(2, 3, 1, 2, 3)], make: (b, x) => b.mean(x, [1, 3], true) },
  { name: 'reduce max', inputs: [of(3, 2, 4)], make: (b, x) => b.reduceMax(x, [0, 2]) },
  { name: 'reshape', inputs: [of(2, 3, 4)], make: (b, x) => b.reshape(x, [6, 1, 4]) },
  { name: 'transpose', inputs: [of(2, 3, 4, 5)], make: (b, x) => b.transpose(x, [2, 0, 3, 1]) },
  { name: 'broadcast', inputs: [of(2, 1, 5)], make: (b, x) => b.broadcast(x, [4, 2, 3, 5]) },
  {
    name: 'strided slice',
    inputs: [of(3, 2, 6)],
    make: (b, x) => b.slice(x, [1, 0, 1], [3, 2, 6], [1, 1, 2]),
  },
  {
    name: 'concat',
    inputs: [of(2, 3, 4), of(2, 0, 4), of(2, 1, 4)],
    make: (b, x, y, z) => b.concat([x, y, z], 1),
  },
  {
    name: 'adjoint of conv in x',
    inputs: [of(2, 4, 3, 3), of(4, 3, 3, 3)],
    make: (b, dy, w) => b.conv2dInput(dy, w, { stride: [2, 2], pad: [1, 1, 1, 1], size: [6, 6] }),
  },
  {
    name: 'adjoint of conv in w',
    inputs: [of(2, 3, 5, 5), of(2, 4, 5, 5)],
    make: (b, x, dy) => b.conv2dFilter(x, dy, { pad: [1, 1, 1, 1], kernel: [3, 3] }),
  },
];

interface Answer {
  readonly value: readonly number[];
  readonly gradients: readonly (readonly number[])[];
}

function drawn({ shape, low = -2, high = 2, indices: below }: Input, random: Random): NdArray {
  const data =
    below === undefined
      ? filled(random, shape, low, high)
      : Int32Array.from({ length: sizeOf(shape) }, () => random.int(0, below - 1));
  return { data, shape };
}

/** The same questions as `functions.py` answers, of our own graph. */
function ours({ inputs, make }: Case, feeds: readonly NdArray[]): Answer {
  const b = new GraphBuilder('case');
  const values = inputs.map(({ shape, indices: below }, i) =>
    b.input(`x${i}`, shape, below === undefined ? 'f32' : 'i32'),
  );
  const value = make(b, ...values);
  const weight = Array.from({ length: sizeOf(value.shape) }, (_, i) => Math.cos(i));
  const axes = value.shape.map((_, axis) => axis);
  const loss = b.sum(b.mul(value, b.constant(weight, value.shape)), axes);
  const reals = values.filter((x) => x.dtype === 'f32');
  b.output('value', value);
  gradients(b, loss, reals).forEach((g, i) => b.output(`g${i}`, g));
  const fed = Object.fromEntries(feeds.map((feed, i) => [`x${i}`, feed]));
  const out = evaluate(b.finish(), fed, { precision: 'f64' });
  return { value: [...out.value.data], gradients: reals.map((_, i) => [...out[`g${i}`].data]) };
}

const cases = [...functions, ...primitives];

describe.skipIf(!python)("PyTorch's functions", () => {
  const random = new Random(7);
  const feeds = cases.map(({ inputs }) => inputs.map((input) => drawn(input, random)));
  let answers: readonly Answer[];

  beforeAll(() => {
    const questions = cases.map(({ name, inputs }, i) => ({
      name,
      inputs: feeds[i].map(({ data, shape }, k) => ({
        data: [...data],
        shape,
        integer: inputs[k].indices !== undefined,
      })),
    }));
    const script = fileURLToPath(new URL('functions.py', import.meta.url));
    const { status, stdout, stderr } = spawnSync(python ?? '', [script], {
      input: JSON.stringify(questions),
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    answers = JSON.parse(stdout) as Answer[];
  });

  it.each(cases.map(({ name }, i) => [name, i] as const))('%s', (_, i) => {
    const found = ours(cases[i], feeds[i]);
    expect(distance(found.value, answers[i].value)).toBeLessThan(1e-12);
    expect(found.gradients.length).toBe(answers[i].gradients.length);
    found.gradients.forEach((g, k) => expect(distance(g, answers[i].gradients[k])).toBeLessThan(1e-12));
  });
});
