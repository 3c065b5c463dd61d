/**
 * Scopes of the name check. They nest as the environments of the evaluator do; what they hold is not values but
 * what a name stands for and where it is declared.
 *
 * @module
 */
import type { Name } from '../../grammar/ast.js';

/** Something that a name stands for. */
export interface Binding {
  readonly name: Name;
  /** With its article, for messages: `the parameter`. */
  readonly what: string;
}

export class Scope {
  private readonly bindings = new Map<string, Binding>();
  private readonly later = new Map<string, Name>();

  constructor(
    private readonly parent?: Scope,
    /** Names that exist in the model but not in this place, with the reason. */
    private readonly hidden: ReadonlyMap<string, string> = new Map(),
  ) {}

  /** Makes known that a name is declared further down. */
  announce(name: Name): void {
    if (name.text !== '' && !this.later.has(name.text)) this.later.set(name.text, name);
  }

  declare(binding: Binding): void {
    if (binding.name.text !== '') this.bindings.set(binding.name.text, binding);
  }

  find(name: string): Binding | undefined {
    return this.bindings.get(name) ?? this.parent?.find(name);
  }

  /** A binding of this scope itself, not of one around it. */
  own(name: string): Binding | undefined {
    return this.bindings.get(name);
  }

  /** The declaration of a name that is in scope from further down on. */
  declaredLater(name: string): Name | undefined {
    return this.later.get(name) ?? this.parent?.declaredLater(name);
  }

  reasonHidden(name: string): string | undefined {
    return this.hidden.get(name) ?? this.parent?.reasonHidden(name);
  }

  /** Names in scope, innermost first, for suggestions. */
  names(): string[] {
    return [...this.bindings.keys(), ...(this.parent?.names() ?? [])];
  }
}
