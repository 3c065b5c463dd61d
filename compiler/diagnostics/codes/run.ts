import { rows } from '../row.js';

/** 09zz: run time: the command line, data, checkpoints, executors. */
export const run = rows({
  MMD0901: {
    severity: 'error',
    title: 'Data file cannot be read',
    message: 'cannot read `{path}`: {reason}',
    help: 'the paths of the `data` block are relative to the folder given with `--data`',
  },
  MMD0902: {
    severity: 'error',
    title: 'Data file ends too early',
    message: '`{path}` ends after {found:byte}; its header announces {expected}',
    help: 'the file is probably the rest of an interrupted download or copy: get it again',
  },
  MMD0903: {
    severity: 'error',
    title: 'Row counts differ',
    message: '`{path}` has {found:row}, and `{other}` has {expected}',
    help: 'row i of every modality belongs to the same example, so that all of them need the same number of rows',
  },
  MMD0904: {
    severity: 'error',
    title: 'Data of another shape',
    message: '`{path}` has rows of {found}, and `{modality}` is declared as {expected}',
  },
  MMD0905: {
    severity: 'error',
    title: 'Unknown file format',
    message: '`{path}` is not {expected}: {reason}',
  },
  MMD0906: {
    severity: 'error',
    title: 'Value outside its range',
    message: 'row {row} of `{path}` holds {found}, and `{modality}` allows {expected}',
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
  MMD0921: {
    severity: 'error',
    title: 'Checkpoint cannot be read',
    message: 'cannot read the checkpoint `{path}`: {reason}',
  },
  MMD0922: {
    severity: 'error',
    title: 'Checkpoint of another spec',
    message: 'the checkpoint `{path}` belongs to another spec: {difference}',
    help: 'start a new run, or resume with the spec that the checkpoint was trained with',
  },
  MMD0941: {
    severity: 'error',
    title: 'Executor not available',
    message: 'the executor `{name}` is not available: {reason}',
    help: '`mmdc info` lists the executors that were found, and why one was not',
  },
  MMD0942: {
    severity: 'error',
    title: 'Executor failed',
    message: 'the executor `{name}` failed: {reason}',
  },
  MMD0943: {
    severity: 'error',
    title: 'Loss is not a number',
    message: 'the loss is not finite at step {step}: {terms}',
    help: 'lower the rate, clip gradients, or resume from the last checkpoint with another seed',
  },
  MMD0961: {
    severity: 'error',
    title: 'Wrong usage',
    message: '{message}',
    help: '`mmdc --help` lists the commands, and `mmdc COMMAND --help` their options',
  },
});
