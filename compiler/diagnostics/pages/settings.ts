import type { settings as rows } from '../codes/settings.js';
import type { Pages } from './page.js';

export const settings: Pages<typeof rows> = {};
