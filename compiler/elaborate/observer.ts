/**
 * What a tool may want to know of an analysis while it happens: editors show it at the place it belongs to.
 *
 * @module
 */
import type { Entry, Expr, Node } from '../../grammar/ast.js';
import type { Environment } from './environment.js';
import type { Value } from './values.js';

export interface Observer {
  /** An expression, or a stage of a pipe, has been evaluated. In networks once for every use. */
  value(node: Expr, value: Value, env: Environment): void;
  /**
   * A setting has been looked for in the block of this path, by a field that says what may stand there.
   * @param block the block in which it was looked for, where there is one
   */
  setting(path: string, key: string, field: unknown, block: Node | undefined, entry: Entry | undefined): void;
}
