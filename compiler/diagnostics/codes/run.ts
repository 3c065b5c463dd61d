import { rows } from '../row.js';

/** 09zz: run time: the data that a spec names. */
export const run = rows({
  MMD0901: {
    severity: 'error',
    title: 'Data file cannot be read',
    message: 'cannot read `{path}`: {reason}',
    help: 'the paths of the `data` block are relative to the folder given with `--data`',
  },
  MMD0907: {
    severity: 'error',
    title: 'No data for a modality',
    message: 'the `data` block names no source for `{modality}`',
  },
  MMD0908: {
    severity: 'error',
    title: 'No data folder',
    message: 'the `data` block names {source}, and no folder was given to find it in',
    help: 'say where the files are: `--data DIR`, or `--data builtin:scenes` for the embedded set',
  },
  MMD0909: {
    severity: 'error',
    title: 'Embedded set has no such modality',
    message: 'the embedded set "{set}" has nothing that fits the modality `{modality}`',
    help: 'it has {columns}',
  },
  MMD0970: {
    severity: 'error',
    title: 'Frozen network cannot be used',
    message: 'the network `{path}` cannot be used: {reason}',
    help: 'the path is relative to the folder of the spec, inside the project',
  },
  MMD0971: {
    severity: 'error',
    title: 'Frozen network behind a random transform',
    message: '`{name}` runs `{transform}` on rows that differ by chance: `{random}` draws them anew',
    help: 'a network runs once for every row, when data are opened: let it see what is read from files, and put what is random behind it',
  },
  MMD0972: {
    severity: 'error',
    title: 'Frozen network of another shape',
    message: 'the network `{path}` {what} {found}, and {expected} is needed for `{name}`',
  },
});
