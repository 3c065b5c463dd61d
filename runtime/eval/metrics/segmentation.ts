/**
 * Measures of masks, from one confusion matrix over a whole set (as in Everingham et al., "The Pascal visual object
 * classes challenge", 2010): classes with an empty union are left out of the mean.
 *
 * @module
 */
export interface Segmentation {
  /** Mean over classes of intersection over union. */
  readonly miou: number;
  /** Share of pixels read rightly. */
  readonly accuracy: number;
  /** IoU of every class; null where neither has a pixel of it. */
  readonly classes: readonly (number | null)[];
  /** Pixels that have a class. */
  readonly pixels: number;
}

/** Counts pixels by wanted and read class. */
export class Confusion {
  /** [wanted, read] */
  readonly counts: Float64Array;

  constructor(readonly classes: number) {
    this.counts = new Float64Array(classes * classes);
  }

  /**
   * Pixels whose wanted class is not in 0 .. classes - 1 (void) are left out.
   * @throws RangeError when the two differ in length, or a read class is none
   */
  add(wanted: ArrayLike<number>, read: ArrayLike<number>): void {
    if (wanted.length !== read.length)
      throw new RangeError(`${wanted.length} pixels cannot be compared with ${read.length}`);
    const K = this.classes;
    for (let i = 0; i < wanted.length; i++) {
      const want = wanted[i]!;
      if (want < 0 || want >= K) continue;
      const got = read[i]!;
      if (got < 0 || got >= K) throw new RangeError(`pixel ${i}: ${got} is not one of ${K} classes`);
      this.counts[want * K + got]! += 1;
    }
  }

  /** @throws RangeError when no pixel has a class */
  measure(): Segmentation {
    const K = this.classes;
    let pixels = 0;
    let right = 0;
    const classes: (number | null)[] = [];
    for (let k = 0; k < K; k++) {
      let wanted = 0;
      let read = 0;
      for (let j = 0; j < K; j++) {
        wanted += this.counts[k * K + j]!;
        read += this.counts[j * K + k]!;
      }
      const both = this.counts[k * K + k]!;
      pixels += wanted;
      right += both;
      const union = wanted + read - both;
      classes.push(union === 0 ? null : both / union);
    }
    if (pixels === 0) throw new RangeError('no pixel has a class');
    const there = classes.filter((x) => x !== null);
    return {
      miou: there.reduce((sum, x) => sum + x, 0) / there.length,
      accuracy: right / pixels,
      classes,
      pixels,
    };
  }
}
