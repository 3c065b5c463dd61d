export type * from './model.js';
export { renderComparison, type ComparedRun } from './compare.js';
export { renderLive, renderLivePart, type LiveRun } from './live.js';
export { renderReport } from './page.js';
