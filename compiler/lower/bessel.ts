/**
 * Logarithm of the modified Bessel function of the first kind, which the von Mises-Fisher density needs.
 *
 * @module
 */

/**
 * log I_v(x) for v >= -1/2 and x > 0, by its power series summed in logarithms (Abramowitz & Stegun, 9.6.10):
 * I_v(x) = (x/2)^v sum_k (x^2/4)^k / (k! Gamma(v + k + 1)). Every term is positive, so that nothing cancels.
 */
export function logBesselI(v: number, x: number): number {
  const quarter = 2 * Math.log(x / 2);
  let term = v * Math.log(x / 2) - logGamma(v + 1);
  let total = term;
  for (let k = 1; k < 100_000; k++) {
    term += quarter - Math.log(k) - Math.log(v + k);
    const next = Math.max(total, term) + Math.log1p(Math.exp(-Math.abs(total - term)));
    // Terms rise until k is about x/2; only past that a small one means the end.
    if (k > x / 2 && next - total < 1e-16 * Math.abs(total)) break;
    total = next;
  }
  return total;
}

const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** log Gamma(x) for x > 0 (Lanczos, 1964, with g = 7 and nine coefficients). */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const y = x - 1;
  let sum = lanczos[0];
  for (let i = 1; i < lanczos.length; i++) sum += lanczos[i] / (y + i);
  const t = y + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (y + 0.5) * Math.log(t) - t + Math.log(sum);
}
