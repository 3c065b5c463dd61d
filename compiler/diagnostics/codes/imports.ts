import { rows } from '../row.js';

/** 02zz: files, imports and the project they belong to. */
export const imports = rows({
  MMD0201: {
    severity: 'error',
    title: 'Imported file not found',
    message: 'there is no file `{path}`',
    help: 'paths that begin with `./` or `../` are relative to the importing file',
  },
  MMD0202: {
    severity: 'error',
    title: 'Import cycle',
    message: 'these files import each other: {cycle}',
    help: 'move what both need into a file of its own, and import that',
  },
  MMD0203: {
    severity: 'error',
    title: 'Import from outside the project',
    message: '`{path}` is outside the project, whose root is `{root}`',
    help: 'copy the file into the project; a spec never reads what lies outside it',
  },
  MMD0204: {
    severity: 'error',
    title: 'Name not exported',
    message: '`{path}` declares no network or model `{name}`',
  },
  MMD0205: {
    severity: 'error',
    title: 'No such module of the standard library',
    message: 'the standard library has no module `{path}`',
  },
  MMD0206: {
    severity: 'error',
    title: 'Malformed import path',
    message: '`{path}` is neither a relative path nor a module of the standard library',
    help: 'write `"./file.mmd"` for a file of the project or `"std/name"` for the standard library',
  },
  MMD0207: {
    severity: 'error',
    title: 'File cannot be read',
    message: 'cannot read `{path}`: {reason}',
  },
});
