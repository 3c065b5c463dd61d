import type { model as rows } from '../codes/model.js';
import type { Pages } from './page.js';
import { colouredPoints, points } from './points.js';

const variant = (base: string) =>
  `${points()}\nmodel Wide = ${base} {\n  train { batch: 64, steps: 500 }\n}\n`;

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
  MMD0513: {
    about: `
\`modality masked: image[32, 32, 3] = image |> cutout(count: 4)\` is part of the language's syntax, for data that are made
from other data. There are no transforms to make them with yet, and a declaration that did nothing would be worse than
one that is refused.`,
    bad: points({ modality: 'modality x: vector[2]\nmodality y: vector[2] = x' }),
    good: points(),
  },
};
