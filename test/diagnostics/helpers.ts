import type { Diagnostic, Label, Place, Severity } from '../../compiler/diagnostics/diagnostic.js';

/** The place of `text` (up to the end of `to`, where given) in a file of `files`. */
export function placeOf(
  files: Readonly<Record<string, string>>,
  file: string,
  text: string,
  to?: string,
): Place {
  const start = files[file].indexOf(text);
  const last = to ?? text;
  const end = files[file].indexOf(last, start) + last.length;
  if (start < 0 || end < start) throw new Error(`no ${JSON.stringify(text)} in ${file}`);
  return { file, range: { start, end } };
}

export function problem(place: Place, rest: Partial<Diagnostic> = {}): Diagnostic {
  const severity: Severity = 'error';
  return { code: 'MMD0401', severity, message: 'shapes differ', labels: [], fixes: [], ...place, ...rest };
}

export function label(place: Place, message: string): Label {
  return { ...place, message };
}
