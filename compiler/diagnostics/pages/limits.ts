import type { limits as rows } from '../codes/limits.js';
import type { Pages } from './page.js';
import { points } from './points.js';

const recursive = (body: string) =>
  points(
    { backbone: 'backbone h = concat(z, given) |> Deep(3) |> MLP(t, width: 32)' },
    `network Deep(x: f32[C], n: int) -> f32[C] {\n  ${body}\n}`,
  );

export const limits: Pages<typeof rows> = {
  MMD0801: {
    about: `
A network may use itself, as a U-Net does, level by level; every use is written out when the spec is compiled, so it has
to end. Let an \`if\` decide, on a list that gets shorter or a number that gets smaller. The message shows the last calls.`,
    bad: recursive('x |> linear(C) |> Deep(n - 1)'),
    good: recursive('if n > 0 { x |> linear(C) |> Deep(n - 1) } else { x }'),
  },
  MMD0802: {
    about: `
Networks are written out operation by operation, and the number of operations is bounded: a recursion that calls itself
twice, or a \`repeat\` inside a \`repeat\`, multiplies quickly. The bound is far above any model that could be trained.`,
    bad: points({
      backbone:
        'backbone h = concat(z, given) |> MLP(t, width: 32) |> repeat(4000) { linear(32) |> repeat(4000) { linear(32) } }',
    }),
    good: points({
      backbone:
        'backbone h = concat(z, given) |> MLP(t, width: 32) |> repeat(4) { linear(32) |> repeat(2) { linear(32) } }',
    }),
  },
  MMD0803: {
    about: `
The shape has more elements than a tensor can have here. It is counted before anything is allocated. Look for a dimension
with a zero too many, or one that was multiplied by accident.`,
    bad: points({ space: 'space z: f32[100_000, 100_000]' }),
    good: points(),
  },
};
