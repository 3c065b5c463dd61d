import type { syntax as rows } from '../codes/syntax.js';
import type { Pages } from './page.js';

export const syntax: Pages<typeof rows> = {};
