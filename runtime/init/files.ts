/**
 * The files of a new project: a model of two modalities on embedded data, small enough to train while one reads its
 * README.
 *
 * @module
 */

/** Contents by name. `name` is what the model is called: letters, digits and `_`. */
export function projectFiles(name: string): Readonly<Record<string, string>> {
  return {
    'model.mmd': spec(name),
    'README.md': readme(name),
    '.gitignore': 'runs/\nsamples/\nnode_modules/\n',
  };
}

const spec = (name: string): string => `import { UNet } from "std/backbones"

/// Pictures of simple scenes and what they show, generated together: give one, and the other is produced.
model ${name} {
  modality image: image[32, 32, 3]
  modality label: category["ball", "box", "pyramid", "house", "tree", "snowman"]
  space z: f32[32, 32, 3]

  encoder image = image
  encoder label = label |> linear(64) |> project(shape(z))

  process { origin: image, weights { label: nested } }

  backbone h = concat(z, given) |> fold |> UNet(t, widths: [24, 48])

  decoder z = h |> conv(12) |> unfold
  decoder label = h |> pool |> linear(6)

  task generate: image, label
  task draw: label -> image { guidance: 2.0 }
  task classify: image -> label

  loss { L1: simplified(snr: clamp(1, 5)), L2 { label: 0.5 } }
  train { rate: cosine(2e-3, warmup: 50), batch: 32, steps: 600, ema: 0.99 }

  // Embedded: it needs no files. For your own, name them: \`image: images("pictures/")\`, \`label: npy("labels.npy")\`.
  data { source: builtin("scenes") }
}
`;

const readme = (name: string): string => `# ${name}

A model of pictures and their labels, in \`model.mmd\`, on data that comes with \`mmdc\`.

\`\`\`sh
mmdc check model.mmd                                   # everything that is wrong, before anything runs
mmdc train model.mmd --out runs/first                  # some minutes on a laptop; --steps 50 for a first look
mmdc sample runs/first --task draw --given label=house -n 16 --out samples/houses
mmdc report runs/first                                 # runs/first/report.html: curves, samples, settings
\`\`\`

(\`npx mmdc ...\` where it is installed in a project; \`mmdiff\` is the same program, for where \`mmdc\` is Mermaid's.)

Then:

- change \`widths\`, \`steps\` or a task, and check again: shapes are worked out before anything runs
- \`mmdc train model.mmd --out runs/second --set train.steps=2000\` tries a setting without editing
- \`mmdc fmt model.mmd\` formats; \`mmdc lsp --stdio\` serves editors
- \`mmdc explain MMD0509\` tells what a diagnostic means
`;
