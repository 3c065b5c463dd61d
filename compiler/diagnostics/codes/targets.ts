import { rows } from '../row.js';

/** 10zz: what a target of `mmdc compile` has no form for. */
export const targets = rows({
  MMD1001: {
    severity: 'error',
    title: 'Not supported by the target',
    message: '{what} has no form in the target `{target}`',
    help: 'write it with other functions, or compile for `--target graph`, which has everything',
  },
});
