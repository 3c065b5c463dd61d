import { imageGrid, maskGrid } from '../../runtime/files/png.js';
import type { LogRecord, RunReport } from '../../runtime/report/index.js';

/** A small generator with a fixed seed (mulberry32), so that the page is the same each time. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const SHAPES = ['sky', 'disc', 'square', 'ring', 'bar', 'corner'];
const N = 24;
const SIZE = 32;

export const labels = Array.from(
  { length: N },
  (_, i) => `${SHAPES[1 + (i % 5)]} (${(0.71 + 0.012 * i).toFixed(2)})`,
);

/** Coloured shapes and the masks of their classes. */
function scenes(seed: number): { image: Uint8Array; mask: Uint8Array } {
  const random = generator(seed);
  const images = new Float32Array(N * SIZE * SIZE * 3);
  const masks = new Int32Array(N * SIZE * SIZE);
  for (let i = 0; i < N; i++) {
    const shape = 1 + (i % 5);
    const [cx, cy, r] = [10 + 12 * random(), 10 + 12 * random(), 5 + 5 * random()];
    const colour = [random(), random(), random()].map((c) => 1.6 * c - 0.6);
    for (let p = 0; p < SIZE * SIZE; p++) {
      const [dx, dy] = [(p % SIZE) - cx, Math.floor(p / SIZE) - cy];
      const d = Math.hypot(dx, dy);
      const inside = [
        d < r,
        Math.max(Math.abs(dx), Math.abs(dy)) < r,
        d < r && d > r - 3.5,
        Math.abs(dy) < 3,
        dx < 0 && dy < 0 && d < 2 * r,
      ][shape - 1];
      masks[i * SIZE * SIZE + p] = inside ? shape : 0;
      for (let c = 0; c < 3; c++) {
        images[(i * SIZE * SIZE + p) * 3 + c] =
          (inside ? colour[c] : 0.7 - p / 1200 - 0.2 * c) + 0.08 * (random() - 0.5);
      }
    }
  }
  return {
    image: imageGrid(images, [N, SIZE, SIZE, 3], { columns: 8 }),
    mask: maskGrid(masks, [N, SIZE, SIZE], { columns: 8 }),
  };
}

export function syntheticLog(records: number, every = 10): LogRecord[] {
  const random = generator(7);
  const noise = (scale: number) => Math.exp(scale * (random() + random() + random() - 1.5));
  return Array.from({ length: records }, (_, i) => {
    const step = (i + 1) * every;
    const progress = i / Math.max(1, records - 1);
    const L1 = (2200 / (1 + 40 * progress) + 35) * noise(0.5);
    const label = (2.3 / (1 + 30 * progress) + 0.08) * noise(0.6);
    const mask = (1400 / (1 + 60 * progress) + 60) * noise(0.35);
    const simplified = (0.42 / (1 + 25 * progress) + 0.021) * noise(0.3);
    return {
      step,
      loss: simplified + 0.1 * label + 0.0001 * mask,
      L0: 0.0341 + 0.002 * random(),
      L1,
      L2: { image: (L1 / 7) * noise(0.2), mask, label },
      L3: 0,
      simplified: { 'L1 min-SNR(5)': simplified, 'L1 uniform': simplified * 1.7 * noise(0.2) },
      rate: 3e-4 * Math.min(1, step / 500) * (0.5 + 0.5 * Math.cos(Math.PI * progress)),
      grad_norm: (1.8 / (1 + 10 * progress) + 0.15) * noise(0.7),
      seconds: step * 0.34,
    };
  });
}

export const specText = `import { UNet } from "std/backbones"

/// Scenes of one shape: picture, mask and label, generated together or from each other.
model Scenes {
  let classes = 6
  modality image: image[32, 32, 3]
  modality mask: mask[32, 32, classes]
  modality label: category[classes]
  space z: f32[32, 32, 7]

  encoder image = image |> into(z, channels: 0..3)
  encoder mask = mask |> conv(3) |> into(z, channels: 3..6)
  encoder label = label |> project([32, 32, 1]) |> into(z, channels: 6..7)

  process { steps: 1000, retention: cosine, origin: zero, weights: nested }

  backbone h = concat(z, given) |> UNet(t, widths: [32, 64, 96])

  decoder image = h |> conv(3)
  decoder mask = h |> conv(classes)
  decoder label = h |> pool |> linear(classes)

  task generate: image, mask, label
  task segment: image -> mask, label
  task paint: mask, label -> image { guidance: 1.5 }

  loss { L1: simplified(snr: min(5)), L2 { mask: 0.1, label: 0.1 } }
  train { rate: cosine(3e-4, warmup: 500), batch: 32, steps: 5_000 }  // an hour on two cores
  data { source: builtin("scenes") }
}
`;

