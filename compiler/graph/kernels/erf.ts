/**
 * The error function to full double precision.
 *
 * @module
 */

const twoOverRootPi = 2 / Math.sqrt(Math.PI);

/**
 * erf(x). Below 3 the series 2/sqrt(pi) exp(-x^2) sum 2^n x^(2n+1) / (2n+1)!!, whose terms are all of one sign
 * (Abramowitz & Stegun 7.1.6); above it 1 - erfc by the continued fraction 7.1.14.
 */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (!(a < 6)) return Number.isNaN(x) ? NaN : Math.sign(x);
  const xx = a * a;
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= (2 * xx) / (2 * n + 1);
      sum += term;
    }
    return Math.sign(x) * twoOverRootPi * Math.exp(-xx) * sum;
  }
  let fraction = a;
  for (let n = 60; n > 0; n--) fraction = a + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-xx) / (Math.sqrt(Math.PI) * fraction));
}
