/** Costs of models and their parts, held to what is counted by hand and to the graphs that run. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { estimate, estimateParts } from '../../compiler/estimate.js';
import { stats } from '../../compiler/graph/stats.js';
import { compileText } from '../model/support.js';

const spec = (backbone: string, more = '') => `${more}
model M {
  modality x: vector[8]
  space z: f32[8]
  encoder x = x
  process { origin: x }
  backbone h = ${backbone}
  decoder z = h |> linear(8)
  task generate: x
  train { batch: 4 }
}
`;
const images = (backbone: string) => `
model M {
  modality x: image[16, 16, 2]
  space z: f32[16, 16, 2]
  encoder x = x
  process { origin: x }
  backbone h = ${backbone}
  decoder z = h |> conv(2)
  task generate: x
  train { batch: 4 }
}
`;
const part = (text: string, path: string) => {
  const { declarations, networks } = estimateParts(compileText(text));
  return [...declarations, ...networks].find((p) => p.path === path)!;
};

describe('the cost of a part', () => {
  it('of a linear layer is two operations a weight forward, and twice that backward', () => {
    // Input z, given x and two flags.
    const h = part(
      spec('concat(z, given) |> reshape([18]) |> linear(32) |> linear(16)').replace(
        'concat(z, given)',
        'concat(z, given)',
      ),
      'backbone',
    );
    expect(h.parameters).toBe(18 * 32 + 32 + 32 * 16 + 16);
    expect(h.flops).toBe(2 * (18 * 32 + 32 * 16));
    // The first layer needs no gradient of its input.
    expect(h.trainingFlops).toBe(h.flops + 2 * (18 * 32) + 2 * 2 * (32 * 16));
    expect(h.stateBytes).toBe(4 * 4 * h.parameters);
  });

  it('of a convolution is two operations a weight and position', () => {
    const h = part(
      images('concat(z, given) |> conv(4) |> conv(8, kernel: 5, stride: 2) |> upsample'),
      'backbone',
    );
    expect(h.flops).toBe(2 * 256 * 9 * 6 * 4 + 2 * 64 * 25 * 4 * 8);
  });

  it('of attention has its products of positions', () => {
    const [n, d] = [64, 16];
    const text = images(
      `concat(z, given) |> fold |> linear(${d}) |> attention(heads: 4) |> unfold |> conv(2)`,
    );
    const a = part(text, 'backbone.attention_1');
    expect(a.network).toBe('attention');
    expect(a.parameters).toBe(3 * d * d + 3 * d + d * d + d);
    expect(a.flops).toBe(2 * n * d * 3 * d + 2 * n * d * d + 2 * 2 * n * n * d);
    expect(a.trainingFlops).toBe(3 * a.flops);
  });

  it('does not count what is frozen as trained', () => {
    const text = spec('concat(z, given) |> linear(8)').replace(
      'linear(8)\n  task',
      'linear(8) { load: "z.safetensors", frozen: true }\n  task',
    );
    const [z, h] = [part(text, 'decoder.z'), part(text, 'backbone')];
    expect([z.parameters, z.trainable, z.stateBytes]).toEqual([72, 0, 4 * 72]);
    // The gradient flows through it, and stops at its weights.
    expect(z.trainingFlops).toBe(2 * z.flops);
    expect(h.trainable).toBe(h.parameters);
  });

  it('of a network used twice is counted for each use, and inside the use around it', () => {
    const text = spec(
      'concat(z, given) |> Two |> Two',
      'network One(x: f32[C]) -> f32[C] { x |> linear(C) }\nnetwork Two(x: f32[C]) -> f32[C] { x |> One |> One }',
    );
    const { networks } = estimateParts(compileText(text));
    expect(networks.map((n) => n.path.replace('backbone.', ''))).toEqual([
      'Two_1',
      'Two_1.One_1',
      'Two_1.One_2',
      'Two_2',
      'Two_2.One_1',
      'Two_2.One_2',
    ]);
    for (const outer of ['Two_1', 'Two_2']) {
      const inside = networks.filter((n) => n.path.startsWith(`backbone.${outer}.`));
      const whole = networks.find((n) => n.path === `backbone.${outer}`)!;
      for (const key of ['parameters', 'flops', 'trainingFlops', 'activationBytes'] as const)
        expect(
          inside.reduce((sum, n) => sum + n[key], 0),
          key,
        ).toBe(whole[key]);
    }
  });
});

describe('the cost of a model', () => {
  const text = readFileSync(new URL('../../examples/digits.mmd', import.meta.url), 'utf8');
  const model = compileText(text);
  const made = estimate(model);

  it('is that of the graphs that run', () => {
    const { batch } = model.info.train;
    const step = stats(model.trainingStep(batch).graph);
    expect(made.total.trainingFlops * batch).toBe(step.flops);
    expect(made.total.peakBytes).toBe(step.peakBytes);
    expect(made.total.parameters).toBe(model.layout.size);
    expect(made.total.trainingBytes).toBe(
      step.peakBytes + 4 * (4 * model.layout.size + model.layout.statisticsSize),
    );
    expect(made.total.samplingFlops * batch).toBe(stats(model.samplingStep(batch, false)).flops);
  });

  it('is the sum of its declarations, apart from what the losses do and passes save', () => {
    const sum = (key: 'parameters' | 'trainable' | 'flops' | 'trainingFlops') =>
      made.declarations.reduce((total, d) => total + d[key], 0);
    expect(sum('parameters')).toBe(made.total.parameters);
    expect(sum('flops') / made.total.flops).toBeCloseTo(1, 2);
    expect(sum('trainingFlops') / made.total.trainingFlops).toBeCloseTo(1, 2);
  });
});
