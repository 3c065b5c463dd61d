/**
 * `mmdc lsp`.
 *
 * @module
 */
import { serve } from '../lsp/server.js';

/** Speaks the protocol over standard input and output, and nothing else. */
export function lsp(): void {
  // What prints by mistake must not end up between messages.
  console.log = console.error;
  serve(process.stdin, process.stdout);
}
