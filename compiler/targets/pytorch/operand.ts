/**
 * What a call is given, as the emitter sees it.
 *
 * @module
 */
import type { Expr, Name } from '../../../grammar/ast.js';
import type { Value } from '../../elaborate/values.js';
import type { Out } from './out.js';
import type { Code } from './statics.js';
import type { Scope } from './trace.js';

export interface Operand {
  readonly name?: Name;
  readonly expr?: Expr;
  readonly out: () => Out;
  readonly value: (use: Scope) => Value | undefined;
  /** Dimensions as a list code, where they can be told. */
  readonly dims: () => Code | undefined;
}

/** Arguments by the names of parameters; variadic ones under the last. */
export function matchOperands(
  params: readonly { readonly name: string; readonly variadic?: boolean }[],
  operands: readonly Operand[],
): { named: Map<string, Operand>; rest: Operand[] } {
  const named = new Map<string, Operand>();
  const rest: Operand[] = [];
  let position = 0;
  for (const operand of operands) {
    const param = operand.name
      ? params.find((p) => p.name === operand.name?.text)
      : (params[position] ?? params.find((p) => p.variadic));
    if (!param) continue;
    if (!operand.name && !param.variadic) position++;
    if (param.variadic) rest.push(operand);
    else named.set(param.name, operand);
  }
  return { named, rest };
}
