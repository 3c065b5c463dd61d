/** Random models whose syntax and names are right, and whose shapes and settings often are: they reach the last stages. */
import fc from 'fast-check';

const size = fc.constantFrom(1, 2, 3, 4, 6, 8);
const odd = fc.constantFrom('0', '-1', '7', '0.5', '1e18', 'true', '"x"', '[2, 2]', 'side');

const modality = fc.oneof(
  fc.tuple(size, size, size).map(([h, w, c]) => ({ type: `image[${h}, ${w}, ${c}]`, shape: [h, w, c] })),
  fc.tuple(size, size, size).map(([h, w, k]) => ({ type: `mask[${h}, ${w}, ${k}]`, shape: [h, w, k] })),
  size.map((k) => ({ type: `category[${k}]`, shape: [k] })),
  size.map((d) => ({ type: `vector[${d}]`, shape: [d] })),
  size.map((d) => ({ type: `vector[${d}] { likelihood: cosine }`, shape: [d] })),
  fc.tuple(size, size).map(([a, b]) => ({ type: `binary[${a}, ${b}]`, shape: [a, b] })),
  fc.tuple(size, size).map(([l, v]) => ({ type: `tokens[${l}, ${v}]`, shape: [l, v] })),
);

const stage = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom('silu', 'gelu', 'softmax', 'layer_norm', 'stop_gradient', 'Twice'),
  },
  { weight: 8, arbitrary: size.map((n) => `linear(${n})`) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...['upsample', 'avg_pool', 'downsample', 'fold', 'pool', 'mean([0])'],
      ...['attention(2)', 'group_norm(2)', 'permute([1, 0])', 'repeat(2) { layer_norm |> Twice }'],
    ),
  },
  { weight: 2, arbitrary: size.map((n) => `conv(${n}, kernel: ${n})`) },
  { weight: 1, arbitrary: odd.map((n) => `linear(${n})`) },
  { weight: 1, arbitrary: odd.map((n) => `reshape(${n})`) },
);
const stages = (max: number) =>
  fc.array(stage, { maxLength: max }).map((list) => list.map((s) => ` |> ${s}`).join(''));

const schedule = fc.constantFrom(
  'cosine',
  'linear(1e-4, 0.02)',
  'linear(0.5, 0.9)',
  '0.9',
  '0.99',
  'cosine(0.1, 0.5)',
);
const curve = fc.constantFrom(
  'nested',
  'nested(0.5)',
  'marginal(cosine)',
  'marginal(1)',
  'step(0.1)',
  'step(linear(0, 1))',
);
const setting = fc.oneof(
  { weight: 9, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: odd.map((v) => `steps: ${v}`) },
);

/** The texts of models with one to three modalities. */
export const modelText: fc.Arbitrary<string> = fc
  .record({
    list: fc.array(modality, { minLength: 1, maxLength: 3 }),
    space: fc.tuple(size, size, size),
    inner: fc.array(stages(2), { minLength: 3, maxLength: 3 }),
    heads: fc.array(stages(2), { minLength: 3, maxLength: 3 }),
    trunk: stages(3),
    origin: fc.constantFrom('zero', 'mean', 'm0', 'm1'),
    schedule,
    curve,
    steps: fc.constantFrom(2, 10, 100, 1000),
    predict: fc.constantFrom('x0', 'x0', 'x0', 'v', 'eps'),
    guidance: fc.constantFrom('1', '2.5', '0'),
    sampler: fc.constantFrom('ddim', 'ddpm', 'dpmpp', 'ddim(0.5)'),
    loss: fc.constantFrom('L1: simplified', 'L1: simplified(snr: clamp)', 'L1: bound(2), L3: 1', 'L2: mean'),
    setting,
  })
  .map((m) => {
    const shape = (dims: readonly number[]) => `[${dims.join(', ')}]`;
    const names = m.list.map((_, i) => `m${i}`);
    const origin = /^m/.test(m.origin) && !names.includes(m.origin) ? 'zero' : m.origin;
    const tasks = names.map((name, i) => {
      const given = names.filter((_, j) => j !== i);
      return given.length === 0
        ? `task t${i}: ${name}`
        : `task t${i}: ${given.join(', ')} -> ${name} { guidance: ${m.guidance} }`;
    });
    return [
      'network Twice(x: f32[...S, C]) -> f32[...S, C] { x + (x |> linear(C)) }',
      'model M {',
      '  let side = 2',
      ...m.list.map(({ type }, i) => `  modality m${i}: ${type}`),
      `  space z: f32${shape(m.space)}`,
      ...names.map((name, i) => `  encoder ${name} = ${name}${m.inner[i]} |> project(shape(z))`),
      `  process { origin: ${origin}, steps: ${m.steps}, retention: ${m.schedule}, weights: ${m.curve}, predict: ${m.predict} }`,
      `  backbone h = concat(z, given)${m.trunk}`,
      ...m.list.map(({ shape: dims }, i) => `  decoder m${i} = h${m.heads[i]} |> project(${shape(dims)})`),
      ...(origin.startsWith('m') && origin !== 'mean'
        ? [`  decoder z = h |> project(${shape(m.space)})`]
        : []),
      `  task all: ${names.join(', ')} { sampler: ${m.sampler}, steps: 2 }`,
      ...tasks.map((task) => `  ${task}`),
      `  loss { ${m.loss} }`,
      `  train { ${m.setting} }`,
      '}',
      '',
    ].join('\n');
  });
