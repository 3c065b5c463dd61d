import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../compiler/graph/evaluate.js';
import { readingGraph, layout, trainingGraph } from '../../experiments/judge-network.js';
import { adamw, carry } from '../../runtime/eval/networks/packed.js';
import { shiftInto } from '../../experiments/judge.js';
import { hasDigits, heldOutRows, pixels, readDigits, side } from '../../experiments/mnist.js';
import { gridByClass } from '../../experiments/picture.js';
import { ReferenceExecutor } from '../../runtime/executors/reference/index.js';
import { Stream } from '../../runtime/random/stream.js';

const array = (n: number, ...path: string[]) => new Stream(1, ...path).normal(new Float32Array(n));

describe('shifting', () => {
  const image = array(pixels, 'image');

  it.each([
    [0, 0],
    [2, -1],
    [-2, 2],
    [1, 1],
  ])('moves by (%d, %d) and brings in background', (dx, dy) => {
    const out = new Float32Array(2 * pixels);
    shiftInto(out, 1, image, dx, dy);
    expect(out.subarray(0, pixels).every((x) => x === 0)).toBe(true);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const [u, v] = [x - dx, y - dy];
        const inside = u >= 0 && u < side && v >= 0 && v < side;
        expect(out[pixels + y * side + x]).toBe(inside ? image[v * side + u] : -1);
      }
    }
  });
});

/** Parameters with biases that are not zero. */
const parameters = array(layout.size, 'parameters').map((x) => 0.1 * x);
const get = (name: string) => {
  const slot = layout.slots.find((s) => s.name === name)!;
  return parameters.subarray(slot.offset, slot.offset + slot.shape.reduce((a, b) => a * b, 1));
};

/** Convolution with one pixel of padding, rectifier, and the largest of each square, written out; [C, H, W] -> [O, H/2, W/2]. */
function layer(x: Float64Array, [C, O, size]: readonly [number, number, number], name: string): Float64Array {
  const [w, bias] = [get(`${name}.weight`), get(`${name}.bias`)];
  const half = size / 2;
  const out = new Float64Array(O * half * half);
  for (let o = 0; o < O; o++) {
    for (let y = 0; y < size; y++) {
      for (let u = 0; u < size; u++) {
        let sum = bias[o]!;
        for (let c = 0; c < C; c++) {
          for (let i = 0; i < 3; i++) {
            for (let j = 0; j < 3; j++) {
              const [v, h] = [y + i - 1, u + j - 1];
              if (v < 0 || v >= size || h < 0 || h >= size) continue;
              sum += w[((o * C + c) * 3 + i) * 3 + j]! * x[(c * size + v) * size + h]!;
            }
          }
        }
        const at = (o * half + (y >> 1)) * half + (u >> 1);
        out[at] = Math.max(out[at]!, sum);
      }
    }
  }
  return out;
}

function dense(x: Float64Array, outputs: number, name: string): Float64Array {
  const [w, bias] = [get(`${name}.weight`), get(`${name}.bias`)];
  return Float64Array.from({ length: outputs }, (_, j) =>
    x.reduce((sum, value, i) => sum + value * w[i * outputs + j]!, bias[j]!),
  );
}

function probabilitiesOf(image: Float32Array): Float64Array {
  const maps = layer(layer(Float64Array.from(image), [1, 16, 28], 'conv1'), [16, 32, 14], 'conv2');
  const hidden = dense(maps, 128, 'dense1').map((x) => Math.max(x, 0));
  const e = dense(hidden, 10, 'dense2').map(Math.exp);
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((x) => x / total);
}

