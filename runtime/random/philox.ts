/**
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy
 * as 1, 2, 3" (SC'11): a keyed bijection of 128-bit counters whose outputs are the random numbers. It has no
 * state, so any number of any stream can be computed on its own.
 *
 * @module
 */

/** Ten rounds over a 128-bit counter (four words) with a 64-bit key (two words); words are taken modulo 2^32. */
export const ROUNDS = 10;

// Multipliers and key increments (Weyl constants) of the paper, section 4.3.
const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

const M0_LOW = M0 & 0xffff;
const M0_HIGH = M0 >>> 16;
const M1_LOW = M1 & 0xffff;
const M1_HIGH = M1 >>> 16;

/**
 * Writes the four output words of one counter to `out[offset .. offset + 3]`.
 *
 * The high half of a 32 x 32 bit product is put together from 16-bit halves, so that everything stays in 32-bit
 * integer registers.
 */
export function philox(
  out: Uint32Array,
  offset: number,
  counter0: number,
  counter1: number,
  counter2: number,
  counter3: number,
  key0: number,
  key1: number,
): void {
  let c0 = counter0 | 0;
  let c1 = counter1 | 0;
  let c2 = counter2 | 0;
  let c3 = counter3 | 0;
  let k0 = key0 | 0;
  let k1 = key1 | 0;
  for (let round = 0; round < ROUNDS; round++) {
    const low0 = c0 & 0xffff;
    const high0 = c0 >>> 16;
    const mid0 = (Math.imul(high0, M0_LOW) + (Math.imul(low0, M0_LOW) >>> 16)) | 0;
    const carry0 = (Math.imul(low0, M0_HIGH) + (mid0 & 0xffff)) | 0;
    const product0 = (Math.imul(high0, M0_HIGH) + (mid0 >>> 16) + (carry0 >>> 16)) | 0;

    const low1 = c2 & 0xffff;
    const high1 = c2 >>> 16;
    const mid1 = (Math.imul(high1, M1_LOW) + (Math.imul(low1, M1_LOW) >>> 16)) | 0;
    const carry1 = (Math.imul(low1, M1_HIGH) + (mid1 & 0xffff)) | 0;
    const product1 = (Math.imul(high1, M1_HIGH) + (mid1 >>> 16) + (carry1 >>> 16)) | 0;

    const next1 = Math.imul(c2, M1);
    const next3 = Math.imul(c0, M0);
    c0 = product1 ^ c1 ^ k0;
    c2 = product0 ^ c3 ^ k1;
    c1 = next1;
    c3 = next3;
    k0 = (k0 + W0) | 0;
    k1 = (k1 + W1) | 0;
  }
  out[offset] = c0;
  out[offset + 1] = c1;
  out[offset + 2] = c2;
  out[offset + 3] = c3;
}
