/**
 * Shuffling without state: the position of a row within an epoch's order is a pure function of (index, n, seed,
 * epoch), so a resumed run goes on with exactly the rows that the interrupted one would have seen.
 *
 * @module
 */
import { absorb } from './stream.js';
import { philox } from './philox.js';

/** Enough rounds that even the orders of five rows come out evenly (tested); large sets would need four. */
const ROUNDS = 12;

/**
 * One epoch's order: a bijection of 0 .. n - 1. A Feistel network over the smallest power of two that holds n
 * (halves of unequal width where its exponent is odd) is walked until it lands below n, which takes fewer than two
 * steps on average (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002).
 */
export class Shuffle {
  readonly n: number;
  readonly #keys = new Uint32Array(ROUNDS);
  readonly #low: number;
  readonly #high: number;

  /** @throws RangeError unless `n` is an integer in 1 .. 2^31. */
  constructor(n: number, seed: number | bigint, epoch: number) {
    if (!Number.isInteger(n) || n < 1 || n > 0x80000000) {
      throw new RangeError(`the number of rows must be an integer in 1 .. 2^31, not ${n}`);
    }
    this.n = n;
    const bits = 32 - Math.clz32(n - 1);
    this.#low = bits >> 1;
    this.#high = bits - this.#low;
    const state = new Uint32Array(4);
    absorb(state, 'shuffle');
    absorb(state, seed);
    absorb(state, epoch);
    for (let i = 0; i < ROUNDS; i += 4) {
      philox(this.#keys, i, i, 0, state[2]!, state[3]!, state[0]!, state[1]!);
    }
  }

  /**
   * The row at position `index` of this epoch.
   *
   * @throws RangeError unless `index` is an integer in 0 .. n - 1.
   */
  at(index: number): number {
    if (!Number.isInteger(index) || index < 0 || index >= this.n) {
      throw new RangeError(`position ${index} is outside 0 .. ${this.n - 1}`);
    }
    let x = index;
    do x = this.#step(x);
    while (x >= this.n);
    return x;
  }

  #step(index: number): number {
    const lowMask = 2 ** this.#low - 1;
    const highMask = 2 ** this.#high - 1;
    let low = index & lowMask;
    let high = index >>> this.#low;
    for (let round = 0; round < ROUNDS; round += 2) {
      low = (low ^ scramble(high, this.#keys[round]!)) & lowMask;
      high = (high ^ scramble(low, this.#keys[round + 1]!)) & highMask;
    }
    return ((high << this.#low) | low) >>> 0;
  }
}

/** The element at position `index` of the order of 0 .. n - 1 in `epoch`; see {@link Shuffle}. */
export function permuted(index: number, n: number, seed: number | bigint, epoch: number): number {
  return new Shuffle(n, seed, epoch).at(index);
}

/** A round function: 32 bits in, 32 well-mixed bits out (a multiply and xor-shift finaliser; upper bits folded down). */
function scramble(value: number, key: number): number {
  let x = Math.imul(value ^ key, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 15) ^ key, 0x85ebca77);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae3d);
  return x ^ (x >>> 16);
}
