/**
 * Programs of any length in the proportions of real ones: documented networks as in the standard library, and models of
 * two and four modalities. Deterministic; every declaration has a name and sizes of its own.
 *
 * @module
 */

/** Lines a file at most: far below the longest text that is read. */
const fileLines = 10_000;

const networks = [
  (i) => `/// Residual block ${i}: its second half is scaled and shifted by the time embedding.
network Residual${i}(x: f32[H, W, C], t: f32[E], width: int = C) -> f32[H, W, width] {
  let h = x |> group_norm(gcd(8, C)) |> silu |> conv(width, kernel: 3)
  let (scale, shift) = t |> silu |> linear(2 * width) |> split(2)
  // The last convolution begins at zero: the block begins as the identity.
  let g = h |> group_norm(gcd(8, width)) |> modulate(scale, shift) |> silu |> conv(width, init: zeros)
  g + (x |> match_channels(width))
}
`,
  (i) => `/// Attention ${i} over all positions of an image, with a residual connection.
network Attention${i}(x: f32[H, W, C], heads: int = ${1 << (i % 4)}) -> f32[H, W, C] {
  require C % heads == 0, "the channels must divide into heads"
  x + (x |> group_norm(gcd(8, C)) |> attention(heads))
}
`,
  (i) => `/// Level ${i} holds the next smaller one.
network Levels${i}(x: f32[H, W, C], t: f32[E], widths: [int], blocks: int = 1) -> f32[H, W, widths[0]] {
  let h = x |> Residual${i - 2}(t, widths[0]) |> repeat(blocks) { Residual${i - 2}(t) }
  if len(widths) > 1 {
    let inner = h |> downsample |> Levels${i}(t, widths[1..], blocks) |> upsample
    concat(h, inner) |> Residual${i - 2}(t, widths[0])
  } else {
    h |> Attention${i - 1}(heads: 4)
  }
}
`,
  (i) => `/// Transformer block ${i} (adaLN-zero).
network Block${i}(x: f32[L, C], t: f32[E], heads: int = 4, ratio: int = 4) -> f32[L, C] {
  let (a, b, c, d, e, f) = t |> silu |> linear(6 * C, init: zeros) |> split(6)
  let y = x + (x |> layer_norm(affine: false) |> modulate(a, b) |> attention(heads)) * c

  y + (y |> layer_norm(affine: false) |> modulate(d, e) |> linear(ratio * C) |> gelu |> linear(C)) * f
}
`,
];

const models = [
  (i) => `/// Points ${i} and the class they belong to.
model Points${i} {
  modality x: vector[${2 + (i % 3)}]
  modality label: category[${4 + (i % 5)}]
  space z: f32[${2 + (i % 3)}]

  encoder x = x
  encoder label = label |> linear(16) |> project(shape(z))

  process {
    steps: ${100 + i}
    retention: cosine
    origin: x
    weights { label: nested }
  }

  backbone h = concat(z, given) |> MLP(t, width: 32, depth: 2)

  decoder z = h |> linear(${2 + (i % 3)})
  decoder label = h |> linear(${4 + (i % 5)})

  task generate: x, label
  task classify: x -> label
  task draw: label -> x { guidance: 2.0 }

  loss { L1: simplified(snr: min(5)), L2 { label: 0.1 } }
  train { rate: cosine(1e-3, warmup: 100), batch: 64, steps: 2_000, ema: 0.999 }
  data { x: npy("points.npy"), label: npy("labels.npy") }
}
`,
  (i) => `/// Scenes ${i}: picture, mask, class and embedding, each in channels of its own.
model Scenes${i} {
  let classes = ${4 + (i % 4)}

  modality image: image[16, 16, 3]
  modality mask: mask[16, 16, classes]
  modality label: category[classes]
  modality emb: vector[16] { likelihood: cosine }
  space z: f32[16, 16, 8]

  encoder image = image |> into(z, channels: 0..3)
  encoder mask = mask |> conv(3) |> into(z, channels: 3..6)
  encoder label = label |> project([16, 16, 1]) |> into(z, channels: 6..7)
  encoder emb = emb |> project([16, 16, 1]) |> into(z, channels: 7..8)

  process { steps: 1000, retention: cosine, origin: zero, weights: nested }

  backbone h = concat(z, given) |> UNet(t, widths: [8, 16, 32])

  decoder image = h |> conv(3)
  decoder mask = h |> conv(classes)
  decoder label = h |> pool |> linear(classes)
  decoder emb = h |> pool |> linear(16)

  task generate: image, mask, label, emb
  task segment: image -> mask
  task recognise: image -> label, emb
  task paint: mask, label -> image { guidance: 1.5 }

  loss { L2 { image: mean(0.1), mask: mean(0.5), label: 0.1, emb: 0.02 } }
  train { rate: cosine(2e-3, warmup: 100), batch: 32, steps: 1_200, ema: 0.995 }
  data { source: builtin("scenes") }
}
`,
];

const imports = 'import { MLP, UNet } from "std/backbones"\n';

const countLines = (text) => text.split('\n').length - 1;

/** Declarations until there are that many lines, in files of bounded length. */
function files(forms, lines, head) {
  const texts = [];
  let [text, inFile, total] = [head, countLines(head), 0];
  for (let i = 0; total < lines; i++) {
    // Networks refer to the ones before them: a file begins with a whole round of the forms.
    if (inFile >= Math.min(fileLines, lines) && i % forms.length === 0) {
      texts.push(text);
      [text, inFile] = [head, countLines(head)];
    }
    const next = `${forms[i % forms.length](i)}\n`;
    const count = countLines(next);
    [text, inFile, total] = [text + next, inFile + count, total + count];
  }
  return [...texts, text];
}

/**
 * A program of networks, none of them used by its one model; further files are imported by the first.
 *
 * @returns texts by file; `main.mmd` is the root
 */
export function unusedNetworks(lines) {
  const [first, ...rest] = files(networks, lines, '');
  const others = rest.map(
    (_, k) => `import { Residual${residual(rest[k])} as R${k} } from "./part${k}.mmd"\n`,
  );
  const main = `${imports}${others.join('')}\n${first}${models[0](0)}`;
  return { 'main.mmd': main, ...Object.fromEntries(rest.map((text, k) => [`part${k}.mmd`, text])) };
}

/** Number of the first residual block of a text. */
const residual = (text) => /network Residual(\d+)/.exec(text)[1];

/** Programs of models, one a file, each of them a root of its own. */
export function manyModels(lines) {
  return Object.fromEntries(files(models, lines, imports).map((text, k) => [`models${k}.mmd`, text]));
}

/** One file of that many lines, half of them networks, half models that use library networks and some of the file's. */
export function mixed(lines) {
  const parts = [];
  for (let i = 0, total = 1; total < lines; i++) {
    const round = [...networks.map((form, k) => form(i * networks.length + k)), models[i % models.length](i)];
    for (const text of round) {
      if (total >= lines) break;
      parts.push(text);
      total += countLines(text) + 1;
    }
  }
  return `${imports}\n${parts.join('\n')}`;
}
