/** The plan of a training counts what the model itself does; here that is few enough to count by hand. */
import { describe, expect, it } from 'vitest';
import { packageName } from '../../compiler/targets/pytorch/index.js';
import { compileSpec, emit, needsPython, python, runPython } from './support.js';

const model = compileSpec(`
model Counted {
  modality a: vector[6]
  space z: f32[6]
  encoder a = a
  process { steps: 10, origin: a }
  backbone h = concat(z, given) |> linear(5)
  decoder z = h |> linear(6)
  task generate: a
  train { batch: 32, steps: 1000 }
  data { a: npy("a.npy") }
}
`);

describe.skipIf(!python)(`the plan of a training${needsPython}`, () => {
  it('counts parameters, arithmetic, state and traffic', () => {
    const ran = runPython(emit(model), [
      ...['-m', `${packageName('Counted')}.plan`, '--gpus', '4', '--batch', '64'],
      ...['--peak', '1e6', '--utilisation', '0.5'],
    ]);
    expect([ran.status, ran.error]).toEqual([0, '']);
    const plan = JSON.parse(ran.out) as Record<string, number>;
    // z and its 6 given channels with two flags: 14 in, 5 out; then 5 in, 6 out.
    const parameters = 14 * 5 + 5 + 5 * 6 + 6;
    // Forward, and backward for weights; for inputs in the second layer alone.
    const flops = 2 * (14 * 5) * 2 + 2 * (5 * 6) * 3;
    expect(parameters).toBe(model.layout.size);
    expect(plan).toMatchObject({
      parameters,
      flops_per_row: flops,
      flops_per_step: 64 * flops,
      rows_per_gpu: 16,
      // Value, gradient, two moments, moving average, four bytes each.
      ddp_state_bytes_per_gpu: 20 * parameters,
      // A ring sends 2 (n - 1) / n of the gradients.
      ddp_bytes_sent_per_gpu: 2 * 0.75 * 4 * parameters,
      fsdp_bytes_sent_per_gpu: 3 * 0.75 * 4 * parameters,
      seconds_per_step: (16 * flops) / 0.5e6,
      days: ((16 * flops) / 0.5e6) * (1000 / 86_400),
    });
    expect(plan.fsdp_state_bytes_per_gpu).toBeGreaterThanOrEqual((20 * parameters) / 4);
    expect(plan.activation_bytes_per_row).toBeGreaterThan(0);
  }, 60_000);
});
