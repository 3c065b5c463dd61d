import type { types as rows } from '../codes/types.js';
import type { Pages } from './page.js';
import { points } from './points.js';

const image = {
  modality: 'modality x: image[28, 28, 1]',
  space: 'space z: f32[28, 28, 1]',
  decoder: 'decoder z = h |> linear(784) |> reshape([28, 28, 1])',
  data: 'data { x: idx("t10k-images-idx3-ubyte.gz") }',
};

const head = { decoder: 'decoder z = h |> Head' };
const backbone = (expr: string) => ({ backbone: `backbone h = ${expr}` });

export const types: Pages<typeof rows> = {
  MMD0401: {
    about: `
A network or function was given a tensor of another shape than it takes. Shapes are written without the batch: an image
is \`f32[height, width, channels]\`. Where the shape came from is shown beside both places. \`reshape\`, \`linear\`,
\`project\` and \`pool\` change shapes.`,
    bad: points(
      { ...image, ...backbone('concat(z, given) |> Tokens |> MLP(t, width: 32)') },
      'network Tokens(x: f32[L, C]) -> f32[L, C] { x |> linear(C) }',
    ),
    good: points(
      { ...image, ...backbone('concat(z, given) |> patchify(4) |> Tokens |> MLP(t, width: 32)') },
      'network Tokens(x: f32[L, C]) -> f32[L, C] { x |> linear(C) }',
    ),
  },
  MMD0402: {
    about: `
The parameter has no default, so that every call must give it. Arguments come in the order of the parameters, or by
name: \`width: 64\`.`,
    bad: points({ decoder: 'decoder z = h |> linear' }),
    good: points(),
  },
  MMD0403: {
    about: `
There are more arguments than parameters. After \`|>\` the first parameter is taken already: it is what the arrow brings.`,
    bad: points(
      { decoder: 'decoder z = h |> Head(h, 2)' },
      'network Head(x: f32[C], width: int) -> f32[width] { x |> linear(width) }',
    ),
    good: points(
      { decoder: 'decoder z = h |> Head(2)' },
      'network Head(x: f32[C], width: int) -> f32[width] { x |> linear(width) }',
    ),
  },
  MMD0404: {
    about: `
The network or function has no parameter of this name. Its signature is shown on hover; the standard library's can be
read in \`std/\`.`,
    bad: points(backbone('concat(z, given) |> MLP(t, widht: 32)')),
    good: points(),
  },
  MMD0405: {
    about: `
One parameter is given two arguments, once by position and once by name, or twice by name.`,
    bad: points({ decoder: 'decoder z = h |> linear(2, width: 2)' }),
    good: points(),
  },
  MMD0406: {
    about: `
The value is of another kind than is needed: a string for a number, a number with a fraction for an integer, a list for a
single value.`,
    bad: points({ train: 'train { batch: 32, steps: "many" }' }),
    good: points(),
  },
  MMD0407: {
    about: `
Division of integers is exact: a shape that does not divide is an error, never rounded. Choose numbers that divide, such
as a patch size that divides the image, or say how to round: \`floor(a / b)\` is not part of the language on purpose.`,
    bad: points({ ...image, ...backbone('concat(z, given) |> patchify(5) |> MLP(t, width: 32)') }),
    good: points({ ...image, ...backbone('concat(z, given) |> patchify(4) |> MLP(t, width: 32)') }),
  },
  MMD0408: {
    about: `
A \`require\` of the network does not hold for this use. The message is its author's; the place of the call and the values
of the network's dimensions are shown below it.`,
    bad: points(
      head,
      `network Head(x: f32[C]) -> f32[2] {
  require C % 5 == 0, "the width must be a multiple of 5"
  x |> linear(2)
}`,
    ),
    good: points(
      head,
      `network Head(x: f32[C]) -> f32[2] {
  require C % 8 == 0, "the width must be a multiple of 8"
  x |> linear(2)
}`,
    ),
  },
  MMD0409: {
    about: `
The type has another number of dimensions: an \`image\` has height, width and channels, a \`vector\` one dimension.`,
    bad: points({ modality: 'modality x: vector[2, 2]' }),
    good: points(),
  },
  MMD0410: {
    about: `
The operator works on numbers and on tensors, and the shapes of two tensors must agree from the right: equal, or 1, or
missing. A channel-wise factor for \`f32[H, W, C]\` is \`f32[C]\`.`,
    bad: points({ decoder: 'decoder z = linear(h, 2) + linear(h, 3)' }),
    good: points({ decoder: 'decoder z = linear(h, 2) + linear(h, 2)' }),
  },
  MMD0411: {
    about: `
The dimensions of a network are read off its arguments, from left to right. A dimension that stands only in the result,
or in products with other unknown ones, cannot be found that way. Add an \`int\` parameter for it.`,
    bad: points(
      { ...image, ...backbone('concat(z, given) |> Rows |> MLP(t, width: 32)') },
      'network Rows(x: f32[A * B, W, C]) -> f32[A, B * W * C] { x |> reshape([A, B * W * C]) }',
    ),
    good: points(
      { ...image, ...backbone('concat(z, given) |> Rows(4) |> MLP(t, width: 32)') },
      'network Rows(x: f32[H, W, C], n: int) -> f32[n, H * W * C / n] { x |> reshape([n, H * W * C / n]) }',
    ),
  },
  MMD0412: {
    about: `
Dimensions and widths are positive integers. A zero or negative one usually comes out of a computed dimension: look at
the values of the names in it.`,
    bad: points({ decoder: 'decoder z = h |> linear(0)' }),
    good: points(),
  },
  MMD0413: {
    about: `
Items are counted from 0, and from the end with negative numbers: \`xs[-1]\` is the last one. In a recursive network that
takes \`xs[1..]\` this means that nothing ends the recursion.`,
    bad: points({ train: 'let widths = [32, 64]\ntrain { batch: widths[2], steps: 1_000 }' }),
    good: points({ train: 'let widths = [32, 64]\ntrain { batch: widths[1], steps: 1_000 }' }),
  },
  MMD0414: {
    about: `
The value is of the right kind and outside the range in which it means something. The message gives the range.`,
    bad: points({ train: 'train { batch: 32, steps: 1_000, ema: 1.5 }' }),
    good: points({ train: 'train { batch: 32, steps: 1_000, ema: 0.999 }' }),
  },
  MMD0415: {
    about: `
Shapes, counts, conditions and options are settled when the spec is compiled; a tensor is known only when the model runs.
Data cannot decide how a network is built.`,
    bad: points({ decoder: 'decoder z = h |> linear(t)' }),
    good: points(),
  },
  MMD0416: {
    about: `
The body of a network returns another shape than its signature declares. The signature is what callers rely on, and what
makes recursion possible, so the two must agree for every use.`,
    bad: points(head, 'network Head(x: f32[C]) -> f32[3] { x |> linear(2) }'),
    good: points(head, 'network Head(x: f32[C]) -> f32[2] { x |> linear(2) }'),
  },
  MMD0418: {
    about: `
\`repeat(n) { ... }\` applies its stages n times in a row, each time with parameters of its own. The result of one round is
the input of the next, so the shape must stay the same; change it before.`,
    bad: points(backbone('concat(z, given) |> MLP(t, width: 32) |> repeat(3) { linear(64) }')),
    good: points(backbone('concat(z, given) |> MLP(t, width: 32) |> linear(64) |> repeat(3) { linear(64) }')),
  },
  MMD0419: {
    about: `
\`let (a, b) = ...\` takes a value apart that has exactly as many parts: a tuple, or the result of \`split(2)\`.`,
    bad: points(
      head,
      'network Head(x: f32[C]) -> f32[2] { let (a, b) = x |> linear(6) |> split(3)\n  a + b }',
    ),
    good: points(
      head,
      'network Head(x: f32[C]) -> f32[2] { let (a, b) = x |> linear(4) |> split(2)\n  a + b }',
    ),
  },
};
