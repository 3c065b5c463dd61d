import type { targets as rows } from '../codes/targets.js';
import type { Pages } from './page.js';

export const targets: Pages<typeof rows> = {
  MMD1001: {
    about: `
What is written here can be checked, trained and sampled by \`mmdc\`, but the target that was asked for has no form for it.
Nothing is written then, because a program that leaves something out would be another model.`,
    bad: {
      shell:
        '$ mmdc compile photos.mmd --target pytorch -o package\nerror[MMD1001]: the pattern "train/@(a|b)/*.png" of files has no form in the target `pytorch`',
    },
    good: {
      shell:
        '$ mmdc compile photos.mmd --target pytorch -o package --set \'data.image=images("train/{a,b}/*.png")\'',
    },
  },
};
