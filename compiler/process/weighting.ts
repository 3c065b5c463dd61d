/**
 * Weights of the simplified L1: by what the squared error of a component's prediction (the x-loss) is multiplied, as a
 * function of the component's signal-to-noise ratio at t.
 *
 * @module
 */

export type SnrWeight =
  | { readonly form: 'none' }
  /** min(SNR, gamma) (Hang et al., "Efficient Diffusion Training via Min-SNR Weighting Strategy", 2023). */
  | { readonly form: 'min'; readonly gamma: number }
  /** SNR clamped to [low, high]: max(SNR, 1) of Salimans & Ho (2022), bounded above like min-SNR. */
  | { readonly form: 'clamp'; readonly low: number; readonly high: number }
  /** SNR / (k + SNR)^gamma (Choi et al., "Perception Prioritized Training of Diffusion Models", 2022, eq. 8). */
  | { readonly form: 'p2'; readonly k: number; readonly gamma: number };

/**
 * The weight on the x-loss. P2 is defined on the noise's error, as 1 / (k + SNR)^gamma; the error of x is that of the
 * noise over SNR, so that SNR stands in front. At SNR 0 every weight is finite.
 *
 * @param snr c_j(t)^2 / sigma_t^2, finite and at least 0
 */
export function snrWeight(weight: SnrWeight, snr: number): number {
  switch (weight.form) {
    case 'none':
      return 1;
    case 'min':
      return Math.min(snr, weight.gamma);
    case 'clamp':
      return Math.min(Math.max(snr, weight.low), weight.high);
    case 'p2':
      return snr / (weight.k + snr) ** weight.gamma;
  }
}
