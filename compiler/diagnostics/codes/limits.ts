import { rows } from '../row.js';

/** 08zz: bounds on size, depth and work. */
export const limits = rows({});
