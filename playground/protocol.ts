/**
 * What the page and its worker say to each other. Offsets are UTF-16, as in the editor.
 *
 * @module
 */

export type Request =
  | { readonly id: number; readonly kind: 'check'; readonly text: string }
  | {
      readonly id: number;
      readonly kind: 'hover' | 'complete';
      readonly text: string;
      readonly offset: number;
    }
  | { readonly id: number; readonly kind: 'format'; readonly text: string };

export interface Problem {
  readonly from: number;
  readonly to: number;
  readonly severity: 'error' | 'warning' | 'info';
  readonly code: string;
  readonly message: string;
  readonly help?: string;
  readonly fixes: readonly { readonly title: string; readonly edits: readonly Edit[] }[];
}

export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

/** A checked model as HTML: made by the compiler's own templates, which escape what a spec contains. */
export interface ModelView {
  readonly name: string;
  readonly html: string;
}

export interface CheckResult {
  readonly problems: readonly Problem[];
  /** Empty while the spec has errors. */
  readonly models: readonly ModelView[];
  /** Milliseconds. */
  readonly time: number;
}

export interface HoverResult {
  readonly from: number;
  readonly to: number;
  readonly html: string;
}

export interface CompletionResult {
  readonly label: string;
  readonly detail?: string;
  readonly insert: string;
  readonly snippet: boolean;
}

export interface Results {
  readonly check: CheckResult;
  readonly hover: HoverResult | null;
  readonly complete: readonly CompletionResult[];
  /** The formatted text, or null where it has syntax errors. */
  readonly format: string | null;
}

export type Response =
  | { readonly id: number; readonly ok: true; readonly value: Results[keyof Results] }
  | { readonly id: number; readonly ok: false; readonly message: string };
