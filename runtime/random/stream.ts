/**
 * Independent streams of random numbers, named by a seed and a path: `new Stream(seed, 'noise', step)`.
 *
 * Guarantee: the numbers depend on the seed, the path and the order of calls alone, and are the same, bit for bit,
 * on every platform and engine. Only 32-bit integer operations and the arithmetic that IEEE 754 defines exactly
 * (+, -, *, /, square root) are used; `Math.log`, `Math.sin` and `Math.cos`, whose last bits are up to the engine,
 * are not.
 *
 * @module
 */
import { philox } from './philox.js';

/** Words generated at a time by the bulk methods. */
const CHUNK = 1024;
const words = new Uint32Array(CHUNK);
const block = new Uint32Array(4);

/** The starting state of every stream, so that seed 0 with an empty path is no special point: digits of pi. */
const START = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344] as const;

// Numbers and strings are told apart by what they are mixed with.
const NUMBER = 1;
const STRING = 2;

/**
 * A stream. Its 128-bit identity (the Philox key and the upper half of the counter) is a Philox hash of the seed
 * and the path; the lower half of the counter is the position, so a stream has 2^66 words of its own.
 *
 * `uniform`, `normal`, `integers` and `permutation` start at a fresh block of four words; `word`, `next` and
 * `below` go on within one.
 */
export class Stream {
  readonly #key0: number;
  readonly #key1: number;
  readonly #high0: number;
  readonly #high1: number;
  #low0 = 0;
  #low1 = 0;
  readonly #words = new Uint32Array(4);
  #used = 4;

  /**
   * @param seed an integer; numbers must be safe integers, bigints are taken modulo 2^64.
   * @param path what the stream is for: names and safe integers. ('a', 1), ('a', '1') and ('a1') all differ.
   * @throws RangeError for a number that is not a safe integer.
   */
  constructor(seed: number | bigint, ...path: readonly (number | string)[]) {
    const state = block;
    state.set(START);
    absorb(state, seed);
    for (const part of path) absorb(state, part);
    this.#key0 = state[0]!;
    this.#key1 = state[1]!;
    this.#high0 = state[2]!;
    this.#high1 = state[3]!;
  }

  /** The next 32 random bits as an integer in 0 .. 2^32 - 1. */
  word(): number {
    if (this.#used === 4) {
      this.#blocks(this.#words, 1);
      this.#used = 0;
    }
    return this.#words[this.#used++]!;
  }

  /** A uniform number in [0, 1) with 53 random bits. */
  next(): number {
    const high = this.word() >>> 5;
    const low = this.word() >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  }

  /**
   * A uniform integer in 0 .. bound - 1, without modulo bias (by rejection).
   *
   * @throws RangeError unless `bound` is an integer in 1 .. 2^32.
   */
  below(bound: number): number {
    checkBound(bound, 0x100000000);
    const limit = 0x100000000 - (0x100000000 % bound);
    let x = this.word();
    while (x >= limit) x = this.word();
    return x % bound;
  }

  /** Fills `out` (or a new array of that length) with uniform numbers in [0, 1) of 24 random bits, all exact in f32. */
  uniform(out: Float32Array | number): Float32Array {
    const to = typeof out === 'number' ? new Float32Array(out) : out;
    this.#each(to.length, (from, count) => {
      for (let i = 0; i < count; i++) to[from + i] = (words[i]! >>> 8) / 0x1000000;
    });
    return to;
  }

  /**
   * Fills `out` (or a new array of that length) with standard normal numbers: Box and Muller's transform of pairs of
   * 32-bit words, in double precision, then rounded to f32. No number exceeds sqrt(2 ln 2^32) = 6.66.
   */
  normal(out: Float32Array | number): Float32Array {
    const to = typeof out === 'number' ? new Float32Array(out) : out;
    this.#each(to.length, (from, count) => boxMuller(to, from, count));
    return to;
  }

  /**
   * Fills `out` (or a new array of that length) with uniform integers in 0 .. bound - 1, without modulo bias.
   *
   * @throws RangeError unless `bound` is an integer in 1 .. 2^31.
   */
  integers(out: Int32Array | number, bound: number): Int32Array {
    checkBound(bound, 0x80000000);
    const to = typeof out === 'number' ? new Int32Array(out) : out;
    this.#used = 4;
    for (let i = 0; i < to.length; i++) to[i] = this.below(bound);
    return to;
  }

  /**
   * A uniform permutation of 0 .. n - 1 (Fisher and Yates).
   *
   * @throws RangeError unless `n` is an integer in 0 .. 2^31.
   */
  permutation(n: number): Int32Array {
    if (n !== 0) checkBound(n, 0x80000000);
    const order = new Int32Array(n);
    this.#used = 4;
    for (let i = 0; i < n; i++) {
      const j = this.below(i + 1);
      order[i] = order[j]!;
      order[j] = i;
    }
    return order;
  }

  /** Calls `use` for consecutive chunks of `length` numbers, with fresh words at the start of {@link words}. */
  #each(length: number, use: (from: number, count: number) => void): void {
    this.#used = 4;
    for (let from = 0; from < length; from += CHUNK) {
      const count = Math.min(CHUNK, length - from);
      this.#blocks(words, (count + 3) >> 2);
      use(from, count);
    }
  }

  /** The next `count` blocks of four words. */
  #blocks(out: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) {
      philox(out, 4 * i, this.#low0, this.#low1, this.#high0, this.#high1, this.#key0, this.#key1);
      this.#low0 = (this.#low0 + 1) | 0;
      if (this.#low0 === 0) this.#low1 = (this.#low1 + 1) | 0;
    }
  }
}

