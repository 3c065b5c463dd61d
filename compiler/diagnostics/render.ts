/**
 * The renderings of diagnostics. All are pure: files come in through a {@link Source}, colours through a
 * {@link Painter}.
 *
 * @module
 */
export { renderText, summary } from './render/text.js';
export { renderJson, toJson } from './render/json.js';
export type { JsonDiagnostic, JsonPosition, JsonRange } from './render/json.js';
export { renderSarif } from './render/sarif.js';
export { plain } from './render/painter.js';
export type { Painter, Style } from './render/painter.js';
export type { Source } from './render/source.js';
