import { rows } from '../row.js';

/** 05zz: what a model must have to be trained and sampled. */
export const model = rows({});
