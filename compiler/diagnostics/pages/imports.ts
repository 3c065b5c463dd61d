import type { imports as rows } from '../codes/imports.js';
import type { Pages } from './page.js';

export const imports: Pages<typeof rows> = {};
