import { rows } from '../row.js';

/** 07zz: tasks, loss, training, data and evaluation. */
export const settings = rows({
  MMD0701: {
    severity: 'error',
    title: 'Wrong kind of entry',
    message: '`{key}` takes {expected}',
  },
  MMD0702: {
    severity: 'error',
    title: 'Modality listed twice in a task',
    message: '`{name}` is listed twice in the task `{task}`',
  },
  MMD0703: {
    severity: 'warning',
    title: 'Guidance without anything given',
    message: 'the task `{task}` has guidance, and nothing is given that could guide it',
  },
  MMD0704: {
    severity: 'error',
    title: 'Probabilities do not add up',
    message: '`all`, `tasks` and `any` must add up to 1, and their sum is {total}',
  },
  MMD0705: {
    severity: 'error',
    title: 'Unknown embedded set',
    message: 'there is no embedded set "{name}"',
    help: 'there is {sets}',
  },
  MMD0706: {
    severity: 'error',
    title: 'Guidance without rows that miss the condition',
    message: 'the task `{task}` has guidance, and training never hides a given modality (`absent` is 0)',
    help: 'set `roles { absent: 0.1 }` in `train`',
  },
  MMD0707: {
    severity: 'error',
    title: 'Malformed override',
    message: '`{text}` is not of the form `path=value`',
    help: 'write `--set process.steps=250`, `--set task.draw.guidance=3` or `--set width=64`',
  },
  MMD0708: {
    severity: 'error',
    title: 'Metric of another type',
    message: '`{metric}` is defined on {types}, and `{name}` is of type `{type}`',
  },
});
