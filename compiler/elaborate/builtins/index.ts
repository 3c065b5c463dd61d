/**
 * The functions of the language's core, by name. Everything else is a `network` in the standard library.
 *
 * @module
 */
import type { Builtin } from './builtin.js';
import { elementwiseBuiltins } from './elementwise.js';
import { layerBuiltins } from './layers.js';
import { staticBuiltins } from './static.js';
import { structureBuiltins } from './structure.js';

export const builtins: ReadonlyMap<string, Builtin> = new Map(
  [...layerBuiltins, ...structureBuiltins, ...elementwiseBuiltins, ...staticBuiltins].map((b) => [b.name, b]),
);
