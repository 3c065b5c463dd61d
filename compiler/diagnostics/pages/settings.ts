import type { settings as rows } from '../codes/settings.js';
import type { Pages } from './page.js';
import { colouredPoints, points } from './points.js';

const train = (roles: string) => `train { batch: 32, steps: 1_000, roles { ${roles} } }`;

export const settings: Pages<typeof rows> = {
  MMD0701: {
    about: `
Some keys take a value, \`key: value\`, and some a block of their own, \`key { ... }\`.`,
    bad: points({ train: 'train { batch: 32, steps: 1_000, roles: 0.5 }' }),
    good: points({ train: train('all: 0.5, tasks: 0.4, any: 0.1') }),
  },
  MMD0702: {
    about: `
A modality has one role in a task: given, produced, or, where it is not listed, absent.`,
    bad: colouredPoints({ task: 'task paint: x -> colour, x' }),
    good: colouredPoints(),
  },
  MMD0703: {
    about: `
Guidance moves a prediction away from what the model would say without the given modalities. With nothing given the two
predictions are the same, and the setting does nothing.`,
    bad: points({ task: 'task generate: x { guidance: 2.0 }' }),
    good: points(),
  },
  MMD0704: {
    about: `
Every training row draws which modalities are given. \`all\` (everything produced), \`tasks\` (one of the declared tasks) and
\`any\` (any subset) are the probabilities of the three ways to draw, and add up to 1. \`absent\` is a probability of its own:
how often one given modality is hidden.`,
    bad: points({ train: train('all: 0.5, tasks: 0.4, any: 0.3') }),
    good: points({ train: train('all: 0.5, tasks: 0.4, any: 0.1') }),
  },
  MMD0705: {
    about: `
\`builtin("...")\` names a data set that comes with the program and is drawn when it is needed, for trying things out
without any files.`,
    bad: points({ data: 'data { source: builtin("scens") }' }),
    good: points(),
  },
  MMD0706: {
    about: `
Guidance compares the prediction with the one that hides what is given. A model has to have seen rows like that in
training: \`roles { absent: 0.1 }\` hides a given modality in one row of ten.`,
    bad: colouredPoints({ train: train('all: 0.5, tasks: 0.5, any: 0, absent: 0') }),
    good: colouredPoints({ train: train('all: 0.5, tasks: 0.5, any: 0, absent: 0.1') }),
  },
  MMD0707: {
    about: `
\`--set\` overrides one value of the spec from the command line. What stands before \`=\` is the path of a setting, or the
name of a \`let\` of the model; what stands after it is checked like the source.`,
    bad: { shell: '$ mmdc check points.mmd --set process.steps:250' },
    good: { shell: '$ mmdc check points.mmd --set process.steps=250' },
  },
  MMD0708: {
    about: `
A metric compares data of a certain kind: \`miou\` counts pixels of classes, \`kid\` compares distributions of images,
\`cosine\` vectors. Asked for anything else it has no meaning.`,
    bad: points({ eval: 'eval { metrics { x: miou } }' }),
    good: points({ eval: 'eval { metrics { x: frechet } }' }),
  },
};
