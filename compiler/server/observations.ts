/**
 * What an analysis finds on its way, kept for editors: the values of expressions, and the settings that a block has.
 *
 * @module
 */
import type { Entry, Expr, Node } from '../../grammar/ast.js';
import type { Environment } from '../elaborate/environment.js';
import type { Observer } from '../elaborate/observer.js';
import { showType, type Value } from '../elaborate/values.js';
import type { Shape } from '../graph/ir.js';
import type { FieldType } from '../model/forms.js';

/** What an expression came to. */
export interface Seen {
  /** As messages name it: `f32[28, 28, 1]` in back quotes, `the integer 3`. */
  readonly shown: string;
  /** Of a tensor, without the batch axis. */
  readonly shape?: Shape;
  /** Inside a network: the use that led there, with its dimensions. */
  readonly within?: { readonly network: string; readonly bindings: string };
}

export interface Setting {
  readonly key: string;
  /** What may stand there. */
  readonly field: FieldType | 'block';
  readonly entry?: Entry;
}

export class Observations implements Observer {
  /** By expression; in networks, of the use that was elaborated first. */
  readonly values = new Map<Node, Seen>();
  /** By path of the block (`process`, `task.draw`), then by key. */
  readonly settings = new Map<string, Map<string, Setting>>();
  /** Paths by block. */
  readonly blocks = new Map<Node, string>();

  value(node: Expr, value: Value, env: Environment): void {
    // Library networks are not the user's to look at while they write.
    if (env.module.library || value.kind === 'error' || this.values.has(node)) return;
    const frame = env.frames.at(-1);
    this.values.set(node, {
      shown: showType(value),
      ...(value.kind === 'tensor' && { shape: value.shape }),
      ...(frame && { within: { network: frame.network, bindings: frame.bindings } }),
    });
  }

  setting(
    path: string,
    key: string,
    field: unknown,
    block: Node | undefined,
    entry: Entry | undefined,
  ): void {
    let keys = this.settings.get(path);
    if (!keys) this.settings.set(path, (keys = new Map()));
    keys.set(key, { key, field: field as Setting['field'], ...(entry && { entry }) });
    if (block) this.blocks.set(block, path);
  }
}
