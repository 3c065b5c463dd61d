import { rows } from '../row.js';

/** 06zz: the diffusion process and its figures. */
export const process = rows({
  MMD0601: {
    severity: 'error',
    title: 'Two schedules',
    message: '`alpha` and `retention` both set the schedule',
    help: '`retention` is a_t itself; `alpha` is divided by the normaliser (N + 1 unless set)',
  },
  MMD0602: {
    severity: 'error',
    title: 'Schedule leaves (0, 1)',
    message: 'a_{t} is {value}, and every a_t must lie between 0 and 1',
  },
  MMD0603: {
    severity: 'error',
    title: 'Prediction needs a single component',
    message: '`predict: {predict}` needs a model whose only encoding is that of the origin',
    help: 'use `predict: x0`, which works with any number of components',
  },
  MMD0604: {
    severity: 'warning',
    title: 'Noisy from the first step',
    message: 'z_1 holds {components} with a signal-to-noise ratio of {snr}, and {limit} is needed',
    help: 'what is read off z_1 keeps about {kept} % of its variance; take a schedule with less noise at t = 1, more steps, or larger weights',
  },
  MMD0605: {
    severity: 'warning',
    title: 'The chain does not end in noise',
    message: 'z_T is not N(0, I): {what}; L0 is up to {bound} nats a row, {each} per dimension',
    help: 'sampling begins with N(0, I), which training then never saw: let the schedule and the weights end near 0',
  },
  MMD0606: {
    severity: 'warning',
    title: 'Lost within a few steps',
    message: 'of {steps} steps only {alive} hold anything of {components}, and {few} are needed',
    help: 'the other steps learn nothing about it; take a schedule that forgets more slowly',
  },
  MMD0607: {
    severity: 'warning',
    title: 'Weights inject data again',
    message:
      'the weights inject {components} again in {steps:step} after the first: w_t is up to {weight}, and c_t / sqrt(A_t) grows {growth}',
    help: 'a state then says more than the one before it did, and every reverse step has to take out what it is about to predict',
  },
  MMD0608: {
    severity: 'warning',
    title: 'Aggregation in one late step',
    message: 'step {t} alone adds {share} % of what z_t holds of {components}: w_t is {weight}',
    help: 'the reverse step takes all of it out at once, with the error of a prediction made from z_t',
  },
  MMD0609: {
    severity: 'warning',
    title: 'Learned encodings share channels',
    message:
      'the learned encodings of `{name}` and `{other}` are added up in channels {from}..{to} of `{space}`',
    help: 'a sum of two learned encodings cannot be told apart in general: give each channels of its own with `into({space}, channels: a..b)`',
  },
  MMD0620: {
    severity: 'error',
    title: 'Not a region of it',
    message: '`{region}` cannot say where `{name}` is known: {reason}',
    help: 'a region is a `binary[H, W, 1]` modality of the same height and width that the task does not produce',
  },
  MMD0621: {
    severity: 'error',
    title: 'Nothing to know of it',
    message: 'the task `{task}` cannot know a part of `{name}`: {reason}',
    help: '`known` is about pictures, masks and binary grids that the task produces',
  },
});
