import type { limits as rows } from '../codes/limits.js';
import type { Pages } from './page.js';

export const limits: Pages<typeof rows> = {};
