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
});
