import type { imports as rows } from '../codes/imports.js';
import type { Pages } from './page.js';
import { points } from './points.js';

const layers = 'network Head(x: f32[C]) -> f32[2] { x |> linear(2) }\n';
const using = (path: string, name = 'Head') =>
  points({
    import: `import { MLP } from "std/backbones"\nimport { ${name} } from "${path}"`,
    decoder: `decoder z = h |> ${name}`,
  });

export const imports: Pages<typeof rows> = {
  MMD0201: {
    about: `
The path of an import that begins with \`./\` or \`../\` is taken from the folder of the importing file, and names the
file with its extension. There is no search path.`,
    bad: { files: { 'main.mmd': using('./layer.mmd'), 'layers.mmd': layers } },
    good: { files: { 'main.mmd': using('./layers.mmd'), 'layers.mmd': layers } },
  },
  MMD0202: {
    about: `
Files cannot import each other in a circle: there would be no order in which to read them. Move what both need into a
third file.`,
    bad: {
      files: {
        'main.mmd': using('./heads.mmd'),
        'heads.mmd': `import { Points } from "./main.mmd"\n\n${layers}`,
      },
    },
    good: { files: { 'main.mmd': using('./heads.mmd'), 'heads.mmd': layers } },
  },
  MMD0203: {
    about: `
A spec reads nothing outside its project: a model is to mean the same wherever the project is put, and a spec from
elsewhere is not to look around on the machine. That holds through symbolic links, too. Copy the file into the project.`,
    bad: { files: { 'main.mmd': using('../shared/layers.mmd') } },
    good: { files: { 'main.mmd': using('./layers.mmd'), 'layers.mmd': layers } },
  },
  MMD0204: {
    about: `
The file exists and declares nothing of this name. Networks and models can be imported; \`let\` and the parts of a model
cannot. \`A as B\` imports \`A\` under the name \`B\`.`,
    bad: points({ import: 'import { MPL as MLP } from "std/backbones"' }),
    good: points(),
  },
  MMD0205: {
    about: `
Paths that begin with \`std/\` name modules of the standard library, without an extension. They come with the compiler
and are written in the language: read and copy them freely.`,
    bad: points({ import: 'import { MLP } from "std/backbone"' }),
    good: points(),
  },
  MMD0206: {
    about: `
An import names either a file of the project, beginning with \`./\` or \`../\`, or a module of the standard library,
beginning with \`std/\`.`,
    bad: { files: { 'main.mmd': using('layers.mmd'), 'layers.mmd': layers } },
    good: { files: { 'main.mmd': using('./layers.mmd'), 'layers.mmd': layers } },
  },
  MMD0207: {
    about: `
The file is there and cannot be read: it is a folder, or its permissions forbid it, or it is not text in UTF-8. The
message gives the system's reason. A project that imports an unreasonable number of files is stopped here as well.`,
    bad: {
      shell:
        '$ mkdir layers.mmd\n$ mmdc check main.mmd\nerror[MMD0207]: cannot read `./layers.mmd`: it is a directory',
    },
    good: { shell: '$ rmdir layers.mmd && cp ../other/layers.mmd .\n$ mmdc check main.mmd' },
  },
};
