/**
 * What a spec says and a target has no way to do.
 *
 * @module
 */
import type { Place } from '../../diagnostics/diagnostic.js';
import type { Frame } from '../../elaborate/environment.js';

/** Becomes MMD1001 at the user's own place: inside the library that is the outermost call. */
export class Unsupported extends Error {
  readonly place: Place;

  constructor(
    readonly what: string,
    place: Place,
    frames: readonly Frame[] = [],
  ) {
    super(`${what} is not supported`);
    this.place = frames.find((frame) => frame.library)?.call ?? place;
  }
}
