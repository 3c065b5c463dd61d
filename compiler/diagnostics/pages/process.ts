import type { process as rows } from '../codes/process.js';
import type { Pages } from './page.js';
import { colouredPoints, points } from './points.js';

/** Two categories, both learned. */
const colours = (kind: string, colour: string) =>
  points({
    modality: 'modality kind: category[3]\nmodality colour: category[4]',
    encoder: `encoder kind = ${kind}\nencoder colour = ${colour}`,
    process: 'process { steps: 100, retention: cosine, origin: zero, weights: nested }',
    decoder: 'decoder kind = h |> linear(3)\ndecoder colour = h |> linear(4)',
    task: 'task generate: kind, colour',
    data: 'data { kind: npy("kinds.npy"), colour: npy("colours.npy") }',
  });

/** A picture of 8 x 8 and a task that inpaints it. */
const inpaint = (hole: string, known = 'known: outside(hole)') => `import { MLP } from "std/backbones"

model Inpaint {
  modality image: image[8, 8, 1]
  modality hole: ${hole}
  space z: f32[8, 8, 1]
  encoder image = image
  process { origin: image }
  backbone h = concat(z, given) |> MLP(t, width: 8, depth: 1)
  decoder z = h |> project([8, 8, 1])
  task inpaint: image { ${known} }
  data { image: npy("images.npy") }
}
`;

export const process: Pages<typeof rows> = {
  MMD0601: {
    about: `
\`retention\` is a_t itself, the share of the state's variance that a step keeps. \`alpha\` is the schedule as the source of
the method writes it, divided by a normaliser (N + 1 for N aggregated modalities unless \`normaliser\` says otherwise).
They set the same thing: give one.`,
    bad: points({ process: 'process { steps: 100, retention: cosine, alpha: cosine, origin: x }' }),
    good: points(),
  },
  MMD0602: {
    about: `
Every step keeps part of the state and adds noise: 0 < a_t < 1. At 1 nothing would be added, and the loss of that step
would divide by zero; at 0 nothing would be left. With \`alpha\`, what counts is the schedule after its division.`,
    bad: points({ process: 'process { steps: 100, retention: constant(1), origin: x }' }),
    good: points({ process: 'process { steps: 100, retention: linear, origin: x }' }),
  },
  MMD0603: {
    about: `
From a predicted noise (or v) one unknown follows, by z_t = sum_j c_j Y_j + sigma_t eps. With several components there
would be several unknowns for one equation. \`predict: x0\` predicts each component and works with any number.`,
    bad: colouredPoints({
      process:
        'process { steps: 100, retention: cosine, origin: x, predict: eps, weights { colour: nested } }',
    }),
    good: colouredPoints({
      process:
        'process { steps: 100, retention: cosine, origin: x, predict: x0, weights { colour: nested } }',
    }),
  },
  MMD0604: {
    about: `
The signal-to-noise ratio of a component is c_t^2 / sigma_t^2, for an encoding of unit variance. Sampling ends by reading
the data off z_1. Where z_1 is noisy, the best that can be read is a mean over everything that fits it: of a Gaussian at
ratio s it keeps s / (1 + s) of the variance, 99 % at 100, half at 1. The literal form of the source (\`alpha\` with its
normaliser) is always below; it can still be worth it, and a comment says why.`,
    bad: points({ process: 'process { steps: 100, retention: constant(0.95), origin: x }' }),
    good: points(),
  },
  MMD0605: {
    about: `
Sampling begins with z_T ~ N(0, I). Here z_T still holds some of the data (\`c_T\` of an encoding), or its variance is not
1, so that the first steps of a chain work on states that training never saw. L0 is what that costs, in nats: this bound
holds for encodings of unit mean square. Reported from a signal-to-noise ratio of 0.001 at T, or 0.01 nats per dimension.`,
    bad: points({ process: 'process { steps: 100, retention: linear(1e-4, 0.002), origin: x }' }),
    good: points({ process: 'process { steps: 100, retention: linear(1e-4, 0.02), origin: x }' }),
  },
  MMD0606: {
    about: `
The signal-to-noise ratio falls below 0.01 so soon that nearly all steps are spent on pure noise, and those that count
differ greatly from one to the next. Wanted are 20 steps or a twentieth of them, whichever is more (a quarter of a short
process).`,
    bad: points({ process: 'process { steps: 100, retention: constant(0.5), origin: x }' }),
    good: points(),
  },
  MMD0607: {
    about: `
With \`nested\` weights a state is a degraded form of the one before it, as in DDPM. Here the weights add data again at
later steps: c_t falls more slowly than sqrt(A_t), and sampling removes at every step an encoding it has only predicted.
The form of the source does this by design. Where that is meant, a comment says so.`,
    bad: colouredPoints({
      process:
        'process { steps: 100, retention: linear, origin: x, weights { colour: marginal(linear(1, 0)) } }',
    }),
    good: colouredPoints({
      process: 'process { steps: 100, retention: linear, origin: x, weights { colour: nested } }',
    }),
  },
  MMD0608: {
    about: `
Nearly all that z_t holds of a modality was added in step t itself, where the steps before had little left of it. A
reverse step then removes all of it at once, and takes the error of one prediction with it. In step 1 that is harmless,
and what \`nested\` does: nothing comes after.`,
    bad: colouredPoints({
      process: 'process { steps: 100, retention: cosine, origin: x, weights { colour: marginal(1) } }',
    }),
    good: colouredPoints(),
  },
  MMD0609: {
    about: `
The encodings of all modalities are added up. Two encoders that are both learned, and fill the same channels, can come to
lie on top of each other, and then no backbone can tell their data apart. Channels of their own are safe. A learned code
on top of data as they are (a label in the channels of its image) is not reported: what an image looks like is fixed.`,
    bad: colours('kind |> linear(2)', 'colour |> linear(2)'),
    good: colours(
      'kind |> linear(1) |> into(z, channels: 0..1)',
      'colour |> linear(1) |> into(z, channels: 1..2)',
    ),
  },
  MMD0620: {
    about: `
\`known: outside(hole)\` says which pixels of what a task produces are known beforehand: the others are inpainted. Where
they are is itself data: a modality of one 0 or 1 a pixel, of the picture's own height and width. What the task
produces has no data to say it with.`,
    bad: inpaint('binary[4, 4, 1] = holes(size: 2)'),
    good: inpaint('binary[8, 8, 1] = holes(size: 2)'),
  },
  MMD0621: {
    about: `
A part of something is known pixel by pixel. A class or a vector has none, and what a task is given, or leaves out, is known
whole or not at all. The encoding of an origin whose encoder is not the identity comes from a head of its own, into which
known pixels cannot be put: let its encoder be the identity, or the origin be zero.`,
    bad: inpaint('binary[8, 8, 1] = holes(size: 2)', 'known { hole: outside(hole) }'),
    good: inpaint('binary[8, 8, 1] = holes(size: 2)', 'known { image: outside(hole) }'),
  },
};
