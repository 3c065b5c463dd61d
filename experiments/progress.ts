/**
 * How far a list of long stages is, and how long the rest will take, judged by finished stages of the same kind.
 *
 * @module
 */

export class Plan {
  private at = 0;
  private readonly measured = new Map<string, number[]>();

  /** @param kinds of all stages, in order */
  constructor(private readonly kinds: readonly string[]) {}

  /** Heading of the stage that comes now: `[3/13] seed 1: draw, about 40 min left`. */
  heading(what: string): string {
    const left = this.left();
    return `[${this.at + 1}/${this.kinds.length}] ${what}${left === undefined ? '' : `, ${left} left`}`;
  }

  /**
   * Ends the stage that was on.
   * @param seconds null for one that was reused and says nothing about the others
   */
  finish(seconds: number | null): void {
    const kind = this.kinds[this.at++];
    if (kind === undefined) throw new RangeError('the plan has no stages left');
    if (seconds !== null) this.measured.set(kind, [...(this.measured.get(kind) ?? []), seconds]);
  }

  /** `at least` where a kind that is still to come has not been measured; undefined where none has been. */
  private left(): string | undefined {
    let seconds = 0;
    let unknown = false;
    for (const kind of this.kinds.slice(this.at)) {
      const times = this.measured.get(kind);
      if (times) seconds += times.reduce((sum, x) => sum + x, 0) / times.length;
      else unknown = true;
    }
    if (seconds === 0) return undefined;
    return `${unknown ? 'at least' : 'about'} ${showSeconds(seconds)}`;
  }
}

/** `40 s`, `12 min`, `1 h 5 min` */
export function showSeconds(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
