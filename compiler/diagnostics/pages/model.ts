import type { model as rows } from '../codes/model.js';
import type { Pages } from './page.js';

export const model: Pages<typeof rows> = {};
