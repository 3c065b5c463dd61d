/** What holds for TensorFlow.js alone: nothing of a step is left when it is over, and its gradients are not used. */
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { GraphBuilder } from '../../compiler/graph/builder.js';
import { RunFault } from '../../runtime/executors/fault.js';
import { loadTfjs, type TfjsBackend, type TfjsEngine } from '../../runtime/executors/tfjs/engine.js';
import { TfjsProgram } from '../../runtime/executors/tfjs/program.js';
import { TfjsExecutor } from '../../runtime/executors/tfjs/executor.js';
import { describeExecutors } from './present.js';

/** A small step with a product, a convolution, indices, a reduction, and state. */
function step() {
  const b = new GraphBuilder('step');
  const [w, x] = [b.input('w', [4, 3, 3, 3]), b.input('x', [2, 3, 6, 6])];
  const index = b.input('index', [5], 'i32');
  const y = b.conv2d(x, w, { stride: [2, 2], pad: [1, 1, 1, 1] });
  const rows = b.gather(b.reshape(y, [8, 9]), index);
  const products = b.softmax(b.matmul(rows, rows, { transposeB: true }));
  const dw = b.conv2dFilter(x, y, { stride: [2, 2], pad: [1, 1, 1, 1], kernel: [3, 3] });
  const dx = b.conv2dInput(y, w, { stride: [2, 2], pad: [1, 1, 1, 1], size: [6, 6] });
  b.output('w_next', b.sub(w, b.mul(dw, 1e-4)));
  b.output('loss', b.add(b.mean(b.normalize(products, 1e-5), [0, 1]), b.mean(dx, [0, 1, 2, 3])));
  b.output('seen', b.slice(y, [1, 0, 0, 2], [2, 4, 3, -1], [1, 2, 1, -1]));
  return b.finish();
}

const others = ['ort', 'ort-wasm', 'reference'] as const;

describeExecutors(
  'TensorFlow.js',
  ({ name }) => {
    let engine: TfjsEngine;
    beforeAll(async () => {
      engine = await loadTfjs(name.slice('tfjs-'.length) as TfjsBackend);
    });
    const feeds = {
      x: { data: Float32Array.from({ length: 216 }, (_, k) => Math.sin(k)), shape: [2, 3, 6, 6] },
      index: { data: Int32Array.of(0, 3, 3, 7, 1), shape: [5] },
    };

    it('the number of tensors and bytes is flat over 1,000 steps', async () => {
      const before = engine.tf.memory().numTensors;
      const program = new TfjsProgram(step(), engine, { w: 'w_next' });
      program.write('w', { data: new Float32Array(108).fill(0.1), shape: [4, 3, 3, 3] });
      await program.run(feeds);
      const { numTensors, numBytes } = engine.tf.memory();
      expect(numTensors).toBeGreaterThan(before);
      for (let k = 0; k < 1000; k++) await program.run(feeds);
      expect(engine.tf.memory()).toMatchObject({ numTensors, numBytes });
      await program.dispose();
      expect(engine.tf.memory().numTensors).toBe(before);
    });

    it('a run that fails leaves nothing behind', async () => {
      const executor = await TfjsExecutor.create(engine.backend);
      const program = await executor.prepare(step(), { carry: { w: 'w_next' } });
      program.write('w', { data: new Float32Array(108), shape: [4, 3, 3, 3] });
      const { numTensors } = engine.tf.memory();
      const outside = { ...feeds, index: { data: Int32Array.of(0, 99, 3, 7, 1), shape: [5] } };
      await expect(program.run(outside)).rejects.toThrow(RunFault);
      expect(engine.tf.memory().numTensors).toBe(numTensors);
      await program.dispose();
    });
  },
  others,
);

it('no gradient and no operation of TensorFlow.js is used, only kernels', () => {
  const folder = new URL('../../runtime/executors/tfjs/', import.meta.url);
  for (const file of readdirSync(folder)) {
    const source = readFileSync(new URL(file, folder), 'utf8');
    expect(source, file).not.toMatch(
      /\b(?:tf|core)\.(?:grads?|variableGrads|valueAndGrads?|customGrad|train)\b/,
    );
    expect(source, file).not.toMatch(/\btf\.(?:add|mul|matMul|conv2d|layers)\b/);
  }
});
