/**
 * The type of the table of lowerings: one function per primitive.
 *
 * @module
 */
import type { NodeOf, Op } from '../../../graph/ir.js';
import type { Emitter } from '../emitter.js';

/** Emits the ONNX nodes of one primitive; returns the ONNX value that holds its result. */
export type Lower<K extends Op> = (node: NodeOf<K>, e: Emitter) => string;

/** Every primitive but the fed ones, which become inputs of the model. */
export type LowerTable = { readonly [K in Exclude<Op, 'input' | 'parameter'>]: Lower<K> };
