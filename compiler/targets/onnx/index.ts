export { lowerToOnnx } from './lower.js';
export type { OnnxArtifact, Port } from './lower.js';
export type { LowerOptions, Provider } from './emitter.js';
