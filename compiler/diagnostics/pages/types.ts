import type { types as rows } from '../codes/types.js';
import type { Pages } from './page.js';

export const types: Pages<typeof rows> = {};
