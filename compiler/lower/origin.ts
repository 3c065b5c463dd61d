/**
 * Where nodes come from that no expression of the spec stands for: every node of a graph leads back to a place in it.
 *
 * @module
 */
import type { Range } from '../../grammar/ast.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { ModelInfo } from '../model/info.js';

/** Nodes that `make` adds, and that no expression claims, come from `place` in the model's file. */
export function from<T>(b: GraphBuilder, info: ModelInfo, place: Range, make: () => T): T {
  const outer = b.origin;
  b.origin = { file: info.module.file, start: place.start, end: place.end };
  try {
    return make();
  } finally {
    b.origin = outer;
  }
}
