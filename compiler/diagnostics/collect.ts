/**
 * Collects the diagnostics of a compilation.
 *
 * @module
 */
import type { Diagnostic, Place } from './diagnostic.js';
import type { Code, ReportArgs } from './table.js';
import { diagnostic } from './table.js';

export class Diagnostics {
  readonly #list: Diagnostic[] = [];
  readonly #seen = new Set<string>();

  /** In the order they were reported, exact duplicates dropped. */
  get list(): readonly Diagnostic[] {
    return this.#list;
  }

  get hasErrors(): boolean {
    return this.#list.some((d) => d.severity === 'error');
  }

  /** Reports a row of the table: `report('MMD0302', place, { name, kind })`. */
  report<C extends Code>(code: C, place: Place, ...rest: ReportArgs<C>): void {
    this.add(diagnostic(code, place, ...rest));
  }

  /** Takes over diagnostics made elsewhere. */
  add(...diagnostics: readonly Diagnostic[]): void {
    for (const d of diagnostics) {
      const key = identity(d);
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      this.#list.push(d);
    }
  }

  /** By file, place and code; what is equal in all of these keeps the order it was reported in. */
  sorted(): readonly Diagnostic[] {
    return this.#list.toSorted(byPlace);
  }
}

/** Orders by file name, start, end and code. */
export function byPlace(a: Diagnostic, b: Diagnostic): number {
  return (
    compare(a.file, b.file) ||
    a.range.start - b.range.start ||
    a.range.end - b.range.end ||
    compare(a.code, b.code)
  );
}

/** By code unit: the order of files must not depend on the reader's locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function identity(d: Diagnostic): string {
  const range = (r: Diagnostic['range']) => [r.start, r.end];
  return JSON.stringify([
    d.code,
    d.severity,
    d.message,
    d.file,
    range(d.range),
    d.labels.map((l) => [l.file, range(l.range), l.message]),
    d.help ?? null,
    d.fixes.map((f) => [f.title, f.safe, f.edits.map((e) => [e.file, range(e.range), e.text])]),
  ]);
}
