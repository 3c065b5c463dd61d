/**
 * What the written forms of a graph (text and JSON) share.
 *
 * @module
 */

/** A written graph is not one. `place` is a JSON pointer, or a line of the text form. */
export class GraphFormatError extends Error {
  override readonly name: string = 'GraphFormatError';
  readonly place: string;

  constructor(place: string, message: string) {
    super(`${place === '' ? 'graph' : place}: ${message}`);
    this.place = place;
  }
}

/** Numbers that JSON cannot hold, as they are written. */
const special: ReadonlyMap<string, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['-0', -0],
]);

/** The name of a number that JSON cannot hold; `undefined` for every other. */
export function specialName(x: number): string | undefined {
  if (Object.is(x, -0)) return '-0';
  return Number.isFinite(x) ? undefined : String(x);
}

export function specialNumber(name: string): number | undefined {
  return special.get(name);
}