/**
 * Mixes one part into a 128-bit state, in place: the part is the key of a Philox call on the state, so different
 * parts send equal states to unrelated ones.
 */
export function absorb(state: Uint32Array, part: number | bigint | string): void {
  if (typeof part === 'string') {
    for (let i = 0; i < part.length; i += 4) {
      const low = unit(part, i) | (unit(part, i + 1) << 16);
      const high = unit(part, i + 2) | (unit(part, i + 3) << 16);
      mix(state, low, high, STRING);
    }
    mix(state, part.length, 0, STRING);
  } else if (typeof part === 'bigint') {
    const bits = BigInt.asUintN(64, part);
    mix(state, Number(bits & 0xffffffffn), Number(bits >> 32n), NUMBER);
  } else {
    if (!Number.isSafeInteger(part)) throw new RangeError(`${part} is not a safe integer`);
    mix(state, part, Math.floor(part / 0x100000000), NUMBER);
  }
}

function mix(state: Uint32Array, low: number, high: number, kind: number): void {
  philox(state, 0, state[0]!, state[1]!, state[2]!, state[3]! ^ kind, low, high);
}

/** UTF-16 code unit, 0 past the end (the length that follows tells "a" from "a\0"). */
function unit(text: string, index: number): number {
  return index < text.length ? text.charCodeAt(index) : 0;
}

function checkBound(bound: number, most: number): void {
  if (!Number.isInteger(bound) || bound < 1 || bound > most) {
    throw new RangeError(`the bound must be an integer in 1 .. ${most}, not ${bound}`);
  }
}

/**
 * Box-Muller on the words at the start of {@link words}: each pair (a, b) gives a radius from a and an angle from
 * b. With sqrt(-ln u) for sqrt(-2 ln u), and cos - sin and cos + sin of an angle in (-pi/4, pi/4) for sqrt(2) times
 * cosine and sine of one in (0, pi/2), the two factors sqrt(2) cancel; the quadrant is two random signs.
 */
function boxMuller(out: Float32Array, from: number, count: number): void {
  for (let i = 0; i < count; i += 2) {
    const b = words[i + 1]!;
    const radius = Math.sqrt(minusLog(words[i]!));
    const x = ((b & 0x3fffffff) + 0.5) * ANGLE - QUARTER;
    const x2 = x * x;
    const sin =
      x *
      (1 -
        (x2 / 6) * (1 - (x2 / 20) * (1 - (x2 / 42) * (1 - (x2 / 72) * (1 - (x2 / 110) * (1 - x2 / 156))))));
    const cos =
      1 - (x2 / 2) * (1 - (x2 / 12) * (1 - (x2 / 30) * (1 - (x2 / 56) * (1 - (x2 / 90) * (1 - x2 / 132)))));
    out[from + i] = (1 - ((b >>> 31) << 1)) * radius * (cos - sin);
    if (i + 1 < count) out[from + i + 1] = (1 - (((b >>> 30) & 1) << 1)) * radius * (cos + sin);
  }
}

const QUARTER = Math.PI / 4;
/** Radians per step of the 30 bits that choose an angle within a quadrant. */
const ANGLE = Math.PI / 2 / 0x40000000;

const LN2 = 0.6931471805599453;
const SQRT2 = 1.4142135623730951;

/**
 * -ln((word + 1) / 2^32) to about 1e-11 relative: the argument is 2^-e f with f in [sqrt(1/2), sqrt(2)], and
 * ln f = 2 artanh((f - 1)/(f + 1)).
 */
function minusLog(word: number): number {
  // word + 1 may be 2^32, whose logarithm here is exactly zero.
  if (word === 0xffffffff) return 0;
  const n = word + 1;
  const zeros = Math.clz32(n);
  let f = ((n << zeros) >>> 0) / 0x80000000;
  let e = zeros + 1;
  if (f > SQRT2) {
    f *= 0.5;
    e -= 1;
  }
  const s = (f - 1) / (f + 1);
  const s2 = s * s;
  const series =
    s * (2 + s2 * (2 / 3 + s2 * (2 / 5 + s2 * (2 / 7 + s2 * (2 / 9 + s2 * (2 / 11 + s2 * (2 / 13)))))));
  return e * LN2 - series;
}
