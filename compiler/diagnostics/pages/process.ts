import type { process as rows } from '../codes/process.js';
import type { Pages } from './page.js';
import { colouredPoints, points } from './points.js';

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
    good: points({ process: 'process { steps: 100, retention: constant(0.95), origin: x }' }),
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
};
