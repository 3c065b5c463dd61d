/**
 * What names stand for inside a network that is checked.
 *
 * @module
 */
import type { Sym } from './values.js';

export class Names {
  private constructor(
    private readonly values: Map<string, Sym>,
    private readonly parent?: Names,
  ) {}

  static empty(): Names {
    return new Names(new Map());
  }

  define(name: string, value: Sym): void {
    if (name !== '') this.values.set(name, value);
  }

  find(name: string): Sym | undefined {
    return this.values.get(name) ?? this.parent?.find(name);
  }

  child(): Names {
    return new Names(new Map(), this);
  }
}
