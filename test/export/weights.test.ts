/** What goes out with a model that takes weights from files. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSafetensors, formatSafetensors } from '../../runtime/checkpoint/safetensors.js';
import { exportedWeights } from '../../runtime/export/card.js';
import { SpecFault } from '../../runtime/faults.js';
import { mmdc } from '../cli/support.js';
import { compileSpec } from '../pytorch/support.js';

const spec = (load: string) => `model Loaded {
  modality x: vector[4]
  modality label: category[3]
  space z: f32[4]
  encoder x = x
  encoder label = label |> linear(5) |> linear(4) { load: "${load}", frozen: true }
  process { steps: 20, origin: x }
  backbone h = concat(z, given) |> linear(8)
  decoder z = h |> linear(4)
  decoder label = h |> linear(3)
  task generate: x, label
  task draw: label -> x { steps: 2 }
  train { batch: 2 }
  data { x: npy("x.npy"), label: npy("label.npy") }
}
`;
const own = new Map(
  [[5, 3], [5], [4, 5], [4]].map((shape, i): [string, { shape: number[]; data: Float32Array }] => [
    `linear_${i < 2 ? 1 : 2}.${i % 2 === 0 ? 'weight' : 'bias'}`,
    {
      shape,
      data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, k) => Math.sin(20 * i + k)),
    },
  ]),
);
const folder = mkdtempSync(join(tmpdir(), 'mmdc-loaded-'));
writeFileSync(join(folder, 'codes.safetensors'), Buffer.concat([...formatSafetensors([...own], {})]));
writeFileSync(join(folder, 'loaded.mmd'), spec('codes.safetensors'));
writeFileSync(join(folder, 'absent.mmd'), spec('absent.safetensors'));

describe('weights that a spec loads', () => {
  it('are those that go out, where no run is named', () => {
    const model = compileSpec(spec(join(folder, 'codes.safetensors')));
    const { tensors, step } = exportedWeights(model, undefined, '/');
    expect(step).toBe(0);
    for (const [name, { data }] of own)
      expect([...(tensors.get(`encoder.label.${name}`)!.data as Float32Array)]).toEqual([...data]);
    const names = [...model.layout.trainable, ...model.layout.frozen].map((slot) => slot.name);
    expect([...tensors.keys()].sort()).toEqual(names.sort());
    const absent = compileSpec(spec(join(folder, 'absent.safetensors')));
    expect(() => exportedWeights(absent, undefined, '/')).toThrow(SpecFault);
  });

  it('go into the ONNX models and into the package, and one that is absent is told at its place', async () => {
    for (const target of ['onnx', 'pytorch']) {
      const out = join(folder, target);
      const { code, err } = await mmdc(['compile', 'loaded.mmd', '--target', target, '-o', out], {
        cwd: folder,
      });
      expect([target, code, err]).toEqual([target, 0, '']);
      const bad = await mmdc(['compile', 'absent.mmd', '--target', target, '-o', join(folder, 'no')], {
        cwd: folder,
      });
      expect([target, bad.code]).toEqual([target, 1]);
      expect(bad.err).toContain('error[MMD0519]');
      expect(bad.err).toContain('absent.mmd:6:59');
    }
    const { tensors } = parseSafetensors(
      readFileSync(join(folder, 'pytorch', 'loaded', 'loaded.safetensors')),
    );
    expect([...tensors.keys()].sort()).toEqual([...own.keys()].map((name) => `encoder.label.${name}`).sort());
    const encoder = readFileSync(join(folder, 'onnx', 'encoder.label.onnx'));
    const { data } = own.get('linear_2.weight')!;
    // Initialisers hold numbers as they are, or transposed for the product.
    const transposed = Float32Array.from(data, (_, i) => data[(i % 4) * 5 + Math.floor(i / 4)]!);
    const holds = [data, transposed].some((x) => encoder.includes(Buffer.from(x.buffer)));
    expect(holds).toBe(true);
  });
});
