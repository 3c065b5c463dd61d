import { rows } from '../row.js';

/** 06zz: the diffusion process and its figures. */
export const process = rows({});
