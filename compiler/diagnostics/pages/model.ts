import type { model as rows } from '../codes/model.js';
import type { Pages } from './page.js';
import { colouredPoints, points } from './points.js';

const variant = (base: string) =>
  `${points()}\nmodel Wide = ${base} {\n  train { batch: 64, steps: 500 }\n}\n`;

const masked = 'masked: image[8, 8, 1] = image |> cutout(size: 2)';

/** Images, and what is derived from them. */
const pictures = (derived: string, source = '') => `import { MLP } from "std/backbones"

model Restore {
  modality image: image[8, 8, 1]
  modality ${derived}
  space z: f32[8, 8, 2]

  encoder image = image |> into(z, channels: 0..1)
  encoder masked = masked |> into(z, channels: 1..2)
  process { steps: 100, retention: cosine }
  backbone h = concat(z, given) |> MLP(t, width: 64, depth: 2)
  decoder image = h |> project([8, 8, 1])
  task restore: masked -> image
  data { image: npy("images.npy")${source === '' ? '' : `, ${source}`} }
}
`;

export const model: Pages<typeof rows> = {
  MMD0501: {
    about: `
\`model B = A { ... }\` is A with some declarations replaced; A has to be a model of this file.`,
    bad: variant('Pionts'),
    good: variant('Points'),
  },
  MMD0502: {
    about: `
A variant cannot be its own base, neither directly nor through others: there would be nothing to begin with.`,
    bad: 'model A = B {\n  train { steps: 10 }\n}\n\nmodel B = A {\n  train { steps: 20 }\n}\n',
    good: variant('Points'),
  },
  MMD0503: {
    about: `
A model says what the data is (\`modality\`), in which space it is diffused (\`space\`), how it gets there (\`encoder\`),
how z is read (\`backbone\`) and what is read off it (\`decoder\`), what it is for (\`task\`), and how it is trained. The
message names what is missing. A variant has what its base has.`,
    bad: points({ backbone: '' }),
    good: points(),
  },
  MMD0504: {
    about: `
A task produces this modality, so its value has to be read off the diffusion state: \`decoder NAME = ...\` gives the
parameters of the modality's likelihood. Only the origin needs none if its encoder is the modality itself: it is z_0,
which \`decoder z\` predicts.`,
    bad: colouredPoints({ decoder: 'decoder z = h |> linear(2)' }),
    good: colouredPoints(),
  },
  MMD0505: {
    about: `
The process begins at the encoding of this modality, and sampling has to arrive there: \`decoder z\` (after the name of
the space) predicts z_0 in the form that \`predict:\` says.`,
    bad: points({ decoder: 'decoder x = h |> linear(2)' }),
    good: points(),
  },
  MMD0506: {
    about: `
With \`origin: zero\` or \`origin: mean\` the chain does not end at anything of its own: every component is the encoding
of a modality, and the modalities' decoders give them. A decoder for the space would never be used.`,
    bad: points({
      process: 'process { steps: 100, retention: cosine, origin: zero, weights { x: nested } }',
      decoder: 'decoder x = h |> linear(2)\ndecoder z = h |> linear(2)',
    }),
    good: points({
      process: 'process { steps: 100, retention: cosine, origin: zero, weights { x: nested } }',
      decoder: 'decoder x = h |> linear(2)',
    }),
  },
  MMD0507: {
    about: `
Data is read for this modality, and it neither enters the diffusion nor is read off it. Give it an encoder, a decoder, or
remove it.`,
    bad: points({
      modality: 'modality x: vector[2]\nmodality y: vector[2]',
      data: 'data { x: npy("x.npy"), y: npy("y.npy") }',
    }),
    good: points(),
  },
  MMD0508: {
    about: `
A task has this modality given. What is given enters z_t and the backbone by its encoding, so it needs an encoder.`,
    bad: colouredPoints({
      encoder: 'encoder x = x',
      process: 'process { steps: 100, retention: cosine, origin: x }',
    }),
    good: colouredPoints(),
  },
  MMD0509: {
    about: `
All encodings are added up in one space, so each must have its shape exactly. \`project(shape(z))\` maps a tensor of any
shape there; \`into(z, channels: a..b)\` puts one into some of the channels.`,
    bad: colouredPoints({ encoder: 'encoder x = x\nencoder colour = colour |> linear(8)' }),
    good: colouredPoints({
      encoder: 'encoder x = x\nencoder colour = colour |> linear(8) |> project(shape(z))',
    }),
  },
  MMD0510: {
    about: `
A decoder gives the parameters of its modality's likelihood: a mean of the modality's own shape where it is Gaussian, a
logit for every class where it is categorical (of every pixel of a mask, every position of tokens).`,
    bad: colouredPoints({ decoder: 'decoder z = h |> linear(2)\ndecoder colour = h |> linear(4)' }),
    good: colouredPoints(),
  },
  MMD0511: {
    about: `
Sampling replaces the encoding of what is produced by the encoding of its prediction, which is a mean. For an affine
encoder that is the mean of the encodings; for another one it is not, and every step would be biased.`,
    bad: points({
      process: 'process { steps: 100, retention: cosine, origin: zero, weights { x: nested } }',
      encoder: 'encoder x = x |> linear(8) |> silu |> linear(2)',
      decoder: 'decoder x = h |> linear(2)',
    }),
    good: points({
      process: 'process { steps: 100, retention: cosine, origin: zero, weights { x: nested } }',
      encoder: 'encoder x = x |> linear(8) |> linear(2)',
      decoder: 'decoder x = h |> linear(2)',
    }),
  },
  MMD0512: {
    about: `
\`given\` holds the encodings of what is given, and for every modality whether it is given, produced or absent. Without
it a backbone has to guess its task from the noisy state alone; in a small experiment image to label fell from 88 % to
chance.`,
    bad: points({ backbone: 'backbone h = z |> MLP(t, width: 32)' }),
    good: points(),
  },
  MMD0514: {
    about: `
The type that is written belongs to the data that the transforms give: kind and dimensions have to be the same. \`shrink\`
changes the size of an image, \`grayscale\` its channels, \`threshold\` makes a \`binary\` of it; the others keep the type.`,
    bad: pictures('masked: image[4, 4, 1] = image |> cutout(size: 2)'),
    good: pictures('masked: image[8, 8, 1] = image |> cutout(size: 2)'),
  },
  MMD0515: {
    about: `
What a modality is derived from is read row by row where data are read, long before any network: a modality declared above,
\`|>\` and transforms such as \`cutout\`, \`noise\` or \`shrink\`. Arithmetic and networks belong into encoders.`,
    bad: pictures('masked: image[8, 8, 1] = image * 0.5'),
    good: pictures('masked: image[8, 8, 1] = image |> cutout(size: 2)'),
  },
  MMD0516: {
    about: `
A derived modality is made from the rows of others whenever those are read, so that it has no file of its own. With both, it
could not be told which of the two counts.`,
    bad: pictures(masked, 'masked: npy("masked.npy")'),
    good: pictures(masked),
  },
  MMD0517: {
    about: `
\`frozen: true\` keeps weights as they begin, and \`prefix\` says what their names in a file begin with: both belong to
\`load: "weights.safetensors"\`. Without it the weights begin at random, and a frozen random encoder is seldom meant.`,
    bad: points({ encoder: 'encoder x = x |> linear(2) { frozen: true }' }),
    good: points({ encoder: 'encoder x = x |> linear(2) { load: "x.safetensors", frozen: true }' }),
  },
  MMD0518: {
    about: `
The expression has no parameters of its own, so that the file would be read for nothing.`,
    bad: points({ encoder: 'encoder x = x { load: "x.safetensors" }' }),
    good: points({ encoder: 'encoder x = x |> linear(2) { load: "x.safetensors" }' }),
  },
  MMD0519: {
    about: `
Weights are read when training begins, from a safetensors file: the \`model.safetensors\` of another run, or one that other
tools have written. The path is relative to the folder of the spec. A run that is resumed or sampled does not need the file
any more.`,
    bad: {
      shell: 'mmdc train spec.mmd --data DIR --out run   # encoder image = ... { load: "vae.safetensors" }',
    },
    good: { shell: 'cp ~/vae.safetensors .   # beside spec.mmd' },
  },
  MMD0520: {
    about: `
Every parameter of the declaration is looked for under its own name (\`encoder.image.conv_1.weight\`), and without the name
of the declaration (\`conv_1.weight\`); \`prefix: "vae.encoder."\` is put before the latter. Names follow the source, so that
another call before it renames a parameter: the message says which tensors of the file have the shape that is missing.`,
    bad: {
      shell: 'mmdc train spec.mmd --data DIR --out run   # encoder image = ... { load: "vae.safetensors" }',
    },
    good: {
      shell:
        'mmdc train spec.mmd --data DIR --out run   # { load: "vae.safetensors", prefix: "encoder.picture." }',
    },
  },
};
