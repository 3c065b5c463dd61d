import type { names as rows } from '../codes/names.js';
import type { Pages } from './page.js';
import { colouredPoints, points } from './points.js';

const head = (body: string, params = 'x: f32[C]') => `network Head(${params}) -> f32[2] { ${body} }`;

export const names: Pages<typeof rows> = {
  MMD0301: {
    about: `
Nothing of this name is declared here, imported, or built in. Names are case sensitive: \`C\` and \`c\` are two names.`,
    bad: points({ decoder: 'decoder z = h |> linaer(2)' }),
    good: points(),
  },
  MMD0302: {
    about: `
The block has no setting of this name. Unknown keys are never skipped: a misspelt setting would train with its default,
and nobody would know. \`mmdc explain\` and the editor's completion list what a block takes.`,
    bad: points({ process: 'process { stepz: 100, retention: cosine, origin: x }' }),
    good: points(),
  },
  MMD0303: {
    about: `
Modalities have the types \`image\`, \`mask\`, \`category\`, \`vector\`, \`binary\` and \`tokens\`. Networks work on
\`f32\` tensors, and take \`int\`, \`float\`, \`bool\` and \`string\` parameters and lists of them.`,
    bad: points({ modality: 'modality x: vectr[2]' }),
    good: points(),
  },
  MMD0304: {
    about: `
An encoder, a decoder, a weight, a task or a column of data is named after the modality it belongs to, and the model
declares none of this name.`,
    bad: points({ task: 'task generate: y' }),
    good: points(),
  },
  MMD0305: {
    about: `
A name is declared once in its scope. To change a declaration of another model, write a variant,
\`model B = A { ... }\`: what it declares replaces what A declares.`,
    bad: points({ modality: 'modality x: vector[2]\nmodality x: vector[3]' }),
    good: points(),
  },
  MMD0306: {
    about: `
The same key stands twice in a block. Which one was meant cannot be known, so neither is taken silently.`,
    bad: points({ train: 'train { batch: 32, steps: 1_000, batch: 64 }' }),
    good: points(),
  },
  MMD0307: {
    about: `
The name exists and is not what is needed here: a network where a value is expected, a value that is called like a
network, or a form (such as a schedule) that this key does not know. A network becomes a value by being applied to one.`,
    bad: points({ process: 'process { steps: 100, retention: adamw, origin: x }' }),
    good: points(),
  },
  MMD0308: {
    about: `
The name exists in the model, and what is written here must not depend on it: an encoder sees its own modality alone,
and a decoder sees the backbone's result and \`t\`, never data. Otherwise the model could read its answers.`,
    bad: colouredPoints({ encoder: 'encoder x = x\nencoder colour = concat(colour, x) |> linear(2)' }),
    good: colouredPoints(),
  },
  MMD0309: {
    about: `
Statements are read from top to bottom: a \`let\` can be used below its own line only. Declarations of a model may
stand in any order, except for the \`let\` among them.`,
    bad: points({ decoder: 'decoder z = h |> Head' }, head('let y = linear(a, 2)\n  let a = x |> silu\n  y')),
    good: points(
      { decoder: 'decoder z = h |> Head' },
      head('let a = x |> silu\n  let y = linear(a, 2)\n  y'),
    ),
  },
  MMD0310: {
    about: `
The language's own functions (\`linear\`, \`concat\`, ...) keep their meaning for every call, so that a spec can be read
without knowing what it declares elsewhere: no network or import takes the name of one. Nor does anything of a model
take that of \`t\` or \`given\`, which its backbone sees. Parameters of a network are free: they are named for those who
call it.`,
    bad: points(
      { decoder: 'decoder z = h |> linear' },
      'network linear(x: f32[C]) -> f32[2] { x |> linear(2) }',
    ),
    good: points({ decoder: 'decoder z = h |> Head' }, head('x |> linear(2)')),
  },
  MMD0321: {
    about: `
The value is computed and never used. Remove it, or use it; a forgotten \`let\` is often a stage that was meant to be
part of the network.`,
    bad: points({ decoder: 'decoder z = h |> Head' }, head('let y = x |> silu\n  x |> linear(2)')),
    good: points({ decoder: 'decoder z = h |> Head' }, head('let y = x |> silu\n  y |> linear(2)')),
  },
  MMD0322: {
    about: `
Nothing in the file uses what is imported here. Remove the name, or the whole import where it is the only one.`,
    bad: points({ import: 'import { MLP, DiT } from "std/backbones"' }),
    good: points(),
  },
  MMD0323: {
    about: `
The network takes this argument and does nothing with it. For an input such as \`t\` that is nearly always a mistake: the
network then cannot tell the steps of the diffusion apart.`,
    bad: points({ decoder: 'decoder z = h |> Head(t)' }, head('x |> linear(2)', 'x: f32[C], t: f32[]')),
    good: points({ decoder: 'decoder z = h |> Head' }, head('x |> linear(2)')),
  },
  MMD0324: {
    about: `
A \`let\` has the name of something declared outside it (a parameter, another \`let\`, a network, a function), or a network
that of one in the standard library, which cannot be reached below it. That is allowed, and easily misread.`,
    bad: points({ decoder: 'decoder z = h |> Head' }, head('let x = x |> silu\n  x |> linear(2)')),
    good: points({ decoder: 'decoder z = h |> Head' }, head('let y = x |> silu\n  y |> linear(2)')),
  },
  MMD0325: {
    about: `
A name in the type of an argument is a dimension that a call binds, and inside the network an integer. A later parameter of
the same name would be a second number under one name. Declared before the argument, a parameter of type \`int\` may
stand in its type, and the argument is checked against it.`,
    bad: points({ decoder: 'decoder z = h |> Head(2)' }, head('x |> linear(P)', 'x: f32[P], P: int')),
    good: points(
      { decoder: 'decoder z = h |> Head(width: 2)' },
      head('x |> linear(width)', 'x: f32[P], width: int'),
    ),
  },
  MMD0331: {
    about: `
\`// mmdc-allow CODE: reason\` silences a warning: at the end of a line for that line, on a line of its own for the
statement, declaration or entry that follows. The reason is for whoever reads the spec next, and has to decide whether it
still holds.`,
    bad: points(
      { decoder: 'decoder z = h |> Head' },
      head('\n  // mmdc-allow MMD0321\n  let y = x |> silu\n  x |> linear(2)'),
    ),
    good: points(
      { decoder: 'decoder z = h |> Head' },
      head('\n  // mmdc-allow MMD0321: to compare with y later\n  let y = x |> silu\n  x |> linear(2)'),
    ),
  },
  MMD0332: {
    about: `
The comment silences a warning that is not there (any more). Left in place it would silence one that comes later for
another reason.`,
    bad: points({ train: '// mmdc-allow MMD0604: a short test\ntrain { batch: 32, steps: 1_000 }' }),
    good: points(),
  },
  MMD0333: {
    about: `
Comments silence warnings, by their code. An error is not a matter of opinion: a spec that has one cannot be trained. A
comment without a code would silence whatever comes.`,
    bad: points({ encoder: '// mmdc-allow MMD0509: it fits\nencoder x = x' }),
    good: points(),
  },
};
