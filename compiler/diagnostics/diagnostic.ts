/**
 * A diagnostic: one row of the table, filled in and placed.
 *
 * @module
 */
import type { Range } from '../../grammar/ast.js';

export type Severity = 'error' | 'warning' | 'info';

/** A range in a file. */
export interface Place {
  readonly file: string;
  readonly range: Range;
}

export interface Label extends Place {
  readonly message: string;
}

export interface Edit {
  readonly file: string;
  readonly range: Range;
  readonly text: string;
}

export interface Fix {
  readonly title: string;
  /** Safe fixes never change what a correct program means; `mmdc check --fix` applies only these. */
  readonly safe: boolean;
  readonly edits: readonly Edit[];
}

export interface Diagnostic extends Place {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  /** Further places involved; the main place may have a message of its own as the first label. */
  readonly labels: readonly Label[];
  readonly help?: string;
  readonly fixes: readonly Fix[];
}