describe('the network', () => {
  const batch = 2;
  const images = array(batch * pixels, 'images');
  const labels = Int32Array.of(3, 8);
  const feeds = {
    parameters: { data: parameters, shape: [layout.size] },
    images: { data: images, shape: [batch, pixels] },
  };
  const wanted = [0, 1].map((i) => probabilitiesOf(images.subarray(i * pixels, (i + 1) * pixels)));

  it('is what its description says', () => {
    const { probabilities } = evaluate(readingGraph(batch), feeds);
    wanted.flatMap((row) => [...row]).forEach((p, i) => expect(probabilities!.data[i]).toBeCloseTo(p, 5));
  });

  it('is trained on the cross-entropy, and moves by the rate in its first step of AdamW', () => {
    const zero = { data: new Float32Array(layout.size), shape: [layout.size] };
    const rate = 1e-3;
    const schedule = Float32Array.of(rate, 1 / (1 - adamw.beta1), 1 / (1 - adamw.beta2));
    const outputs = evaluate(trainingGraph(batch), {
      ...feeds,
      labels: { data: labels, shape: [batch] },
      schedule: { data: schedule, shape: [3] },
      moment1: zero,
      moment2: zero,
    });
    expect(outputs.loss!.data[0]).toBeCloseTo(-(Math.log(wanted[0]![3]!) + Math.log(wanted[1]![8]!)) / 2, 4);
    // With corrected moments g and g^2 the step is the gradient's sign, where |g| is far above epsilon.
    const next = outputs['parameters.next']!.data;
    let moved = 0;
    for (let i = 0; i < layout.size; i++) {
      const step = next[i]! - parameters[i]! * (1 - rate * adamw.decay);
      const gradient = outputs['moment1.next']!.data[i]! / (1 - adamw.beta1);
      if (Math.abs(gradient) < 1e-4) continue;
      moved++;
      if (Math.abs(step + rate * Math.sign(gradient)) > 1e-6) expect(step).toBe(-rate * Math.sign(gradient));
    }
    expect(moved).toBeGreaterThan(layout.size / 10);
  });

  it('runs behind the executor interface with its state carried', async () => {
    const program = await new ReferenceExecutor().prepare(trainingGraph(1), { carry });
    for (const name of Object.keys(carry))
      program.write(name, {
        data: name === 'parameters' ? parameters : new Float32Array(layout.size),
        shape: [layout.size],
      });
    const losses: number[] = [];
    for (let n = 1; n <= 4; n++) {
      const { loss } = await program.run({
        images: { data: images.slice(0, pixels), shape: [1, pixels] },
        labels: { data: Int32Array.of(3), shape: [1] },
        schedule: { data: Float32Array.of(1e-3, 1 / (1 - 0.9 ** n), 1 / (1 - 0.999 ** n)), shape: [3] },
      });
      losses.push(loss!.data[0]!);
    }
    expect(losses[3]).toBeLessThan(losses[0]!);
    await program.dispose();
  });
});

describe('the picture', () => {
  it('has a row for every class', () => {
    // Every picture is of one grey that names its class and its place among those of its class.
    const labels = Array.from({ length: 30 }, (_, i) => (7 * i) % 10);
    const images = Float32Array.from({ length: 30 * pixels }, (_, at) => {
      const i = Math.floor(at / pixels);
      return (labels[i]! * 20 + Math.floor(i / 10)) / 127.5 - 1;
    });
    const png = decode(gridByClass(images, labels, 2));
    expect([png.width, png.height]).toEqual([2 * 29 + 1, 10 * 29 + 1]);
    for (let k = 0; k < 10; k++) {
      for (let j = 0; j < 2; j++) {
        const at = ((k * 29 + 14) * png.width + j * 29 + 14) * png.channels;
        expect(png.data[at]).toBe(20 * k + j);
      }
    }
  });

  it('needs enough of every class', () => {
    expect(() => gridByClass(new Float32Array(pixels), [0], 1)).toThrow('class 1 has 0 pictures');
  });
});

const data = '../shared/data/mnist';
const there = hasDigits(data);

describe.skipIf(!there)(`the digits${there ? '' : ` (skipped: ${data} is not there)`}`, () => {
  it('are the test set of MNIST', () => {
    const { images, labels } = readDigits(data, { from: 0, to: 10 });
    expect([...labels]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    expect(images.length).toBe(10 * pixels);
    expect(Math.min(...images)).toBe(-1);
    expect(Math.max(...images)).toBe(1);
  });

  it('are held out from their row on', () => {
    const all = readDigits(data, { from: 0, to: heldOutRows.to });
    const held = readDigits(data, heldOutRows);
    expect(held.labels).toEqual(all.labels.slice(heldOutRows.from));
    expect(held.images.slice(0, pixels)).toEqual(
      all.images.slice(heldOutRows.from * pixels, (heldOutRows.from + 1) * pixels),
    );
  });
});

it('a folder without the digits is named', () => {
  expect(() => readDigits('nowhere', heldOutRows)).toThrow('nowhere does not hold the digits');
});
