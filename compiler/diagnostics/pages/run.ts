import type { run as rows } from '../codes/run.js';
import type { Pages } from './page.js';

export const run: Pages<typeof rows> = {
  MMD0901: {
    about: `
A file that the \`data\` block names cannot be opened. Its paths are taken from the folder given with \`--data\`; the
message gives the system's reason.`,
    bad: {
      shell:
        '$ mmdc train points.mmd --data sets --out run\nerror[MMD0901]: cannot read `sets/points.npy`: no such file',
    },
    good: { shell: '$ mmdc train points.mmd --data data --out run' },
  },
  MMD0902: {
    about: `
The header of the file announces more than the file holds. Usually a download or a copy was interrupted. Nothing of a
truncated file is used: the rows that are there would be trained on as if they were all.`,
    bad: {
      shell:
        '$ head -c 100000 t10k-images-idx3-ubyte.gz > data/t10k-images-idx3-ubyte.gz\n$ mmdc train digits.mmd --data data --out run',
    },
    good: { shell: '$ cp t10k-images-idx3-ubyte.gz data/\n$ mmdc train digits.mmd --data data --out run' },
  },
  MMD0903: {
    about: `
Row i of every file belongs to the same example, so all files have the same number of rows. Different numbers mean that
files of two sets were mixed, or that one was filtered.`,
    bad: { shell: '$ ls data\ntrain-images-idx3-ubyte.gz  t10k-labels-idx1-ubyte.gz' },
    good: { shell: '$ ls data\nt10k-images-idx3-ubyte.gz  t10k-labels-idx1-ubyte.gz' },
  },
  MMD0904: {
    about: `
The rows of the file have another shape than the modality declares. Change the declaration, or convert the file: nothing
is resized or cut in silence.`,
    bad: {
      shell:
        '$ mmdc train digits.mmd --data data --out run\nerror[MMD0904]: `data/x.npy` has rows of 32 × 32 × 3, and `image` is declared as 28 × 28 × 1',
    },
    good: { shell: '$ grep modality digits.mmd\n  modality image: image[32, 32, 3]' },
  },
  MMD0905: {
    about: `
The contents of the file are not what its entry says: \`idx\`, \`npy\` and pictures are told by their first bytes, not by
their names.`,
    bad: { shell: '$ cp picture.png data/points.npy\n$ mmdc train points.mmd --data data --out run' },
    good: {
      shell:
        '$ python -c "import numpy; numpy.save(\'data/points.npy\', numpy.random.randn(1000, 2))"\n$ mmdc train points.mmd --data data --out run',
    },
  },
  MMD0906: {
    about: `
A value cannot be one of the modality's: a class beyond the last one, a number that is not finite, a pixel outside its
range. The message gives the first such row.`,
    bad: {
      shell:
        '$ mmdc train digits.mmd --data data --out run\nerror[MMD0906]: row 17 of `data/labels.npy` holds 10, and `label` allows 0 to 9',
    },
    good: { shell: '$ grep modality digits.mmd\n  modality label: category[11]' },
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
  MMD0921: {
    about: `
The checkpoint is missing, incomplete or damaged; its checksum is verified before anything of it is used. A run keeps
earlier checkpoints beside the last one.`,
    bad: { shell: '$ rm run/checkpoints/*\n$ mmdc sample run --out samples' },
    good: {
      shell: '$ mmdc train points.mmd --data data --out run --resume\n$ mmdc sample run --out samples',
    },
  },
  MMD0922: {
    about: `
A checkpoint holds the hash of the spec it was trained with: of its text, of what it imports and of what \`--set\`
changed. Going on with another spec would leave a model that no spec describes. The message says what differs.`,
    bad: { shell: '$ mmdc train points.mmd --data data --out run --resume --set process.steps=250' },
    good: { shell: '$ mmdc train points.mmd --data data --out run-250 --set process.steps=250' },
  },
  MMD0941: {
    about: `
The executor asked for with \`--backend\` cannot be used on this machine. \`--backend auto\` takes the first that can;
\`mmdc info\` says why one cannot.`,
    bad: { shell: '$ mmdc train points.mmd --data data --out run --backend tfjs' },
    good: { shell: '$ mmdc info\n$ mmdc train points.mmd --data data --out run --backend auto' },
  },
  MMD0942: {
    about: `
The executor accepted the graph and failed while running it, most often for want of memory. Make the batch smaller, or
take another executor; if \`--backend reference\` works, please report it.`,
    bad: { shell: '$ mmdc train scenes.mmd --data builtin:scenes --out run --set train.batch=4096' },
    good: { shell: '$ mmdc train scenes.mmd --data builtin:scenes --out run --set train.batch=32' },
  },
  MMD0943: {
    about: `
A loss that is not finite cannot be trained on: every parameter would become NaN in this step. The run stops with the
last good checkpoint, and the message gives each term. Most often the learning rate is too high.`,
    bad: { shell: '$ mmdc train points.mmd --data data --out run --set train.rate=10' },
    good: { shell: '$ mmdc train points.mmd --data data --out run --set train.rate=0.001' },
  },
  MMD0961: {
    about: `
The command, an option or its value is not known, or two options exclude each other. Exit code 2.`,
    bad: { shell: '$ mmdc chekc points.mmd' },
    good: { shell: '$ mmdc check points.mmd' },
  },
};
