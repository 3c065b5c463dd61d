import type { syntax as rows } from '../codes/syntax.js';
import type { Pages } from './page.js';
import { points } from './points.js';

const deep = (n: number) => points({ decoder: `decoder z = h |> linear(${'('.repeat(n)}2${')'.repeat(n)})` });

export const syntax: Pages<typeof rows> = {
  MMD0101: {
    about: `
This character begins nothing in the language. Outside strings and comments a spec is written in letters, digits,
underscores and the language's own signs; entries are separated by commas or new lines, never by semicolons.`,
    bad: points({ train: 'train { batch: 32; steps: 1_000 }' }),
    good: points(),
  },
  MMD0102: {
    about: `
A string begins and ends with \`"\` on one line. Write \`\\"\` for a quote inside it, and \`\\n\` for a line break.`,
    bad: points({ data: 'data { x: npy("points.npy) }' }),
    good: points(),
  },
  MMD0103: {
    about: `
A number is decimal: digits, underscores between them, a point with digits on both sides, an exponent. There are no
suffixes and no units, and a name cannot begin with a digit.`,
    bad: points({ train: 'train { batch: 32, steps: 1k }' }),
    good: points(),
  },
  MMD0104: {
    about: `
The parser can continue here in other ways only; the message says in which. It skips what it cannot use and reads
on, so one slip can hide another, but never a whole declaration: those begin with words reserved for them.`,
    bad: points({ task: 'task generate = x' }),
    good: points(),
  },
  MMD0105: {
    about: `
A block that was opened with \`{\` has no \`}\`. Declarations are recognised all the same: the block ends where the
next word begins that cannot stand inside it.`,
    bad: points({ train: 'train { batch: 32, steps: 1_000' }),
    good: points(),
  },
  MMD0106: {
    about: `
Brackets and blocks are nested deeper than any spec written by hand. The bound keeps a generated or hostile file from
exhausting the stack. Name the inner parts with \`let\`, or move them into networks.`,
    bad: {
      files: { 'main.mmd': deep(600) },
      shown: points({ decoder: 'decoder z = h |> linear((((( ... 2 ... )))))' }),
    },
    good: points(),
  },
  MMD0107: {
    about: `
A spec is a page or two. A file of many megabytes is something else, such as a data file under the wrong name, and is
not read.`,
    bad: {
      get files() {
        return { 'main.mmd': points() + '// and so on\n'.repeat(1_500_000) };
      },
      shown: '// 16 million characters and more',
    },
    good: points(),
  },
  MMD0108: {
    about: `
In a string a backslash begins one of the escapes \`\\"\`, \`\\\\\`, \`\\n\`, \`\\t\` and \`\\u{1F600}\`. Paths are
written with forward slashes on every system.`,
    bad: points({ data: 'data { x: npy("sets\\points.npy") }' }),
    good: points({ data: 'data { x: npy("sets/points.npy") }' }),
  },
  MMD0109: {
    about: `
Something has to stand here: a value after \`=\` or \`:\`, an operand beside an operator, a stage after \`|>\`. An
expression continues on the next line if that line begins with \`|>\` or an operator other than \`+\` and \`-\`.`,
    bad: points({ decoder: 'decoder z =' }),
    good: points(),
  },
  MMD0110: {
    about: `
A declaration needs a name, made of letters, digits and underscores, which does not begin with a digit. Encoders and
decoders carry the name of the modality they belong to.`,
    bad: points({ encoder: 'encoder = x' }),
    good: points(),
  },
  MMD0111: {
    about: `
\`if\` is an expression: it has a value in either case, and so needs both branches. They must have the same type.`,
    bad: points({
      backbone: 'let wide = if 2 > 1 { 64 }\nbackbone h = concat(z, given) |> MLP(t, width: wide)',
    }),
    good: points({
      backbone:
        'let wide = if 2 > 1 { 64 } else { 32 }\nbackbone h = concat(z, given) |> MLP(t, width: wide)',
    }),
  },
  MMD0112: {
    about: `
The words that begin declarations and blocks (\`model\`, \`modality\`, \`data\`, \`loss\`, ...) are reserved everywhere,
so that a block that was never closed cannot swallow what follows it. Choose another name.`,
    bad: points({ train: 'let loss = 32\ntrain { batch: loss, steps: 1_000 }' }),
    good: points({ train: 'let rows = 32\ntrain { batch: rows, steps: 1_000 }' }),
  },
  MMD0113: {
    about: `
Comparisons cannot be chained: \`1 < n < 8\` would compare a truth value with a number. Join two comparisons with
\`&&\`.`,
    bad: points(
      { backbone: 'backbone h = concat(z, given) |> Narrow(t, width: 32)' },
      `network Narrow(x: f32[C], t: f32[], width: int) -> f32[width] {
  require 8 <= width <= 64, "width is 8 to 64"
  x |> MLP(t, width: width)
}`,
    ),
    good: points(
      { backbone: 'backbone h = concat(z, given) |> Narrow(t, width: 32)' },
      `network Narrow(x: f32[C], t: f32[], width: int) -> f32[width] {
  require 8 <= width && width <= 64, "width is 8 to 64"
  x |> MLP(t, width: width)
}`,
    ),
  },
  MMD0114: {
    about: `
Models and networks are declared at the top of a file, everything else inside a model. A network inside a model
usually means that the model's closing brace comes too late.`,
    bad: points({
      backbone: `network Head(x: f32[C]) -> f32[2] { x |> linear(2) }
backbone h = concat(z, given) |> MLP(t, width: 32)`,
      decoder: 'decoder z = h |> Head',
    }),
    good: points(
      { decoder: 'decoder z = h |> Head' },
      'network Head(x: f32[C]) -> f32[2] { x |> linear(2) }',
    ),
  },
  MMD0115: {
    about: `
A parenthesis or square bracket is not closed. It ends where the next word begins that cannot stand inside it, and the
message points at the opening sign.`,
    bad: points({ decoder: 'decoder z = h |> linear(2' }),
    good: points(),
  },
  MMD0116: {
    about: `
At most a hundred syntax errors are listed for a file. Mend the first ones: what follows is often their consequence. A
file with this many is perhaps not a spec at all.`,
    bad: { files: { 'main.mmd': '"\n'.repeat(200) }, shown: '"\n"\n"\n// and two hundred more' },
    good: points(),
  },
};
