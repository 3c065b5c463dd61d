/**
 * What commands print: results on standard output, everything else on standard error; colour only where it is wanted.
 *
 * @module
 */
import pc from 'picocolors';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.js';
import { plain, renderText, summary, type Painter } from '../../compiler/diagnostics/render.js';

export type ColorChoice = 'auto' | 'always' | 'never';

/** Colours for a stream: `--color`, then `NO_COLOR`, then whether it is a terminal. */
export function painterFor(stream: NodeJS.WriteStream, choice: ColorChoice): Painter {
  const on = choice === 'always' || (choice === 'auto' && !process.env.NO_COLOR && stream.isTTY);
  if (!on) return plain;
  const c = pc.createColors(true);
  return {
    error: (text) => c.bold(c.red(text)),
    warning: (text) => c.bold(c.yellow(text)),
    info: (text) => c.bold(c.blue(text)),
    title: c.bold,
    secondary: c.cyan,
    gutter: c.blue,
    help: c.green,
    fix: c.green,
  };
}

export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

export function note(text: string): void {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Diagnostics on standard error, for commands whose result is something else. */
export function noteDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
  choice: ColorChoice,
): void {
  if (diagnostics.length === 0) return;
  note(renderText(diagnostics, (file) => sources.get(file), painterFor(process.stderr, choice)));
  note(summary(diagnostics));
}
