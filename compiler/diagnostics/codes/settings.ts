import { rows } from '../row.js';

/** 07zz: tasks, loss, training, data and evaluation. */
export const settings = rows({});
