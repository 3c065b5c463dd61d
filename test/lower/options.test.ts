/**
 * What the paper's summary leaves open is an option: each changes what it should and nothing else, held to arithmetic done
 * here. Those that have tests of their own (schedules, weights, origins, SNR, balance) are not repeated.
 */
import { describe, expect, it } from 'vitest';
import {
  compile,
  losses,
  normError,
  randomBatch,
  randomParameters,
  run,
  stepOf,
  batchFeeds,
  pack,
  vector,
} from './support.js';

const alone = (predict: string) => `
model Alone {
  modality image: image[2, 2, 1]
  space z: f32[2, 2, 1]
  encoder image = image
  process { steps: 20, retention: 0.9, origin: image, predict: ${predict} }
  backbone h = (concat(z, given) |> pool |> linear(1)) * 0
  decoder z = param([2, 2, 1]) + (h |> reshape([1, 1, 1]))
  task generate: image
  loss { L1: simplified }
}
`;

describe('predict', () => {
  const rows = [1, 4, 11, 20].map((t) => ({ t, roles: ['produced'] as const }));
  it.each([
    ['x0', (_z: number, _c: number, _s: number, o: number) => o],
    // v = c eps - s x_0 and z = c x_0 + s eps (Salimans & Ho, 2022): x_0 = c z - s v.
    ['v', (z: number, c: number, s: number, o: number) => c * z - s * o],
    ['eps', (z: number, c: number, s: number, o: number) => (z - s * o) / c],
  ])('%s: what `decoder z` gives is turned into z_0', (predict, toOrigin) => {
    const model = compile(alone(predict));
    const values = randomParameters(model, 2);
    const batch = randomBatch(model, rows, 3);
    const output = values.get('decoder.z.param_1.weight')!;
    let expected = 0;
    batch.rows.forEach((row, i) => {
      const A = 0.9 ** row.t;
      const [c, s] = [Math.sqrt(A), Math.sqrt(1 - A)];
      row.data.image!.forEach((x, k) => {
        const z = c * x + s * batch.noise[4 * i + k]!;
        expected += (x - toOrigin(z, c, s, output[k]!)) ** 2 / 16;
      });
    });
    const found = losses(model, batch, values)['L1.simplified']!;
    expect(Math.abs(found / expected - 1)).toBeLessThan(1e-9);
  });
});

const two = `
model Two {
  modality image: image[2, 2, 1]
  modality label: category[3]
  modality pose: vector[2]
  space z: f32[2, 2, 1]
  encoder image = image
  encoder label = label |> project(shape(z))
  encoder pose = pose |> project(shape(z))
  process { steps: 20, retention: 0.9, origin: image }
  backbone h = (concat(z, given) |> pool |> linear(1)) * 0
  decoder z = param([2, 2, 1]) + (h |> reshape([1, 1, 1]))
  decoder label = param([3]) + h
  decoder pose = param([2]) + h
  task generate: image, label, pose
}
`;
const roles = ['produced', 'produced', 'produced'] as const;

describe('pi of L2', () => {
  const times = [1, 3, 9, 20];
  const model = compile(two);
  const values = randomParameters(model, 4);
  const batch = randomBatch(
    model,
    times.map((t) => ({ t, roles })),
    5,
  );
  /** -log p of each row's label and pose. */
  const logits = values.get('decoder.label.param_1.weight')!;
  const mean = values.get('decoder.pose.param_1.weight')!;
  const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
  const nats = batch.rows.map(({ data }) => ({
    label: total - logits[data.label![0]!]!,
    pose: data.pose!.reduce((sum, x, k) => sum + 0.5 * (x - mean[k]!) ** 2 + 0.5 * Math.log(2 * Math.PI), 0),
  }));

  it.each([
    ['uniform', () => 1],
    ['cosine', (t: number) => (t === 20 ? 0 : Math.cos((Math.PI * t) / 40))],
    ['linear(from: 2, to: 0.5)', (t: number) => 2 - (1.5 * (t - 1)) / 19],
  ])('%s: pi_t over P(t), with a sum of 1', (pi, curve) => {
    const sum = Array.from({ length: 20 }, (_, i) => curve(i + 1)).reduce((a, b) => a + b, 0);
    const weighed = compile(two, [`loss.pi=${pi}`]);
    const found = losses(weighed, batch, values);
    for (const name of ['label', 'pose'] as const) {
      const expected =
        nats.reduce(
          (all, row, i) => all + (row[name] * batch.inverseProbability[i]! * curve(times[i]!)) / sum,
          0,
        ) / 4;
      expect(found[`L2.${name}`], name).toBeCloseTo(expected, 9);
    }
    const drawn = losses(model, batch, values);
    for (const term of ['L0', 'L1', 'L3']) expect(found[term]).toBe(drawn[term]);
    expect(drawn['L2.label']).toBeCloseTo(nats.reduce((all, row) => all + row.label, 0) / 4, 9);
    expect(Math.abs(found['L2.label']! - drawn['L2.label']!)).toBeGreaterThan(1e-3);
  });
});

describe('encoders', () => {
  it('`trained` lets L1 into the encoders, by its own gradient; `stopped` does not', () => {
    const rows = [3, 8, 14].map((t) => ({ t, roles }));
    // L0 and L2 are out: what is left is L1.
    const set = ['loss.L0=0', 'loss.L2=0', 'loss.L3=0', 'train.clip=0'];
    const gradients = (encoders: string) => {
      const model = compile(two, [...set, `loss.encoders=${encoders}`]);
      const values = randomParameters(model, 6);
      const batch = randomBatch(model, rows, 7);
      const packed = pack(model, values);
      const zeros = () => vector(new Float64Array(model.layout.size));
      const outputs = run(stepOf(model, 3).graph, {
        ...batchFeeds(model, batch),
        schedule: vector(Float64Array.of(0, 1, 1, 1)),
        parameters: vector(packed),
        ema: vector(packed),
        moment1: zeros(),
        moment2: zeros(),
        statistics: vector(new Float64Array(model.layout.statisticsSize)),
      });
      const moment = Float64Array.from(outputs['moment1.next']!.data);
      const slot = model.layout.trainable.find((p) => p.name === 'encoder.pose.project_1.linear_1.weight')!;
      const found = moment.slice(slot.offset, slot.offset + slot.size).map((g) => g / 0.1);
      const differences = found.map((_, i) => {
        const moved = (by: number) => {
          const changed = values.get(slot.name)!.slice();
          changed[i] = changed[i]! + by;
          return losses(model, batch, new Map([...values, [slot.name, changed]])).loss!;
        };
        return (moved(1e-5) - moved(-1e-5)) / 2e-5;
      });
      return { found, differences };
    };
    const stopped = gradients('stopped');
    expect(Math.hypot(...stopped.found)).toBe(0);
    expect(Math.hypot(...stopped.differences)).toBeGreaterThan(1e-3);
    const trained = gradients('trained');
    expect(normError(trained.found, trained.differences)).toBeLessThan(1e-5);
  });
});
