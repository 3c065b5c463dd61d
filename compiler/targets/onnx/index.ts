export { lowerToOnnx } from './lower.js';
export type { OnnxArtifact, Port } from './lower.js';
export { blockedDomain } from './emitter.js';
export type { LowerOptions, Provider } from './emitter.js';
export { encodeModel } from './proto.js';
export { deployOnnx, type WeightValues } from './deploy.js';
