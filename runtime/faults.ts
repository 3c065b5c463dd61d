/**
 * Faults that end a command with a message for its user.
 *
 * @module
 */
import type { Diagnostic } from '../compiler/diagnostics/diagnostic.js';

/** Problems with a place in the spec: exit code 1. */
export class SpecFault extends Error {
  override readonly name = 'SpecFault';

  constructor(readonly diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((d) => `${d.code}: ${d.message}`).join('\n'));
  }
}

/** A problem of the input without a place in a spec (a run folder, a checkpoint, an output path): exit code 1. */
export class InputFault extends Error {
  override readonly name = 'InputFault';

  constructor(
    message: string,
    /** A way out. */
    readonly help?: string,
  ) {
    super(message);
  }
}

/** A command line that makes no sense: exit code 2. */
export class UsageFault extends Error {
  override readonly name = 'UsageFault';

  constructor(
    message: string,
    readonly help?: string,
  ) {
    super(message);
  }
}
