/** Weights of the simplified L1 as functions of the signal-to-noise ratio. */
import { describe, expect, it } from 'vitest';
import { snrWeight, type SnrWeight } from '../../compiler/process/weighting.js';

const ratio = (abar: number) => abar / (1 - abar);
const all: readonly SnrWeight[] = [
  { form: 'none' },
  { form: 'min', gamma: 5 },
  { form: 'clamp', low: 1, high: 5 },
  { form: 'p2', k: 1, gamma: 1 },
  { form: 'p2', k: 0.5, gamma: 2 },
];

describe('weights by SNR', () => {
  it('min-SNR has its published value as a weight on v: the error of v is that of x times SNR + 1', () => {
    const snr = ratio(0.97209274);
    expect(snr).toBeCloseTo(34.83297, 4);
    expect(snrWeight({ form: 'min', gamma: 5 }, snr) / (snr + 1)).toBeCloseTo(0.1395363, 7);
  });

  it('P2 on the error of the noise is 1 / (k + SNR)^gamma, and gamma 0 is the plain error of the noise', () => {
    for (const snr of [1e-4, 0.3, 1, 34.83297, 1e4]) {
      // |eps - eps_h|^2 = SNR |x - x_h|^2 for one component.
      const onNoise = (k: number, gamma: number) => snrWeight({ form: 'p2', k, gamma }, snr) / snr;
      expect(onNoise(1, 0)).toBeCloseTo(1, 12);
      expect(onNoise(1, 1) * (1 + snr)).toBeCloseTo(1, 12);
      expect(onNoise(0.5, 2) * (0.5 + snr) * (0.5 + snr)).toBeCloseTo(1, 12);
    }
    expect(snrWeight({ form: 'p2', k: 1, gamma: 1 }, 3)).toBeCloseTo(0.75, 12);
  });

  it('are finite at zero terminal SNR', () => {
    expect(all.map((weight) => snrWeight(weight, 0))).toEqual([1, 0, 1, 0, 0]);
  });

  it('clamp keeps within its ends, and none is 1', () => {
    const clamp = (snr: number) => snrWeight({ form: 'clamp', low: 1, high: 5 }, snr);
    expect([0.2, 3, 100].map(clamp)).toEqual([1, 3, 5]);
    expect(snrWeight({ form: 'none' }, 100)).toBe(1);
  });
});
