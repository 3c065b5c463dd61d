import type { run as rows } from '../codes/run.js';
import type { Pages } from './page.js';

export const run: Pages<typeof rows> = {};
