import type { names as rows } from '../codes/names.js';
import type { Pages } from './page.js';

export const names: Pages<typeof rows> = {};
