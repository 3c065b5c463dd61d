import type { process as rows } from '../codes/process.js';
import type { Pages } from './page.js';

export const process: Pages<typeof rows> = {};
