import type { run as rows } from '../codes/run.js';
import type { Pages } from './page.js';

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
};
