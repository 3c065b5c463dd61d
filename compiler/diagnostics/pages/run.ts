import type { run as rows } from '../codes/run.js';
import type { Pages } from './page.js';

/** Pictures and what a network says of them. */
const frozen = (derived: string) => `import { MLP } from "std/backbones"

model Embedded {
  modality image: image[8, 8, 1]
  modality emb: vector[16] = ${derived}
  space z: f32[8, 8, 1]
  encoder image = image
  encoder emb = emb |> project(shape(z))
  process { origin: image }
  backbone h = concat(z, given) |> MLP(t, width: 8, depth: 1)
  decoder z = h |> project([8, 8, 1])
  decoder emb = h |> linear(16)
  task generate: image, emb
  data { image: npy("images.npy") }
}
`;

export const run: Pages<typeof rows> = {
  MMD0901: {
    about: `
A file that the \`data\` block names cannot be opened, or does not hold what the modality declares: another shape or
number of rows, a value out of range, an end too early. Its path is taken from the folder given with \`--data\`; the message
gives the reason. Nothing is resized, skipped or cut in silence.`,
    bad: {
      shell:
        '$ mmdc train points.mmd --data sets --out run\nerror[MMD0901]: cannot read `sets/points.npy`: no such file',
    },
    good: { shell: '$ mmdc train points.mmd --data data --out run' },
  },
  MMD0907: {
    about: `
Training needs a source for every modality that the model uses: an entry in the \`data\` block, or a set that has
columns for all of them, such as \`source: builtin("scenes")\`.`,
    bad: {
      shell:
        '$ grep data points.mmd\n  data { colour: npy("colours.npy") }\n$ mmdc train points.mmd --data data --out run',
    },
    good: {
      shell:
        '$ grep data points.mmd\n  data { x: npy("points.npy"), colour: npy("colours.npy") }\n$ mmdc train points.mmd --data data --out run',
    },
  },
  MMD0908: {
    about: `
The spec names files and not where they are: that differs from machine to machine, and is given with \`--data\`.`,
    bad: { shell: '$ mmdc train points.mmd --out run' },
    good: { shell: '$ mmdc train points.mmd --data data --out run' },
  },
  MMD0909: {
    about: `
The embedded set has columns of certain names and types, and a modality takes the one that has its name and fits its
type. The help lists them.`,
    bad: {
      shell:
        '$ grep modality scenes.mmd\n  modality sound: vector[100]\n$ mmdc train scenes.mmd --data builtin:scenes --out run',
    },
    good: {
      shell:
        '$ grep modality scenes.mmd\n  modality image: image[32, 32, 3]\n$ mmdc train scenes.mmd --data builtin:scenes --out run',
    },
  },
  MMD0970: {
    about: `
\`image |> onnx("features.onnx")\` runs a network that was trained elsewhere on every row, when data are opened. Its file has
to be there, inside the project (links that lead out of it included), and be a model that onnxruntime loads, with inputs
of 32-bit floats. A run keeps a copy in its folder, so that it can be sampled and evaluated anywhere.`,
    bad: {
      shell:
        '$ mmdc train digits.mmd --data mnist --out run\nerror[MMD0970]: the network `features.onnx` cannot be used: there is no such file',
    },
    good: {
      shell: '$ cp ~/features.onnx .   # beside digits.mmd\n$ mmdc train digits.mmd --data mnist --out run',
    },
  },
  MMD0971: {
    about: `
A frozen network is run once for every row, when data are opened, and not again in every step of training. Rows that are
drawn anew each time (\`holes\`, \`cutout\`, \`noise\`) would need it every time. What is random may follow it.`,
    bad: frozen('image |> noise(0.1) |> onnx("features.onnx")'),
    good: frozen('image |> onnx("features.onnx") |> noise(0.1)'),
  },
  MMD0972: {
    about: `
The shapes that the ONNX file declares are held against the modality that goes in and the \`vector\` that comes out. A
picture goes in as [n, C, H, W] or [n, H, W, C]; where both fit, \`layout:\` says which. \`output:\` picks another output.`,
    bad: {
      shell:
        '$ grep emb digits.mmd\n  modality emb: vector[64] = image |> onnx("features.onnx")\n$ mmdc train digits.mmd --data mnist --out run\nerror[MMD0972]: the network `features.onnx` gives [n, 32], and [n, 64] is needed for `emb`',
    },
    good: { shell: '$ grep emb digits.mmd\n  modality emb: vector[32] = image |> onnx("features.onnx")' },
  },
};