/** What a run of three modalities could have left, made up. */
export function synthetic(records = 500): RunReport {
  const T = 1000;
  const A = Array.from({ length: T + 1 }, (_, t) =>
    Math.max(1e-9, Math.cos(((t / T + 0.008) / 1.008) * (Math.PI / 2)) ** 2),
  );
  const component = (name: string, scale: number, variance: number) => ({
    name,
    coefficient: A.map((a, t) => (t === 0 && scale !== 1 ? 0 : scale * Math.sqrt(a))),
    snr: A.map((a, t) => (t === 0 ? Infinity : (scale ** 2 * a * variance) / (1 - a))),
  });
  const grid = { columns: 8, rows: 3, gap: 2, count: N };
  const first = scenes(1);
  const second = scenes(2);
  const third = scenes(3);
  return {
    title: 'Scenes',
    spec: { path: 'examples/scenes.mmd', text: specText, hash: 'sha256:6b1f0e9c5f3a4d77' },
    started: '2026-03-01T14:05:00Z',
    finished: '2026-03-01T14:33:21Z',
    settings: [
      ['process.steps', '1000'],
      ['process.retention', 'cosine'],
      ['process.origin', 'zero'],
      ['loss.L1', 'simplified(snr: min(5)), weight 1'],
      ['loss.L2.mask', '0.1'],
      ['loss.L2.label', '0.1'],
      ['train.optimizer', 'adamw(decay: 0.01)'],
      ['train.rate', 'cosine(3e-4, warmup: 500)'],
      ['train.batch', '32'],
      ['train.ema', '0.999'],
      ['train.seed', '1'],
      ['data', 'builtin("scenes"), 8,192 rows'],
    ],
    executor: 'onnxruntime-node 1.30.0, CPU, 2 threads',
    steps: { done: records * 10, planned: 5000 },
    log: syntheticLog(records),
    samples: [
      {
        task: 'generate',
        given: [],
        produced: ['image', 'mask', 'label'],
        caption: 'ddim, 50 steps, EMA weights, seed 1',
        images: [
          { name: 'image', png: first.image, alt: 'Shapes on a blue ground.', grid, captions: labels },
          { name: 'mask', png: first.mask, alt: 'One colour for each class.', grid },
        ],
      },
      {
        task: 'segment',
        given: ['image'],
        produced: ['mask', 'label'],
        caption: 'ddim, 50 steps, EMA weights, seed 1',
        images: [
          { name: 'image', png: second.image, alt: 'Test images.', grid },
          { name: 'mask', png: second.mask, alt: 'Masks found.', grid, captions: labels },
        ],
      },
      {
        task: 'paint',
        given: ['mask', 'label'],
        produced: ['image'],
        caption: 'ddim, 50 steps, guidance 1.5, EMA weights, seed 1',
        images: [
          { name: 'image', png: third.image, alt: 'Images painted from masks.', grid, captions: labels },
        ],
      },
    ],
    metrics: [
      {
        name: 'image.kid',
        value: 0.01234,
        count: 2048,
        note: 'features of the label network (6 classes), EMA weights, seed 1',
      },
      { name: 'image.kid floor', value: 0.00031, count: 2048, note: 'real against real' },
      { name: 'mask.miou', value: 0.91873, count: 512, note: 'task segment, EMA weights' },
      { name: 'label.accuracy', value: 0.974609, count: 512, note: 'task segment, mean of 4 calls' },
    ],
    process: {
      components: [component('image', 1, 0.31), component('mask', 0.8, 0.9), component('label', 0.55, 1)],
      sigma: A.map((a) => Math.sqrt(1 - a)),
    },
    parameters: [
      { name: 'encoder.mask.conv_1.weight', shape: [3, 3, 6, 3], count: 162 },
      { name: 'encoder.label.project_1.weight', shape: [6, 1024], count: 6144 },
      ...Array.from({ length: 12 }, (_, i) => ({
        name: `backbone.UNet_1.Levels_1.repeat_1.${i}.ResBlock_1.conv_1.weight`,
        shape: [3, 3, 32 + 16 * Math.floor(i / 3), 32],
        count: 9 * (32 + 16 * Math.floor(i / 3)) * 32,
      })),
      { name: 'decoder.image.conv_1.weight', shape: [3, 3, 32, 3], count: 864 },
      { name: 'decoder.mask.conv_1.weight', shape: [3, 3, 32, 6], count: 1728 },
      { name: 'decoder.label.linear_1.weight', shape: [32, 6], count: 192 },
    ],
    notes: ['Signal-to-noise ratio of `label` at t = 1 is 92, under 100: see MMD0604.'],
  };
}
