export type * from './ast.js';
export type { LineColumn } from './lines.js';
export { LineMap } from './lines.js';
export type { ParseResult } from './parse.js';
export { MAX_LENGTH, parse } from './parse.js';
export type { SyntaxProblem, SyntaxProblemKind } from './problems.js';
export type { FormatOptions } from './format.js';
export { format, FormatError } from './format.js';
export { children, walk } from './visit.js';
